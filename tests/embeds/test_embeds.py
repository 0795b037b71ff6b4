"""Making, changing and ending embeds: what is kept, what the ledger says of it, and what is refused."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from service.clock import timestamp
from service.problems import (
    EmbedRevoked,
    InvalidRequest,
    NotFound,
    ParticipantNotApproved,
    TermsNotAccepted,
    Unavailable,
    UnknownEmbed,
    UnknownLogo,
)
from service.store import tables

from .conftest import BASE, SITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.embeds import EmbedDetails

    from .conftest import World

BY = "portal:key_1"
NEW = "https://new.example"


def stored(world: World) -> int:
    """How many embeds the database has."""
    with world.database.read() as session:
        return session.scalar(select(func.count()).select_from(tables.Embed)) or 0


def told(world: World) -> list[str]:
    """The kinds of all entries about embeds, in their order."""
    with world.database.read() as session:
        kinds = select(tables.LedgerEntry.kind).where(tables.LedgerEntry.kind.like("embed.%"))
        return list(session.scalars(kinds.order_by(tables.LedgerEntry.seq)))


# ---- making


def test_a_new_embed_is_kept_as_it_was_asked_for_with_one_entry(world: World) -> None:
    partner = world.partner(language="fr")
    asked = ["HTTPS://B\u00fccher.example:443", SITE]
    made = world.embeds.create(partner, "heart", asked, "refuse", by=BY)
    assert re.fullmatch(r"ebd_[A-Za-z0-9_-]{22}", made.key)
    assert (made.id, made.participant, made.logo, made.unlisted) == (made.key, partner, "heart", "refuse")
    assert made.origins == ("https://xn--bcher-kva.example", SITE)
    assert (made.status, made.created_at, made.language) == ("active", world.clock(), "fr")
    assert made.base_url == f"{BASE}/logos/{made.key}/heart"
    assert world.embeds.get(made.key) == made
    assert world.process().get(made.key) == made
    (entry,) = world.entries("embed.created")
    assert entry == {
        "v": 1,
        "id": entry["id"],
        "kind": "embed.created",
        "at": timestamp(world.clock()),
        "embed": made.key,
        "participant": partner,
        "logo": "heart",
        "origins": list(made.origins),
        "unlisted": "refuse",
        "by": BY,
    }
    assert told(world) == ["embed.created"]


def test_no_two_embeds_have_one_key(world: World) -> None:
    partner = world.partner()
    keys = {world.embed(partner).key for _ in range(20)}
    assert len(keys) == 20
    assert {embed.key for embed in world.embeds.list(participant=partner).items} == keys


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"origins": ["nonsense"]}, InvalidRequest),
        ({"unlisted": "ignore"}, InvalidRequest),
        ({"logo": "star"}, UnknownLogo),
        ({"participant": "par_none"}, NotFound),
    ],
)
def test_a_wish_that_is_wrong_leaves_nothing(world: World, changes: dict[str, Any], problem: type[Exception]) -> None:
    with pytest.raises(problem):
        world.embed(**({"participant": world.partner()} | changes))
    assert (stored(world), told(world)) == (0, [])


@pytest.mark.parametrize("status", ["under_review", "declined", "suspended"])
def test_only_an_approved_participant_gets_one(world: World, status: str) -> None:
    with pytest.raises(ParticipantNotApproved) as caught:
        world.embed(world.partner(status=status))
    assert caught.value.extra == {"participant_status": status}
    assert (stored(world), told(world)) == (0, [])


def test_one_that_was_erased_is_as_if_it_were_not_there(world: World) -> None:
    with pytest.raises(NotFound):
        world.embed(world.partner(status="erased"))
    assert (stored(world), told(world)) == (0, [])


def test_only_who_accepted_the_current_terms_gets_one(world: World) -> None:
    current, old = world.campaign.terms.versions("logo-terms")[:2]
    world.clock.now = current.effective + timedelta(days=1)
    partner = world.partner(old.version)
    with pytest.raises(TermsNotAccepted) as caught:
        world.embed(partner)
    url = f"{BASE}/en/terms/logo-terms"
    assert caught.value.extra == {"terms": {"id": "logo-terms", "version": current.version, "url": url}}
    assert (stored(world), told(world)) == (0, [])
    world.accept(partner, current.version)
    assert world.embed(partner).status == "active"


# ---- changing


def test_a_change_is_kept_with_an_entry_that_says_how_it_is_now(world: World) -> None:
    made = world.embed()
    world.clock.advance(60)
    changed = world.embeds.change(made.key, origins=[NEW, SITE], by="staff:key_2")
    assert (changed.origins, changed.unlisted) == ((NEW, SITE), "report")
    changed = world.embeds.change(made.key, unlisted="refuse", by=BY)
    assert (changed.origins, changed.unlisted) == ((NEW, SITE), "refuse")
    assert (changed.key, changed.logo, changed.created_at) == (made.key, made.logo, made.created_at)
    assert world.embeds.get(made.key) == changed
    facts = {"embed": made.key, "participant": made.participant, "logo": "heart", "origins": [NEW, SITE]}
    assert [{**entry, "id": ""} for entry in world.entries("embed.changed")] == [
        {"v": 1, "id": "", "kind": "embed.changed", "at": timestamp(world.clock()), **facts, **how}
        for how in ({"unlisted": "report", "by": "staff:key_2"}, {"unlisted": "refuse", "by": BY})
    ]


@pytest.mark.parametrize("change", [{}, {"origins": [SITE]}, {"unlisted": "report"}, {"origins": [f"{SITE}:443"]}])
def test_a_change_that_changes_nothing_is_no_entry(world: World, change: dict[str, Any]) -> None:
    made = world.embed()
    assert world.embeds.change(made.key, **change, by=BY) == made
    assert told(world) == ["embed.created"]


@pytest.mark.parametrize("change", [{"origins": ["nonsense"]}, {"unlisted": "ignore"}])
def test_a_change_that_is_wrong_changes_nothing(world: World, change: dict[str, Any]) -> None:
    made = world.embed()
    with pytest.raises(InvalidRequest):
        world.embeds.change(made.key, **({"origins": [NEW], "unlisted": "refuse"} | change), by=BY)
    assert world.embeds.get(made.key) == made
    assert told(world) == ["embed.created"]


def test_changes_made_at_one_moment_are_all_kept(world: World) -> None:
    """Each reads the embed under its lock: none writes back what it read before another's change."""
    made = world.embed()
    processes = [world.process() for _ in range(2)]
    changes: list[dict[str, Any]] = [{"origins": [NEW]}, {"unlisted": "refuse"}]
    for _ in range(5):
        world.embeds.change(made.key, origins=[SITE], unlisted="report", by=BY)
        with ThreadPoolExecutor(2) as pool:
            for done in [
                pool.submit(process.change, made.key, **change, by=BY)
                for process, change in zip(processes, changes, strict=True)
            ]:
                done.result()
        now = world.embeds.get(made.key)
        assert (now.origins, now.unlisted) == ((NEW,), "refuse")
        last = world.entries("embed.changed")[-1]
        assert (last["origins"], last["unlisted"]) == ([NEW], "refuse"), "the last entry says how it is now"


