"""Certificates: issuing and listing them, and whether one holds."""

from __future__ import annotations

from flask import Response

from ... import paths
from ...answers.certificates import CertificateAnswer, CertificatesAnswer, VerifiedCertificateAnswer
from ...problems import NotFound, ParticipantNotApproved, TermsNotAccepted
from ..auth import may_see, need
from ..context import actor, deployment
from . import answer, blueprint, problems
from .models import Body, IdPath, Language

api = blueprint("certificates", "Certificates that anyone can check")
public_api = blueprint("certificate checks", "Whether a certificate holds", public=True)


class CertificateBody(Body):
    """The language of the certificate; the participant's own where none is named."""

    language: Language | None = None


@api.post("/participants/<id>/certificates", responses={201: CertificateAnswer})
@need("portal", "partner", "staff")
@problems(ParticipantNotApproved, TermsNotAccepted)
def issue(path: IdPath, body: CertificateBody) -> Response:
    """Issue a certificate; one before it in the same language is superseded."""
    may_see(path.id)
    made = deployment().certificates.issue(path.id, language=body.language, by=actor())
    return answer(
        CertificateAnswer.of(made, deployment().settings.base_url), 201, Location=paths.verify(made.language, made.id)
    )


@api.get("/participants/<id>/certificates", responses={200: CertificatesAnswer})
@need("portal", "partner", "staff", "auditor")
def certificates(path: IdPath) -> Response:
    """List a participant's certificates, newest first."""
    may_see(path.id)
    base = deployment().settings.base_url
    found = [CertificateAnswer.of(one, base) for one in deployment().certificates.of(path.id)]
    return answer(CertificatesAnswer(certificates=found, next_cursor=None))


class CertificatePath(IdPath):
    """A certificate in the path."""


@public_api.get("/verify/<id>", responses={200: VerifiedCertificateAnswer})
@problems(NotFound)
def verify(path: CertificatePath) -> Response:
    """Say what a certificate says, and whether it holds now."""
    emblem = deployment()
    found = emblem.certificates.get(path.id)
    return answer(VerifiedCertificateAnswer.of(found, emblem.campaign, emblem.settings.base_url, emblem.clock()))
