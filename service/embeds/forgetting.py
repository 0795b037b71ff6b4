"""Forget people: a participant's embeds end and lose their sites; counts of views are dropped once they are entries."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .. import ledger
from ..store import Database
from ..store.batches import changed, until_none
from ..store.tables import Embed, LogoUse


def end_embeds(session: Session, participant: str, now: datetime, by: str) -> int:
    """Revoke the embeds of a participant and forget the sites that they list; return how many were not revoked yet."""
    ended = 0
    for embed in session.scalars(select(Embed).where(Embed.participant == participant)):
        embed.origins, embed.revoked_reason = [], None  # typed by somebody
        if embed.revoked_at is None:
            embed.revoked_at, embed.revoked_by = now, by
            ended += 1
            ledger.append(session, ledger.EmbedRevokedEntry(embed=embed.key, participant=participant, by=by), now)
    return ended


def forget_sites(session: Session, participant: str) -> list[str]:
    """Forget on which sites a participant's embeds were listed and seen; return them. Views that are no entry yet stay.

    To be called before the embeds end, which forgets the listed ones.
    """
    embeds = list(session.scalars(select(Embed).where(Embed.participant == participant)))
    keys, sites = [embed.key for embed in embeds], {site for embed in embeds for site in embed.origins}
    mine = LogoUse.embed.in_(keys)
    sites |= set(session.scalars(select(LogoUse.origin).where(mine, LogoUse.origin != "").distinct()))
    session.execute(delete(LogoUse).where(mine, LogoUse.entered_at.is_not(None)))
    waiting = list(session.scalars(select(LogoUse).where(mine)))
    kept: dict[tuple[object, ...], LogoUse] = {}
    for use in sorted(waiting, key=lambda one: one.origin != ""):  # the one without a site takes the others' views
        first = kept.setdefault((use.embed, use.hour, use.variant, use.batch), use)
        if first is not use:
            first.views += use.views
            session.delete(use)
    session.flush()
    for use in kept.values():
        use.origin = ""
    return sorted(sites)


def drop_uses(database: Database, before: datetime) -> int:
    """Delete counts of views that became entries before ``before``; return how many."""

    def some(session: Session, most: int) -> int:
        ids = list(session.scalars(select(LogoUse.id).where(LogoUse.entered_at < before).limit(most)))
        changed(session, delete(LogoUse).where(LogoUse.id.in_(ids)))
        return len(ids)

    return until_none(database, some)