# ---- ending


def test_an_end_is_kept_with_one_entry_however_often_it_is_asked_for(world: World) -> None:
    made, other = world.embed(), world.embed()
    world.embeds.revoke(made.key, by="staff:key_2")
    world.clock.advance(60)
    world.embeds.revoke(made.key, by=BY)
    assert world.embeds.get(made.key).status == "revoked"
    assert world.embeds.get(other.key).status == "active"
    (entry,) = world.entries("embed.revoked")
    at = timestamp(made.created_at)
    facts = {"embed": made.key, "participant": made.participant, "by": "staff:key_2"}
    assert entry == {"v": 1, "id": entry["id"], "kind": "embed.revoked", "at": at, **facts}


def test_what_has_ended_cannot_be_changed(world: World) -> None:
    made = world.embed()
    world.embeds.revoke(made.key, by=BY)
    with pytest.raises(EmbedRevoked):
        world.embeds.change(made.key, origins=[NEW], by=BY)
    assert world.embeds.get(made.key).origins == (SITE,)
    assert told(world) == ["embed.created", "embed.revoked"]


def test_processes_that_end_it_at_one_moment_write_one_entry(world: World) -> None:
    made = world.embed()
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(world.process().revoke, made.key, by=BY) for _ in range(3)]:
            done.result()
    assert told(world) == ["embed.created", "embed.revoked"]


