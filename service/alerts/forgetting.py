"""Forget people: alerts about a participant keep what kind they were and when, and lose the sites that they name."""

from __future__ import annotations

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session

from ..store.audit_tables import Alert

_SITE = "origin"


def forget_alerts(session: Session, participant: str, sites: list[str]) -> int:
    """Take the sites out of the alerts that name a participant or one of its sites; return how many alerts."""
    facts = cast(Alert.facts, Text)
    named = or_(facts.contains(participant, autoescape=True), *(facts.contains(s, autoescape=True) for s in sites))
    found = [row for row in session.scalars(select(Alert).where(named)) if _SITE in row.facts]
    for row in found:
        row.summary = row.summary.replace(str(row.facts[_SITE]), "a site")
        row.fingerprint = f"erased:{row.id}"
        row.facts = {name: value for name, value in row.facts.items() if name != _SITE}
    return len(found)
