"""Statistics of sites: where the logos of a participant's embeds were seen, for its account page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from ..store.tables import Embed, LogoUse
from .crowding import OTHER

MOST = 20  # sites of an embed that are named; the rest are summed
_LAST = ("", OTHER)  # no sites: they stand below those that are, in this order


@dataclass(frozen=True, slots=True)
class SiteUse:
    """Views of one embed on one site.

    ``origin`` is None for requests that named no site, and ``other`` for all sites that are not named here.
    ``listed`` says whether the site is on the embed's list now.
    """

    origin: str | None
    uses: int
    listed: bool


def sites_of(session: Session, participant: str, since: datetime) -> dict[str, tuple[SiteUse, ...]]:
    """Return the views of a participant's embeds in hours that began at ``since`` or later, by the embed's key.

    The 20 sites of an embed with most views come first; views without a site, then those of all other sites,
    come last. An embed that was not seen is not in it.
    """
    views = func.sum(LogoUse.views).label("views")
    seen = (
        select(LogoUse.embed, LogoUse.origin, views)
        .join(Embed, Embed.key == LogoUse.embed)
        .where(Embed.participant == participant, LogoUse.hour >= since)
        .group_by(LogoUse.embed, LogoUse.origin)
        .subquery()
    )
    is_site = case((seen.c.origin.in_(_LAST), 0), else_=1)
    place = func.row_number().over(partition_by=(seen.c.embed, is_site), order_by=(seen.c.views.desc(), seen.c.origin))
    # Placed in the database: an embed can be seen on as many sites as there are, 200 new ones each hour.
    placed = select(seen, place.label("place")).subquery()
    named = case((placed.c.origin.in_(_LAST), placed.c.origin), (placed.c.place > MOST, OTHER), else_=placed.c.origin)
    totals = (
        select(placed.c.embed, named.label("site"), func.sum(placed.c.views).label("views"))
        .group_by(placed.c.embed, named)
        .subquery()
    )
    rows = session.execute(
        select(totals.c.embed, totals.c.site, totals.c.views, Embed.origins).join(Embed, Embed.key == totals.c.embed)
    )
    found: dict[str, list[SiteUse]] = {}
    for embed, site, number, origins in rows:
        found.setdefault(embed, []).append(SiteUse(site or None, int(number), site in origins))
    return {embed: tuple(sorted(sites, key=_order)) for embed, sites in found.items()}


def _order(use: SiteUse) -> tuple[int, int, str]:
    site = use.origin or ""
    return (_LAST.index(site) + 1 if site in _LAST else 0), -use.uses, site
