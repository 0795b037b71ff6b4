"""Permission: whether a link may be used now. Read in the transaction that records, so nothing slips between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, select
from sqlalchemy.orm import Session

from ..campaign import Campaign
from ..problems import (
    InvalidLink,
    LinkExhausted,
    LinkExpired,
    LinkRevoked,
    PackageWithdrawn,
    ParticipantSuspended,
    Problem,
    RobotsNotServed,
    TermsNotAccepted,
)
from ..store.tables import Acceptance, Link, PackageVersion, Participant


@dataclass(frozen=True)
class LinkState:
    """A link with all that decides about it, as one consistent read gave it."""

    link: str
    participant: str
    participant_kind: str
    country: str | None
    language: str
    package: str
    version: str
    created_at: datetime
    expires_at: datetime
    max_downloads: int | None
    counted: int
    revoked: bool
    withdrawn: bool
    participant_status: str
    terms: str
    terms_version: str
    accepted: bool

    def refusal(self, now: datetime, base_url: str) -> Problem | None:
        """The first refusal of contract 5 that holds, those about the client left out; None where it may be used."""
        if self.revoked:
            return LinkRevoked()
        if now >= self.expires_at:
            return LinkExpired()
        if self.withdrawn:
            return PackageWithdrawn()
        if self.participant_status != "approved":
            return ParticipantSuspended()
        if not self.accepted:
            return TermsNotAccepted.of(self.terms, self.terms_version, base_url, self.language)
        return None

    def status(self, now: datetime) -> str:
        """``active``, ``expired``, ``revoked``, ``exhausted``, ``suspended``, ``terms_required`` or ``withdrawn``."""
        match self.refusal(now, ""):
            case None:
                spent = self.max_downloads is not None and self.counted >= self.max_downloads
                return "exhausted" if spent else "active"
            case LinkRevoked():
                return "revoked"
            case LinkExpired():
                return "expired"
            case PackageWithdrawn():
                return "withdrawn"
            case ParticipantSuspended():
                return "suspended"
            case _:
                return "terms_required"

    def refuse_client(self, kind: str, begun: bool) -> None:
        """Raises what limited links refuse: robots, and new clients after the last download."""
        if self.max_downloads is None:
            return
        if kind == "robot":
            raise RobotsNotServed
        if not begun and self.counted >= self.max_downloads:
            raise LinkExhausted


_COLUMNS = (
    Link.id.label("link"),
    Link.participant,
    Participant.kind.label("participant_kind"),
    Participant.country,
    Participant.language,
    Link.package,
    Link.version,
    Link.created_at,
    Link.expires_at,
    Link.max_downloads,
    Link.counted,
    Link.revoked_at,
    PackageVersion.withdrawn_at,
    Participant.status.label("participant_status"),
    PackageVersion.terms,
)
_NAMES = tuple(str(column.key) for column in _COLUMNS)


def select_states() -> Select[*tuple[Any, ...]]:
    """The select that ``state_of`` reads rows of; callers add their conditions."""
    return (
        select(*_COLUMNS)
        .join(Participant, Participant.id == Link.participant)
        .join(PackageVersion, and_(PackageVersion.package == Link.package, PackageVersion.version == Link.version))
    )


# Built once: building a statement takes longer than running it.
_ONE = select_states().where(Link.id == bindparam("link_id"))
_LOCKED = _ONE.with_for_update(of=Link)
_ACCEPTED = select(Acceptance.id).where(
    Acceptance.participant == bindparam("participant"),
    Acceptance.terms == bindparam("terms"),
    Acceptance.version == bindparam("version"),
)


def state_of(connection: Connection, campaign: Campaign, row: Sequence[Any], now: datetime) -> LinkState:
    """The state of one row, with the acceptance of the terms that are current at ``now``."""
    values = dict(zip(_NAMES, row, strict=True))
    revoked_at, withdrawn_at, terms = values.pop("revoked_at"), values.pop("withdrawn_at"), values["terms"]
    current = campaign.terms.current(terms, now).version
    asked = {"participant": values["participant"], "terms": terms, "version": current}
    return LinkState(
        **values,
        revoked=revoked_at is not None,
        withdrawn=withdrawn_at is not None,
        terms_version=current,
        accepted=connection.execute(_ACCEPTED, asked).first() is not None,
    )


def read_state(session: Session, campaign: Campaign, link: str, now: datetime, *, lock: bool = False) -> LinkState:
    """The state of a link; InvalidLink where there is none. ``lock`` keeps others out until the transaction ends."""
    connection = session.connection()
    row = connection.execute(_LOCKED if lock else _ONE, {"link_id": link}).first()
    if row is None:
        raise InvalidLink
    return state_of(connection, campaign, row, now)
