"""Finding participants by name, address, site and id, or by the name and address of somebody who belongs to them.

What a participant is found by is one text a row, folded: without case and accents. Parts of it are looked up by
trigrams: SQLite's FTS5, or pg_trgm on PostgreSQL where that extension could be made; without it, and for words of
one or two letters, rows are read one by one, newest first.
"""

from __future__ import annotations

import unicodedata

from sqlalchemy import ColumnElement, Select, column, delete, literal_column, select, table
from sqlalchemy.orm import Session as Transaction

from ..store import tables

LONGEST_QUERY = 200
_TRIGRAM = 3
#: FTS5's index over ``participant_words``, as the migration makes it; its rowid is ``number``.
_INDEX = table("participant_words_index", column("rowid"))


def folded(text: str) -> str:
    """Return a text as it is compared: without case, accents and what does not show."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    shown = (sign for sign in parts if not unicodedata.combining(sign) and (sign.isprintable() or sign.isspace()))
    return "".join(shown)


def finds(session: Transaction, query: str) -> ColumnElement[bool]:
    """Return the condition for participants in whose words every word of the query stands somewhere."""
    words = folded(query[:LONGEST_QUERY]).split()
    found: Select[str] = select(tables.ParticipantWords.participant)
    if session.get_bind().dialect.name == "sqlite":
        indexed = [word for word in words if len(word) >= _TRIGRAM]
        words = [word for word in words if len(word) < _TRIGRAM]
        if indexed:
            match = " AND ".join('"{}"'.format(word.replace('"', '""')) for word in indexed)
            hits = select(_INDEX.c.rowid).where(literal_column("participant_words_index").op("MATCH")(match))
            found = found.where(tables.ParticipantWords.number.in_(hits))
    found = found.where(*(tables.ParticipantWords.words.contains(word, autoescape=True) for word in words))
    return tables.Participant.id.in_(found)


def remember(session: Transaction, participant: str) -> None:
    """Write down anew what a participant is found by; called in each transaction that changes it."""
    owner = session.get_one(tables.Participant, participant)
    member = tables.Member
    people = session.execute(
        select(member.name, member.email).where(member.participant == participant, member.removed_at.is_(None))
    )
    said = [owner.id, owner.name, owner.email, owner.website, *(value for person in people for value in person)]
    words = "\n".join(dict.fromkeys(folded(value) for value in said if value))
    row = session.scalar(select(tables.ParticipantWords).where(tables.ParticipantWords.participant == participant))
    if row is None:
        session.add(tables.ParticipantWords(participant=participant, words=words))
    else:
        row.words = words


def forget(session: Transaction, participant: str) -> None:
    """Let a participant be found no more."""
    session.execute(delete(tables.ParticipantWords).where(tables.ParticipantWords.participant == participant))
