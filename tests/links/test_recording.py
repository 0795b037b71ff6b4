from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text

from service.clients.client import Client, hashing_keys
from service.ids import new_id
from service.links import Asked, Claim, Recorded, Recorder
from service.links.records import shared_out
from service.problems import (
    InvalidLink,
    LinkExhausted,
    LinkExpired,
    LinkRevoked,
    NotRecorded,
    PackageWithdrawn,
    ParticipantSuspended,
    Problem,
    RobotsNotServed,
    TermsNotAccepted,
)
from service.store.tables import Acceptance, Download, LedgerEntry, Link, LinkClient, PackageVersion, Participant

from .conftest import BASE, SECRETS, World

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from service.store import Database

WHOLE = Asked(None, 200, 1000)
PERSON = Client("192.0.2.1", "Mozilla/5.0", "browser")
OTHER = Client("192.0.2.2", "Mozilla/5.0", "browser")
ROBOT = Client("192.0.2.3", "Googlebot/2.1", "robot")


def test_a_download_is_a_row_and_an_entry(world: World) -> None:
    claim = world.link()
    recorded = world.recorder.record(claim, PERSON, Asked("bytes=0-9", 206, 10))
    assert recorded.counted
    with world.database.read() as session:
        ((download, _),) = recorded.downloads
        assert download.startswith("dl_")
        row = session.get_one(Download, download)
        entry = json.loads(session.scalars(select(LedgerEntry.body).where(LedgerEntry.id == download)).one())
        link = session.get_one(Link, claim.link)
    assert (row.link, row.range, row.status, row.bytes, row.counted) == (claim.link, "bytes=0-9", 206, 10, True)
    assert (row.client_kind, row.client_prefix, row.bytes_sent) == ("browser", "192.0.2.0/24", None)
    assert link.counted == 1
    assert set(entry) == {
        *("v", "kind", "at", "id", "link", "participant", "participant_kind", "country", "package", "version"),
        *("terms_version", "counted", "client_kind", "bytes"),
    }
    assert entry["country"] == "AT"


def refusals(world: World) -> list[tuple[Callable[[str], Any], type[Problem]]]:
    """What can be wrong, in the order in which it is told."""
    clock, change = world.clock, world.change
    return [
        (lambda link: change(Link, link, revoked_at=clock()), LinkRevoked),
        (lambda link: change(Link, link, expires_at=clock()), LinkExpired),
        (lambda _: change(PackageVersion, ("logo", "1.0.0"), withdrawn_at=clock()), PackageWithdrawn),
        (lambda _: change(Participant, world.participant, status="suspended"), ParticipantSuspended),
        (lambda _: world.database.write(_forget), TermsNotAccepted),
        (lambda link: change(Link, link, max_downloads=1, counted=1), LinkExhausted),
    ]


def _forget(session: Session) -> None:
    session.execute(delete(Acceptance))


def test_the_first_refusal_that_holds_is_told_and_nothing_is_recorded(world: World) -> None:
    claim = world.link()
    for damage, problem in reversed(refusals(world)):
        damage(claim.link)
        for ask in (lambda: world.recorder.record(claim, PERSON, WHOLE), lambda: world.recorder.check(claim, PERSON)):
            with pytest.raises(problem):
                ask()
    with world.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Download)) == 0
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 0


def test_an_unknown_link_is_invalid(world: World) -> None:
    with pytest.raises(InvalidLink):
        world.recorder.record(Claim(new_id("lnk"), "logo", "1.0.0", world.clock()), PERSON, WHOLE)


def test_robots_are_recorded_and_not_counted(world: World) -> None:
    claim = world.link()
    assert not world.recorder.record(claim, ROBOT, WHOLE).counted
    with world.database.read() as session:
        assert session.get_one(Link, claim.link).counted == 0


def test_robots_get_nothing_of_a_limited_link_even_when_it_is_spent(world: World) -> None:
    claim = world.link(max_downloads=1)
    world.recorder.record(claim, PERSON, WHOLE)
    with pytest.raises(RobotsNotServed):
        world.recorder.record(claim, ROBOT, WHOLE)


def test_who_has_begun_goes_on_while_no_hour_passes(world: World) -> None:
    claim = world.link(max_downloads=1)
    assert world.recorder.record(claim, PERSON, WHOLE).counted
    for _ in range(3):
        world.clock.advance(3600)
        assert not world.recorder.record(claim, PERSON, WHOLE).counted
        with pytest.raises(LinkExhausted):
            world.recorder.record(claim, OTHER, WHOLE)
    world.clock.advance(3600.000001)
    with pytest.raises(LinkExhausted):
        world.recorder.record(claim, PERSON, WHOLE)


