"""Entries: their canonical text, and the commitments that stand for people's records."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from service import ledger
from service.ledger.entries import canonical
from service.store.tables import LedgerEntry

from .conftest import NOON, Log, revoked

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
    entry = ledger.ParticipantJoinedEntry(participant="par_é", participant_kind="k", country=None, commitment="0" * 64)
    log.database.write(lambda session: ids.append(ledger.append(session, entry, NOON)))
    log.database.write(lambda session: ledger.append_many(session, (revoked(f"lnk_{n}") for n in range(3)), NOON))
    with log.database.read() as session:
        rows = [(row.id, row.kind, row.body) for row in session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq))]
    assert rows[0][0] == ids[0]
    assert json.loads(rows[0][2]) == {
        "v": 1,
        "kind": "participant.joined",
        "at": "2026-11-25T12:00:00.000000Z",
        "id": ids[0],
        "participant": "par_é",
        "participant_kind": "k",
        "country": None,
        "commitment": "0" * 64,
    }
    assert [row[:2] for row in rows[1:]] == [(f"lnk_{n}", "link.revoked") for n in range(3)]
    assert all(rfc8785.dumps(json.loads(body)).decode() == body for _, _, body in rows)


@pytest.mark.parametrize(
    "facts",
    [
        {"link": "lnk_one"},  # a fact that the kind does not have
        {"by": None},
        {"participant": 7},
        {"id": ""},
    ],
)
def test_an_entry_with_other_facts_than_its_kind_has_is_not_made(facts: dict[str, Any]) -> None:
    """What is in the log stays there, so it is checked before."""
    right = {"id": "lnk_one", "participant": "par_one", "by": "staff"}
    assert ledger.KINDS["link.revoked"](**right).facts() == right
    with pytest.raises(ValueError, match="validation error"):
        ledger.KINDS["link.revoked"](**right | facts)


def test_an_entry_lacks_no_fact_of_its_kind() -> None:
    some: dict[str, Any] = {"id": "lnk_one", "by": "staff"}
    with pytest.raises(ValueError, match="participant"):
        ledger.KINDS["link.revoked"](**some)


def test_facts_that_do_not_apply_are_null_or_left_out_as_their_kind_says() -> None:
    of_log = ledger.KeyCreatedEntry(key="0a1b2c3d", role="log", participant=None, vkey="v").facts()
    assert of_log == {"id": of_log["id"], "key": "0a1b2c3d", "role": "log", "participant": None, "vkey": "v"}
    of_staff = ledger.KeyCreatedEntry(key="key_a", role="staff", participant=None, by="cli").facts()
    assert of_staff == {"id": of_staff["id"], "key": "key_a", "role": "staff", "participant": None, "by": "cli"}


def test_a_fact_may_have_a_name_that_the_language_keeps_for_itself() -> None:
    entry = ledger.ReportImportedEntry(
        format="nginx", sha256="0" * 64, first_line=1, last_line=2, bad_lines=0, views=2, import_="imp_1"
    )
    assert entry.facts()["import"] == "imp_1"
    assert "import_" not in entry.facts()


def test_a_commitment_binds_a_record_by_its_salt() -> None:
    """SHA-256(32-byte salt ‖ RFC 8785 record)."""
    salt = ledger.new_salt()
    assert len(salt) == 32
    record = {"name": "A", "email": "a@example.org"}
    found = ledger.commitment(salt, record)
    assert found == hashlib.sha256(salt + b'{"email":"a@example.org","name":"A"}').hexdigest()
    assert found != ledger.commitment(ledger.new_salt(), record)


@pytest.mark.parametrize("kind", ledger.KINDS.values(), ids=list(ledger.KINDS))
def test_every_kind_and_each_of_its_facts_says_what_it_is(kind: type[ledger.Entry]) -> None:
    """The reference of entries is made of it."""
    assert kind.__doc__
    assert kind.__doc__ != ledger.Entry.__doc__
    fields = kind.model_json_schema(mode="serialization", by_alias=True)["properties"]
    assert [name for name, field in fields.items() if not field.get("description")] == []
