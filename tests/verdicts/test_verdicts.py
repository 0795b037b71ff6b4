"""What is kept of checks, on both databases: lists, the word of staff, and what goes when its time is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import func, select

from service.campaign import Campaign
from service.embeds import Embeds
from service.problems import InvalidRequest, NotFound
from service.storage import Storage, open_storage
from service.store import Database, tables
from service.verdicts import UPLOAD, Verdicts
from service.verdicts.forgetting import file_key, forget_checks
from tests.conftest import NOON, FrozenClock

_REPORT = {
    "verdict": "not_compliant",
    "logos": [],
    "width": 900,
    "height": 600,
    "seconds": 0.5,
    "sha256": "a" * 64,
    "media_type": "image/png",
    "pages": 1,
    "notes": [],
}
Add = Callable[..., str]


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage((tmp_path / "storage").as_uri())


@pytest.fixture
def verdicts(
    database: Database, storage: Storage, campaign: Campaign, clock: FrozenClock, tmp_path: Path
) -> Iterator[Verdicts]:
    made = Verdicts(
        database,
        storage,
        campaign,
        clock,
        Embeds(database, campaign, clock, "https://emblem.example.org"),
        base_url="https://emblem.example.org",
        data_dir=tmp_path,
    )
    yield made
    made.close()


@pytest.fixture
def add(database: Database, storage: Storage, clock: FrozenClock) -> Add:
    """Puts a check there as it is after it was made, with its files."""

    def put(name: str, *, by: str = "portal:key_a", files: tuple[str, ...] = ("1.png",), **more: Any) -> str:
        row = {"participant": None, "files_until": clock() + timedelta(hours=1), "report": _REPORT} | more
        database.write(
            lambda session: session.add(
                tables.ArtworkCheck(
                    id=f"chk_{name}",
                    at=clock(),
                    by=by,
                    language="en",
                    sha256="a" * 64,
                    verdict="not_compliant",
                    secret=f"secret-{name}",
                    files=list(files),
                    **row,
                )
            )
        )
        for file in files:
            storage.replace(file_key(f"secret-{name}", file), b"bytes")
        return f"chk_{name}"

    return put


@pytest.fixture
def participant(database: Database) -> str:
    row = tables.Participant(
        id="par_a",
        kind="individual",
        language="en",
        purposes=[],
        status="approved",
        outcome="approved",
        rule="willing",
        reasons=[],
        policy="0" * 64,
        joined_via="page",
        created_at=NOON,
    )
    database.write(lambda session: session.add(row))
    return "par_a"


def kept(storage: Storage) -> list[str]:
    return [found.key for found in storage.list("artwork/")]


def test_files_go_when_their_time_is_over_and_rows_of_nobody_with_them(
    verdicts: Verdicts, storage: Storage, add: Add, clock: FrozenClock
) -> None:
    nobody, portal = add("nobody", by="page"), add("portal")
    whole = add("whole", files=("1.png", "2.png", UPLOAD), files_until=clock() + timedelta(days=365))
    assert list(verdicts.get(portal).pictures.values()) == ["https://emblem.example.org/artwork/secret-portal/1.png"]
    assert verdicts.picture("secret-nobody", 1) == b"bytes"
    clock.advance(3600)
    for secret in ("secret-nobody", "secret-portal"):
        with pytest.raises(NotFound):
            verdicts.picture(secret, 1)
    with pytest.raises(NotFound):
        verdicts.get(nobody)
    assert verdicts.drop() == 2
    assert kept(storage) == [file_key("secret-whole", name) for name in ("1.png", "2.png", UPLOAD)]
    assert verdicts.get(portal).pictures == {}
    assert list(verdicts.get(whole).pictures) == [1, 2]
    assert verdicts.upload(verdicts.get(whole)) == b"bytes"
    assert verdicts.drop() == 0
    clock.advance(365 * 86_400)
    assert verdicts.drop() > 0
    assert kept(storage) == []
    with pytest.raises(NotFound):
        verdicts.get(whole)


def test_more_files_are_due_than_one_turn_takes(
    verdicts: Verdicts, storage: Storage, add: Add, clock: FrozenClock, database: Database, monkeypatch: Any
) -> None:
    monkeypatch.setattr("service.verdicts.forgetting._STEP", 2)
    for number in range(5):
        add(f"n{number}", by="page")
    clock.advance(3601)
    assert verdicts.drop() == 5
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(tables.ArtworkCheck)) == 0
    assert kept(storage) == []


def test_an_erasure_takes_files_and_what_staff_wrote(
    verdicts: Verdicts, add: Add, clock: FrozenClock, database: Database, participant: str
) -> None:
    mine = add("mine", participant=participant, files=(UPLOAD,), files_until=clock() + timedelta(days=365))
    other = add("other", files=(UPLOAD,), files_until=clock() + timedelta(days=365))
    for check in (mine, other):
        verdicts.overrule(check, "compliant", reason="Seen by Kim Example.", by="staff")
    assert database.write(lambda session: forget_checks(session, participant)) == 1
    with pytest.raises(NotFound):
        verdicts.upload(verdicts.get(mine))
    assert verdicts.upload(verdicts.get(other)) == b"bytes"
    said = [verdicts.get(check).overruled for check in (mine, other)]
    assert [one.reason for one in said if one] == [None, "Seen by Kim Example."]
    assert [one.verdict for one in said if one] == ["compliant", "compliant"]


def test_lists_leave_out_who_is_not_signed_in_and_go_on_where_they_ended(
    verdicts: Verdicts, add: Add, clock: FrozenClock, participant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("nobody", by="page")
    ids = []
    for number in range(5):
        clock.advance(1)
        ids.append(add(f"n{number}", participant=participant if number % 2 else None))
    first = verdicts.list(limit=3)
    rest = verdicts.list(limit=3, cursor=first.next_cursor)
    assert [one.id for one in (*first.items, *rest.items)] == ids[::-1]
    assert rest.next_cursor is None
    assert [one.id for one in verdicts.list(participant=participant).items] == [ids[3], ids[1]]
    assert verdicts.list(verdict="compliant").items == ()
    for _ in range(2):
        assert len(verdicts.list(portal="key_a").items) == 5
        assert verdicts.list(portal="key_b").items == ()
        monkeypatch.setattr("service.verdicts.verdicts.FEW", 0)  # as where a portal sees many
    for check in (ids[4], ids[0]):
        clock.advance(1)
        verdicts.overrule(check, "compliant", reason="It is fine.", by="staff")
    page = verdicts.list(overruled=True, limit=1)
    assert [one.id for one in page.items] == [ids[0]], "the newest word first"
    assert [one.id for one in verdicts.list(overruled=True, limit=1, cursor=page.next_cursor).items] == [ids[4]]


def test_the_last_word_counts_and_has_to_be_another_one(verdicts: Verdicts, add: Add) -> None:
    check = add("a")
    for verdict, reason in (("nonsense", "x"), ("compliant", ""), ("not_compliant", "It is not.")):
        with pytest.raises(InvalidRequest):
            verdicts.overrule(check, verdict, reason=reason, by="staff")
    verdicts.overrule(check, "compliant", reason="First.", by="staff:key_a")
    last = verdicts.overrule(check, "not_compliant", reason="Second.", by="staff:key_b")
    assert last.overruled is not None
    assert (last.verdict, last.overruled.reason, last.overruled.by) == ("not_compliant", "Second.", "staff:key_b")
    for unknown in (add("nobody", by="page"), "chk_none"):
        with pytest.raises(NotFound):
            verdicts.overrule(unknown, "compliant", reason="x", by="staff")


def test_another_publication_counts_from_then_on(verdicts: Verdicts, campaign: Campaign, add: Add) -> None:
    before = verdicts._in_force[1]
    verdicts.take_up(cast(Campaign, SimpleNamespace(logos={}, info=campaign.info)))
    assert verdicts._in_force[1] is not before
    assert verdicts.get(add("a")).verdict == "not_compliant"