def test_rotating_the_secrets_begins_no_download_anew(world: World) -> None:
    claim = world.link()
    before = Recorder(world.database, world.campaign, world.clock, SECRETS[1:], BASE)
    assert before.record(claim, PERSON, WHOLE).counted
    assert not world.recorder.record(claim, PERSON, WHOLE).counted
    with world.database.read() as session:
        (known,) = session.scalars(select(LinkClient))
    assert known.client == PERSON.hashes(hashing_keys(SECRETS), claim.link)[1], "it keeps the name that it began with"
    world.clock.advance(3000)
    world.recorder.record(claim, PERSON, WHOLE)
    world.clock.advance(3000)
    assert not before.record(claim, PERSON, WHOLE).counted, "a process that knows the older secret alone sees it too"


def test_a_client_with_two_names_was_last_seen_when_either_was(world: World) -> None:
    claim = world.link()
    before = Recorder(world.database, world.campaign, world.clock, SECRETS[1:], BASE)
    assert world.recorder.record(claim, PERSON, WHOLE).counted
    world.clock.advance(1800)
    assert before.record(claim, PERSON, WHOLE).counted  # it does not know the newest secret yet
    world.clock.advance(3600)
    assert not world.recorder.record(claim, PERSON, WHOLE).counted


def test_what_cannot_be_recorded_is_not_recorded(world: World) -> None:
    claim = world.link()
    world.database.write(lambda session: session.execute(text("alter table downloads rename to away")))
    with pytest.raises(NotRecorded) as told:
        world.recorder.record(claim, PERSON, WHOLE)
    assert told.value.headers["Retry-After"]
    world.database.write(lambda session: session.execute(text("alter table away rename to downloads")))
    with world.database.read() as session:
        assert session.get_one(Link, claim.link).counted == 0
        assert session.scalar(select(func.count()).select_from(LinkClient)) == 0
    assert world.recorder.record(claim, PERSON, WHOLE).counted


_ROUND = st.tuples(
    st.integers(0, 90),  # minutes since the round before
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([PERSON, OTHER, ROBOT])), min_size=1, max_size=8),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_ROUND, min_size=1, max_size=4))
def test_a_batch_decides_and_writes_like_one_after_the_other(
    world: World, rounds: list[tuple[int, list[tuple[int, Client]]]]
) -> None:
    kits = world.bundle(kit=(3000, "logo-terms"), posters=(500, "logo-terms"))

    def links() -> list[Claim]:
        several = [world.link(bundle=kits), world.link(bundle=kits, max_downloads=1)]
        unknown = Claim(new_id("lnk"), "logo", "1.0.0", world.clock())
        return [world.link(), world.link(max_downloads=2), *several, unknown]

    def outcome(answer: Recorded | Problem) -> str:
        return f"counted {answer.counted}" if isinstance(answer, Recorded) else answer.slug

    together, apart = links(), links()
    request = world.recorder._request
    for minutes, asked in rounds:
        world.clock.advance(minutes * 60)
        batch = [request(together[link], client, WHOLE) for link, client in asked]
        answers = world.database.write(lambda session, batch=batch: world.recorder._records.write(session, batch))  # type: ignore[misc]
        singly = []
        for link, client in asked:
            try:
                singly.append(outcome(world.recorder.record(apart[link], client, WHOLE)))
            except Problem as problem:
                singly.append(problem.slug)
        assert [outcome(answer) for answer in answers] == singly
    with world.database.read() as session:
        for one, other in zip(together[:4], apart[:4], strict=True):
            assert session.get_one(Link, one.link).counted == session.get_one(Link, other.link).counted
            rows = [
                session.execute(
                    select(
                        Download.at, Download.counted, Download.client_kind, Download.client_prefix, Download.package
                    )
                    .where(Download.link == claim.link)
                    .order_by(
                        Download.at,
                        Download.client_prefix,
                        Download.client_kind,
                        Download.counted,
                        Download.package,
                    )
                ).all()
                for claim in (one, other)
            ]
            assert rows[0] == rows[1]
            for get in {row[:4] for row in rows[0]}:
                found = [row.package for row in rows[0] if row[:4] == get]
                led_to = ["kit", "logo", "posters"] if one.bundle else ["logo"]
                assert found == sorted(led_to * (len(found) // len(led_to))), "each package of it, or none"


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_bytes_are_shared_out_whole(total: int, sizes: list[int]) -> None:
    shares = shared_out(total, sizes)
    assert sum(shares) == total
    assert len(shares) == len(sizes)
    assert all(abs(share * sum(sizes) - total * size) <= sum(sizes) for share, size in zip(shares, sizes, strict=True))


def test_the_packages_of_one_link_share_its_bytes(world: World) -> None:
    claim = world.link(bundle=world.bundle(kit=(3000, "logo-terms")))
    recorded = world.recorder.record(claim, PERSON, Asked("bytes=0-399", 206, 400))
    world.recorder.ended(recorded, 100, "aborted")

    def written() -> bool:
        with world.database.read() as session:
            return all(session.scalars(select(Download.ended).where(Download.link == claim.link)))

    for _ in range(500):
        if written():
            break
        threading.Event().wait(0.02)
    with world.database.read() as session:
        rows = session.scalars(select(Download).where(Download.link == claim.link).order_by(Download.package)).all()
        assert [(row.package, row.bytes, row.bytes_sent) for row in rows] == [("kit", 300, 75), ("logo", 100, 25)]
        assert {row.ended for row in rows} == {"aborted"}
        assert session.get_one(Link, claim.link).counted == 1


@pytest.mark.parametrize("wrong", ["terms", "withdrawn"])
def test_several_are_refused_where_one_of_them_is(world: World, wrong: str) -> None:
    other = next(one for one in world.campaign.terms.ids() if one != "logo-terms")
    claim = world.link(bundle=world.bundle(kit=(3000, other if wrong == "terms" else "logo-terms")))
    if wrong == "withdrawn":
        world.change(PackageVersion, ("kit", "1.0.0"), withdrawn_at=world.clock())
    with pytest.raises(TermsNotAccepted if wrong == "terms" else PackageWithdrawn) as told:
        world.recorder.record(claim, PERSON, WHOLE)
    assert told.value.extra.get("package") == (None if wrong == "terms" else "kit")
    with world.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Download)) == 0


