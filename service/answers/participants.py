"""Answers about participants, their acceptances and API keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import Field

from ..participants import AcceptanceView, ApiKeyView, MemberView, ParticipantView
from ..participants.api_keys import Role
from ..participants.permissions import LAPSED
from ..participants.views import BY_STAFF, Status
from .base import Answer, Instant, Kind, ListAnswer, Purpose
from .revocation import RevocationAnswer


class DecisionAnswer(Answer):
    """The decision in force."""

    outcome: Literal["approved", "review", "declined"] = Field(
        description="Of a permission that has ended this is the approval; `status` says that it has"
    )
    rule: str = Field(description="The rule that decided; `staff` where a person did")
    by: str = Field(description="Who decided: `rule`, or a person of the staff as `staff:stf_…`")
    reasons: list[str]


class SuspensionAnswer(Answer):
    """Why a participant is suspended."""

    reason: str


class ParticipantAnswer(Answer):
    """A participant. Auditors see no name, no address and no text that a person typed; nobody does of an erased one."""

    id: str
    kind: Kind
    name: str | None = None
    email: str | None = None
    country: str | None = Field(description="ISO 3166-1 alpha-2, or EU")
    status: Status
    decision: DecisionAnswer
    created_at: Instant
    language: str | None = None
    website: str | None = None
    purposes: list[Purpose] | None = None
    answers: dict[str, Any] | None = Field(None, description="By the field names of /api/v1/eligibility")
    suspension: SuspensionAnswer | None = None
    erased_at: Instant | None = None
    permission_expires_at: Instant | None = Field(None, description="When an approval ends by itself, where it does")

    @classmethod
    def of(cls, seen: ParticipantView, role: str, **more: Any) -> Self:
        """Return the participant as somebody of this role sees it; ``more`` are members of a model that adds some."""
        personal = role != "auditor" and seen.status != "erased"
        if personal:
            more |= {"name": seen.name, "email": seen.email, "language": seen.language, "website": seen.website}
            more |= {"purposes": list(seen.purposes), "answers": dict(seen.answers or {})}
            if seen.suspended_reason is not None:
                more["suspension"] = SuspensionAnswer(reason=seen.suspended_reason)
        if seen.permission_expires_at is not None:
            more["permission_expires_at"] = seen.permission_expires_at
        if seen.erased_at is not None:
            more["erased_at"] = seen.erased_at
        outcome = "approved" if seen.outcome == LAPSED else seen.outcome
        reasons = list(seen.reasons) if personal or seen.rule != BY_STAFF else []
        return cls(
            id=seen.id,
            kind=seen.kind,
            country=seen.country,
            status=seen.status,
            decision=DecisionAnswer(outcome=outcome, rule=seen.rule, by=seen.decided_by, reasons=reasons),
            created_at=seen.created_at,
            **more,
        )


class ParticipantsAnswer(ListAnswer):
    """A page of participants, newest first."""

    participants: list[ParticipantAnswer]

    @classmethod
    def of(cls, seen: Iterable[ParticipantView], role: str, next_cursor: str | None) -> Self:
        """Return the page as somebody of this role sees it."""
        return cls(participants=[ParticipantAnswer.of(one, role) for one in seen], next_cursor=next_cursor)


class ErasureAnswer(ParticipantAnswer):
    """The participant after the erasure."""

    removed: dict[str, int] = Field(description="How many things of each sort were ended or deleted")


class ExportAnswer(Answer):
    """All that is kept about a participant. Columns and tables are those of this version of the service."""

    exported_at: Instant
    participant: dict[str, Any]
    records: dict[str, list[dict[str, Any]]] = Field(description="By table, each with its rows")


class AcceptanceAnswer(Answer):
    """A recorded acceptance; it names no signatory but the member's id."""

    id: str
    participant: str
    terms: str
    version: str
    language: str
    digest: str
    member: str | None = Field(description="Who of the participant signed it, where that is known")
    accepted_at: Instant
    receipt_url: str = Field(description="A proof that the acceptance is in the public log")

    @classmethod
    def of(cls, seen: AcceptanceView) -> Self:
        """Return the acceptance."""
        return cls(
            id=seen.id,
            participant=seen.participant,
            terms=seen.terms,
            version=seen.version,
            language=seen.language,
            digest=seen.digest,
            member=seen.member,
            accepted_at=seen.accepted_at,
            receipt_url=seen.receipt_url,
        )


class AcceptancesAnswer(ListAnswer):
    """The acceptances of a participant, newest first."""

    acceptances: list[AcceptanceAnswer]


class MemberAnswer(Answer):
    """A person of a participant. Auditors see no name, no address and no capacity."""

    id: str
    name: str | None = None
    email: str | None = None
    capacity: str | None = None
    status: Literal["invited", "active"]
    created_at: Instant

    @classmethod
    def of(cls, seen: MemberView, *, personal: bool = True) -> Self:
        """Return the person as somebody sees them who may, or may not, see what is ``personal``."""
        said = {"name": seen.name, "email": seen.email, "capacity": seen.capacity} if personal else {}
        return cls(id=seen.id, status=seen.status, created_at=seen.created_at, **said)


class MembersAnswer(ListAnswer):
    """The people of a participant, newest first."""

    members: list[MemberAnswer]


class KeyAnswer(Answer):
    """An API key without its secret."""

    id: str
    role: Role
    participant: str | None
    staff: str | None = Field(description="The person of the staff whose key it is")
    name: str
    created_at: Instant
    read_only: bool
    package: str | None = Field(description="The one package that it is for; null for all that the role may")
    origin: str | None = Field(description="The one site whose embeds it is for; likewise")
    expires_at: Instant | None = Field(description="When it ends by itself; null where it does not")
    last_used_at: Instant | None = Field(description="To about a minute")
    rotated_at: Instant | None = Field(description="When it was given its present secret, where that is not the first")
    previous_until: Instant | None = Field(description="Until when the secret of before is good too")
    revoked_at: Instant | None
    revoked: RevocationAnswer | None

    @classmethod
    def of(cls, seen: ApiKeyView) -> Self:
        """Return the key as staff see it."""
        return cls(
            id=seen.id,
            role=seen.role,
            participant=seen.participant,
            staff=seen.staff,
            name=seen.name,
            created_at=seen.created_at,
            read_only=seen.scope.read_only,
            package=seen.scope.package,
            origin=seen.scope.origin,
            expires_at=seen.expires_at,
            last_used_at=seen.last_used_at,
            rotated_at=seen.rotated_at,
            previous_until=seen.previous_until,
            revoked_at=seen.revoked_at,
            revoked=RevocationAnswer.of(seen.revoked),
        )


class LimitsAnswer(Answer):
    """Limits of a key."""

    requests_per_minute: int


class MeAnswer(Answer):
    """The calling key."""

    id: str
    role: Role
    name: str
    participant: str | None
    staff: str | None = Field(description="The person of the staff whose key it is")
    read_only: bool = Field(description="Whether it changes nothing")
    package: str | None = Field(description="The one package that it is for; null for all that the role may")
    origin: str | None = Field(description="The one site whose embeds it is for; likewise")
    expires_at: Instant | None = Field(description="When it ends by itself; null where it does not")
    limits: LimitsAnswer
