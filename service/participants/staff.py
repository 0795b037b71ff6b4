"""Staff: the people of the campaign's desk, each with an id by which the log and answers name who acted.

Their names and addresses stay in the console. ``EMBLEM_STAFF`` names the first of them; others are added by command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.orm import Session as Transaction

from .. import ledger
from ..campaign import typed_text
from ..clock import Clock
from ..ids import new_id
from ..problems import FieldError, InvalidRequest, NotFound
from ..store import Database, tables
from ..store.upsert import insert_new
from .application import read_address
from .revocation import end_key

BY_SETTINGS = "settings"  # who added a person that EMBLEM_STAFF names
_ACTOR = "staff:"
_TEAM = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True)
class StaffMemberView:
    """A person of the desk. ``named_by_settings`` ends with the address's place in ``EMBLEM_STAFF``."""

    id: str
    email: str = field(repr=False)
    name: str | None = field(repr=False)
    teams: tuple[str, ...]
    named_by_settings: bool
    created_at: datetime
    removed_at: datetime | None
    digest: bool = True  # whether they are mailed who waits

    @classmethod
    def of(cls, row: tables.StaffMember) -> StaffMemberView:
        """Return the person of a row."""
        teams, named = tuple(row.teams), row.named_by_settings
        return cls(row.id, row.email, row.name, teams, named, row.created_at, row.removed_at, row.digest)

    @property
    def label(self) -> str:
        """Return what the console calls the person."""
        return self.name or self.email


def staff_id(by: str) -> str | None:
    """Return the id of the person who acted, of ``staff:stf_…``; None where another did, or staff had no ids yet."""
    return by.removeprefix(_ACTOR) if by.startswith(f"{_ACTOR}stf_") else None


