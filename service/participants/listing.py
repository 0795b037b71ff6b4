"""Reading participants, one by one and in pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import select

from ..campaign import Campaign
from ..problems import FieldError, InvalidRequest, NotFound
from ..store import Database, tables
from ..store.paging import Page, paginate
from . import search
from .access import granted
from .permissions import ends_at
from .views import STATUSES, ParticipantView


class Listing:
    """Reads participants."""

    def __init__(self, database: Database, campaign: Campaign) -> None:
        self._database = database
        self._campaign = campaign

    def get(self, participant: str) -> ParticipantView:
        """Return one participant, erased ones included; NotFound where there is none."""
        with self._database.read() as session:
            row = session.get(tables.Participant, participant)
            if row is None:
                raise NotFound("There is no participant of this id.")
            return self._view(row)

    def _view(self, row: tables.Participant) -> ParticipantView:
        end = ends_at(self._campaign, row.kind, row.purposes, row.outcome, row.decided_at)
        return replace(ParticipantView.of(row), permission_expires_at=end)

    def several(self, participants: Iterable[str]) -> dict[str, ParticipantView]:
        """Return those of these participants that are there, by id."""
        table = tables.Participant
        with self._database.read() as session:
            rows = session.scalars(select(table).where(table.id.in_(set(participants))))
            return {row.id: self._view(row) for row in rows}

    def names(self, participants: Iterable[str]) -> dict[str, str]:
        """Return the name of each of these participants that has one, by id."""
        table = tables.Participant
        with self._database.read() as session:
            rows = session.execute(select(table.id, table.name).where(table.id.in_(set(participants))))
            return {participant: name for participant, name in rows if name}

    def list(
        self,
        *,
        status: str | None = None,
        kind: str | None = None,
        q: str | None = None,
        portal: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[ParticipantView]:
        """Participants, newest first; with ``portal`` those for whom this key may act.

        ``q`` finds parts of names, addresses, sites and ids; each of its words has to be there.

        Raises InvalidRequest for an unknown status or kind, a bad cursor, or a limit outside 1 to 200.
        """
        errors = []
        if status is not None and status not in STATUSES:
            errors.append(FieldError("?status", f"Choose one of {', '.join(STATUSES)}."))
        kinds = [known.id for known in self._campaign.eligibility.kinds]
        if kind is not None and kind not in kinds:
            errors.append(FieldError("?kind", f"Choose one of {', '.join(kinds)}."))
        if errors:
            raise InvalidRequest(errors=errors)
        table = tables.Participant
        statement = select(table)
        if status is not None:
            statement = statement.where(table.status == status)
        if kind is not None:
            statement = statement.where(table.kind == kind)
        with self._database.read() as session:
            if portal is not None:
                statement = statement.where(granted(session, portal, table.id))
            if q is not None and q.strip():
                statement = statement.where(search.finds(session, q))
            page = paginate(session, statement, table.created_at, table.id, cursor=cursor, limit=limit)
            return page.map(lambda row: self._view(row[0]))
