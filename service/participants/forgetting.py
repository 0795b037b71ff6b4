"""Forget people: a participant's keys and sessions end, and what they wrote or was written about them goes.

The salt of each commitment goes with the record that it bound, so that nobody, knowing the record from
elsewhere, can show that the log holds it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session as Transaction

from ..store import tables
from ..store.batches import changed
from .revocation import end_key
from .views import BY_STAFF


def end_keys(session: Transaction, participant: str, now: datetime, by: str) -> int:
    """Revoke the API keys of a participant and forget their names; return how many were not revoked yet."""
    ended = 0
    for key in session.scalars(select(tables.ApiKey).where(tables.ApiKey.participant == participant)):
        # Typed by somebody, and likely to name them. A key without its narrowing could do more, and is ended here.
        key.name, key.revoked_reason, key.origin = "", None, None
        if key.revoked_at is None:
            end_key(session, key, now, by)
            ended += 1
    return ended


def end_sessions(session: Transaction, row: tables.Participant) -> int:
    """Delete the sign-in sessions of a participant and of their address; return how many."""
    table = tables.SignInSession
    return changed(session, delete(table).where(or_(table.participant == row.id, table.email == row.email)))


def drop_mailed_links(session: Transaction, row: tables.Participant) -> int:
    """Delete the links that were mailed to a participant's address; return how many."""
    return changed(session, delete(tables.MailedLink).where(tables.MailedLink.email == row.email))


def blank_acceptances(session: Transaction, participant: str) -> int:
    """Forget who signed for a participant, and the salt that binds it; return how many acceptances that were."""
    table = tables.Acceptance
    blank = {"signatory_name": None, "signatory_capacity": None, "salt": None}
    return changed(session, update(table).where(table.participant == participant).values(blank))


def blank_decisions(session: Transaction, participant: str) -> None:
    """Drop the reasons that staff typed; those of rules are the campaign's own words."""
    table = tables.Decision
    changed(session, update(table).where(table.participant == participant, table.rule == BY_STAFF).values(reasons=[]))


def repeats(text: str, row: tables.Participant, known: Sequence[str | None] = ()) -> bool:
    """Tell whether a text says anything that is known of the participant as a person, or of its members (``known``)."""
    said = text.casefold()
    words = {word for name in (row.name, *known) if name for word in re.findall(r"\w{3,}", name.casefold())}
    if words & set(re.findall(r"\w{3,}", said)):
        return True  # a part of a name, or of an address, names somebody too
    answers = [value for value in (row.answers or {}).values() if isinstance(value, str)]
    return any(value and value.casefold() in said for value in (row.name, row.email, row.website, *answers, *known))


def blank(row: tables.Participant, now: datetime) -> None:
    """Empty a participant's row of everything personal, and mark it as erased."""
    if row.rule == BY_STAFF:
        row.reasons = []
    row.name = row.email = row.website = row.answers = row.salt = row.suspended_reason = None
    row.status, row.erased_at = "erased", now
