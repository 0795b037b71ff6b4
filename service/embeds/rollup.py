"""Entering uses: the counts of an hour that is over become entries of the ledger, each exactly once.

Counts wait in rows without a batch. Entering them puts rows with a batch, one for each entry, in their
place, in one transaction with the entries; a count that comes later begins a new row, entered in its turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, tuple_
from sqlalchemy.orm import Session

from .. import ledger
from ..clock import timestamp
from ..ids import new_id
from ..store.tables import Embed, LogoUse, Participant
from .counter import ORIGINS, OTHER, forget_writers, lock_uses

LATE = timedelta(seconds=10)  # after an hour: what other processes have counted in it is in the database by then
_ROWS = 5_000  # a transaction, unless one embed has more in one hour

_Group = tuple[datetime, str]  # hour, embed
_Use = tuple[str, str]  # variant, origin


def enter_some(session: Session, now: datetime, *, everything: bool = False) -> int:
    """Enters the uses of hours that are over, or of all; returns how many entries it wrote.

    It takes some thousand rows: call it, each time in a transaction of its own, until it returns 0.
    """
    lock_uses(session, shared=False)
    forget_writers(session, now)
    groups = _groups(session, None if everything else (now - LATE).replace(minute=0, second=0, microsecond=0))
    if not groups:
        return 0
    waiting = LogoUse.entered_at.is_(None), tuple_(LogoUse.hour, LogoUse.embed).in_(groups)
    counts: dict[_Group, dict[_Use, int]] = {group: {} for group in groups}
    for hour, embed, *use, views in session.execute(
        select(LogoUse.hour, LogoUse.embed, LogoUse.variant, LogoUse.origin, LogoUse.views).where(*waiting)
    ):
        counts[hour, embed][use[0], use[1]] = views
    embeds = _embeds(session, {embed for _, embed in groups})
    for group in groups:
        counts[group] = _capped(session, group, embeds[group[1]][0].origins, counts[group])
    batch = new_id("use")
    session.execute(delete(LogoUse).where(*waiting).execution_options(synchronize_session=False))
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
            for (hour, embed), uses in counts.items()
            for (variant, origin), views in uses.items()
        ],
    )
    return ledger.append_many(session, _entries(counts, embeds), now)


def _groups(session: Session, before: datetime | None) -> list[_Group]:
    """Hours and embeds that have something to enter, whole, up to some thousand rows."""
    statement = (
        select(LogoUse.hour, LogoUse.embed, func.count())
        .where(LogoUse.entered_at.is_(None))
        .group_by(LogoUse.hour, LogoUse.embed)
        .order_by(LogoUse.hour, LogoUse.embed)
        .limit(500)
    )
    if before is not None:
        statement = statement.where(LogoUse.hour < before)
    groups: list[_Group] = []
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


def _capped(session: Session, group: _Group, listed: list[str], uses: dict[_Use, int]) -> dict[_Use, int]:
    """The counts with at most 200 origins under their names, since each process has counted 200 of its own.

    First those that earlier entries of the hour name, then the embed's own, then those with most views.
    """
    hour, embed = group
    views: dict[str, int] = {}
    for (_, origin), number in uses.items():
        views[origin] = views.get(origin, 0) + number
    named = set(
        session.scalars(
            select(LogoUse.origin)
            .where(LogoUse.hour == hour, LogoUse.embed == embed, LogoUse.entered_at.is_not(None))
            .distinct()
        )
    ) - {"", OTHER}
    new = sorted(views.keys() - named - {"", OTHER}, key=lambda origin: (origin not in listed, -views[origin], origin))
    named.update({"", OTHER}, new[: max(0, ORIGINS - len(named))])
    capped: dict[_Use, int] = {}
    for (variant, origin), number in sorted(uses.items()):
        use = variant, origin if origin in named else OTHER
        capped[use] = capped.get(use, 0) + number
    return capped


def _entries(
    counts: Mapping[_Group, Mapping[_Use, int]], embeds: Mapping[str, tuple[Embed, Participant]]
) -> Iterator[ledger.LogoUsed]:
    for (hour, key), uses in counts.items():
        embed, person = embeds[key]
        for (variant, origin), views in uses.items():
            yield ledger.LogoUsed(
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
