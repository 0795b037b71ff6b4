"""Receipts: what has no proof yet, and what has none at all."""

from __future__ import annotations

import pytest

from service.audit.receipts import Receipts
from service.problems import NotFound, NotSealed

from .conftest import ON_BOTH, START, Deployment, download


@ON_BOTH
def test_proofs_of_what_is_not_there_or_not_sealed(deployment: Deployment) -> None:
    receipts = Receipts(deployment.database, deployment.storage, deployment.reports)
    deployment.sealer.seal()
    deployment.record([download(START, id="dl_waiting")])
    with pytest.raises(NotSealed) as error:
        receipts.make("dl_waiting")
    assert "Retry-After" in error.value.headers
    with pytest.raises(NotSealed):
        receipts.make("99")
    for name in ("dl_never_there_at_all", "x", "-1", "par_'; drop"):
        with pytest.raises(NotFound):
            receipts.make(name)
