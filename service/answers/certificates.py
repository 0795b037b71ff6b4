"""Answers about certificates: to whom they belong, and to whoever was shown one."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from .. import paths
from ..campaign import Campaign
from ..certificates import CertificateView
from .base import Answer, Instant, Kind, TermsRef

CertificateStatus = Literal["valid", "suspended", "superseded", "lapsed", "revoked"]


class CertificateAnswer(Answer):
    """A certificate and where its files are."""

    id: str
    url: str = Field(description="The page that says whether it holds")
    pdf_url: str
    badge_url: str
    credential_url: str
    language: str
    issued_at: Instant
    status: CertificateStatus

    @classmethod
    def of(cls, seen: CertificateView, base_url: str) -> Self:
        """Return the certificate with the deployment's addresses."""
        return cls(
            id=seen.id,
            url=base_url + paths.verify(seen.language, seen.id),
            pdf_url=base_url + paths.certificate_file(seen.id, "pdf"),
            badge_url=base_url + paths.certificate_file(seen.id, "png"),
            credential_url=base_url + paths.certificate_file(seen.id, "jwt"),
            language=seen.language,
            issued_at=seen.issued_at,
            status=seen.status,
        )


class CertificatesAnswer(Answer):
    """A participant's certificates, newest first."""

    certificates: list[CertificateAnswer]
    next_cursor: None = None


class VerifiedCertificateAnswer(Answer):
    """Certificate as anyone may read it, and whether it holds now: nothing that is not on it."""

    id: str
    status: CertificateStatus
    name: str | None = Field(description="Whose it is; null once that was erased")
    kind: Kind
    country: str | None
    campaign: str
    language: str
    terms: TermsRef
    accepted_at: Instant
    issued_at: Instant
    checked_at: Instant
    url: str

    @classmethod
    def of(cls, seen: CertificateView, campaign: Campaign, base_url: str, now: datetime) -> Self:
        """Return what is on the certificate, with its state at ``now``."""
        return cls(
            id=seen.id,
            status=seen.status,
            name=seen.name,
            kind=seen.kind,
            country=seen.country,
            campaign=campaign.info.name.get(seen.language),
            language=seen.language,
            terms=TermsRef(
                id=seen.terms,
                version=seen.terms_version,
                url=base_url + paths.terms(seen.language, seen.terms, seen.terms_version),
            ),
            accepted_at=seen.accepted_at,
            issued_at=seen.issued_at,
            checked_at=now,
            url=base_url + paths.verify(seen.language, seen.id),
        )
