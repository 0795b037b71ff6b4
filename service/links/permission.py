"""Permission: whether a link may be used now. Read in the transaction that records, so nothing slips between."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, bindparam, select
from sqlalchemy.orm import Session

from ..campaign import TermsInForce
from ..participants import Revocation
from ..problems import (
    InvalidLink,
    LinkExhausted,
    LinkExpired,
    LinkRevoked,
    PackageWithdrawn,
    ParticipantSuspended,
    PermissionLapsed,
    Problem,
    RobotsNotServed,
    TermsNotAccepted,
)
from ..store.many_keys import among, as_json, given, looked_up
from ..store.tables import Acceptance, BundledVersion, Link, PackageVersion, Participant


@dataclass(frozen=True)
class LinkedVersion:
    """A package version that a link leads to; ``accepted`` says whether the terms current for it were.

    ``bytes`` is the size of the version's own archive.
    """

    package: str
    version: str
    withdrawn: bool
    bytes: int
    terms: str
    terms_version: str
    accepted: bool


@dataclass(frozen=True)
class LinkState:
    """A link with all that decides about it, as one consistent read gave it.

    ``versions`` is the one that it leads to, or those of its ``bundle``, in the order of the packages' ids.
    """

    link: str
    participant: str
    participant_kind: str
    country: str | None
    language: str
    bundle: str | None
    path: str | None
    created_at: datetime
    expires_at: datetime
    max_downloads: int | None
    counted: int
    revocation: Revocation | None
    participant_status: str
    versions: tuple[LinkedVersion, ...]

    @property
    def revoked(self) -> bool:
        """Tell whether the link was ended."""
        return self.revocation is not None

    def refusal(self, now: datetime, base_url: str) -> Problem | None:
        """Return the first refusal that holds, those about the client left out; None where the link may be used."""
        if self.revoked:
            return LinkRevoked()
        if now >= self.expires_at:
            return LinkExpired()
        for version in self.versions:
            if version.withdrawn:
                return PackageWithdrawn(extra={"package": version.package})
        if self.participant_status == "lapsed":
            return PermissionLapsed.of(self.participant, base_url, self.language)
        if self.participant_status != "approved":
            return ParticipantSuspended()
        for version in self.versions:
            if not version.accepted:
                return TermsNotAccepted.of(version.terms, version.terms_version, base_url, self.language)
        return None

    def status(self, now: datetime) -> str:
        """Return ``active``, ``exhausted``, or in a word the first refusal that holds."""
        match self.refusal(now, ""):
            case None:
                spent = self.max_downloads is not None and self.counted >= self.max_downloads
                return "exhausted" if spent else "active"
            case LinkRevoked():
                return "revoked"
            case LinkExpired():
                return "expired"
            case PackageWithdrawn():
                return "withdrawn"
            case ParticipantSuspended():
                return "suspended"
            case PermissionLapsed():
                return "lapsed"
            case _:
                return "terms_required"

    def refuse_client(self, kind: str, begun: bool, more: int = 0) -> None:
        """Raise what limited links refuse: robots, and new clients after the last download.

        ``more`` downloads were counted since this was read.
        """
        if self.max_downloads is None:
            return
        if kind == "robot":
            raise RobotsNotServed
        if not begun and self.counted + more >= self.max_downloads:
            raise LinkExhausted


_COLUMNS = (
    Link.id.label("link"),
    Link.participant,
    Participant.kind.label("participant_kind"),
    Participant.country,
    Participant.language,
    Link.package,
    Link.version,
    Link.bundle,
    Link.path,
    Link.created_at,
    Link.expires_at,
    Link.max_downloads,
    Link.counted,
    Link.revoked_at,
    Link.revoked_by,
    Link.revoked_reason,
    PackageVersion.withdrawn_at,
    Participant.status.label("participant_status"),
    PackageVersion.terms,
    PackageVersion.bytes,
)
_NAMES = tuple(str(column.key) for column in _COLUMNS)


def select_states() -> Select[*tuple[Any, ...]]:
    """Return the select that ``state_of`` reads rows of; callers add their conditions."""
    return (
        select(*_COLUMNS)
        .join(Participant, Participant.id == Link.participant)
        .join(PackageVersion, and_(PackageVersion.package == Link.package, PackageVersion.version == Link.version))
    )


# Built once: building a statement takes longer than running it.
_SOME = {dialect: select_states().where(among(dialect, "links", Link.id)) for dialect in ("sqlite", "postgresql")}
_BUNDLED = (
    select(
        BundledVersion.bundle,
        BundledVersion.package,
        BundledVersion.version,
        PackageVersion.withdrawn_at,
        PackageVersion.terms,
        PackageVersion.bytes,
    )
    .join(
        PackageVersion,
        and_(PackageVersion.package == BundledVersion.package, PackageVersion.version == BundledVersion.version),
    )
    .where(BundledVersion.bundle.in_(bindparam("bundles", expanding=True)))
    .order_by(BundledVersion.package)
)
# In one order, so that two transactions that lock several links never wait for each other in a circle.
_LOCKED = {dialect: some.order_by(Link.id).with_for_update(of=Link) for dialect, some in _SOME.items()}


_ACCEPTED = {
    dialect: looked_up(dialect, "asked", (Acceptance.participant, Acceptance.terms, Acceptance.version))
    for dialect in ("sqlite", "postgresql")
}


def states_of(connection: Connection, in_force: TermsInForce, rows: Sequence[Sequence[Any]]) -> list[LinkState]:
    """Return the state of each row, with the acceptance of the terms that are in force; one query for all."""
    found = [dict(zip(_NAMES, row, strict=True)) for row in rows]
    if not found:
        return []
    inside: dict[str, list[_Version]] = {}
    if bundles := {values["bundle"] for values in found} - {None}:
        for bundle, *version in connection.execute(_BUNDLED, {"bundles": list(bundles)}):
            inside.setdefault(bundle, []).append(_Version._make(version))
    led_to = []
    for values in found:
        first = _Version._make(values.pop(name) for name in _Version._fields)
        led_to.append([first] if values["bundle"] is None else inside[values["bundle"]])
    terms = {one.terms for versions in led_to for one in versions}
    current = {name: in_force.current(name) for name in terms}
    asked = {
        (values["participant"], one.terms, current[one.terms])
        for values, versions in zip(found, led_to, strict=True)
        for one in versions
    }
    dialect = connection.dialect.name
    accepted = set(map(tuple, connection.execute(_ACCEPTED[dialect], {"asked": as_json(asked)})))
    return [_state(values, versions, current, accepted) for values, versions in zip(found, led_to, strict=True)]


class _Version(NamedTuple):
    """A package version as its row says it."""

    package: str
    version: str
    withdrawn_at: datetime | None
    terms: str
    bytes: int


def _state(
    values: dict[str, Any], versions: Sequence[_Version], current: dict[str, str], accepted: set[tuple[Any, ...]]
) -> LinkState:
    at, by, reason = (values.pop(name) for name in ("revoked_at", "revoked_by", "revoked_reason"))
    return LinkState(
        **values,
        revocation=None if at is None else Revocation(at, by, reason),
        versions=tuple(
            LinkedVersion(
                one.package,
                one.version,
                one.withdrawn_at is not None,
                one.bytes,
                one.terms,
                current[one.terms],
                (values["participant"], one.terms, current[one.terms]) in accepted,
            )
            for one in versions
        ),
    )


def read_states(
    connection: Connection, asked: Collection[tuple[str, TermsInForce]], *, lock: bool = False
) -> dict[tuple[str, TermsInForce], LinkState]:
    """Return the state of each link that there is under the terms that are in force for whoever asks.

    ``lock`` keeps others out of the links until the transaction ends.
    """
    dialect = connection.dialect.name
    links = {"links": given(dialect, {link for link, _ in asked})}
    rows = connection.execute((_LOCKED if lock else _SOME)[dialect], links).all()
    states: dict[tuple[str, TermsInForce], LinkState] = {}
    for in_force in dict.fromkeys(in_force for _, in_force in asked):  # one, but where a publication comes into force
        some = [row for row in rows if (row.link, in_force) in asked]
        states |= {(state.link, in_force): state for state in states_of(connection, in_force, some)}
    return states


def read_state(session: Session, in_force: TermsInForce, link: str) -> LinkState:
    """Return the state of one link; InvalidLink where there is none."""
    found = read_states(session.connection(), {(link, in_force)})
    if not found:
        raise InvalidLink
    return found[link, in_force]
