"""Acceptances: a participant's agreement to exactly the bytes of one version of the terms."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from .. import ledger
from ..campaign import Campaign, TermsVersion, typed_text
from ..clock import Clock
from ..ids import new_id
from ..problems import (
    Conflict,
    DigestMismatch,
    FieldError,
    InvalidRequest,
    NotFound,
    ParticipantNotApproved,
    TermsNotCurrent,
)
from ..store import Database, tables
from ..store.upsert import insert_new
from .application import Signatory
from .members import signer
from .rows import find_acceptance
from .views import AcceptanceView, accepted_record


class Acceptances:
    """Records acceptances, each version once for each participant."""

    def __init__(self, database: Database, campaign: Campaign, clock: Clock, base_url: str) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._base_url = base_url

    def accept(
        self,
        participant: str,
        *,
        terms: str,
        version: str,
        language: str,
        digest: str,
        signatory: Signatory,
        via: str,
        member: str | None = None,
    ) -> tuple[AcceptanceView, bool]:
        """Accept the current version, or one to come; return the acceptance, and True if this call made it.

        The same version again, in any language and by anyone, gives the first acceptance. ``digest`` is the
        SHA-256 of the text that was shown, ``member`` who is signed in. Raises InvalidRequest, UnknownTerms,
        UnknownVersion, TermsNotCurrent, DigestMismatch, NotFound, Conflict (erased), ParticipantNotApproved (declined).
        """
        found = self._campaign.terms.get(terms, version)

        def work(session: Transaction) -> tuple[AcceptanceView, bool]:
            now = self._clock()
            # Shared lock: an erasure at this moment comes before or after, never in between.
            owner = session.get(tables.Participant, participant, with_for_update={"read": True})
            if owner is None:
                raise NotFound("There is no participant of this id.")
            if owner.status == "erased":
                raise Conflict("This participant is erased. Its address may join anew and accept then.")
            first = find_acceptance(session, participant, terms, version)
            self._check_text(found, language, digest, now, known=first is not None)
            if first is not None:
                return AcceptanceView.of(first, self._base_url), False
            if owner.status == "declined":
                raise ParticipantNotApproved(
                    "A declined participant cannot accept terms. See the reasons of the decision.",
                    extra={"participant_status": owner.status},
                )
            person = self._campaign.eligibility.kind(owner.kind).person
            signed = _check_signatory(signatory, capacity_needed=not person)
            who = signer(session, participant, signed.name, member)
            made = self._insert(session, participant, found, language, signed, (via, who), now)
            if made is not None:
                return made, True
            first = find_acceptance(session, participant, terms, version)
            assert first is not None  # its insertion is what ours gave way to
            return AcceptanceView.of(first, self._base_url), False

        return self._database.write(work)

    def of(self, participant: str) -> tuple[AcceptanceView, ...]:
        """Return what a participant has accepted, newest first; of one second, the newest version first."""
        with self._database.read() as session:
            rows = session.scalars(
                select(tables.Acceptance)
                .where(tables.Acceptance.participant == participant)
                .order_by(tables.Acceptance.accepted_at.desc(), tables.Acceptance.version.desc(), tables.Acceptance.id)
            )
            return tuple(AcceptanceView.of(row, self._base_url) for row in rows)

    def get(self, acceptance: str) -> AcceptanceView:
        """Return one acceptance by its id; NotFound where there is none."""
        with self._database.read() as session:
            row = session.get(tables.Acceptance, acceptance)
            if row is None:
                raise NotFound("There is no acceptance of this id.")
            return AcceptanceView.of(row, self._base_url)

    def _check_text(self, found: TermsVersion, language: str, digest: str, now: datetime, *, known: bool) -> None:
        current = self._campaign.terms.current(found.id, now).version if not known else found.version
        if found.version != current and found.effective <= now:
            raise TermsNotCurrent(extra={"terms": {"id": found.id, "version": current}})
        if language not in found.languages:
            detail = f"These terms are written in {', '.join(found.languages)}; send the language that was shown."
            raise InvalidRequest(errors=[FieldError("/language", detail)])
        if digest != found.digest(language):
            raise DigestMismatch(errors=[FieldError("/digest", f"It is not the digest of the text in {language}.")])

    def _insert(
        self,
        session: Transaction,
        participant: str,
        found: TermsVersion,
        language: str,
        signatory: Signatory,
        by: tuple[str, str | None],
        now: datetime,
    ) -> AcceptanceView | None:
        salt, (via, member) = ledger.new_salt(), by
        row = tables.Acceptance(
            id=new_id("acc"),
            participant=participant,
            terms=found.id,
            version=found.version,
            language=language,
            digest=found.digest(language),
            signatory_name=signatory.name,
            signatory_capacity=signatory.capacity,
            member=member,
            via=via,
            salt=salt,
            accepted_at=now,
        )
        row.commitment = ledger.commitment(salt, accepted_record(row))
        columns = {column.key: getattr(row, column.key) for column in tables.Acceptance.__table__.columns}
        if not insert_new(session, tables.Acceptance, **columns):
            return None
        ledger.append(
            session,
            ledger.TermsAcceptedEntry(
                id=row.id,
                participant=participant,
                terms=row.terms,
                version=row.version,
                language=language,
                digest=row.digest,
                via=via,
                member=member,
                commitment=row.commitment,
            ),
            now,
        )
        return AcceptanceView.of(row, self._base_url)


def _check_signatory(signatory: Signatory, *, capacity_needed: bool) -> Signatory:
    errors: list[FieldError] = []
    name = typed_text.read(signatory.name, "/signatory/name", errors)
    capacity = None
    if capacity_needed or signatory.capacity:
        capacity = typed_text.read(signatory.capacity, "/signatory/capacity", errors)
    if errors:
        raise InvalidRequest(errors=errors)
    return Signatory(name, capacity)
