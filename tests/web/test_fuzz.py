"""Schemathesis calls the API as the OpenAPI document says, and otherwise, with every role on both databases.

A few calls of each operation and some chains here; ``python -m tests.benchmarks.fuzz`` makes a hundred thousand.
"""

from __future__ import annotations

import logging

import pytest

from tests.parts.fuzzing import fuzz
from tests.parts.served import served

from .conftest import Api

ROLES = ("partner", "portal", "auditor", "staff", "")
CHAINED = ("portal", "staff")  # who make what the next call of a chain is about


@pytest.mark.usefixtures("one_kit")
def test_no_call_is_answered_otherwise_than_documented(either: Api) -> None:
    """No server error, no undocumented status or type, no body against its schema, no invalid input taken."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    participant = either.ready()
    _, either.keys["partner"] = either.parts.participants.api_keys.create(
        "partner", participant=participant, by="staff"
    )
    with served(either.app) as url:
        for seed, role in enumerate(ROLES):
            headers = {"Authorization": f"Bearer {either.key(role)}"} if role else {}
            phases = ("fuzzing", "stateful") if role in CHAINED else ("fuzzing",)
            found = fuzz(url, headers, examples=1, seed=seed, phases=phases)
            assert found.failures == {}, role
            assert found.calls > 50, role
            assert max(found.statuses) < 500, (role, found.statuses)
