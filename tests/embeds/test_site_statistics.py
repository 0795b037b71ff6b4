"""The digest of use: sums by site, the most seen first, the rest as other; nobody else's, nothing older."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from service.embeds import SiteUse
from service.embeds.site_statistics import MOST
from service.store.tables import LogoUse

from .conftest import SITE

if TYPE_CHECKING:
    from .conftest import World

NEW = "https://new.example"
VARIANTS = "blue/64.png", "blue/128.avif"


def seen(world: World, embed: str, origin: str, views: int, hour: datetime | None = None, variant: int = 0) -> None:
    """Stores views of an embed, in the present hour unless another is named."""
    row = LogoUse(hour=hour or world.clock(), embed=embed, variant=VARIANTS[variant], origin=origin, views=views)
    world.database.write(lambda session: session.add(row))


def test_views_are_summed_by_site_over_hours_and_variants(world: World) -> None:
    partner = world.partner()
    one, two, unseen = (world.embed(partner).key for _ in range(3))
    seen(world, one, SITE, 3)
    seen(world, one, SITE, 4, variant=1)
    seen(world, one, SITE, 5, world.clock() - timedelta(days=2))
    seen(world, one, NEW, 20)
    seen(world, two, SITE, 1)
    usage = world.embeds.usage(partner)
    assert usage == {one: (SiteUse(NEW, 20, False), SiteUse(SITE, 12, True)), two: (SiteUse(SITE, 1, True),)}
    assert unseen not in usage


def test_a_site_is_listed_or_not_by_the_list_of_now(world: World) -> None:
    partner = world.partner()
    key = world.embed(partner).key
    seen(world, key, SITE, 2)
    seen(world, key, NEW, 1)
    world.embeds.change(key, origins=[NEW], by="portal:key_1")
    assert world.embeds.usage(partner)[key] == (SiteUse(SITE, 2, False), SiteUse(NEW, 1, True))


def test_only_the_days_asked_for_count(world: World) -> None:
    partner = world.partner()
    key = world.embed(partner).key
    now = world.clock()
    seen(world, key, SITE, 1, now - timedelta(days=30))
    seen(world, key, SITE, 10, now - timedelta(days=30, hours=1))
    seen(world, key, SITE, 100, now - timedelta(days=7))
    assert world.embeds.usage(partner)[key] == (SiteUse(SITE, 101, True),)
    assert world.embeds.usage(partner, days=31)[key] == (SiteUse(SITE, 111, True),)
    assert world.embeds.usage(partner, days=6) == {}


def test_views_without_a_site_and_those_of_other_sites_come_last(world: World) -> None:
    partner = world.partner()
    key = world.embed(partner).key
    seen(world, key, "", 500)
    seen(world, key, "other", 900)
    seen(world, key, SITE, 1)
    assert world.embeds.usage(partner)[key] == (
        SiteUse(SITE, 1, True),
        SiteUse(None, 500, False),
        SiteUse("other", 900, False),
    )


def test_the_twenty_sites_seen_most_are_named_and_no_view_is_left_out(world: World) -> None:
    partner = world.partner()
    crowded, quiet = world.embed(partner).key, world.embed(partner).key
    for number in range(MOST + 5):
        seen(world, crowded, f"https://site{number:02}.example", 100 + number)
    seen(world, crowded, "other", 7)
    seen(world, crowded, "", 3)
    seen(world, quiet, "https://site00.example", 1)
    usage = world.embeds.usage(partner)
    named = usage[crowded][:-2]
    assert [use.origin for use in named] == [f"https://site{number:02}.example" for number in range(24, 4, -1)]
    assert usage[crowded][-2:] == (SiteUse(None, 3, False), SiteUse("other", 100 + 101 + 102 + 103 + 104 + 7, False))
    assert sum(use.uses for use in usage[crowded]) == world.stored() - 1
    assert usage[quiet] == (SiteUse("https://site00.example", 1, False),)


def test_sites_seen_as_often_come_in_one_order(world: World) -> None:
    partner = world.partner()
    key = world.embed(partner).key
    for name in "bca":
        seen(world, key, f"https://{name}.example", 5)
    assert [use.origin for use in world.embeds.usage(partner)[key]] == [f"https://{name}.example" for name in "abc"]


def test_nobody_sees_the_use_of_anothers_embeds(world: World) -> None:
    mine, other = world.partner(), world.partner()
    seen(world, world.embed(other).key, SITE, 9)
    assert world.embeds.usage(mine) == {}


def test_what_was_counted_is_told_before_and_after_it_is_entered(world: World) -> None:
    partner = world.partner()
    key = world.embed(partner).key
    live = world.embeds.permission(key)
    for origin in (SITE, NEW, NEW, "null", None):
        world.embeds.count(live, "blue/64.png", origin)
    world.embeds.flush()
    told = {key: (SiteUse(NEW, 2, False), SiteUse(SITE, 1, True), SiteUse(None, 2, False))}
    assert world.embeds.usage(partner) == told
    world.embeds.enter_uses(everything=True)
    assert world.embeds.usage(partner) == told
    world.embeds.revoke(key, by="portal:key_1")
    assert world.embeds.usage(partner) == told
