"""Ending a partner's link or embed in the console: what it would break is shown first, and it can be taken back.

Each end and each return is one transaction: the link or embed, the entry, the mail to the partner, and who and why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..clock import Clock
from ..embeds import Embeds
from ..embeds.site_statistics import SiteUse
from ..links import Links
from ..participants.application import check_reason
from ..store import Database, tables
from ..store.batches import changed
from ..store.desk_tables import Ending
from .letters import DeskMail

EFFECT_DAYS = 7  # in which the use of an embed or link shows what its end would break
Thing = Literal["embed", "link"]


@dataclass(frozen=True)
class Ended:
    """An end, or its return (``restored``), of a link or an embed."""

    what: str
    at: datetime
    by: str
    reason: str | None = field(repr=False)


class Endings:
    """Ends links and embeds of partners, and brings them back."""

    def __init__(self, database: Database, clock: Clock, mail: DeskMail, links: Links, embeds: Embeds) -> None:
        self._database = database
        self._clock = clock
        self._mail = mail
        self._links = links
        self._embeds = embeds

    def views(self, embed: str) -> tuple[SiteUse, ...]:
        """Return where the logo of an embed was seen in the last week. Raises UnknownEmbed."""
        return self._embeds.use_of(embed, EFFECT_DAYS)

    def downloads(self, link: str) -> int:
        """Count the downloads of a link in the last week."""
        return self._links.counted_since(link, self._clock() - timedelta(days=EFFECT_DAYS))

    def history(self, subject: str) -> tuple[Ended, ...]:
        """Return the ends and returns of a link or an embed, newest first."""
        statement = select(Ending).where(Ending.subject == subject).order_by(Ending.id.desc())
        with self._database.read() as session:
            return tuple(Ended(row.what, row.at, row.by, row.reason) for row in session.scalars(statement))

    def end(self, thing: Thing, subject: str, *, by: str, reason: object) -> None:
        """End a link or an embed at once and mail its partner. Raises InvalidRequest, NotFound or UnknownEmbed."""
        why = check_reason(reason)
        also = partial(self._note, thing=thing, subject=subject, what="ended", by=by, reason=why)
        if thing == "embed":
            self._embeds.revoke(subject, by=by, reason=why, also=also)
        else:
            self._links.revoke(subject, by=by, reason=why, also=also)
        self._mail.leave()

    def restore(self, thing: Thing, subject: str, *, by: str, reason: object) -> None:
        """Take the end of a link or an embed back and mail its partner. Raises Conflict too, for an erased one."""
        why = check_reason(reason)
        also = partial(self._note, thing=thing, subject=subject, what="restored", by=by, reason=why)
        if thing == "embed":
            self._embeds.restore(subject, by=by, also=also)
        else:
            self._links.restore(subject, by=by, also=also)
        self._mail.leave()

    def _note(
        self,
        session: Session,
        owner: tables.Participant,
        *,
        thing: Thing,
        subject: str,
        what: str,
        by: str,
        reason: str,
    ) -> None:
        row = Ending(subject=subject, participant=owner.id, what=what, at=self._clock(), by=by, reason=reason)
        session.add(row)
        self._mail.ending(session, owner, thing, what, subject, reason)


def forget_endings(session: Session, participant: str) -> int:
    """Empty the reasons of a participant's ends; return how many there were."""
    mine = Ending.participant == participant
    return changed(session, update(Ending).where(mine, Ending.reason.is_not(None)).values(reason=None))
