"""Rolls counts of views up into the ledger: one entry an embed, hour, variant and site, each view exactly once.

Counts of this service wait in rows without a batch until their hour is over. Entering them puts rows with a batch,
one for each entry, in their place, in one transaction with the entries; a count that comes later begins a new row,
entered in its turn. Imported counts are entered by the same function as soon as their file is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from .. import ledger
from ..clock import timestamp
from ..ids import new_id
from ..store.pairs import one_of
from ..store.tables import Embed, LogoUse, Participant
from .counter import forget_writers, lock_uses
from .crowding import OTHER, Use, named_by_views

log = structlog.get_logger()

LATE = timedelta(seconds=10)  # after an hour: what other processes have counted in it is in the database by then
_ROWS = 5_000  # a transaction, unless one embed has more in one hour

Group = tuple[datetime, str]  # hour, embed
Counts = dict[Group, dict[Use, int]]


def enter_waiting(session: Session, now: datetime, *, everything: bool = False) -> int:
    """Enter the counts of hours that are over, or of all; return the number of entries written.

    It takes some thousand rows: call it, each time in a transaction of its own, until it returns 0.
    """
    lock_uses(session, shared=False)
    forget_writers(session, now)
    groups = _groups(session, None if everything else (now - LATE).replace(minute=0, second=0, microsecond=0))
    if not groups:
        return 0
    waiting = LogoUse.entered_at.is_(None), one_of(LogoUse.hour, LogoUse.embed, groups)
    counts: Counts = {group: {} for group in groups}
    for hour, embed, *use, views in session.execute(
        select(LogoUse.hour, LogoUse.embed, LogoUse.variant, LogoUse.origin, LogoUse.views).where(*waiting)
    ):
        counts[hour, embed][use[0], use[1]] = views
    session.execute(delete(LogoUse).where(*waiting).execution_options(synchronize_session=False))
    return enter(session, now, counts)


def enter(session: Session, now: datetime, counts: Counts) -> int:
    """Enter counts of embeds and hours as one batch, however they were seen; return the number of entries written.

    The caller has locked the uses (``lock_uses``), and takes the counts from where they waited in the same transaction.
    """
    batch = new_id("use")
    embeds = _embeds(session, {embed for _, embed in counts})
    named = _named(session, counts)
    entered = {
        group: named_by_views(embeds[group[1]][0].origins, named.get(group, ()), uses)
        for group, uses in sorted(counts.items())
    }
    for (hour, embed), uses in entered.items():
        if beyond := sum(views for use, views in uses.items() if OTHER in use):
            log.warning("an embed was seen in too many ways; the rest is summed", embed=embed, hour=hour, views=beyond)
    session.execute(
        insert(LogoUse),
        [
            {
                "hour": hour,
                "embed": embed,
                "variant": variant,
                "origin": origin,
                "batch": batch,
                "views": views,
                "entered_at": now,
            }
            for (hour, embed), uses in entered.items()
            for (variant, origin), views in uses.items()
        ],
    )
    return ledger.append_many(session, _entries(entered, embeds), now)


def _named(session: Session, groups: Collection[Group]) -> dict[Group, set[Use]]:
    """The names that earlier entries of each hour and embed have."""
    found: dict[Group, set[Use]] = {}
    keys = sorted(groups)  # by the hour: few of them at a time
    for start in range(0, len(keys), 500):
        rows = session.execute(
            select(LogoUse.hour, LogoUse.embed, LogoUse.variant, LogoUse.origin)
            .where(one_of(LogoUse.hour, LogoUse.embed, keys[start : start + 500]), LogoUse.entered_at.is_not(None))
            .distinct()
        )
        for hour, embed, variant, origin in rows:
            found.setdefault((hour, embed), set()).add((variant, origin))
    return found


def _groups(session: Session, before: datetime | None) -> list[Group]:
    """List hours and embeds that have something to enter, whole, up to some thousand rows."""
    statement = (
        select(LogoUse.hour, LogoUse.embed, func.count())
        .where(LogoUse.entered_at.is_(None))
        .group_by(LogoUse.hour, LogoUse.embed)
        .order_by(LogoUse.hour, LogoUse.embed)
        .limit(500)
    )
    if before is not None:
        statement = statement.where(LogoUse.hour < before)
    groups: list[Group] = []
    total = 0
    for hour, embed, rows in session.execute(statement):
        total += rows
        if groups and total > _ROWS:
            break
        groups.append((hour, embed))
    return groups


def _embeds(session: Session, keys: set[str]) -> dict[str, tuple[Embed, Participant]]:
    joined = select(Embed, Participant).join(Participant, Participant.id == Embed.participant)
    return {embed.key: (embed, person) for embed, person in session.execute(joined.where(Embed.key.in_(keys)))}


def _unnamed(uses: Mapping[Use, int]) -> dict[Use, int]:
    """Return counts without the names of sites: where a person shows a logo is about them, and the log is for ever."""
    found: dict[Use, int] = {}
    for (variant, origin), views in uses.items():
        use = variant, origin and OTHER
        found[use] = found.get(use, 0) + views
    return found


def _entries(
    counts: Mapping[Group, Mapping[Use, int]], embeds: Mapping[str, tuple[Embed, Participant]]
) -> Iterator[ledger.LogoUsedEntry]:
    for (hour, key), uses in counts.items():
        embed, person = embeds[key]
        for (variant, origin), views in (_unnamed(uses) if embed.personal else uses).items():
            yield ledger.LogoUsedEntry(
                hour=timestamp(hour),
                embed=key,
                participant=person.id,
                participant_kind=person.kind,
                country=person.country,
                logo=embed.logo,
                variant=variant,
                origin=origin or None,
                views=views,
            )
