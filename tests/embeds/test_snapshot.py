"""The live view: what a process knows of embeds, and when it learns what others have changed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from service import ledger
from service.embeds import Embeds, ServedEmbed, allowed, snapshot
from service.ids import new_id
from service.problems import (
    EmbedRevoked,
    OriginNotAllowed,
    ParticipantSuspended,
    Problem,
    RateLimited,
    TermsNotAccepted,
    Unavailable,
    UnknownEmbed,
)
from service.store import Database
from service.store.tables import Participant
from tests.parts.processes import wait_until

from .conftest import BASE, SITE, World

OLD, NEW = "2024-07-30", "2026-03-01"
CHANGE = datetime(2026, 3, 1, tzinfo=UTC)  # from when the terms of the logo are NEW
GRACE = timedelta(days=30)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process reads embeds anew by itself, however slow the machine is."""
    monkeypatch.setattr(snapshot, "_UNSTARTED_AGE", float("inf"))
    monkeypatch.setattr(snapshot, "_UNKNOWN_FOR", float("inf"))


Reads = list[Database]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """A list that grows with every reading of a database, in any process of the world."""
    made: Reads = []
    real = Database.read

    def read(database: Database) -> AbstractContextManager[Session]:
        made.append(database)
        return real(database)

    monkeypatch.setattr(Database, "read", read)
    return made


@pytest.fixture
def other(world: World, by_hand: None) -> Embeds:
    """Another process, which has read all embeds that there are."""
    process = world.process()
    process.refresh()
    return process


def refused(embeds: Embeds, key: str) -> type[Problem] | None:
    """The problem that a process gives a request for this embed; None where it serves the logo."""
    try:
        embeds.permission(key)
    except Problem as problem:
        return type(problem)
    return None


# ---- a new embed


def test_a_new_embed_works_at_once_in_every_process(world: World, other: Embeds) -> None:
    made = world.embed(origins=[SITE, "https://shop.example"], unlisted="refuse")
    for process in (world.embeds, other):
        found = process.permission(made.key)
        assert (found.key, found.participant, found.logo) == (made.key, made.participant, "heart")
        assert (set(found.origins), found.unlisted) == ({SITE, "https://shop.example"}, "refuse")
        assert (found.kind, found.country) == ("civil_society", "AT")


def test_a_known_key_is_told_without_the_database(world: World, other: Embeds, reads: Reads) -> None:
    key = world.embed().key
    other.refresh()
    reads.clear()
    for _ in range(10):
        assert refused(world.embeds, key) is None
        assert refused(other, key) is None
    assert reads == []


# ---- changes and ends


def test_a_change_is_in_force_here_at_once_and_elsewhere_after_the_next_reading(world: World, other: Embeds) -> None:
    made = world.embed()
    assert other.permission(made.key).origins == {SITE}
    world.embeds.change(made.key, origins=["https://new.example"], unlisted="refuse", by="portal:key_1")
    here = world.embeds.permission(made.key)
    with pytest.raises(OriginNotAllowed):
        allowed(here, SITE)
    other.refresh()
    assert other.permission(made.key) == here


def test_an_end_is_in_force_here_at_once_and_elsewhere_after_the_next_reading(world: World, other: Embeds) -> None:
    made = world.embed()
    assert refused(other, made.key) is None
    world.embeds.revoke(made.key, "portal:key_1")
    assert refused(world.embeds, made.key) is EmbedRevoked
    assert refused(other, made.key) is None, "what it has read before holds until it reads anew"
    other.refresh()
    assert refused(other, made.key) is EmbedRevoked


def test_a_running_process_reads_anew_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "PAUSE", 0.05)
    other = world.process()
    other.start()
    key = world.embed().key
    assert refused(other, key) is None
    world.embeds.revoke(key, "portal:key_1")
    wait_until(lambda: refused(other, key) is EmbedRevoked, 60, "the end of the embed is known")


