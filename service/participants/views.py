"""Participants and acceptances as they are seen, and the records that commitments bind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from .. import paths
from ..clock import timestamp
from ..store import tables

Status = Literal["approved", "under_review", "returned", "declined", "suspended", "lapsed", "erased"]
STATUSES: tuple[Status, ...] = get_args(Status)
STATUS_OF = {"approved": "approved", "review": "under_review", "declined": "declined"}
BY_STAFF = "staff"  # the rule of a decision that a person made
BY_RULE = "rule"  # who decided, where no person did
_BY_RULE_ONCE = "policy"  # how that was written at first


@dataclass(frozen=True)
class ParticipantView:
    """Someone who joined. Personal fields are None once erased, and are kept out of ``repr``."""

    id: str
    kind: str
    name: str | None = field(repr=False)
    email: str | None = field(repr=False)
    country: str | None
    language: str
    website: str | None = field(repr=False)
    answers: Mapping[str, Any] | None = field(repr=False)
    purposes: tuple[str, ...]
    status: str
    outcome: str
    rule: str
    reasons: tuple[str, ...] = field(repr=False)
    policy: str
    joined_via: str
    suspended_reason: str | None = field(repr=False)
    created_at: datetime
    decided_at: datetime | None
    decided_by: str
    erased_at: datetime | None
    permission_expires_at: datetime | None = None

    @classmethod
    def of(cls, row: tables.Participant) -> ParticipantView:
        """Return the participant of a row."""
        return cls(
            id=row.id,
            kind=row.kind,
            name=row.name,
            email=row.email,
            country=row.country,
            language=row.language,
            website=row.website,
            answers=row.answers,
            purposes=tuple(row.purposes),
            status=row.status,
            outcome=row.outcome,
            rule=row.rule,
            reasons=tuple(row.reasons),
            policy=row.policy,
            joined_via=row.joined_via,
            suspended_reason=row.suspended_reason,
            created_at=row.created_at,
            decided_at=row.decided_at,
            decided_by=row.decided_by or (BY_STAFF if row.rule == BY_STAFF else BY_RULE),
            erased_at=row.erased_at,
        )


@dataclass(frozen=True)
class DecisionView:
    """One decision on a participant; ``by`` is ``rule``, or who made it."""

    outcome: str
    rule: str
    reasons: tuple[str, ...] = field(repr=False)
    policy: str
    by: str
    at: datetime

    @classmethod
    def of(cls, row: tables.Decision) -> DecisionView:
        """Return the decision of a row."""
        by = BY_RULE if row.by == _BY_RULE_ONCE else row.by
        return cls(row.outcome, row.rule, tuple(row.reasons), row.policy, by, row.at)


@dataclass(frozen=True)
class AcceptanceView:
    """A participant's acceptance of exactly the bytes of one version of the terms."""

    id: str
    participant: str
    terms: str
    version: str
    language: str
    digest: str
    signatory_name: str | None = field(repr=False)
    signatory_capacity: str | None = field(repr=False)
    member: str | None
    via: str
    commitment: str
    accepted_at: datetime
    receipt_url: str

    @classmethod
    def of(cls, row: tables.Acceptance, base_url: str) -> AcceptanceView:
        """Return the acceptance of a row."""
        return cls(
            id=row.id,
            participant=row.participant,
            terms=row.terms,
            version=row.version,
            language=row.language,
            digest=row.digest,
            signatory_name=row.signatory_name,
            signatory_capacity=row.signatory_capacity,
            member=row.member,
            via=row.via,
            commitment=row.commitment,
            accepted_at=row.accepted_at,
            receipt_url=base_url + paths.proof(row.id),
        )


def joined_record(row: tables.Participant) -> dict[str, Any]:
    """Return what the commitment of ``participant.joined`` binds: who joined, and what they said."""
    return {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "email": row.email,
        "country": row.country,
        "language": row.language,
        "website": row.website,
        "answers": row.answers,
        "purposes": row.purposes,
    }


def accepted_record(row: tables.Acceptance) -> dict[str, Any]:
    """Return what the commitment of ``terms.accepted`` binds: who signed what, and when."""
    return {
        "id": row.id,
        "participant": row.participant,
        "terms": row.terms,
        "version": row.version,
        "language": row.language,
        "digest": row.digest,
        "signatory": {"name": row.signatory_name, "capacity": row.signatory_capacity},
        "via": row.via,
        "accepted_at": timestamp(row.accepted_at),
    }
