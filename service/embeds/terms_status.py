"""The status of embeds: whether one may show its logo, by its own state, its participant's, and the terms.

New terms do not stop an embed at once: it goes on for the campaign's grace period, counted from the first
version that its participant has not accepted, so that yet another version opens no second period.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..campaign import Campaign, TermsVersion
from ..store.derived_tables import TermsStanding

NEVER = datetime.min.replace(tzinfo=UTC)


def good_until(
    versions: Sequence[TermsVersion], accepted: Collection[str], now: datetime, grace: timedelta
) -> datetime | None:
    """Return the instant from which acceptances no longer suffice, as seen at ``now``; None where no end is known.

    ``versions`` are those of the terms, newest first. ``NEVER`` where no version up to now was accepted.
    """
    order = list(reversed(versions))
    index = sum(1 for version in order if version.effective <= now) - 1
    while index >= 0 and order[index].version not in accepted:
        index -= 1
    if index < 0:
        return NEVER
    while index + 1 < len(order):
        index += 1
        if order[index].version not in accepted:
            return order[index].effective + grace
    return None


def embed_status(
    *, revoked: bool, participant_status: str, current_accepted: bool, until: datetime | None, now: datetime
) -> str:
    """Return ``active``, ``grace``, ``terms_required``, ``suspended``, ``lapsed`` or ``revoked``: what holds first."""
    if revoked:
        return "revoked"
    if participant_status == "lapsed":
        return "lapsed"
    if participant_status != "approved":
        return "suspended"
    if until is not None and now >= until:
        return "terms_required"
    return "active" if current_accepted else "grace"


class AcceptedTerms:
    """The versions of the logos' terms that participants have accepted, as one read gave them."""

    def __init__(self, campaign: Campaign, found: dict[tuple[str, str], str]) -> None:
        """``found`` are versions, with spaces between, by participant and terms."""
        self._campaign = campaign
        self._found = found
        self._grace = timedelta(days=campaign.info.terms_grace_days)
        self._until: dict[tuple[str, str, datetime], datetime | None] = {}  # many hold the same versions

    @classmethod
    def read(cls, session: Session, campaign: Campaign, participants: Iterable[str]) -> AcceptedTerms:
        """Read those of some participants."""
        terms = {logo.terms for logo in campaign.logos.values()}
        rows = session.execute(
            select(TermsStanding.participant, TermsStanding.terms, TermsStanding.versions).where(
                TermsStanding.participant.in_(set(participants)), TermsStanding.terms.in_(terms)
            )
        )
        return cls(campaign, {(participant, name): versions for participant, name, versions in rows})

    def until(self, participant: str, logo: str, now: datetime) -> datetime | None:
        """Return ``good_until`` for a participant and the terms of a logo; None for a logo that there is no more."""
        terms = self._terms(logo)
        if terms is None:
            return None
        versions = self._found.get((participant, terms), "")
        asked = terms, versions, now
        if asked not in self._until:
            known = self._campaign.terms.versions(terms)
            self._until[asked] = good_until(known, versions.split(), now, self._grace)
        return self._until[asked]

    def current(self, participant: str, logo: str, now: datetime) -> bool:
        """Tell whether the version that is current at ``now`` has been accepted."""
        terms = self._terms(logo)
        if terms is None:
            return True
        return self._campaign.terms.current(terms, now).version in self._found.get((participant, terms), "").split()

    def _terms(self, logo: str) -> str | None:
        found = self._campaign.logos.get(logo)
        return found.terms if found is not None else None
