"""Passkeys of staff: added, used, removed; and given back a way in when they are lost (WebAuthn, W3C Level 3).

They are discoverable, so that nobody types who they are, and the authenticator has verified its user each time: a
passkey alone is two factors. Whoever has one needs one. Challenges are good once and for minutes.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Transaction

from .. import ledger
from ..campaign import typed_text
from ..clock import Clock
from ..ids import new_id, secret_digest
from ..participants import Confirmed, Participants
from ..problems import Conflict, FieldError, Forbidden, InvalidRequest, NotFound, PasskeyRefused
from ..store import Database, tables
from ..store.upsert import insert_new
from .relying_party import RelyingParty

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

T = TypeVar("T")
CHALLENGE_LIFE = timedelta(minutes=5)
RECOVERY_LIFE = timedelta(hours=24)  # between the first person who says that somebody's are lost, and the second
MOST = 20  # passkeys of one person
_LONGEST = 20_000  # characters of what a browser sends
_FRAMED = "the browser says that a frame of another origin asked"
_KNOWN = "a passkey of this id is there already, of whomever"
_HANDLE = "the user handle is not its owner's"
_PEOPLE = 2  # who have to agree to a recovery


@dataclass(frozen=True)
class PasskeyView:
    """A passkey as its owner sees it."""

    id: str
    name: str = field(repr=False)
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: tables.Passkey) -> PasskeyView:
        """Return the passkey of a row."""
        return cls(row.id, row.name, row.created_at, row.last_used_at)


class Passkeys:
    """The passkeys of one deployment's staff. Safe to share between threads."""

    def __init__(self, database: Database, clock: Clock, participants: Participants, base_url: str) -> None:
        self._database = database
        self._clock = clock
        self._staff = participants.staff
        self._sign_in = participants.sign_in
        self._mail = participants.correspondence
        self.relying_party = RelyingParty.of(base_url)

    def of(self, staff: str) -> tuple[PasskeyView, ...]:
        """Return the passkeys of a person of the staff, newest first."""
        with self._database.read() as session:
            return tuple(map(PasskeyView.of, session.scalars(_of(staff))))

    def counts(self) -> dict[str, int]:
        """Return how many passkeys each person has who has any, by id."""
        found: dict[str, int] = {}
        with self._database.read() as session:
            for staff in session.scalars(select(tables.Passkey.staff)):
                found[staff] = found.get(staff, 0) + 1
        return found

    # ---- adding one

    def offer(self, staff: str, name: str) -> str:
        """Return what a browser needs to make a passkey (PublicKeyCredentialCreationOptions), as JSON.

        ``name`` is what the authenticator shows for the person. Raises NotFound where no passkey can be made.
        """
        import webauthn
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        party = self._party()
        options = webauthn.generate_registration_options(
            rp_id=party.id,
            rp_name=party.id,
            user_id=staff.encode(),
            user_name=name,
            user_display_name=name,
            challenge=self._new_challenge("add", staff),
            timeout=int(CHALLENGE_LIFE.total_seconds() * 1000),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=self._descriptors(staff),
        )
        return webauthn.options_to_json(options)

    def add(self, staff: str, credential: str, *, name: str, keep: str, language: str = "en") -> PasskeyView:
        """Keep the passkey that a browser made for a person, who needs one from now on; end all sessions but ``keep``.

        The person is mailed, as they are of all that becomes of their passkeys: it may not have been they.
        ``credential`` is the browser's RegistrationResponseJSON, ``keep`` the secret of the session that asks. Raises
        PasskeyRefused, InvalidRequest for a name, or Conflict where there are too many.
        """
        import webauthn
        from webauthn.helpers.exceptions import WebAuthnException

        party = self._party()
        challenge = _challenge(credential)
        errors: list[FieldError] = []
        called = typed_text.read(name, "/name", errors) if typed_text.clean(name) else ""
        if errors:
            raise InvalidRequest(errors=errors)
        self._use_challenge("add", staff, challenge)
        try:
            verified = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError) as error:
            raise PasskeyRefused(private=f"{type(error).__name__}: {error}") from error

        def work(session: Transaction) -> PasskeyView:
            now = self._clock()
            person = session.get(tables.StaffMember, staff, with_for_update=True)
            if person is None or not self._staff.holds(session, staff):
                raise NotFound
            if len(session.scalars(_of(staff)).all()) >= MOST:
                raise Conflict(f"There are {MOST} passkeys already: remove one that is not used.")
            made = new_id("pky")
            if not insert_new(
                session,
                tables.Passkey,
                id=made,
                staff=staff,
                credential=verified.credential_id,
                credential_sha256=_digest(verified.credential_id),
                public_key=verified.credential_public_key,
                sign_count=verified.sign_count,
                name=called,
                created_at=now,
            ):
                raise PasskeyRefused(private=_KNOWN)
            self._sign_in.end_others(session, person.email, keep)
            ledger.append(session, ledger.PasskeyAddedEntry(passkey=made, staff=staff, by=f"staff:{staff}"), now)
            self._mail.add_passkeys(session, person.email, language, "passkey_added")
            return PasskeyView(made, called, now, None)

        return self._told(work)

    # ---- signing in

    def ask(self) -> str:
        """Return what a browser needs to use a passkey (PublicKeyCredentialRequestOptions, JSON); it names nobody."""
        import webauthn
        from webauthn.helpers.structs import UserVerificationRequirement

        options = webauthn.generate_authentication_options(
            rp_id=self._party().id,
            challenge=self._new_challenge("sign-in", ""),
            timeout=int(CHALLENGE_LIFE.total_seconds() * 1000),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return webauthn.options_to_json(options)

    def sign_in(self, credential: str, *, language: str, replaces: str = "") -> Confirmed:
        """Sign the person in whose passkey answered; end the session whose secret ``replaces`` is.

        ``credential`` is the browser's AuthenticationResponseJSON. Raises PasskeyRefused.
        """
        import webauthn
        from webauthn.helpers.exceptions import WebAuthnException

        party = self._party()
        challenge = _challenge(credential)
        used = _decoded(_parsed(credential).get("rawId"))
        self._use_challenge("sign-in", "", challenge)

        def work(session: Transaction) -> Confirmed:
            row = session.scalar(
                select(tables.Passkey).where(tables.Passkey.credential_sha256 == _digest(used)).with_for_update()
            )
            if row is None or row.credential != used or not self._staff.holds(session, row.staff):
                raise PasskeyRefused
            try:
                verified = webauthn.verify_authentication_response(
                    credential=credential,
                    expected_challenge=challenge,
                    expected_rp_id=party.id,
                    expected_origin=party.origin,
                    credential_public_key=row.public_key,
                    credential_current_sign_count=row.sign_count,
                    require_user_verification=True,
                )
            except (WebAuthnException, ValueError, TypeError, KeyError) as error:
                raise PasskeyRefused(private=f"{type(error).__name__}: {error}") from error
            handle = _decoded((_parsed(credential).get("response") or {}).get("userHandle"))
            if handle != row.staff.encode():
                raise PasskeyRefused(private=_HANDLE)
            row.sign_count, row.last_used_at = verified.new_sign_count, self._clock()
            # Whoever has them has not lost them, whatever a colleague said.
            session.execute(delete(tables.PasskeyRecovery).where(tables.PasskeyRecovery.staff == row.staff))
            person = session.get_one(tables.StaffMember, row.staff)
            return self._sign_in.begin(session, person.email, language, replaces)

        return self._database.write(work)

    # ---- removing

    def remove(self, staff: str, passkey: str, *, language: str = "en") -> None:
        """Remove one of a person's own passkeys. Raises NotFound."""

        def work(session: Transaction) -> None:
            row = session.get(tables.Passkey, passkey)
            if row is None or row.staff != staff:
                raise NotFound("There is no passkey of this id that is yours.")
            _drop(session, row, self._clock(), f"staff:{staff}")
            person = session.get_one(tables.StaffMember, staff)
            self._mail.add_passkeys(session, person.email, language, "passkey_removed")

        self._told(work)

    def agree_to_recovery(self, staff: str, *, by: str, language: str = "en") -> bool:
        """Say that a colleague has lost their passkeys; the second who says so within a day removes them: True then.

        Nobody does it for oneself. Raises Forbidden, or NotFound for somebody who has none.
        """
        if staff == by:
            raise Forbidden("Two others have to do this for you; you can remove single passkeys yourself.")

        def work(session: Transaction) -> bool:
            now, table = self._clock(), tables.PasskeyRecovery
            person = session.get(tables.StaffMember, staff, with_for_update=True)
            if person is None or not session.scalars(_of(staff)).first():
                raise NotFound("There is nobody of this id who has a passkey.")
            session.execute(delete(table).where(table.at <= now - RECOVERY_LIFE))
            others = select(table.by).where(table.staff == staff, table.by != by)
            agreed = [one for one in session.scalars(others) if self._staff.holds(session, one)]
            if len(agreed) + 1 < _PEOPLE:
                said = session.get(table, (staff, by)) is not None
                session.merge(table(staff=staff, by=by, at=now))
                if not said:
                    self._mail.add_passkeys(session, person.email, language, "passkeys_said_lost")
                return False
            self._reset(session, person, now, f"staff:{by}", f"staff:{agreed[0]}", language=language)
            return True

        return self._told(work)

    def waiting(self) -> dict[str, str]:
        """Return for whom a first colleague has said that the passkeys are lost, and who that was, by ids."""
        table = tables.PasskeyRecovery
        with self._database.read() as session:
            rows = session.scalars(select(table).where(table.at > self._clock() - RECOVERY_LIFE))
            return {row.staff: row.by for row in rows}

    def recover(self, staff: str, *, by: str) -> int:
        """Remove all passkeys of a person, for the operator; return how many. The mailed link works again then.

        Who they are at the OpenID Connect provider is forgotten too.
        """

        def work(session: Transaction) -> int:
            person = session.get(tables.StaffMember, staff, with_for_update=True)
            if person is None:
                raise NotFound("There is no person of the staff with this id; `emblem staff list` shows all.")
            person.openid_sha256 = None
            return self._reset(session, person, self._clock(), by)

        return self._told(work)

    def purge(self) -> None:
        """Delete challenges that were not used in time."""
        table = tables.PasskeyChallenge
        self._database.write(lambda session: session.execute(delete(table).where(table.expires_at <= self._clock())))

    def _told(self, work: Callable[[Transaction], T]) -> T:
        """Do a write whose transaction adds a mail, and let that leave."""
        done = self._database.write(work)
        self._mail.leave()
        return done

    def _reset(
        self,
        session: Transaction,
        person: tables.StaffMember,
        now: datetime,
        by: str,
        agreed: str | None = None,
        *,
        language: str = "en",
    ) -> int:
        rows = session.scalars(_of(person.id)).all()
        for row in rows:
            _drop(session, row, now, by, agreed)
        session.execute(delete(tables.PasskeyRecovery).where(tables.PasskeyRecovery.staff == person.id))
        self._sign_in.end_others(session, person.email, "")
        if rows:
            self._mail.add_passkeys(session, person.email, language, "passkeys_recovered")
        return len(rows)

    def _party(self) -> RelyingParty:
        if self.relying_party is None:
            raise NotFound("Passkeys need a host name and https: see EMBLEM_BASE_URL.")
        return self.relying_party

    def _descriptors(self, staff: str) -> list[PublicKeyCredentialDescriptor]:
        from webauthn.helpers.structs import PublicKeyCredentialDescriptor

        with self._database.read() as session:
            return [PublicKeyCredentialDescriptor(id=row.credential) for row in session.scalars(_of(staff))]

    def _new_challenge(self, purpose: str, staff: str) -> bytes:
        challenge = secrets.token_bytes(32)
        row = tables.PasskeyChallenge(
            sha256=_digest(challenge), purpose=purpose, staff=staff, expires_at=self._clock() + CHALLENGE_LIFE
        )
        self._database.write(lambda session: session.add(row))
        return challenge

    def _use_challenge(self, purpose: str, staff: str, challenge: bytes) -> None:
        """Use a challenge up, whatever comes of it. Raises PasskeyRefused for one that is not waiting."""
        table, now = tables.PasskeyChallenge, self._clock()
        mine = (table.sha256 == _digest(challenge), table.purpose == purpose, table.staff == staff)

        def work(session: Transaction) -> bool:
            row = session.scalar(select(table).where(*mine).with_for_update())
            if row is None:
                return False
            session.delete(row)
            return row.expires_at > now

        if not self._database.write(work):
            raise PasskeyRefused("This took too long, or was sent twice. Try once more.")


def _of(staff: str) -> Any:
    return (
        select(tables.Passkey)
        .where(tables.Passkey.staff == staff)
        .order_by(tables.Passkey.created_at.desc(), tables.Passkey.id)
    )


def _drop(session: Transaction, row: tables.Passkey, now: datetime, by: str, agreed: str | None = None) -> None:
    session.delete(row)
    entry = ledger.PasskeyRemovedEntry(passkey=row.id, staff=row.staff, by=by, agreed=agreed)
    ledger.append(session, entry, now)


def _parsed(credential: str) -> dict[str, Any]:
    """Return what a browser sent as an object. Raises PasskeyRefused for what is none."""
    if len(credential) > _LONGEST:
        raise PasskeyRefused
    return _object(lambda: json.loads(credential))


def _challenge(credential: str) -> bytes:
    """Return the challenge that a browser's answer says that it answers; verified later, with everything else."""
    response = _parsed(credential).get("response")
    client_data = _decoded(response.get("clientDataJSON") if isinstance(response, dict) else None)
    said = _object(lambda: json.loads(client_data))
    if said.get("crossOrigin"):  # no page of ours is in a frame, so none asked
        raise PasskeyRefused(private=_FRAMED)
    return _decoded(said.get("challenge"))


def _object(read: Callable[[], Any]) -> dict[str, Any]:
    try:
        value = read()
    except (ValueError, RecursionError):
        raise PasskeyRefused from None
    if not isinstance(value, dict):
        raise PasskeyRefused
    return value


def _decoded(text: Any) -> bytes:
    """Return the bytes of base64url without padding. Raises PasskeyRefused for what is none."""
    try:
        return base64.urlsafe_b64decode(str(text or "").encode("ascii") + b"==")
    except (binascii.Error, ValueError):
        raise PasskeyRefused from None


def _digest(value: bytes) -> str:
    return secret_digest(value.hex())