def test_two_at_once_on_the_last_download_exactly_one_wins(world: World) -> None:
    claim = world.link(max_downloads=1)
    gate = threading.Barrier(8)
    outcomes: list[str] = []

    def ask(number: int) -> None:
        gate.wait()
        try:
            world.recorder.record(claim, Client(f"198.51.100.{number}", "Mozilla/5.0", "browser"), WHOLE)
            outcomes.append("won")
        except LinkExhausted:
            outcomes.append("lost")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 7 + ["won"]


def counted_by_the_book(gets: list[tuple[timedelta, Client]]) -> list[bool]:
    """The counting rule as the contract's sentence says it, over the whole history."""
    told = []
    for number, (at, client) in enumerate(gets):
        before = [then for then, who in gets[:number] if who == client]
        began = not any(at - then <= timedelta(hours=1) for then in before)
        told.append(client.kind != "robot" and began)
    return told


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 30, 1800, 3599, 3600, 3601, 7200]), st.sampled_from([PERSON, OTHER, ROBOT])),
        max_size=12,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counted_is_what_the_rule_says(world: World, steps: list[tuple[int, Client]]) -> None:
    """A GET counts that is not a robot's and has no recorded GET of its client on the link in the hour before."""
    claim = world.link(expires_at=world.clock() + timedelta(days=80))
    at, gets, counted = timedelta(), [], []
    for wait, client in steps:
        world.clock.advance(wait)
        at += timedelta(seconds=wait)
        gets.append((at, client))
        counted.append(world.recorder.record(claim, client, WHOLE).counted)
    assert counted == counted_by_the_book(gets)
    with world.database.read() as session:
        assert session.get_one(Link, claim.link).counted == sum(counted)


def test_only_hashes_of_clients_are_kept(world: World) -> None:
    claim = world.link()
    world.recorder.record(claim, PERSON, WHOLE)
    with world.database.read() as session:
        kept = session.scalars(select(LinkClient)).one()
    assert PERSON.address not in kept.client
    assert len(kept.client) == 64


def test_how_it_ended_is_noted_afterwards(world: World) -> None:
    recorded = world.recorder.record(world.link(), PERSON, WHOLE)
    world.recorder.ended(recorded, 400, "aborted")
    database: Database = world.database
    database.write(lambda session: None)  # SQLite: behind the note in the same queue
    for _ in range(100):
        with database.read() as session:
            row = session.get_one(Download, recorded.downloads[0][0])
        if row.ended:
            break
        threading.Event().wait(0.02)
    assert (row.bytes_sent, row.ended) == (400, "aborted")
