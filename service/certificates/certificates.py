"""Certificates: issued to approved participants who accepted the terms, with a state that is told at any time.

A certificate is a row and an entry of the log, in one transaction. Its files are made when they are asked for, since
the PDF carries the receipt of that entry, and then kept. Its state is never written: it follows from the participant,
the terms and the certificates after it, so a suspension shows as soon as it is decided.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Select, and_, exists, or_, select, update
from sqlalchemy.orm import Session

from .. import ledger, paths
from ..audit.receipts import Receipts
from ..campaign import LANGUAGES, Campaign
from ..clock import Clock, timestamp
from ..ids import new_id
from ..ledger import Sealer
from ..participants.rows import accepted_current, locked
from ..problems import (
    FieldError,
    InvalidRequest,
    NotFound,
    NotSealed,
    ParticipantNotApproved,
    TermsNotAccepted,
    Unavailable,
)
from ..storage import ObjectMissing, Storage
from ..store import Database
from ..store.batches import changed
from ..store.tables import Acceptance, Certificate, Participant
from . import documents
from .credentials import LIST_SIZE, PURPOSES, Granted, Issuer
from .forgetting import drop_files, file_key

Status = Literal["valid", "suspended", "superseded", "lapsed", "revoked"]
STATUSES: tuple[Status, ...] = get_args(Status)
FORMS = ("pdf", "png", "jwt")
_SEAL_WAIT = 5.0  # seconds for another process that is sealing
#: Which states set a certificate's bit in the list of a purpose. What is lapsed may hold again.
_SET = {"revocation": ("revoked", "superseded"), "suspension": ("suspended", "lapsed")}
OFF = "Certificates are off: EMBLEM_CREDENTIAL_KEY is not set. `emblem secrets new` makes a value."


@dataclass(frozen=True)
class CertificateView:
    """A certificate with its state now. ``name`` is None once its holder is erased."""

    id: str
    number: int
    participant: str
    kind: str
    country: str | None
    name: str | None = field(repr=False)
    language: str
    terms: str
    terms_version: str
    accepted_at: datetime
    issued_at: datetime
    status: Status


class Certificates:
    """Issues certificates, tells their state, and makes their files. Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        campaign: Campaign,
        clock: Clock,
        receipts: Receipts,
        sealer: Sealer,
        issuer: Issuer | None,
        base_url: str,
    ) -> None:
        self._database = database
        self._storage = storage
        self._campaign = campaign
        self._clock = clock
        self._receipts = receipts
        self._sealer = sealer
        self._issuer = issuer
        self._base_url = base_url

    def take_up(self, campaign: Campaign) -> None:
        """Go by another publication of the campaign from now on."""
        self._campaign = campaign

    @property
    def on(self) -> bool:
        """Tell whether there is a key to sign credentials with."""
        return self._issuer is not None

    @property
    def issuer(self) -> Issuer:
        """Return what signs credentials. Unavailable, with the fix, where there is no key."""
        if self._issuer is None:
            raise Unavailable(OFF)
        return self._issuer

    # --- issuing

    def issue(self, participant: str, *, language: str | None, by: str) -> CertificateView:
        """Issue a certificate in a language, by default the participant's; those before it in that language end.

        Raises NotFound, ParticipantNotApproved, TermsNotAccepted, InvalidRequest (a name that no font shows, or an
        unknown language), or Unavailable where there is no key.
        """
        _ = self.issuer
        if language is not None and language not in LANGUAGES:
            detail = f"Certificates are written in {', '.join(LANGUAGES)}."
            raise InvalidRequest(errors=[FieldError("/language", detail)])
        terms = next(iter(self._campaign.logos.values())).terms

        def work(session: Session) -> CertificateView:
            now = self._clock()
            owner = locked(session, participant)
            if owner.status != "approved" or owner.name is None:
                raise ParticipantNotApproved(extra={"participant_status": owner.status})
            acceptance = accepted_current(session, self._campaign, owner.id, terms, now)
            if acceptance is None:
                version = self._campaign.terms.current(terms, now).version
                raise TermsNotAccepted.of(terms, version, self._base_url, owner.language)
            return self._insert(session, owner, acceptance, language or owner.language, by, now)

        return self._database.write(work)

    def _insert(
        self, session: Session, owner: Participant, acceptance: Acceptance, language: str, by: str, now: datetime
    ) -> CertificateView:
        salt = ledger.new_salt()
        row = Certificate(
            id=new_id("crt"),
            participant=owner.id,
            name=owner.name,
            language=language,
            terms=acceptance.terms,
            terms_version=acceptance.version,
            accepted_at=acceptance.accepted_at,
            issued_at=now,
            salt=salt,
        )
        documents.as_pdf(self._shown(_view(row, owner, "valid")), None)  # a name without glyphs is told now
        before = (Certificate.participant == owner.id, Certificate.language == language)
        session.execute(
            update(Certificate).where(*before, Certificate.superseded_at.is_(None)).values(superseded_at=now)
        )
        session.add(row)
        session.flush()
        entry = ledger.CertificateIssuedEntry(
            id=row.id,
            participant=owner.id,
            terms=row.terms,
            terms_version=row.terms_version,
            language=language,
            commitment=ledger.commitment(salt, {"id": row.id, "issued_at": timestamp(now), "name": owner.name}),
            by=by,
        )
        ledger.append(session, entry, now)
        return _view(row, owner, "valid")

    # --- telling

    def get(self, certificate: str) -> CertificateView:
        """One certificate with its state now; NotFound where there is none."""
        found = self._read(self._select().where(Certificate.id == certificate))
        if not found:
            raise NotFound("There is no certificate of this id. Compare it with the one on the certificate.")
        return found[0]

    def of(self, participant: str) -> list[CertificateView]:
        """A participant's certificates, newest first."""
        statement = self._select().where(Certificate.participant == participant)
        return self._read(statement.order_by(Certificate.issued_at.desc(), Certificate.id))

    def _select(self) -> Select[*tuple[Any, ...]]:
        now = self._clock()
        current = [
            and_(Certificate.terms == terms, Acceptance.version == found.version)
            for terms in self._campaign.terms.ids()
            if (found := self._campaign.terms.find_current(terms, now)) is not None
        ]
        accepted = exists().where(
            Acceptance.participant == Certificate.participant, Acceptance.terms == Certificate.terms, or_(*current)
        )
        return select(Certificate, Participant, accepted).join_from(
            Certificate, Participant, Participant.id == Certificate.participant
        )

    def _read(self, statement: Select[*tuple[Any, ...]]) -> list[CertificateView]:
        with self._database.read() as session:
            return [
                _view(row, owner, _status(row, owner, accepted=accepted))
                for row, owner, accepted in session.execute(statement).all()
            ]

    # --- files

    def file(self, certificate: str, form: str) -> bytes:
        """The PDF, badge (PNG) or credential (JWT) of a certificate, made at the first call.

        NotFound for one whose holder was erased; Unavailable without a key.
        """
        view = self.get(certificate)
        if view.name is None:
            raise NotFound("This certificate was revoked, and nothing of it is kept.")
        key = file_key(view.id, form)
        try:
            return self._storage.read(key)
        except ObjectMissing:
            pass
        made = self._make(view, form)
        # Noted first, so that a file that is there is found when its holder is erased.
        noted = update(Certificate).where(Certificate.id == view.id, Certificate.name.is_not(None))
        if self._database.write(lambda session: changed(session, noted.values(has_files=True))):
            self._storage.put_new(key, made)
        return made

    def drop_files(self) -> None:
        """Delete the files of certificates whose holders were erased."""
        drop_files(self._database, self._storage)

    def _make(self, view: CertificateView, form: str) -> bytes:
        if form == "pdf":
            return documents.as_pdf(self._shown(view), self._receipt(view.id))
        credential = self.issuer.credential(self._granted(view))
        if form == "jwt":
            return credential.encode()
        return self.issuer.baked(documents.as_png(self._shown(view)), credential)

    def _receipt(self, certificate: str) -> str:
        try:
            return self._receipts.make(certificate)
        except NotSealed:
            self._sealer.seal(wait=_SEAL_WAIT)
            return self._receipts.make(certificate)

    def _shown(self, view: CertificateView) -> documents.Shown:
        campaign, words = self._campaign, documents.words(view.language)
        lang = view.language
        logo = next(iter(campaign.logos.values()))
        colourway = campaign.brand.logo(logo.id).colourways[0]
        kind = campaign.eligibility.kind(view.kind)
        facts = [(words["joined_as"], kind.label.get(lang))]
        if view.country:
            facts.append((words["country"], campaign.countries.country_name(view.country, lang)))
        facts += [
            (words["terms"], f"{view.terms} {view.terms_version}, {view.accepted_at:%Y-%m-%d}"),
            (words["issued"], f"{view.issued_at:%Y-%m-%d}"),
            (words["number"], view.id),
        ]
        return documents.Shown(
            id=view.id,
            language=lang,
            name=view.name or "",
            campaign=campaign.info.name.get(lang),
            facts=tuple(facts),
            url=self._base_url + paths.verify(lang, view.id),
            colour=campaign.brand.colourways[colourway].hex,
            logo=logo.drawing(colourway).plain().decode(),
            logo_title=logo.title.get(lang),
            issued_at=int(view.issued_at.timestamp()),
        )

    def _granted(self, view: CertificateView) -> Granted:
        campaign = self._campaign.info.name.get(view.language)
        said = documents.words(view.language)["permission"].format(campaign=campaign)
        assert view.name is not None
        return Granted(
            id=view.id,
            number=view.number,
            name=view.name,
            language=view.language,
            issued_at=view.issued_at,
            campaign=campaign,
            statement=f"{view.name} {said}",
            terms_url=self._base_url + paths.terms(view.language, view.terms, view.terms_version),
        )

    # --- the status lists

    def status_list(self, number: int) -> str:
        """The status list of a number, signed now. NotFound for one that no certificate is in."""
        block, purpose = number // len(PURPOSES), PURPOSES[number % len(PURPOSES)]
        first = block * LIST_SIZE
        inside = Certificate.number.between(first, first + LIST_SIZE - 1)
        found = self._read(self._select().where(inside))
        if not found and number >= len(PURPOSES):
            raise NotFound("There is no status list of this number.")
        indices = [view.number - first for view in found if view.status in _SET[purpose]]
        return self.issuer.status_list(number, indices, self._clock())


def _view(row: Certificate, owner: Participant, status: Status) -> CertificateView:
    return CertificateView(
        id=row.id,
        number=row.number,
        participant=row.participant,
        kind=owner.kind,
        country=owner.country,
        name=row.name,
        language=row.language,
        terms=row.terms,
        terms_version=row.terms_version,
        accepted_at=row.accepted_at,
        issued_at=row.issued_at,
        status=status,
    )


def _status(row: Certificate, owner: Participant, *, accepted: bool) -> Status:
    if owner.status in ("erased", "declined"):
        return "revoked"
    if row.superseded_at is not None:
        return "superseded"
    if owner.status == "lapsed":
        return "lapsed"
    if owner.status != "approved":
        return "suspended"
    return "valid" if accepted else "lapsed"
