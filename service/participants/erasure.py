"""Erasure: what is known of a person goes; figures, ids and the log stay.

The salt of each commitment goes with the record that it bound, so that nobody, knowing the record from
elsewhere, can show that the log holds it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Text, Update, delete, or_, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session as Transaction

from .. import ledger
from ..campaign import Campaign
from ..clock import Clock
from ..mail import Mailer
from ..store import Database, tables
from .api_keys import ApiKeys, end_key
from .application import check_reason
from .rows import locked
from .views import BY_STAFF


class Erasure:
    """Erases participants."""

    def __init__(self, database: Database, campaign: Campaign, clock: Clock, mailer: Mailer, api_keys: ApiKeys) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._mailer = mailer
        self._api_keys = api_keys

    def erase(self, participant: str, *, reason: str, by: str) -> dict[str, int]:
        """Erases what is known of a participant and ends its links, embeds, keys and sessions.

        Returns how many of each were ended or removed; all are 0 for one that is erased already. The reason
        is kept with the decisions unless it repeats what is erased. Raises InvalidRequest or NotFound.
        """
        checked = check_reason(reason)

        def work(session: Transaction) -> tuple[str | None, dict[str, int]]:
            now = self._clock()
            row = locked(session, participant)
            email = row.email
            if row.status == "erased":
                return None, dict.fromkeys(_NOTHING, 0)
            removed = {
                "links": _end_links(session, row.id, now, by),
                "embeds": _end_embeds(session, row.id, now, by),
                "keys": _end_keys(session, row.id, now, by),
                "sessions": _end_sessions(session, row),
                "mailed_links": _run(session, delete(tables.MailedLink).where(tables.MailedLink.email == row.email)),
                "acceptances": _blank_acceptances(session, row.id),
                "downloads": _blank_downloads(session, row.id),
                "answers": _forget_answers(session, row),
            }
            kept = checked if not _repeats(checked, row) else None
            _blank_decisions(session, row.id)
            _blank(row, now)
            session.add(
                tables.Decision(
                    participant=row.id,
                    outcome="erased",
                    rule=BY_STAFF,
                    reasons=[kept] if kept else [],
                    policy=self._campaign.digest,
                    by=by,
                    at=now,
                )
            )
            ledger.append(session, ledger.ParticipantErased(participant=row.id, by=by), now)
            return email, removed

        email, removed = self._database.write(work)
        self._api_keys.forget()
        self._database.scrub()
        return {**removed, "mails": self._mailer.forget(email) if email else 0}


_NOTHING = ("links", "embeds", "keys", "sessions", "mailed_links", "acceptances", "downloads", "answers")


def _run(session: Transaction, statement: Delete | Update) -> int:
    """How many rows a statement changed."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount


def _end_links(session: Transaction, participant: str, now: datetime, by: str) -> int:
    links = session.scalars(
        select(tables.Link).where(tables.Link.participant == participant, tables.Link.revoked_at.is_(None))
    ).all()
    for link in links:
        link.revoked_at = now
        ledger.append(session, ledger.LinkRevoked(id=link.id, participant=participant, by=by), now)
    return len(links)


def _end_embeds(session: Transaction, participant: str, now: datetime, by: str) -> int:
    ended = 0
    for embed in session.scalars(select(tables.Embed).where(tables.Embed.participant == participant)):
        embed.origins = []  # their web sites
        if embed.revoked_at is None:
            embed.revoked_at = now
            ended += 1
            ledger.append(session, ledger.EmbedRevoked(embed=embed.key, participant=participant, by=by), now)
    return ended


def _end_keys(session: Transaction, participant: str, now: datetime, by: str) -> int:
    ended = 0
    for key in session.scalars(select(tables.ApiKey).where(tables.ApiKey.participant == participant)):
        key.name = ""  # typed by somebody, and likely to name them
        if key.revoked_at is None:
            end_key(session, key, now, by)
            ended += 1
    return ended


def _end_sessions(session: Transaction, row: tables.Participant) -> int:
    table = tables.SignInSession
    return _run(session, delete(table).where(or_(table.participant == row.id, table.email == row.email)))


def _blank_acceptances(session: Transaction, participant: str) -> int:
    table = tables.Acceptance
    return _run(
        session,
        update(table)
        .where(table.participant == participant)
        .values(signatory_name=None, signatory_capacity=None, salt=None),
    )


def _blank_downloads(session: Transaction, participant: str) -> int:
    links = select(tables.Link.id).where(tables.Link.participant == participant)
    _run(session, delete(tables.LinkClient).where(tables.LinkClient.link.in_(links)))
    table = tables.Download
    return _run(
        session,
        update(table).where(table.participant == participant).values(client_hash=None, client_prefix=None),
    )


def _forget_answers(session: Transaction, row: tables.Participant) -> int:
    """Deletes the remembered answers to repeated requests that hold the participant."""
    answer = sql_cast(tables.IdempotentRequest.answer, Text)
    # Stored as JSON, so that is how the values are written there.
    values: Sequence[str] = [json.dumps(value) for value in (row.id, row.email, row.name) if value]
    held = or_(*(answer.contains(value, autoescape=True) for value in values))
    return _run(session, delete(tables.IdempotentRequest).where(held))


def _blank_decisions(session: Transaction, participant: str) -> None:
    """Drops the reasons that staff typed; those of rules are the campaign's own words."""
    table = tables.Decision
    _run(session, update(table).where(table.participant == participant, table.rule == BY_STAFF).values(reasons=[]))


def _repeats(reason: str, row: tables.Participant) -> bool:
    said = reason.casefold()
    answers = [value for value in (row.answers or {}).values() if isinstance(value, str)]
    return any(value and value.casefold() in said for value in (row.name, row.email, row.website, *answers))


def _blank(row: tables.Participant, now: datetime) -> None:
    if row.rule == BY_STAFF:
        row.reasons = []
    row.name = row.email = row.website = row.answers = row.salt = row.suspended_reason = None
    row.status, row.erased_at = "erased", now
