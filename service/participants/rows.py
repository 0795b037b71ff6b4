"""Finding rows of participants and acceptances inside a transaction, with the locks that go with it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from ..campaign import Campaign
from ..problems import NotFound
from ..store import tables


def locked(session: Transaction, participant: str) -> tables.Participant:
    """Return a participant's row, which nobody else changes until the transaction ends. Raises NotFound."""
    row = session.get(tables.Participant, participant, with_for_update=True)
    if row is None:
        raise NotFound("There is no participant of this id.")
    return row


def find_by_email(session: Transaction, email: str) -> tables.Participant | None:
    """Return the row of the participant of whom somebody has this address (in lower case), or None.

    Locked against an erasure until the transaction ends: nothing about an address is written behind one.
    """
    member = tables.Member
    of = select(member.participant).where(member.email == email, member.removed_at.is_(None))
    participant = session.scalar(of)
    if participant is None:
        return None
    row = session.get(tables.Participant, participant, with_for_update={"read": True})
    # Who was erased or removed while we waited for the lock has this address no more.
    return row if session.scalar(of) == participant else None


def find_acceptance(session: Transaction, participant: str, terms: str, version: str) -> tables.Acceptance | None:
    """Return the row of a participant's acceptance of one version, or None."""
    return session.scalar(
        select(tables.Acceptance).where(
            tables.Acceptance.participant == participant,
            tables.Acceptance.terms == terms,
            tables.Acceptance.version == version,
        )
    )


def accepted_current(
    session: Transaction, campaign: Campaign, participant: str, terms: str, now: datetime
) -> tables.Acceptance | None:
    """Return the acceptance of the version that is current at ``now``, in the caller's transaction; None if missing."""
    return find_acceptance(session, participant, terms, campaign.terms.current(terms, now).version)
