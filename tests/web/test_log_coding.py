"""Entry bundles are sent gzip-coded to whoever takes it, and our own readers do."""

from __future__ import annotations

import gzip

from service.verification.log_reader import UrlSource
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log
from tests.parts.served import served

from .conftest import Api


def test_bundles_are_coded_for_whoever_takes_gzip(api: Api) -> None:
    """tlog-tiles: entry bundles SHOULD be compressed at the HTTP layer."""
    size = api.parts.sealer.seal().size
    path = f"/log/tile/entries/000.p/{size}"
    plain = api.ask("GET", path, key="auditor", headers={"Accept-Encoding": "identity"})
    coded = api.ask("GET", path, key="auditor", headers={"Accept-Encoding": "gzip"})
    refused = api.ask("GET", path, key="auditor", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in plain.headers
    assert refused.data == plain.data
    assert coded.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(coded.data) == plain.data
    assert len(coded.data) < len(plain.data) / 2
    assert "Accept-Encoding" in coded.headers["Vary"]
    with served(api.app) as address:
        source = UrlSource(address, api.key("auditor"))
        verdict = verify_log(source, [parse_vkey(vkey) for vkey in api.parts.sealer.vkeys()])
    assert verdict.ok, verdict.findings
    assert verdict.entries_read