class Staff:
    """The staff of one deployment. Safe to share between threads."""

    def __init__(self, database: Database, clock: Clock, first: tuple[str, ...] = ()) -> None:
        """``first`` are the addresses of ``EMBLEM_STAFF``, in lower case."""
        self._database = database
        self._clock = clock
        self._first = first

    def add(self, address: str, *, name: str = "", teams: Iterable[str] = (), by: str) -> StaffMemberView:
        """Add a person, bring one back who was removed, or change the name and teams of one who is there.

        An empty name and no teams leave those of a known person as they are. Raises InvalidRequest.
        """
        email, errors = read_address(address)
        called = typed_text.read(name, "/name", errors) if name else None
        wanted = list(dict.fromkeys(teams))
        errors += [
            FieldError("/team", f"{team!r} is no team's id: lower-case letters, digits, hyphens; at most 40.")
            for team in wanted
            if not _TEAM.fullmatch(team)
        ]
        if errors:
            raise InvalidRequest(errors=errors)

        def work(session: Transaction) -> StaffMemberView:
            now = self._clock()
            row = self._inserted(session, email, by, now, named_by_settings=False)
            if row is None:
                row = _by_email(session, email, lock=True)
                assert row is not None  # its insertion is what ours gave way to
                if not self._present(row):
                    row.removed_at = None
                    ledger.append(session, ledger.StaffAddedEntry(staff=row.id, by=by), now)
                row.named_by_settings = False
            row.name = called or row.name
            row.teams = wanted or row.teams
            return StaffMemberView.of(row)

        return self._database.write(work)

    def remove(self, staff: str, *, by: str) -> tuple[StaffMemberView, int]:
        """Remove a person and end their keys, passkeys and sessions; return them and how many keys that ended.

        Nothing happens to one who is removed already. NotFound where there is none of this id.
        """

        def work(session: Transaction) -> tuple[StaffMemberView, int]:
            now = self._clock()
            row = session.get(tables.StaffMember, staff, with_for_update=True)
            if row is None:
                raise NotFound("There is no person of the staff with this id; `emblem staff list` shows all.")
            ended = 0
            if row.removed_at is None:
                row.removed_at = now
                row.openid_sha256 = None
                keys = select(tables.ApiKey).where(tables.ApiKey.staff == staff, tables.ApiKey.revoked_at.is_(None))
                for key in session.scalars(keys):
                    end_key(session, key, now, by)
                    ended += 1
                signed_in = tables.SignInSession
                session.execute(delete(signed_in).where(signed_in.email == row.email, signed_in.role == "staff"))
                _forget_passkeys(session, row.id, now, by)
                ledger.append(session, ledger.StaffRemovedEntry(staff=row.id, by=by), now)
            return StaffMemberView.of(row), ended

        return self._database.write(work)

    def list(self) -> tuple[StaffMemberView, ...]:
        """Return everybody who is staff now, the first ones first."""
        self.settle()
        order = {address: place for place, address in enumerate(self._first)}
        present = (member for member in self._all() if self._present(member))
        return tuple(sorted(present, key=lambda member: order.get(member.email, len(order))))

    def get(self, staff: str) -> StaffMemberView:
        """Return one who is staff now; NotFound where nobody of this id is."""
        with self._database.read() as session:
            row = session.get(tables.StaffMember, staff)
            if row is None or not self._present(row):
                raise NotFound("There is nobody of this id among the staff; `emblem staff list` shows all.")
            return StaffMemberView.of(row)

    def names(self) -> Mapping[str, str]:
        """Return what the console calls each person by id, those included who are staff no longer."""
        return {member.id: member.label for member in self._all()}

    def addresses(self) -> tuple[str, ...]:
        """Return the addresses of everybody who is staff now, those of ``EMBLEM_STAFF`` first."""
        known = {member.email: self._present(member) for member in self._all()}
        named = [address for address in self._first if known.pop(address, True)]
        return (*named, *(address for address, present in known.items() if present))

    def digests(self, staff: str, *, wanted: bool) -> None:
        """Mail one who is staff now who waits, or no more. Raises NotFound."""

        def work(session: Transaction) -> None:
            row = session.get(tables.StaffMember, staff, with_for_update=True)
            if row is None or not self._present(row):
                raise NotFound("There is nobody of this id among the staff; `emblem staff list` shows all.")
            row.digest = wanted

        self._database.write(work)

    def settle(self) -> None:
        """Give everybody whom ``EMBLEM_STAFF`` names an id, and staff's keys of before them to the first of them."""

        def work(session: Transaction) -> None:
            for address in self._first:
                self.admit(session, address)
            owner = self._default_owner(session)
            if owner is not None:
                key = tables.ApiKey
                session.execute(update(key).where(key.role == "staff", key.staff.is_(None)).values(staff=owner.id))

        if self._first and not self._settled():
            self._database.write(work)

    # ---- in the transaction of others

    def admit(self, session: Transaction, email: str) -> StaffMemberView | None:
        """Return who is staff with this address, or None; whom only the settings name so far gets an id."""
        if email in self._first:
            self._inserted(session, email, BY_SETTINGS, self._clock(), named_by_settings=True)
        return self.find(session, email)

    def present(self, session: Transaction) -> tuple[StaffMemberView, ...]:
        """Return everybody who is staff now and has an id, who came first first."""
        table = tables.StaffMember
        rows = session.scalars(select(table).order_by(table.created_at, table.id))
        return tuple(StaffMemberView.of(row) for row in rows if self._present(row))

    def find(self, session: Transaction, email: str) -> StaffMemberView | None:
        """Return who is staff with this address, or None."""
        row = _by_email(session, email)
        return StaffMemberView.of(row) if row is not None and self._present(row) else None

    def has_passkey(self, session: Transaction, email: str) -> bool:
        """Tell whether who is staff with this address has a passkey, and so needs one."""
        found = self.find(session, email)
        return found is not None and session.scalar(_passkeys(found.id)) is not None

    def member(self, session: Transaction, staff: str) -> StaffMemberView | None:
        """Return who of this id is staff now, or None."""
        row = session.get(tables.StaffMember, staff)
        return StaffMemberView.of(row) if row is not None and self._present(row) else None

    def holds(self, session: Transaction, staff: str) -> bool:
        """Tell whether a person of this id is staff now."""
        return self.member(session, staff) is not None

    def owner(self, session: Transaction, staff: str | None) -> str:
        """Return whose a new key of staff is: who is named, else the first. Raises InvalidRequest for nobody."""
        if staff is not None:
            if self.holds(session, staff):
                return staff
            detail = "There is nobody of this id among the staff; `emblem staff list` shows all."
            raise InvalidRequest(errors=[FieldError("/staff", detail)])
        for address in self._first:
            self.admit(session, address)
        found = self._default_owner(session)
        if found is None:
            detail = (
                "There are no staff yet: add one with `emblem staff add ADDRESS`, or name the first in EMBLEM_STAFF."
            )
            raise InvalidRequest(errors=[FieldError("/staff", detail)])
        return found.id

    def _default_owner(self, session: Transaction) -> StaffMemberView | None:
        for address in self._first:
            if (found := self.find(session, address)) is not None:
                return found
        return next(iter(self.present(session)), None)

    def _settled(self) -> bool:
        key, row = tables.ApiKey, tables.StaffMember
        with self._database.read() as session:
            known = set(session.scalars(select(row.email).where(row.email.in_(self._first))))
            ownerless = session.scalar(select(key.id).where(key.role == "staff", key.staff.is_(None)).limit(1))
        return known == set(self._first) and ownerless is None

    def _all(self) -> tuple[StaffMemberView, ...]:
        table = tables.StaffMember
        with self._database.read() as session:
            return tuple(map(StaffMemberView.of, session.scalars(select(table).order_by(table.created_at, table.id))))

    def _present(self, member: tables.StaffMember | StaffMemberView) -> bool:
        return member.removed_at is None and (not member.named_by_settings or member.email in self._first)

    def _inserted(
        self, session: Transaction, email: str, by: str, now: datetime, *, named_by_settings: bool
    ) -> tables.StaffMember | None:
        """Insert a person with an entry; None where the address is known already."""
        if _by_email(session, email) is not None:
            return None
        made = new_id("stf")
        who = {"id": made, "email": email, "named_by_settings": named_by_settings, "added_by": by}
        if not insert_new(session, tables.StaffMember, name=None, teams=[], created_at=now, removed_at=None, **who):
            return None
        ledger.append(session, ledger.StaffAddedEntry(staff=made, by=by), now)
        return session.get_one(tables.StaffMember, made)


def _passkeys(staff: str) -> Select[str]:
    return select(tables.Passkey.id).where(tables.Passkey.staff == staff).limit(1)


def _by_email(session: Transaction, email: str, *, lock: bool = False) -> tables.StaffMember | None:
    statement = select(tables.StaffMember).where(tables.StaffMember.email == email)
    return session.scalar(statement.with_for_update() if lock else statement)


def _forget_passkeys(session: Transaction, staff: str, now: datetime, by: str) -> None:
    """Remove the passkeys of somebody who leaves, and what they said of others': neither is good if they come back."""
    for passkey in session.scalars(select(tables.Passkey).where(tables.Passkey.staff == staff)).all():
        session.delete(passkey)
        ledger.append(session, ledger.PasskeyRemovedEntry(passkey=passkey.id, staff=staff, by=by), now)
    said = tables.PasskeyRecovery
    session.execute(delete(said).where(or_(said.staff == staff, said.by == staff)))
