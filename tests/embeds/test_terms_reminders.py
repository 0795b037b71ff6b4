"""Mails about new terms: each partner whose logo will stop is told once for each version, in time."""

from __future__ import annotations

import email
import email.policy
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from service.mail import Mailer
from service.problems import Unavailable

from ..parts.mails import text_of
from .conftest import BASE

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage
    from pathlib import Path

    from service.store import Database

    from ..conftest import FrozenClock
    from .conftest import World

CHANGE = datetime.fromisoformat("2026-03-01T00:00:00+00:00")  # when the second version came into force
OLD, NEW = "2024-07-30", "2026-03-01"


@pytest.fixture
def mailer(database: Database, clock: FrozenClock, tmp_path: Path) -> Mailer:
    return Mailer(database, (tmp_path / "outbox").as_uri(), sender="campaign@example.org", clock=clock)


def mails(mailer: Mailer) -> list[EmailMessage]:
    """All mails that were sent."""
    assert mailer.folder is not None
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted(mailer.folder.glob("*.eml"))
    ]


def to(mailer: Mailer) -> list[str]:
    """Whom they were sent to."""
    return sorted(mail["To"] for mail in mails(mailer))


def before(world: World, address: str = "one@example.org", *accepted: str, **values: object) -> str:
    """A partner with an embed from before the new version, seen the day after it came into force."""
    world.clock.now = CHANGE - timedelta(days=1)
    who = world.partner(*(accepted or (OLD,)), email=address, **values)
    world.embed(who)
    world.clock.now = CHANGE + timedelta(days=1)
    return who


def test_a_partner_is_told_until_when_and_where_to_accept(world: World, mailer: Mailer) -> None:
    """Embeds go on for the campaign's grace period, their partner is mailed."""
    before(world)
    assert world.embeds.notify_terms(mailer) == 1
    (mail,) = mails(mailer)
    assert mail["To"] == "one@example.org"
    assert "new terms" in mail["Subject"]
    text = text_of(mail)
    assert "until 31 March 2026" in text
    assert f"{BASE}/en/account" in text
    assert world.campaign.terms.current("logo-terms", world.clock()).title("en") in text
    assert "/d/" not in text


def test_the_mail_is_in_the_partners_language(world: World, mailer: Mailer) -> None:
    before(world, language="fr")
    world.embeds.notify_terms(mailer)
    (mail,) = mails(mailer)
    assert mail["Content-Language"] == "fr"
    assert "jusqu’au 31 mars 2026" in text_of(mail)
    assert f"{BASE}/fr/account" in text_of(mail)


def test_each_version_is_told_once(world: World, mailer: Mailer) -> None:
    before(world)
    assert [world.embeds.notify_terms(mailer) for _ in range(3)] == [1, 0, 0]
    world.clock.advance(20 * 24 * 3600)
    assert world.process().notify_terms(mailer) == 0


def test_of_processes_that_notify_at_one_moment_one_sends(world: World, mailer: Mailer) -> None:
    for number in range(5):
        before(world, f"partner{number}@example.org")
    processes = [world.process() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        sent = list(pool.map(lambda process: process.notify_terms(mailer), processes))
    assert sum(sent) == 5
    assert to(mailer) == [f"partner{number}@example.org" for number in range(5)]


def test_several_embeds_under_the_same_terms_are_one_mail(world: World, mailer: Mailer) -> None:
    who = before(world)
    world.clock.now = CHANGE - timedelta(days=1)
    world.embed(who)
    world.embed(who, logo="lockup")
    world.clock.now = CHANGE + timedelta(days=1)
    assert world.embeds.notify_terms(mailer) == 1


def test_nobody_is_told_before_the_new_version_is_in_force(world: World, mailer: Mailer) -> None:
    before(world)
    world.clock.now = CHANGE - timedelta(seconds=1)
    assert world.embeds.notify_terms(mailer) == 0
    world.clock.now = CHANGE
    assert world.embeds.notify_terms(mailer) == 1


def test_only_those_are_told_whose_logo_would_stop(world: World, mailer: Mailer) -> None:
    before(world, "accepted@example.org", OLD, NEW)
    world.status(before(world, "suspended@example.org"), "suspended")
    ended = before(world, "ended@example.org")
    for embed in world.embeds.list(participant=ended).items:
        world.embeds.revoke(embed.key, by="staff:cli")
    world.clock.now = CHANGE - timedelta(days=1)
    world.partner(OLD, email="without-embed@example.org")
    before(world, "told@example.org")
    assert world.embeds.notify_terms(mailer) == 1
    assert to(mailer) == ["told@example.org"]


def test_what_cannot_be_marked_is_not_sent_and_is_told_later(
    world: World, mailer: Mailer, failing: Callable[..., None]
) -> None:
    before(world)
    failing("write", Unavailable())
    with pytest.raises(Unavailable):
        world.embeds.notify_terms(mailer)
    assert mails(mailer) == []
    assert world.embeds.notify_terms(mailer) == 1


def test_who_is_told_late_is_told_the_truth(world: World, mailer: Mailer) -> None:
    """As after a suspension that outlasted the grace period: the logo is not shown any more."""
    who = before(world)
    world.status(who, "suspended")
    world.clock.now = CHANGE + timedelta(days=40)
    assert world.embeds.notify_terms(mailer) == 0
    world.status(who, "approved")
    assert world.embeds.notify_terms(mailer) == 1
    (mail,) = mails(mailer)
    assert "It is shown until 31 March 2026." in text_of(mail)
