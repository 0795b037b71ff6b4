"""Members: the people of a participant, each of whom signs in by the own mailbox and accepts terms in the own name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session as Transaction

from .. import ledger
from ..campaign import Campaign, typed_text
from ..clock import Clock
from ..ids import new_id
from ..problems import (
    AlreadyJoined,
    Conflict,
    FieldError,
    Individual,
    InvalidRequest,
    LastMember,
    NotFound,
    ParticipantNotApproved,
)
from ..store import Database, tables
from ..store.upsert import insert_new
from . import mailed_links, search
from .application import check_email
from .correspondence import Correspondence
from .mailed_links import INVITATION_LIFE, Permit, anyone
from .rows import locked

MOST = 50  # people of one participant: each invitation is a mail to an address that somebody typed
ACTIVE, INVITED = "active", "invited"


@dataclass(frozen=True)
class MemberView:
    """A person of a participant; ``invited`` until the first sign-in. Personal fields are None once removed."""

    id: str
    participant: str
    name: str | None = field(repr=False)
    email: str | None = field(repr=False)
    capacity: str | None = field(repr=False)
    status: str
    created_at: datetime

    @classmethod
    def of(cls, row: tables.Member) -> MemberView:
        """Return the person of a row."""
        return cls(row.id, row.participant, row.name, row.email, row.capacity, row.status, row.created_at)


class Members:
    """Invites, lists and removes the people of participants. Safe to share between threads."""

    def __init__(self, database: Database, campaign: Campaign, clock: Clock, correspondence: Correspondence) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._correspondence = correspondence

    def of(self, participant: str) -> tuple[MemberView, ...]:
        """Return who belongs to a participant, newest first; nobody where it is erased."""
        table = tables.Member
        with self._database.read() as session:
            rows = session.scalars(_present(participant).order_by(table.created_at.desc(), table.id))
            return tuple(map(MemberView.of, rows))

    def invite(
        self,
        participant: str,
        permit: Permit = anyone,
        /,
        *,
        name: object,
        email: object,
        capacity: object = None,
        by: str,
    ) -> MemberView:
        """Add a person, and mail the address a page whose button signs in; until then they are ``invited``.

        ``permit`` is asked before anything is written, with the address as it is compared, and may raise. Raises
        InvalidRequest, NotFound, Individual, AlreadyJoined where the address belongs to this participant or another
        one, ParticipantNotApproved (declined) or Conflict (erased).
        """
        errors: list[FieldError] = []
        called = typed_text.read(name, "/name", errors)
        address = check_email(email, errors)
        acts_as = typed_text.read(capacity, "/capacity", errors) if capacity not in (None, "") else None
        if errors:
            raise InvalidRequest(errors=errors)
        permit(address)

        def work(session: Transaction) -> MemberView:
            now = self._clock()
            owner = locked(session, participant)
            self._check(session, owner)
            row = tables.Member(
                id=new_id("mem"),
                participant=participant,
                email=address,
                name=called,
                capacity=acts_as,
                status=INVITED,
                created_at=now,
            )
            if not insert_new(session, tables.Member, **_columns(row)):
                raise AlreadyJoined("This address belongs to a participant already: each mailbox to one at most.")
            search.remember(session, participant)
            ledger.append(session, ledger.MemberAddedEntry(member=row.id, participant=participant, by=by), now)
            payload = {"language": owner.language}
            secret = mailed_links.add(session, "member", address, payload, now, INVITATION_LIFE)
            self._correspondence.add_invitation(session, address, owner.language, secret, owner.name or "")
            return MemberView.of(row)

        made = self._database.write(work)
        self._correspondence.leave()
        return made

    def remove(self, participant: str, member: str, *, by: str) -> None:
        """Take a person out: their sessions and mailed links end. What they signed keeps their name.

        The participant's mail goes to another active member from then on where it went to this one. Raises NotFound,
        or LastMember for the last one who is active.
        """

        def work(session: Transaction) -> None:
            now = self._clock()
            owner = locked(session, participant)
            row = session.get(tables.Member, member, with_for_update=True)
            if row is None or row.participant != participant or row.removed_at is not None:
                raise NotFound("There is no member of this id that belongs to this participant.")
            if not _take_out(session, owner, row, now):
                raise LastMember
            ledger.append(session, ledger.MemberRemovedEntry(member=member, participant=participant, by=by), now)

        self._database.write(work)

    @staticmethod
    def remove_again(session: Transaction, participant: str, member: str, at: datetime) -> bool:
        """Take a person out in this transaction whose removal is in the log already; False where nothing is left.

        For a database that was put back from before; there the last one who is active goes too.
        """
        owner, row = session.get(tables.Participant, participant), session.get(tables.Member, member)
        if owner is None or row is None or row.participant != participant or row.removed_at is not None:
            return False
        if not _take_out(session, owner, row, at):
            _end(session, row, at)
            search.remember(session, participant)
        return True

    def _check(self, session: Transaction, owner: tables.Participant) -> None:
        if owner.status == "erased":
            raise Conflict("This participant is erased. Its address may join anew.")
        if owner.status == "declined":
            raise ParticipantNotApproved(extra={"participant_status": owner.status})
        if self._campaign.eligibility.kind(owner.kind).person:
            raise Individual
        known = session.scalar(select(func.count()).select_from(_present(owner.id).subquery()))
        if known is not None and known >= MOST:
            raise InvalidRequest(errors=[FieldError("", f"There are {MOST} members, which is the most; remove one.")])


# ---- in the transaction of others


def add_first(session: Transaction, row: tables.Participant, now: datetime) -> bool:
    """Make whoever joins the first member; False where the address belongs to a participant already."""
    first = tables.Member(
        id=new_id("mem"),
        participant=row.id,
        email=row.email,
        name=row.name,
        capacity=None,
        status=ACTIVE,
        created_at=now,
    )
    return insert_new(session, tables.Member, **_columns(first))


def find_member(session: Transaction, email: str) -> tables.Member | None:
    """Return the row of the member with this address (in lower case), or None."""
    table = tables.Member
    return session.scalar(select(table).where(table.email == email, table.removed_at.is_(None)))


def signed_in(member: tables.Member) -> None:
    """Note that a member was here: an invitation is answered with it."""
    member.status = ACTIVE


def signer(session: Transaction, participant: str, name: str, member: str | None) -> str | None:
    """Return which member signs terms.

    Whoever is signed in (``member``); over the API the one of that name, or the only active one; None for nobody known.
    """
    if member is not None:
        return member
    active = session.scalars(_present(participant).where(tables.Member.status == ACTIVE)).all()
    named = [one for one in active if (one.name or "").casefold() == name.casefold()]
    found = named if len(named) == 1 else active
    return found[0].id if len(found) == 1 else None


def addresses(session: Transaction, participant: str) -> list[str]:
    """Return the addresses of a participant's members."""
    return [row.email for row in session.scalars(_present(participant)) if row.email]


