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

Role = Literal["portal", "staff", "auditor", "partner"]
ROLES: tuple[Role, ...] = get_args(Role)
_PREFIX = "emb_"
_LONGEST_SECRET = 200
_REMEMBERED_FOR = 2.0  # seconds: how long another process may take to notice a revocation
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class ApiKeyView:
    """An API key without its secret; ``participant`` is whose key a partner's is."""

    id: str
    role: str
    participant: str | None
    name: str
    created_at: datetime = field(compare=False)
    revoked_at: datetime | None = field(default=None, compare=False)

    @classmethod
    def of(cls, row: tables.ApiKey) -> ApiKeyView:
        """Return the key of a row."""
        return cls(row.id, row.role, row.participant, row.name, row.created_at, row.revoked_at)


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

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._remembered = _Remembered()

    def create(self, role: str, *, participant: str | None = None, name: str = "", by: str) -> tuple[ApiKeyView, str]:
        """Make a key; return it and its secret, which is shown this once.

        A partner's key belongs to a participant, others to none. Raises InvalidRequest.
        """
        errors = []
        if role not in ROLES:
            errors.append(FieldError("/role", f"Choose one of {', '.join(ROLES)}."))
        if (role == "partner") != (participant is not None):
            errors.append(FieldError("/participant", "A partner's key needs its participant; others have none."))
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
            row = tables.ApiKey(
                id=new_id("key"),
                role=role,
                participant=participant,
                name=name,
                secret_sha256=secret_digest(secret),
                created_at=now,
            )
            session.add(row)
            ledger.append(session, ledger.KeyCreatedEntry(key=row.id, role=role, participant=participant, by=by), now)
            return ApiKeyView.of(row)

        return self._database.write(work), secret

    def list(self) -> tuple[ApiKeyView, ...]:
        """Return all keys, revoked ones included, newest first."""
        with self._database.read() as session:
            rows = session.scalars(select(tables.ApiKey).order_by(tables.ApiKey.created_at.desc(), tables.ApiKey.id))
            return tuple(ApiKeyView.of(row) for row in rows)

    def revoke(self, key: str, *, by: str) -> None:
        """End a key: at once in this process, within two seconds in others. NotFound where there is none."""

        def work(session: Transaction) -> None:
            row = session.get(tables.ApiKey, key, with_for_update=True)
            if row is None:
                raise NotFound("There is no key of this id; `emblem keys list` shows all.")
            if row.revoked_at is None:
                end_key(session, row, self._clock(), by)

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
            if row is None:
                return None
            found = ApiKeyView.of(row)
        self._remembered.put(secret_sha256, found, generation)
        return found


def end_key(session: Transaction, row: tables.ApiKey, now: datetime, by: str) -> None:
    """Revoke a key in this transaction."""
    row.revoked_at = now
    ledger.append(session, ledger.KeyRevokedEntry(key=row.id, role=row.role, participant=row.participant, by=by), now)
