"""API keys: made, listed, given a new secret, revoked, and recognised. Only the SHA-256 of a secret is stored."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from cachetools import TTLCache
from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session as Transaction

from .. import ledger
from ..campaign import typed_text
from ..clock import Clock, timestamp
from ..ids import new_id, secret_digest
from ..problems import Conflict, FieldError, InvalidRequest, NotFound
from ..store import Database, tables
from .revocation import Revocation, check_reason_given, end_key
from .staff import Staff

Role = Literal["portal", "staff", "auditor", "partner"]
ROLES: tuple[Role, ...] = get_args(Role)
_PREFIX = "emb_"
_LONGEST_SECRET = 200
_REMEMBERED_FOR = 2.0  # seconds: how long another process may take to notice a revocation
_MOST_REMEMBERED = 10_000
OVERLAP = timedelta(hours=24)  # how long the secret of before stays good, where nothing else is said
LONGEST_OVERLAP = timedelta(days=30)
LONGEST_LIFE = timedelta(days=3660)
_USED = timedelta(minutes=1)  # how exactly it is kept when a key was last used


@dataclass(frozen=True)
class Scope:
    """Scope of a key: what it is narrowed to within its role.

    ``read_only`` keys change nothing. One for a ``package`` is for links to that package alone and their downloads;
    one for an ``origin`` for embeds on that site alone (normalised, as browsers send it). Both may join participants
    and accept terms, where the role may: that is the way to a link or an embed.
    """

    read_only: bool = False
    package: str | None = None
    origin: str | None = None

    @property
    def narrow(self) -> bool:
        """Tell whether the key is for some things alone."""
        return self.package is not None or self.origin is not None

    def names(self) -> list[str]:
        """Return what the log says of it: no site, which may be a person's."""
        named = ["read"] if self.read_only else []
        named += [f"package:{self.package}"] if self.package else []
        return named + (["origin"] if self.origin else [])


#: Everything that the role may.
WHOLE_ROLE = Scope()


@dataclass(frozen=True)
class ApiKeyView:
    """An API key without its secret: a partner's is a ``participant``'s, one of staff a person's (``staff``).

    ``previous_until`` is the end of the secret of before, where the key was given a new one.
    """

    id: str
    role: str
    participant: str | None
    name: str
    created_at: datetime = field(compare=False)
    staff: str | None = None
    revoked: Revocation | None = field(default=None, compare=False)
    scope: Scope = WHOLE_ROLE
    expires_at: datetime | None = field(default=None, compare=False)
    last_used_at: datetime | None = field(default=None, compare=False)
    rotated_at: datetime | None = field(default=None, compare=False)
    previous_until: datetime | None = field(default=None, compare=False)

    @classmethod
    def of(cls, row: tables.ApiKey) -> ApiKeyView:
        """Return the key of a row."""
        return cls(
            row.id,
            row.role,
            row.participant,
            row.name,
            row.created_at,
            row.staff,
            Revocation.of(row),
            Scope(row.read_only, row.package, row.origin),
            row.expires_at,
            row.last_used_at,
            row.rotated_at,
            row.previous_until,
        )

    @property
    def revoked_at(self) -> datetime | None:
        """Return when it was revoked; None while it is good."""
        return self.revoked.at if self.revoked else None

    @property
    def by(self) -> str:
        """Return who acts, for the record: a person of the staff by id, whichever key it is; others by role and key."""
        return f"{self.role}:{self.staff or self.id}"


@dataclass(frozen=True)
class _KnownKey:
    """A key that a secret opens, until the instant at which the secret or the key ends."""

    key: ApiKeyView
    until: datetime | None