def test_a_process_without_the_thread_reads_anew_when_what_it_knows_is_old(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_UNSTARTED_AGE", -1.0)  # always too old
    monkeypatch.setattr(snapshot, "_RETRY", -1.0)
    other = world.process()
    key = world.embed().key
    assert refused(other, key) is None
    world.embeds.revoke(key, "portal:key_1")
    assert refused(other, key) is EmbedRevoked


def test_a_change_is_read_within_5_seconds() -> None:
    """A change or an end is in force on every worker within 5 s."""
    assert 0 < snapshot.PAUSE <= snapshot._LONGEST_PAUSE < 5
    assert snapshot._UNSTARTED_AGE + snapshot._RETRY < 5


# ---- a database that is away


def test_while_the_database_is_away_what_was_known_holds(
    world: World, failing: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    serves, ended = world.embed().key, world.embed().key
    world.embeds.revoke(ended, "portal:key_1")
    monkeypatch.setattr(snapshot, "_UNSTARTED_AGE", -1.0)
    monkeypatch.setattr(snapshot, "_RETRY", -1.0)
    failing("read", Unavailable(), times=3)
    with pytest.raises(Unavailable):
        world.embeds.refresh()
    with capture_logs() as logs:
        assert refused(world.embeds, serves) is None
        assert refused(world.embeds, ended) is EmbedRevoked
    assert [line["error"] for line in logs] == ["Unavailable", "Unavailable"]


def test_a_running_process_goes_on_reading_after_a_failure(
    world: World, failing: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "PAUSE", 0.05)
    key = world.embed().key
    failing("read", Unavailable(), times=3)
    world.process().revoke(key, "portal:key_1")
    world.embeds.start()
    wait_until(lambda: refused(world.embeds, key) is EmbedRevoked, 60, "the end of the embed is known")


@pytest.mark.usefixtures("by_hand")
def test_what_was_written_is_right_even_where_it_cannot_be_read_back_at_once(
    world: World, failing: Callable[..., None]
) -> None:
    world.embeds.refresh()
    participant = world.partner()
    failing("read", Unavailable())
    made = world.embed(participant)
    assert refused(world.embeds, made.key) is None
    failing("read", Unavailable())
    world.embeds.revoke(made.key, "portal:key_1")
    world.embeds.refresh()
    assert refused(world.embeds, made.key) is EmbedRevoked


# ---- keys that are not known


def some_key() -> str:
    """A key that no embed has."""
    return new_id("ebd")


def test_an_unknown_key_is_looked_up_once_and_not_again_for_a_while(
    other: Embeds, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    other._snapshot._start_afresh()
    other._snapshot.refresh()
    reads.clear()
    key, second = some_key(), some_key()
    for _ in range(10):
        assert refused(other, key) is UnknownEmbed
    assert len(reads) == 1
    assert refused(other, second) is UnknownEmbed
    assert len(reads) == 2
    now[0] += snapshot._UNKNOWN_FOR + 0.01
    assert refused(other, key) is UnknownEmbed
    assert len(reads) == 3


def test_a_look_up_that_is_one_too_many_is_refused_before_the_database_is_asked(
    world: World, other: Embeds, reads: Reads
) -> None:
    def one_too_many() -> None:
        raise RateLimited

    made = world.embed()  # since the other process has read last
    reads.clear()
    with pytest.raises(RateLimited):
        other.permission(made.key, one_too_many)
    assert reads == []
    asked: list[int] = []
    assert other.permission(made.key, lambda: asked.append(1)).key == made.key  # it was not kept as unknown
    other.permission(made.key, one_too_many)  # known by now: no look-up
    assert (len(asked), len(reads)) == (1, 1)


def test_a_text_that_is_no_key_costs_no_look_up(other: Embeds, reads: Reads) -> None:
    def never() -> None:
        raise AssertionError("the database would have been asked")

    x = "x" * 22
    for text in (
        "",
        "ebd_",
        "heart",
        f"ebd_{x[1:]}",
        f"ebd_{x}x",
        f"par_{x}",
        f"EBD_{x}",
        f"ebd_{x}\n",
        "ebd_" + "é" * 22,
    ):
        with pytest.raises(UnknownEmbed):
            other.permission(text, never)
    assert reads == []


@pytest.mark.parametrize("read_back", [True, False])
def test_a_key_that_was_asked_for_too_early_works_once_its_embed_is_made(
    world: World, other: Embeds, failing: Callable[..., None], monkeypatch: pytest.MonkeyPatch, read_back: bool
) -> None:
    key = some_key()
    for process in (world.embeds, other):
        assert refused(process, key) is UnknownEmbed
    monkeypatch.setattr("service.embeds.embeds.new_id", lambda _prefix: key)
    participant = world.partner()
    failing("read", Unavailable(), times=0 if read_back else 1)
    assert world.embed(participant).key == key
    assert refused(world.embeds, key) is None
    other.refresh()
    assert refused(other, key) is None


def test_a_flood_of_unknown_keys_fills_no_memory(world: World, by_hand: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_MOST_UNKNOWN", 5)
    view = snapshot.EmbedSnapshot(world.database, world.campaign, world.clock, BASE)
    for _ in range(12):
        with pytest.raises(UnknownEmbed):
            view.permission(some_key())
    assert len(view._unknown) <= 5


# ---- sites


@pytest.mark.parametrize(
    ("unlisted", "origin", "serves"),
    [
        ("report", SITE, True),
        ("report", "https://elsewhere.example", True),
        ("refuse", SITE, True),
        ("refuse", None, True),  # a request that names no site is served
        ("refuse", "https://elsewhere.example", False),
        ("refuse", "http://partner.example", False),
        ("refuse", "https://partner.example:8443", False),
        ("refuse", "null", False),
    ],
)
def test_only_an_embed_that_refuses_refuses_sites_that_are_not_listed(
    unlisted: str, origin: str | None, serves: bool
) -> None:
    found = ServedEmbed(
        key="ebd_one",
        participant="par_one",
        kind="individual",
        country=None,
        language="en",
        logo="heart",
        origins=frozenset({SITE}),
        unlisted=unlisted,
        revoked=False,
        lapsed=False,
        approved=True,
        until=None,
    )
    if serves:
        allowed(found, origin)
    else:
        with pytest.raises(OriginNotAllowed):
            allowed(found, origin)


# ---- new terms


def test_embeds_go_on_for_the_grace_period_and_stop_at_its_end(world: World, by_hand: None) -> None:
    """Embeds go on for the campaign's grace period, then 403 ``terms-not-accepted``."""
    world.clock.now = CHANGE - timedelta(days=1)
    made = world.embed(world.partner(OLD))
    seen: list[tuple[str, type[Problem] | None]] = []
    for moment in (CHANGE, CHANGE + GRACE - timedelta(seconds=1), CHANGE + GRACE):
        world.clock.now = moment
        seen.append((world.embeds.get(made.key).status, refused(world.embeds, made.key)))
    assert world.campaign.info.terms_grace_days == GRACE.days
    assert made.status == "active"
    assert seen == [("grace", None), ("grace", None), ("terms_required", TermsNotAccepted)]


def test_an_embed_that_needs_new_terms_says_which_and_where(world: World) -> None:
    world.clock.now = CHANGE - timedelta(days=1)
    key = world.embed(world.partner(OLD)).key
    world.clock.now = CHANGE + GRACE
    with pytest.raises(TermsNotAccepted) as told:
        world.embeds.permission(key)
    terms = {"id": "logo-terms", "version": NEW, "url": f"{BASE}/en/terms/logo-terms"}
    assert told.value.extra == {"terms": terms}


def test_accepting_the_new_terms_lets_embeds_work_again_after_the_next_reading(world: World, other: Embeds) -> None:
    world.clock.now = CHANGE - timedelta(days=1)
    made = world.embed(world.partner(OLD))
    assert refused(other, made.key) is None
    world.clock.now = CHANGE + GRACE + timedelta(days=5)
    assert refused(other, made.key) is TermsNotAccepted
    world.accept(made.participant, NEW)
    other.refresh()
    assert refused(other, made.key) is None
    assert other.get(made.key).status == "active"


def test_who_accepts_within_the_grace_period_is_not_interrupted(world: World, other: Embeds) -> None:
    world.clock.now = CHANGE - timedelta(days=1)
    made = world.embed(world.partner(OLD))
    world.clock.now = CHANGE + timedelta(days=3)
    world.accept(made.participant, NEW)
    other.refresh()
    assert other.get(made.key).status == "active"
    world.clock.now = CHANGE + GRACE
    assert refused(other, made.key) is None


# ---- suspension


@pytest.mark.parametrize("status", ["suspended", "declined", "under_review"])
def test_an_embed_rests_while_its_participant_is_not_approved(world: World, other: Embeds, status: str) -> None:
    paused, goes_on = world.embed(), world.embed()
    other.refresh()
    world.status(paused.participant, status)
    assert refused(other, paused.key) is None, "what it has read before holds until it reads anew"
    other.refresh()
    assert refused(other, paused.key) is ParticipantSuspended
    assert refused(other, goes_on.key) is None
    assert other.get(paused.key).status == "suspended"
    world.status(paused.participant, "approved")
    other.refresh()
    assert refused(other, paused.key) is None
    assert other.get(paused.key).status == "active"


def test_an_embed_that_ended_stays_ended_when_a_suspension_is_lifted(world: World, other: Embeds) -> None:
    made = world.embed()
    world.status(made.participant, "suspended")
    world.embeds.revoke(made.key, "staff:cli")
    for status in ("suspended", "approved"):
        world.status(made.participant, status)
        other.refresh()
        assert refused(other, made.key) is EmbedRevoked


# ---- a fork


def test_a_forked_child_reads_anew_although_the_thread_stayed_with_its_parent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_UNSTARTED_AGE", -1.0)
    monkeypatch.setattr(snapshot, "_RETRY", -1.0)
    for pause in ("PAUSE", "_LONGEST_PAUSE"):
        monkeypatch.setattr(snapshot, pause, 24 * 3600.0)
    key, ended = world.embed().key, world.embed().key
    world.process().revoke(ended, "portal:key_1")
    world.embeds.start()
    wait_until(lambda: refused(world.embeds, ended) is EmbedRevoked, 60, "the thread has read and rests")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            served = refused(world.embeds, key) is None
            world.process().revoke(key, "portal:key_1")
            status = 0 if served and refused(world.embeds, key) is EmbedRevoked else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    world.embeds.refresh()
    assert refused(world.embeds, key) is EmbedRevoked


# ---- what has changed


def decided(world: World, participant: str, status: str) -> None:
    """A decision with its entry, in one transaction, as the participants' room makes it."""
    facts: dict[str, Any] = {"outcome": status, "rule": "staff", "policy": "0" * 64, "by": "staff:cli"}

    def work(session: Session) -> None:
        session.get_one(Participant, participant).status = status
        ledger.append(session, ledger.ParticipantDecidedEntry(participant=participant, **facts), world.clock())

    world.database.write(work)


def test_catching_up_comes_to_what_reading_everything_would(world: World, by_hand: None) -> None:
    follower = world.process()._snapshot
    follower.catch_up()
    kept, ended, paused = (world.embed() for _ in range(3))

    def same() -> None:
        follower.catch_up()
        reader = world.process()._snapshot
        reader.refresh()
        assert follower._known == reader._known

    same()
    world.embeds.change(kept.key, origins=[], unlisted="refuse", by="portal:key_1")
    world.embeds.revoke(ended.key, "staff:cli")
    decided(world, paused.participant, "suspended")
    same()
    assert not follower._known[paused.key].approved
    decided(world, paused.participant, "approved")
    follower.take_up(world.campaign)
    same()
    assert follower._known[paused.key].approved


def test_nothing_of_embeds_is_read_while_nothing_changes(world: World, by_hand: None) -> None:
    follower = world.process()._snapshot
    world.embed()
    follower.catch_up()
    statements: list[str] = []
    record = lambda _c, _cursor, statement, *_: statements.append(statement)  # noqa: E731
    event.listen(follower._database.engine, "before_cursor_execute", record)
    follower.catch_up()
    assert statements
    assert not [one for one in statements if "embeds" in one or "acceptances" in one]
    world.embed()
    follower.catch_up()
    assert [one for one in statements if "from embeds" in " ".join(one.lower().split())]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_an_entry_that_is_committed_behind_a_later_one_is_not_missed(world: World, by_hand: None) -> None:
    follower = world.process()._snapshot
    slow, quick = world.embed(), world.embed()
    follower.catch_up()
    facts: dict[str, Any] = {"outcome": "suspended", "rule": "staff", "policy": "0" * 64, "by": "staff:cli"}
    with Session(world.database.engine) as session, session.begin():
        session.get_one(Participant, slow.participant).status = "suspended"
        entry = ledger.ParticipantDecidedEntry(participant=slow.participant, **facts)
        ledger.append(session, entry, world.clock())
        session.flush()  # it has its number
        decided(world, quick.participant, "suspended")
        follower.catch_up()
        assert not follower._known[quick.key].approved
        assert follower._known[slow.key].approved
    follower.catch_up()
    assert not follower._known[slow.key].approved
