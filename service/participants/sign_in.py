"""Signing in by a mailed link whose page needs a button: looking at a link uses nothing up."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, func, select, update
from sqlalchemy.orm import Session as Transaction

from ..campaign import LANGUAGES
from ..clock import Clock
from ..even_time import even_time
from ..ids import secret_digest
from ..problems import FieldError, InvalidRequest, InvalidSignIn
from ..store import Database, tables
from ..store.upsert import insert_new
from . import mailed_links
from .application import read_address
from .correspondence import Correspondence
from .joining import Joining
from .mailed_links import ISSUED_LIFE, LONGEST_SECRET, SIGN_IN_LIFE, Permit, anyone
from .members import find_member, signed_in
from .rows import find_by_email
from .staff import Staff

#: How long a session lasts at most, and how long without being used.
STAFF_SESSION, STAFF_IDLE = timedelta(hours=12), timedelta(minutes=30)
SESSION, IDLE = timedelta(days=30), timedelta(days=7)
#: How long after signing in a person may do what does not come back: erase, make keys, change what is published.
RECENT = timedelta(minutes=15)
_SEEN = timedelta(minutes=1)  # how exactly it is kept when a session was last used
_ID = 16  # characters of its digest that name a session to its owner; they open nothing


@dataclass(frozen=True)
class Session:
    """A signed-in person. ``role`` is ``staff``, ``auditor`` or ``participant``; staff may be participants too.

    ``staff`` is the id of a person of the staff, ``member`` of a person of the participant.
    """

    email: str = field(repr=False)
    role: str
    participant: str | None
    expires_at: datetime
    signed_in_at: datetime
    staff: str | None = None
    member: str | None = None

    @property
    def id(self) -> str:
        """Return the role: who is signed in is no key."""
        return self.role

    @property
    def by(self) -> str:
        """Return who acts, for the record: a person of the staff by id, others by role, none by address."""
        return f"staff:{self.staff}" if self.staff else self.role


@dataclass(frozen=True)
class OpenSession:
    """A session as its owner sees it in a list; ``id`` names it and opens nothing."""

    id: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class PendingLink:
    """Purpose of a mailed link: ``sign-in``, ``join``, ``member`` (an invitation), or ``grant`` (a portal's wish).

    ``kind`` and ``name`` are those of who wants to join.
    """

    purpose: str
    email: str = field(repr=False)
    language: str
    expires_at: datetime
    portal: str | None = None
    kind: str | None = None
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Confirmed:
    """Result of pressing the button of a mailed link.

    ``session`` is the secret of a new session, for ``seconds``; None for a grant, which signs nobody in, and for staff
    who have to show a passkey first.
    """

    purpose: str
    language: str
    role: str
    participant: str | None
    session: str | None = field(default=None, repr=False)
    seconds: int = 0


class SignIn:
    """Mailed links and the sessions that they begin; confirming one may join somebody."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        joining: Joining,
        correspondence: Correspondence,
        staff: Staff,
        *,
        auditors: tuple[str, ...] = (),
    ) -> None:
        """``auditors`` are the addresses, in lower case, that may sign in as such."""
        self._database = database
        self._clock = clock
        self._joining = joining
        self._correspondence = correspondence
        self._staff = staff
        self._auditors = frozenset(auditors)

    def request_link(self, email: str, language: str = "en", permit: Permit = anyone, then: str = "") -> None:
        """Mail a link to sign in to an address that may; nothing seen from outside tells whether it may.

        ``permit`` is asked before anything is written, with the address as it is compared, and may raise. ``then`` is
        a query for the mailed address: what its reader came for. Raises InvalidRequest for what is no address, or a
        language that there is not.
        """
        address, errors = read_address(email)
        if language not in LANGUAGES:
            errors.append(FieldError("/language", f"Choose one of {', '.join(LANGUAGES)}."))
        if errors:
            raise InvalidRequest(errors=errors)
        permit(address)

        def work(session: Transaction) -> None:
            known = self._role(session, address)[0] is not None
            # An address that may not gets a row as well, which holds nothing and has ended, so that both take as long.
            life = SIGN_IN_LIFE if known else timedelta(0)
            named, payload = (address, {"language": language}) if known else ("", {})
            secret = mailed_links.add(session, "sign-in", named, payload, self._clock(), life)
            self._correspondence.add_sign_in(session, named, language, secret, then)

        with even_time():  # one that is found takes a query or two more
            self._database.write(work)
            self._correspondence.leave()

    def issue_url(self, email: str, language: str = "en") -> str:
        """Return a URL that signs this address in, once, within 24 hours; nothing is mailed.

        Raises InvalidRequest for an address that belongs to nobody.
        """
        address, errors = read_address(email)

        def work(session: Transaction) -> str:
            if self._role(session, address)[0] is None:
                errors.append(
                    FieldError("/email", "This address is neither staff's, nor an auditor's or participant's.")
                )
                raise InvalidRequest(errors=errors)
            return mailed_links.add(session, "sign-in", address, {"language": language}, self._clock(), ISSUED_LIFE)

        return self._correspondence.page(language, "sign-in", self._database.write(work))

    def peek(self, secret: str) -> PendingLink:
        """Return what a mailed link is for, for its page; uses nothing up. Raises InvalidSignIn for one that ended."""
        with self._database.read() as session:
            row = mailed_links.find(session, secret, self._clock())
            portal = None
            if row.purpose == "grant":
                portal = _portal(session, row.payload).name or "?"
            joins = row.payload if row.purpose == "join" else {}
            return PendingLink(
                row.purpose,
                row.email,
                row.payload["language"],
                row.expires_at,
                portal,
                joins.get("kind"),
                joins.get("name"),
            )

    def confirm(self, secret: str, replaces: str = "") -> Confirmed:
        """Do what the button of a mailed link is for, exactly once: sign in, join and sign in, or grant.

        Signing in ends the session whose secret ``replaces`` is, of whomever it was. Raises InvalidSignIn where the
        link was used, has ended, or can no longer be fulfilled.
        """
        stored = mailed_links.stored(secret)

        def work(session: Transaction) -> Confirmed:
            now = self._clock()
            row = session.get(tables.MailedLink, stored)
            if row is None or not mailed_links.use(session, stored, now):
                raise InvalidSignIn
            language, payload = row.payload["language"], row.payload
            if row.purpose == "grant":
                return self._grant(session, row.email, payload, now)
            try:
                if row.purpose == "join":
                    self._joining.admit(session, payload, now)
            except InvalidRequest as error:  # written under other policies than those in force now
                raise InvalidSignIn("What is asked has changed since you wrote. Fill in the form once more.") from error
            if replaces:
                _end(session, tables.SignInSession.secret_sha256 == secret_digest(replaces))
            return self._sign_in(session, row.purpose, row.email, language, now)

        confirmed = self._database.write(work)
        self._correspondence.leave()
        return confirmed

    def begin(self, session: Transaction, email: str, language: str, replaces: str = "") -> Confirmed:
        """Begin a session in this transaction for an address that was proved in another way than by mail.

        Ends the session whose secret ``replaces`` is. Raises InvalidSignIn where the address may not sign in.
        """
        if replaces:
            _end(session, tables.SignInSession.secret_sha256 == secret_digest(replaces))
        return self._sign_in(session, "sign-in", email, language, self._clock(), proved=True)

    def end_others(self, session: Transaction, email: str, keep: str) -> None:
        """End every session of an address in this transaction but the one whose secret ``keep`` is."""
        table = tables.SignInSession
        _end(session, table.email == email, table.secret_sha256 != secret_digest(keep))

    def session(self, secret: str) -> Session | None:
        """Return the person of a session's secret, or None where it has ended or the role was taken away."""
        if not secret or len(secret) > LONGEST_SECRET:
            return None
        now = self._clock()
        with self._database.read() as session:
            row = session.get(tables.SignInSession, secret_digest(secret))
            if row is None or not _is_open(row, now):
                return None
            stale = now - _seen(row) >= _SEEN
            member = self._staff.find(session, row.email) if row.role == "staff" else None
            if row.role == "staff" and member is None:
                return None
            if row.role == "auditor" and row.email not in self._auditors:
                return None
            person = find_member(session, row.email) if row.participant else None
            if person is None or person.participant != row.participant:
                if row.role == "participant":
                    return None
                person = None
            participant = person.participant if person else None
            staff, of = member.id if member else None, person.id if person else None
            found = Session(row.email, row.role, participant, row.expires_at, row.created_at, staff, of)
        if stale:
            self._note_use(secret_digest(secret), now)
        return found

    def sessions(self, email: str) -> tuple[OpenSession, ...]:
        """Return the open sessions of an address, the one used last first."""
        now, table = self._clock(), tables.SignInSession
        with self._database.read() as session:
            rows = [row for row in session.scalars(select(table).where(table.email == email)) if _is_open(row, now)]
        rows.sort(key=_seen, reverse=True)
        return tuple(OpenSession(row.secret_sha256[:_ID], row.created_at, _seen(row)) for row in rows)

    def session_id(self, secret: str) -> str:
        """Return the id by which ``sessions`` lists the session of a secret."""
        return secret_digest(secret)[:_ID]

    def sign_out(self, secret: str) -> None:
        """End a session; nothing happens where there is none."""
        stored = secret_digest(secret)
        self._database.write(lambda session: _end(session, tables.SignInSession.secret_sha256 == stored))

    def end_session(self, email: str, session_id: str) -> None:
        """End one of the sessions of an address, named by its id; nothing happens where there is none."""
        table = tables.SignInSession
        mine = (table.email == email, func.substr(table.secret_sha256, 1, _ID) == session_id)
        self._database.write(lambda session: _end(session, *mine))

    def sign_out_everywhere(self, email: str) -> None:
        """End every session of an address, and what was mailed to it to sign in."""

        def work(session: Transaction) -> None:
            _end(session, tables.SignInSession.email == email)
            link = tables.MailedLink
            session.execute(delete(link).where(link.email == email, link.purpose == "sign-in"))

        self._database.write(work)

    def _note_use(self, stored: str, now: datetime) -> None:
        table = tables.SignInSession
        self._database.write_soon(
            lambda session: session.execute(update(table).where(table.secret_sha256 == stored).values(seen_at=now))
        )

    def purge(self) -> int:
        """Delete mailed links and sessions that have ended, with the addresses in them; return how many."""

        def work(session: Transaction) -> int:
            now = self._clock()
            ended = (
                delete(table).where(table.expires_at <= now) for table in (tables.MailedLink, tables.SignInSession)
            )
            return sum(cast(CursorResult[Any], session.execute(statement)).rowcount for statement in ended)

        return self._database.write(work)

    def _role(self, session: Transaction, email: str) -> tuple[str | None, str | None]:
        """Return the role that an address signs in with, or None, and its participant."""
        found = find_by_email(session, email)
        participant = found.id if found else None
        if self._staff.admit(session, email) is not None:
            return "staff", participant
        if email in self._auditors:
            return "auditor", participant
        return ("participant", participant) if participant else (None, None)

    def _sign_in(
        self, session: Transaction, purpose: str, email: str, language: str, now: datetime, *, proved: bool = False
    ) -> Confirmed:
        """Begin a session; a mailbox alone, which is not ``proved`` otherwise, is not enough for who has a passkey."""
        role, participant = self._role(session, email)
        if role is None:
            raise InvalidSignIn("This address may no longer sign in. Join anew, or ask the campaign's staff.")
        if participant is not None and (member := find_member(session, email)) is not None:
            signed_in(member)
        if role == "staff" and not proved and self._staff.has_passkey(session, email):
            return Confirmed(purpose, language, role, participant)
        life = SESSION if role == "participant" else STAFF_SESSION
        secret = secrets.token_urlsafe(32)
        session.add(
            tables.SignInSession(
                secret_sha256=secret_digest(secret),
                email=email,
                role=role,
                participant=participant,
                created_at=now,
                seen_at=now,
                expires_at=now + life,
            )
        )
        return Confirmed(purpose, language, role, participant, secret, int(life.total_seconds()))

    def _grant(self, session: Transaction, email: str, payload: dict[str, Any], now: datetime) -> Confirmed:
        owner = find_by_email(session, email)
        if owner is None:
            raise InvalidSignIn("This address has not joined, or was erased.")
        portal = _portal(session, payload)
        insert_new(session, tables.PortalGrant, participant=owner.id, key=portal.id, granted_at=now)
        return Confirmed("grant", payload["language"], "participant", owner.id)


def _seen(row: tables.SignInSession) -> datetime:
    return row.seen_at or row.created_at


def _is_open(row: tables.SignInSession, now: datetime) -> bool:
    """Tell whether a session has neither reached its end nor been left unused for too long."""
    idle = IDLE if row.role == "participant" else STAFF_IDLE
    return now < row.expires_at and now - _seen(row) < idle


def _end(session: Transaction, *which: ColumnElement[bool]) -> None:
    session.execute(delete(tables.SignInSession).where(*which))


def _portal(session: Transaction, payload: dict[str, Any]) -> tables.ApiKey:
    portal = session.get(tables.ApiKey, payload.get("portal"))
    if portal is None or portal.revoked_at is not None:
        raise InvalidSignIn("The site that asked for this is no longer a portal of the campaign.")
    return portal