class _Remembered:
    """Keys recognised in the last moments. What is forgotten meanwhile is not put back by a slower reader."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: TTLCache[str, _KnownKey] = TTLCache(_MOST_REMEMBERED, _REMEMBERED_FOR, time.monotonic)
        self.generation = 0

    def get(self, secret_sha256: str) -> _KnownKey | None:
        with self._lock:
            return self._keys.get(secret_sha256)

    def put(self, secret_sha256: str, key: _KnownKey, generation: int) -> None:
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
        self._used: dict[str, datetime] = {}  # not written yet: key -> when it was last used

    def create(
        self,
        role: str,
        *,
        participant: str | None = None,
        staff: str | None = None,
        name: str = "",
        scope: Scope = WHOLE_ROLE,
        life: timedelta | None = None,
        by: str,
    ) -> tuple[ApiKeyView, str]:
        """Make a key; return it and its secret, which is shown this once.

        A partner's key belongs to a participant; a key of staff to the person of that id, by default the first of
        the staff; others to nobody. It ends by itself after its ``life``, where one is given. That the package of
        its scope is there and the origin normalised, whoever makes the scope sees to. Raises InvalidRequest.
        """
        errors = []
        if role not in ROLES:
            errors.append(FieldError("/role", f"Choose one of {', '.join(ROLES)}."))
        if (role == "partner") != (participant is not None):
            errors.append(FieldError("/participant", "A partner's key needs its participant; others have none."))
        if staff is not None and role != "staff":
            errors.append(FieldError("/staff", "Only a key of staff belongs to a person of the staff."))
        if scope.narrow and role == "auditor":
            detail = "An auditor's key reads everything audited: it is not for one package or one site."
            errors.append(FieldError("/package" if scope.package else "/origin", detail))
        _check_life(life, "/expires_in", errors)
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
                read_only=scope.read_only,
                package=scope.package,
                origin=scope.origin,
                created_at=now,
                expires_at=now + life if life else None,
            )
            session.add(row)
            made = ledger.KeyCreatedEntry(
                key=row.id,
                role=role,
                participant=participant,
                staff=person,
                scopes=scope.names() or None,
                expires_at=timestamp(row.expires_at) if row.expires_at else None,
                by=by,
            )
            ledger.append(session, made, now)
            return ApiKeyView.of(row)

        return self._database.write(work), secret

    def rotate(
        self, key: str, *, overlap: timedelta = OVERLAP, life: timedelta | None = None, by: str
    ) -> tuple[ApiKeyView, str]:
        """Give a key a new secret; return the key and the secret, which is shown this once.

        Id, role, scope and all that the key may stay. The secret of before is good for the ``overlap`` still, and one
        before that ends now. A key that ends by itself begins its life anew, or the ``life`` that is given. Raises
        NotFound, Conflict for a key that is revoked, or InvalidRequest.
        """
        errors: list[FieldError] = []
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            errors.append(FieldError("/overlap", f"Give between 0 and {LONGEST_OVERLAP.days} days."))
        _check_life(life, "/expires_in", errors)
        if errors:
            raise InvalidRequest(errors=errors)
        secret = _PREFIX + secrets.token_urlsafe(32)

        def work(session: Transaction) -> ApiKeyView:
            now = self._clock()
            row = session.get(tables.ApiKey, key, with_for_update=True)
            if row is None:
                raise NotFound("There is no key of this id; `emblem keys list` shows all.")
            if row.revoked_at is not None:
                raise Conflict("This key is revoked: make another one.")
            until = now + overlap
            if row.expires_at is not None:
                until = min(until, row.expires_at)
                row.expires_at = now + (life or row.expires_at - (row.rotated_at or row.created_at))
            elif life is not None:
                row.expires_at = now + life
            row.previous_secret_sha256, row.previous_until = row.secret_sha256, until
            row.secret_sha256, row.rotated_at = secret_digest(secret), now
            entry = ledger.KeyRotatedEntry(
                key=row.id,
                role=row.role,
                participant=row.participant,
                staff=row.staff,
                until=timestamp(until),
                expires_at=timestamp(row.expires_at) if row.expires_at else None,
                by=by,
            )
            ledger.append(session, entry, now)
            return ApiKeyView.of(row)

        found = self._database.write(work)
        self.forget()
        return found, secret

    def get(self, key: str) -> ApiKeyView:
        """Return a key by its id. Raises NotFound."""
        with self._database.read() as session:
            row = session.get(tables.ApiKey, key)
            if row is None:
                raise NotFound("There is no key of this id; `emblem keys list` shows all.")
            return ApiKeyView.of(row)

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
        """Return the key of a secret, or None for one that is unknown, revoked or over. Quick for one just used."""
        if not secret.startswith(_PREFIX) or len(secret) > _LONGEST_SECRET:
            return None
        secret_sha256 = secret_digest(secret)
        known = self._remembered.get(secret_sha256)
        if known is None:
            generation = self._remembered.generation
            known = self._find(secret_sha256)
            if known is None:
                return None
            self._remembered.put(secret_sha256, known, generation)
        now = self._clock()
        if known.until is not None and known.until <= now:
            return None
        self._used[known.key.id] = now  # one step, and written later: no request waits for it
        return known.key

    def note_uses(self) -> int:
        """Write when keys were last used, for those whose use is a minute newer than what is kept; return how many."""
        used = {name: self._used.pop(name) for name in tuple(self._used)}
        if not used:
            return 0
        key = tables.ApiKey
        statement = (
            update(key)
            .where(key.id == bindparam("used"), or_(key.last_used_at.is_(None), key.last_used_at <= bindparam("stale")))
            .values(last_used_at=bindparam("at"))
        )
        rows: list[dict[str, Any]] = [{"used": name, "at": at, "stale": at - _USED} for name, at in used.items()]
        try:
            self._database.write(lambda session: session.connection().execute(statement, rows))
        except BaseException:
            for name, at in used.items():  # for the next time, unless it was used meanwhile
                self._used.setdefault(name, at)
            raise
        return len(rows)

    def _find(self, secret_sha256: str) -> _KnownKey | None:
        key = tables.ApiKey
        with self._database.read() as session:
            row = session.scalar(
                select(key).where(
                    or_(key.secret_sha256 == secret_sha256, key.previous_secret_sha256 == secret_sha256),
                    key.revoked_at.is_(None),
                )
            )
            if row is None or (row.staff is not None and not self._staff.holds(session, row.staff)):
                return None
            found = ApiKeyView.of(row)
            until = row.expires_at
            if row.secret_sha256 != secret_sha256:
                until = row.previous_until
        if found.role == "staff" and found.staff is None:
            found = self._given_to_the_first(found)
        return _KnownKey(found, until)

    def _given_to_the_first(self, key: ApiKeyView) -> ApiKeyView:
        """Return a key of before staff were people with the person whose it is now, where there is one."""
        self._staff.settle()
        with self._database.read() as session:
            return ApiKeyView.of(session.get_one(tables.ApiKey, key.id))


def _check_life(life: timedelta | None, pointer: str, errors: list[FieldError]) -> None:
    if life is not None and not timedelta(minutes=1) <= life <= LONGEST_LIFE:
        errors.append(FieldError(pointer, f"Give between a minute and {LONGEST_LIFE.days} days, or leave it out."))
