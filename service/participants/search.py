"""Finding participants by name, address, site and id, or by the name and address of somebody who belongs to them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session as Transaction

from ..store import tables
from ..store.word_search import WordTable, folded

_ROW = tables.ParticipantWords
WORDS = WordTable(_ROW.participant, _ROW.words, _ROW.number, "participant_words_index")


def finds(session: Transaction, query: str) -> ColumnElement[bool]:
    """Return the condition for participants in whose words every word of the query stands somewhere."""
    few = WORDS.few(session, query)
    return tables.Participant.id.in_(few) if few is not None else WORDS.holds(tables.Participant.id, query)


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
