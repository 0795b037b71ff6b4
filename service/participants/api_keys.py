"""API keys: made, listed, revoked, and recognised. Only the SHA-256 of a secret is stored."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from cachetools import TTLCache
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from .. import ledger
from ..campaign import typed_text
from ..clock import Clock
from ..ids import new_id, secret_digest
from ..problems import FieldError, InvalidRequest, NotFound
from ..store import Database, tables
from .revocation import Revocation, check_reason_given, end_key
from .staff import Staff

Role = Literal["portal", "staff", "auditor", "partner"]
ROLES: tuple[Role, ...] = get_args(Role)
_PREFIX = "emb_"
_LONGEST_SECRET = 200
_REMEMBERED_FOR = 2.0  # seconds: how long another process may take to notice a revocation
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class ApiKeyView:
    """An API key without its secret: a partner's is a ``participant``'s, one of staff a person's (``staff``)."""

    id: str
    role: str
    participant: str | None
    name: str
    created_at: datetime = field(compare=False)
    staff: str | None = None
    revoked: Revocation | None = field(default=None, compare=False)

    @classmethod
    def of(cls, row: tables.ApiKey) -> ApiKeyView:
        """Return the key of a row."""
        return cls(row.id, row.role, row.participant, row.name, row.created_at, row.staff, Revocation.of(row))

    @property
    def revoked_at(self) -> datetime | None:
        """Return when it was revoked; None while it is good."""
        return self.revoked.at if self.revoked else None

    @property
    def by(self) -> str:
        """Return who acts, for the record: a person of the staff by id, whichever key it is; others by role and key."""
        return f"{self.role}:{self.staff or self.id}"


class _Remembered:
    """Keys recognised in the last moments. What is forgotten meanwhile is not put back by a slower reader."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: TTLCache[str, ApiKeyView] = TTLCache(_MOST_REMEMBERED, _REMEMBERED_FOR, time.monotonic)
        self.generation = 0

    def get(self, secret_sha256: str) -> ApiKeyView | None:
        with self._lock:
            return self._keys.get(secret_sha256)

    def put(self, secret_sha256: str, key: ApiKeyView, generation: int) -> None:
        with self._lock:
            if generation == self.generation:
                self._keys[secret_sha256] = key

    def forget(self) -> None:
        with self._lock:
            self.generation += 1
            self._keys.clear()


class ApiKeys:
    """The API keys of one deployment."""

    def __init__(self, database: Database, clock: Clock, staff: Staff) -> None:
        self._database = database
        self._staff = staff
        self._clock = clock
        self._remembered = _Remembered()

    def create(
        self, role: str, *, participant: str | None = None, staff: str | None = None, name: str = "", by: str
    ) -> tuple[ApiKeyView, str]:
        """Make a key; return it and its secret, which is shown this once.

        A partner's key belongs to a participant; a key of staff to the person of that id, by default the first of
        the staff; others to nobody. Raises InvalidRequest.
        """
        errors = []
        if role not in ROLES:
            errors.append(FieldError("/role", f"Choose one of {', '.join(ROLES)}."))
        if (role == "partner") != (participant is not None):
            errors.append(FieldError("/participant", "A partner's key needs its participant; others have none."))
        if staff is not None and role != "staff":
            errors.append(FieldError("/staff", "Only a key of staff belongs to a person of the staff."))
        name = typed_text.read(name, "/name", errors) if name else ""
        if errors:
            raise InvalidRequest(errors=errors)
        secret = _PREFIX + secrets.token_urlsafe(32)

        def work(session: Transaction) -> ApiKeyView:
            now = self._clock()
            if participant is not None:
                owner = session.get(tables.Participant, participant, with_for_update={"read": True})
                if owner is None or owner.status == "erased":
                    raise InvalidRequest(errors=[FieldError("/participant", "There is no participant of this id.")])
            person = self._staff.owner(session, staff) if role == "staff" else None
            row = tables.ApiKey(
                id=new_id("key"),
                role=role,
                participant=participant,
                staff=person,
                name=name,
                secret_sha256=secret_digest(secret),
                created_at=now,
            )
            session.add(row)
            made = ledger.KeyCreatedEntry(key=row.id, role=role, participant=participant, staff=person, by=by)
            ledger.append(session, made, now)
            return ApiKeyView.of(row)

        return self._database.write(work), secret

    def list(self, *, participant: str | None = None) -> tuple[ApiKeyView, ...]:
        """Return all keys, or a participant's, revoked ones included, newest first."""
        statement = select(tables.ApiKey).order_by(tables.ApiKey.created_at.desc(), tables.ApiKey.id)
        if participant is not None:
            statement = statement.where(tables.ApiKey.participant == participant)
        with self._database.read() as session:
            return tuple(ApiKeyView.of(row) for row in session.scalars(statement))

    def revoke(self, key: str, *, by: str, reason: str | None = None) -> None:
        """End a key: at once in this process, within two seconds in others. Raises NotFound or InvalidRequest."""
        checked = check_reason_given(reason)

        def work(session: Transaction) -> None:
            row = session.get(tables.ApiKey, key, with_for_update=True)
            if row is None:
                raise NotFound("There is no key of this id; `emblem keys list` shows all.")
            if row.revoked_at is None:
                end_key(session, row, self._clock(), by, checked)

        self._database.write(work)
        self.forget()

    def forget(self) -> None:
        """Look every key up anew from now on: some were revoked in another way."""
        self._remembered.forget()

    def authenticate(self, secret: str) -> ApiKeyView | None:
        """Return the key of a secret, or None for one that is unknown or revoked. Quick for one that was just used."""
        if not secret.startswith(_PREFIX) or len(secret) > _LONGEST_SECRET:
            return None
        secret_sha256 = secret_digest(secret)
        found = self._remembered.get(secret_sha256)
        if found is not None:
            return found
        generation = self._remembered.generation
        with self._database.read() as session:
            row = session.scalar(
                select(tables.ApiKey).where(
                    tables.ApiKey.secret_sha256 == secret_sha256, tables.ApiKey.revoked_at.is_(None)
                )
            )
            if row is None or (row.staff is not None and not self._staff.holds(session, row.staff)):
                return None
            found = ApiKeyView.of(row)
        if found.role == "staff" and found.staff is None:
            found = self._given_to_the_first(found)
        self._remembered.put(secret_sha256, found, generation)
        return found

    def _given_to_the_first(self, key: ApiKeyView) -> ApiKeyView:
        """Return a key of before staff were people with the person whose it is now, where there is one."""
        self._staff.settle()
        with self._database.read() as session:
            return ApiKeyView.of(session.get_one(tables.ApiKey, key.id))