def names(session: Transaction, participant: str) -> list[str]:
    """Return the names of everybody who is or was a member of a participant."""
    rows = session.scalars(select(tables.Member.name).where(tables.Member.participant == participant))
    return [name for name in rows if name]


def forget_members(session: Transaction, participant: str, now: datetime) -> int:
    """End the sessions of a participant's members and forget who they are; return how many there were."""
    rows = session.scalars(select(tables.Member).where(tables.Member.participant == participant)).all()
    present = 0
    for row in rows:
        if row.removed_at is None:
            present += 1
            _end(session, row, now)
        row.name = row.capacity = None
    return present


def _end(session: Transaction, row: tables.Member, now: datetime) -> None:
    for table in (tables.SignInSession, tables.MailedLink):
        session.execute(delete(table).where(table.email == row.email))
    row.email, row.removed_at = None, now


def _take_out(session: Transaction, owner: tables.Participant, row: tables.Member, now: datetime) -> bool:
    """End a member, whose mail another one gets; False, with nothing changed, for the last one who is active."""
    heir = session.scalar(
        _present(owner.id)
        .where(tables.Member.status == ACTIVE, tables.Member.id != row.id)
        .order_by(tables.Member.created_at, tables.Member.id)
        .limit(1)
    )
    if row.status == ACTIVE and heir is None:
        return False
    if owner.email == row.email and heir is not None:
        owner.email = heir.email
    _end(session, row, now)
    search.remember(session, owner.id)
    return True


def _present(participant: str) -> Select[tables.Member]:
    return select(tables.Member).where(tables.Member.participant == participant, tables.Member.removed_at.is_(None))


def _columns(row: tables.Member) -> dict[str, object]:
    return {column.key: getattr(row, column.key) for column in tables.Member.__table__.columns}
