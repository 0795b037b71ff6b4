"""Ends that the log knows and a restored database does not: they hold from then on, as they did before.

A backup is older than its log. Whoever was erased, suspended or revoked since would be back with it; the log names
each of them, so each end is applied in the very transaction that takes its entry over.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from ..participants.decisions import Ruling, put_in_force
from ..participants.members import Members
from ..privacy import Erasure
from ..store.batches import changed
from ..store.tables import (
    ApiKey,
    BundledVersion,
    Embed,
    Link,
    PackageVersion,
    Participant,
    Passkey,
    StaffMember,
)

Facts = dict[str, Any]


def apply_end(erasure: Erasure) -> Callable[[Session, Facts], bool]:
    """Return what applies one entry of the log to a database without it; it tells whether that changed anything."""

    def apply(session: Session, facts: Facts) -> bool:
        at = datetime.fromisoformat(facts["at"])
        match facts["kind"]:
            case "participant.erased":
                return erasure.repeat(session, facts["participant"], by=facts["by"], at=at)
            case "participant.decided":
                return _decided(session, facts, at)
            case "link.revoked" | "embed.revoked" | "key.revoked" | "key.rotated" | "passkey.removed":
                return _end(session, facts, at)
            case "link.restored" | "embed.restored":
                return _go_on(session, facts)
            case "embed.changed":
                values = {"unlisted": facts["unlisted"]}
                if "commitment" not in facts:  # else the sites are a person's, and those of the backup stay
                    values["origins"] = facts["origins"]
                mine = Embed.key == facts["embed"]
                return changed(session, update(Embed).where(mine, Embed.revoked_at.is_(None)).values(values)) > 0
            case "member.removed":
                return Members.remove_again(session, facts["participant"], facts["member"], at)
            case "staff.added" | "staff.removed":
                removed = at if facts["kind"] == "staff.removed" else None
                mine = StaffMember.id == facts["staff"]
                return changed(session, update(StaffMember).where(mine).values(removed_at=removed)) > 0
            case "package.withdrawn":
                mine = (PackageVersion.package == facts["package"]) & (PackageVersion.version == facts["version"])
                values = {"withdrawn_at": at, "withdrawn_reason": ""}
                unless = PackageVersion.withdrawn_at.is_(None)
                return changed(session, update(PackageVersion).where(mine, unless).values(values)) > 0
            case "download" if facts["counted"]:
                return _used(session, facts["link"], facts["package"])
        return False

    return apply


def _used(session: Session, link: str, package: str) -> bool:
    """Return what is used up stays used up: once a request, which makes an entry for each package of a bundle."""
    row = session.get(Link, link)
    if row is None:
        return False
    if row.bundle is not None:
        first = select(func.min(BundledVersion.package)).where(BundledVersion.bundle == row.bundle)
        if package != session.scalar(first):
            return False
    row.counted += 1
    session.flush()
    return True


def _revocable(facts: Facts) -> tuple[Any, Any]:
    """Return the table of what an entry ends or brings back, and the condition for its row."""
    match facts["kind"].partition(".")[0]:
        case "link":
            return Link, Link.id == facts["id"]
        case "embed":
            return Embed, Embed.key == facts["embed"]
    return ApiKey, ApiKey.id == facts["key"]


def _end(session: Session, facts: Facts, at: datetime) -> bool:
    match facts["kind"]:
        case "passkey.removed":
            return changed(session, delete(Passkey).where(Passkey.id == facts["passkey"])) > 0
        case "key.rotated":  # the secret in the backup is the one of before, and ends when that does
            until, ends = datetime.fromisoformat(facts["until"]), ApiKey.expires_at
            longer = (ApiKey.id == facts["key"], or_(ends.is_(None), ends > until))
            return changed(session, update(ApiKey).where(*longer).values(expires_at=until)) > 0
    table, mine = _revocable(facts)
    ended = {"revoked_at": at, "revoked_by": facts["by"]}
    return changed(session, update(table).where(mine, table.revoked_at.is_(None)).values(ended)) > 0


def _go_on(session: Session, facts: Facts) -> bool:
    """Take an end back that was taken back."""
    table, mine = _revocable(facts)
    goes_on = {"revoked_at": None, "revoked_by": None, "revoked_reason": None}
    return changed(session, update(table).where(mine, table.revoked_at.is_not(None)).values(goes_on)) > 0


def _decided(session: Session, facts: Facts, at: datetime) -> bool:
    """Take a decision over, without the reason that was given: the log has none."""
    row = session.get(Participant, facts["participant"])
    if row is None or row.status == "erased":
        return False
    ruling = Ruling(facts["outcome"], (), facts["rule"], facts["policy"], facts["by"])
    put_in_force(session, row, ruling, at, purposes=facts.get("purposes"))
    return True