@pytest.mark.parametrize("key", ["", "ebd_none", "ebd_" + "A" * 22, "x" * 41, "a b", "ebd_\x00", "ebd_\u0663"])
def test_a_key_that_is_none_is_unknown_to_all(world: World, key: str) -> None:
    world.embed()
    with pytest.raises(UnknownEmbed):
        world.embeds.get(key)
    with pytest.raises(UnknownEmbed):
        world.embeds.change(key, unlisted="refuse", by=BY)
    with pytest.raises(UnknownEmbed):
        world.embeds.revoke(key, by=BY)
    assert told(world) == ["embed.created"]


# ---- when something fails


def test_what_cannot_be_recorded_does_not_happen(world: World, failing: Callable[..., None]) -> None:
    made, partner = world.embed(), world.partner()
    for work in (
        lambda: world.embed(partner),
        lambda: world.embeds.change(made.key, unlisted="refuse", by=BY),
        lambda: world.embeds.revoke(made.key, by=BY),
    ):
        failing("write", Unavailable())
        with pytest.raises(Unavailable):
            work()
    assert world.embeds.get(made.key) == made
    assert (stored(world), told(world)) == (1, ["embed.created"])


def test_an_entry_that_fails_takes_the_change_with_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made, partner = world.embed(), world.partner()

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no entry")

    monkeypatch.setattr("service.embeds.embeds.ledger.append", broken)
    with pytest.raises(RuntimeError):
        world.embed(partner)
    with pytest.raises(RuntimeError):
        world.embeds.change(made.key, unlisted="refuse", by=BY)
    with pytest.raises(RuntimeError):
        world.embeds.revoke(made.key, by=BY)
    assert world.embeds.get(made.key) == made
    assert stored(world) == 1


def test_a_change_stands_although_this_process_cannot_read_it_back(world: World, failing: Callable[..., None]) -> None:
    made = world.embed()
    failing("read", Unavailable())
    world.embeds.revoke(made.key, by=BY)
    assert world.embeds.get(made.key).status == "revoked"
    world.embeds.refresh()
    with pytest.raises(EmbedRevoked):
        world.embeds.permission(made.key)


# ---- listing


def test_lists_are_newest_first_and_complete_page_by_page(world: World) -> None:
    partners = world.partner(), world.partner()
    made = []
    for number in range(7):
        made.append(world.embed(partners[number % 2]))
        world.clock.advance(number % 3)  # some are made at one moment: those are in the order of their keys
    for mine in (None, *partners):
        whole = world.embeds.list(participant=mine)
        assert whole.next_cursor is None
        wanted = [embed for embed in made if mine in (None, embed.participant)]
        assert {embed.key for embed in whole.items} == {embed.key for embed in wanted}
        assert [embed.created_at for embed in whole.items] == sorted((one.created_at for one in wanted), reverse=True)
        found: list[EmbedDetails] = []
        cursor = None
        while True:
            page = world.embeds.list(participant=mine, cursor=cursor, limit=2)
            found += page.items
            if (cursor := page.next_cursor) is None:
                break
        assert tuple(found) == whole.items


def test_a_portal_lists_those_of_the_participants_that_it_may_act_for(world: World) -> None:
    mine, other = world.partner(), world.partner()
    granted, _ = world.embed(mine), world.embed(other)

    grant = tables.PortalGrant(key="key_1", participant=mine, granted_at=world.clock())
    world.database.write(lambda session: session.add(grant))
    assert world.embeds.list(portal="key_1").items == (granted,)
    assert world.embeds.list(portal="key_1", participant=other).items == ()
    assert world.embeds.list(portal="key_2").items == ()
    assert len(world.embeds.list().items) == 2
