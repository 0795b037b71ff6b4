"""Who sees whom: participants one by one and in pages, and for whom a caller may act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import delete, select

from ..problems import FieldError, InvalidRequest, NotFound
from ..store import tables
from ..store.paging import Page, paginate
from .application import KINDS
from .office import Office
from .views import STATUSES, Participant


class Viewer(Protocol):
    """An API key or a signed-in person."""

    @property
    def id(self) -> str:
        """The key's id; for a person who is signed in, the role."""

    @property
    def role(self) -> str:
        """``portal``, ``partner``, ``staff``, ``auditor`` or ``participant``."""

    @property
    def participant(self) -> str | None:
        """Who the caller is, if a participant."""


@dataclass(frozen=True)
class Portal:
    """A portal that may act for a participant, by its key's id and name."""

    key: str
    name: str
    granted_at: datetime


class Listing(Office):
    """Reads participants."""

    def get(self, participant: str) -> Participant:
        """One participant, erased ones included; NotFound where there is none."""
        with self._database.read() as session:
            row = session.get(tables.Participant, participant)
            if row is None:
                raise NotFound("There is no participant of this id.")
            return Participant.of(row)

    def may_act(self, viewer: Viewer, participant: str) -> bool:
        """Whether the caller may accept terms and get links for this participant."""
        match viewer.role:
            case "staff":
                return True
            case "partner" | "participant":
                return viewer.participant == participant
            case "portal":
                with self._database.read() as session:
                    return session.get(tables.PortalGrant, (participant, viewer.id)) is not None
        return False

    def may_see(self, viewer: Viewer, participant: str) -> bool:
        """Whether the caller may read about this participant: who may act for it, and auditors."""
        return viewer.role == "auditor" or self.may_act(viewer, participant)

    def portals(self, participant: str) -> tuple[Portal, ...]:
        """The portals that may act for a participant, newest first; those whose key was revoked are left out."""
        grant, key = tables.PortalGrant, tables.ApiKey
        with self._database.read() as session:
            rows = session.execute(
                select(grant.key, key.name, grant.granted_at)
                .join(key, key.id == grant.key)
                .where(grant.participant == participant, key.revoked_at.is_(None))
                .order_by(grant.granted_at.desc(), grant.key)
            )
            return tuple(Portal(*row) for row in rows)

    def end_portal(self, participant: str, key: str) -> None:
        """Lets a portal act for a participant no more; nothing happens where it may not."""
        grant = tables.PortalGrant
        self._database.write(
            lambda session: session.execute(delete(grant).where(grant.participant == participant, grant.key == key))
        )

    def list(
        self,
        *,
        status: str | None = None,
        kind: str | None = None,
        portal: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Participant]:
        """Participants, newest first; with ``portal`` those for whom this key may act.

        Raises InvalidRequest for an unknown status or kind, a bad cursor, or a limit outside 1 to 200.
        """
        errors = []
        if status is not None and status not in STATUSES:
            errors.append(FieldError("?status", f"Choose one of {', '.join(STATUSES)}."))
        if kind is not None and kind not in KINDS:
            errors.append(FieldError("?kind", f"Choose one of {', '.join(KINDS)}."))
        if errors:
            raise InvalidRequest(errors=errors)
        table = tables.Participant
        statement = select(table)
        if status is not None:
            statement = statement.where(table.status == status)
        if kind is not None:
            statement = statement.where(table.kind == kind)
        if portal is not None:
            granted = select(tables.PortalGrant.participant).where(tables.PortalGrant.key == portal)
            statement = statement.where(table.id.in_(granted))
        with self._database.read() as session:
            page = paginate(session, statement, table.created_at, table.id, cursor=cursor, limit=limit)
            return page.map(lambda row: Participant.of(row[0]))
