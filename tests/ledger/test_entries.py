"""Entries: their canonical text, and the commitments that stand for people's records."""

from __future__ import annotations

import hashlib
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from service import ledger
from service.ledger.entries import canonical
from service.store.tables import LedgerEntry

from .conftest import NOON, Log

plain = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.floats(allow_nan=False, allow_infinity=False))
values = st.one_of(plain, st.lists(plain, max_size=3), st.dictionaries(st.text(), plain, max_size=3))


@given(st.dictionaries(st.one_of(st.sampled_from(["a", "b", "kind"]), st.text()), values, max_size=8))
def test_the_quick_way_gives_the_bytes_of_rfc_8785(value: dict[str, object]) -> None:
    """Entries are canonical JSON (RFC 8785)."""
    try:
        expected = rfc8785.dumps(value)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        return
    assert canonical(value) == expected


def test_entries_have_version_kind_time_and_facts(log: Log) -> None:
    ids = []
    log.database.write(lambda s: ids.append(ledger.append(s, "link.issued", NOON, link="lnk_é", max_downloads=None)))
    log.database.write(
        lambda s: ledger.append_many(s, "download", NOON, ({"id": f"dl_{n}", "bytes": n} for n in range(3)))
    )
    with log.database.read() as session:
        rows = [(row.id, row.kind, row.body) for row in session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq))]
    assert rows[0][0] == ids[0]
    assert json.loads(rows[0][2]) == {
        "v": 1,
        "kind": "link.issued",
        "at": "2026-11-25T12:00:00.000000Z",
        "id": ids[0],
        "link": "lnk_é",
        "max_downloads": None,
    }
    assert [row[:2] for row in rows[1:]] == [("dl_0", "download"), ("dl_1", "download"), ("dl_2", "download")]
    assert all(rfc8785.dumps(json.loads(body)).decode() == body for _, _, body in rows)


def test_an_unknown_kind_is_refused(log: Log) -> None:
    with pytest.raises(ValueError, match="no kind"):
        log.database.write(lambda session: ledger.append(session, "download.made", NOON))


def test_a_commitment_binds_a_record_by_its_salt() -> None:
    """SHA-256(32-byte salt ‖ RFC 8785 record)."""
    salt = ledger.new_salt()
    assert len(salt) == 32
    record = {"name": "A", "email": "a@example.org"}
    found = ledger.commitment(salt, record)
    assert found == hashlib.sha256(salt + b'{"email":"a@example.org","name":"A"}').hexdigest()
    assert found != ledger.commitment(ledger.new_salt(), record)
