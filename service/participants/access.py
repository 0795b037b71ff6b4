"""Decide who may act for a participant and see it: staff, itself, and the portals that it lets act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..store import Database, tables
from ..store.word_search import FEW


class Caller(Protocol):
    """An API key or a signed-in person."""

    @property
    def id(self) -> str:
        """The key's id; for a person who is signed in, the role."""

    @property
    def role(self) -> str:
        """``portal``, ``partner``, ``staff``, ``auditor`` or ``participant``."""

    @property
    def participant(self) -> str | None:
        """Return who the caller is, if a participant."""


@dataclass(frozen=True)
class Portal:
    """A portal that may act for a participant, by its key's id and name."""

    key: str
    name: str
    granted_at: datetime


def granted(session: Session, portal: str, participant: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Return the condition that a row's participant lets a portal, named by its key's id, act: all that it may see.

    The rows of few are looked up by their ids; where they are many a list is read in its own order, row by row.
    """
    grant = tables.PortalGrant
    few = list(session.scalars(select(grant.participant).where(grant.key == portal).limit(FEW + 1)))
    if len(few) <= FEW:
        return participant.in_(few)
    theirs = select(grant.participant).where(grant.key == portal, grant.participant == participant)
    return theirs.correlate_except(grant).exists()


class Access:
    """Tells for whom a caller may act, and ends what a participant allowed a portal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def may_act(self, caller: Caller, participant: str) -> bool:
        """Tell whether the caller may accept terms and get links for this participant."""
        match caller.role:
            case "staff":
                return True
            case "partner" | "participant":
                return caller.participant == participant
            case "portal":
                with self._database.read() as session:
                    return session.get(tables.PortalGrant, (participant, caller.id)) is not None
        return False

    def may_see(self, caller: Caller, participant: str) -> bool:
        """Tell whether the caller may read about this participant: who may act for it, and auditors."""
        return caller.role == "auditor" or self.may_act(caller, participant)

    def portals(self, participant: str) -> tuple[Portal, ...]:
        """Return the portals that may act for a participant, newest first; those whose key was revoked are left out."""
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
        """Let a portal act for a participant no more; nothing happens where it may not."""
        grant = tables.PortalGrant
        self._database.write(
            lambda session: session.execute(delete(grant).where(grant.participant == participant, grant.key == key))
        )
