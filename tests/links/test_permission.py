"""The status of a link, as its owner sees it: one word for each end, and the first that holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from service.campaign import TermsInForce
from service.ids import new_id
from service.links.permission import LinkState, read_state, read_states
from service.problems import InvalidLink, LinkExhausted, RobotsNotServed, TermsNotAccepted
from service.store.tables import Acceptance, Link, PackageVersion, Participant

from .conftest import BASE, World
from .test_recording import _forget


def state(world: World, link: str) -> LinkState:
    with world.database.read() as session:
        return read_state(session, world.campaign.terms.in_force(world.clock()), link)


#: What ends a link, the reason that is told last first, and the status that it then has.
ENDS: list[tuple[str, Callable[[World, str], Any]]] = [
    ("exhausted", lambda world, link: world.change(Link, link, max_downloads=2, counted=2)),
    ("terms_required", lambda world, _: world.database.write(_forget)),
    ("suspended", lambda world, _: world.change(Participant, world.participant, status="suspended")),
    ("withdrawn", lambda world, _: world.change(PackageVersion, ("logo", "1.0.0"), withdrawn_at=world.clock())),
    ("expired", lambda world, link: world.change(Link, link, expires_at=world.clock())),
    ("revoked", lambda world, link: world.change(Link, link, revoked_at=world.clock())),
]


@pytest.mark.parametrize(("status", "end"), ENDS, ids=[status for status, _ in ENDS])
def test_each_end_has_its_own_status(world: World, status: str, end: Callable[[World, str], Any]) -> None:
    link = world.link().link
    assert state(world, link).status(world.clock()) == "active"
    end(world, link)
    assert state(world, link).status(world.clock()) == status


def test_of_several_ends_the_status_is_that_of_the_refusal_that_is_told(world: World) -> None:
    link = world.link().link
    for status, end in ENDS:
        end(world, link)
        assert state(world, link).status(world.clock()) == status


@pytest.mark.parametrize(("counted", "status"), [(0, "active"), (1, "active"), (2, "exhausted"), (3, "exhausted")])
def test_a_link_is_spent_with_its_last_download(world: World, counted: int, status: str) -> None:
    link = world.link(max_downloads=2, counted=counted).link
    found = state(world, link)
    assert found.status(world.clock()) == status
    if status == "active":
        found.refuse_client("browser", begun=False)
    else:
        with pytest.raises(LinkExhausted):
            found.refuse_client("browser", begun=False)
    found.refuse_client("browser", begun=True)
    with pytest.raises(RobotsNotServed):
        found.refuse_client("robot", begun=True)


def test_a_link_without_limit_is_never_spent(world: World) -> None:
    link = world.link(max_downloads=None, counted=10**9).link
    assert state(world, link).status(world.clock()) == "active"
    state(world, link).refuse_client("robot", begun=False)


@pytest.mark.parametrize(("seconds", "status"), [(-1, "active"), (0, "expired"), (1, "expired")])
def test_a_link_has_expired_at_the_very_instant(world: World, seconds: int, status: str) -> None:
    link = world.link(expires_at=world.clock() + timedelta(days=1)).link
    world.clock.advance(24 * 3600 + seconds)
    assert state(world, link).status(world.clock()) == status


@pytest.mark.parametrize("status", ["under_review", "declined", "suspended", "erased"])
def test_whoever_is_not_approved_has_no_link_that_works(world: World, status: str) -> None:
    link = world.link().link
    world.change(Participant, world.participant, status=status)
    assert state(world, link).status(world.clock()) == "suspended"


def test_terms_that_are_not_accepted_are_named_with_the_page_to_read_them(world: World) -> None:
    link = world.link().link
    world.change(Participant, world.participant, language="fr")
    world.database.write(_forget)
    refused = state(world, link).refusal(world.clock(), BASE)
    assert isinstance(refused, TermsNotAccepted)
    version = world.campaign.terms.current("logo-terms", world.clock()).version
    assert refused.extra == TermsNotAccepted.of("logo-terms", version, BASE, "fr").extra


def test_only_an_acceptance_of_the_current_version_of_these_terms_counts(world: World) -> None:
    link = world.link().link
    with world.database.read() as session:
        kept = session.query(Acceptance).one()
    for other in ({"terms": "tool-terms"}, {"version": "0.1"}):
        world.change(Acceptance, kept.id, **other)
        assert state(world, link).status(world.clock()) == "terms_required"
        world.change(Acceptance, kept.id, terms=kept.terms, version=kept.version)
    assert state(world, link).status(world.clock()) == "active"


def test_downloads_counted_since_a_link_was_read_are_regarded(world: World) -> None:
    limited = state(world, world.link(max_downloads=3, counted=1).link)
    limited.refuse_client("browser", begun=False, more=1)
    with pytest.raises(LinkExhausted):
        limited.refuse_client("browser", begun=False, more=2)


def test_links_are_read_together_as_one_by_one_and_unknown_ones_left_out(world: World) -> None:
    links = [world.link().link, world.link(max_downloads=1, counted=1).link]
    world.change(Link, links[0], revoked_at=world.clock())
    with world.database.read() as session:
        connection, now = session.connection(), world.clock()
        terms = world.campaign.terms.in_force(now)
        found = read_states(connection, {(link, terms) for link in [*links, new_id("lnk")]})
        assert found == {(link, terms): read_state(session, terms, link) for link in links}
        assert [found[link, terms].status(now) for link in links] == ["revoked", "exhausted"]
        assert read_states(connection, {(new_id("lnk"), terms)}) == {}
        with pytest.raises(InvalidLink):
            read_state(session, terms, new_id("lnk"))


def test_whoever_asks_by_other_terms_hears_of_those(world: World) -> None:
    link = world.link().link
    now = world.campaign.terms.in_force(world.clock())
    newer = TermsInForce(tuple((name, "2099-01-01") for name, _ in now.versions))
    with world.database.read() as session:
        found = read_states(session.connection(), {(link, now), (link, newer)})
    assert [found[link, terms].status(world.clock()) for terms in (now, newer)] == ["active", "terms_required"]
