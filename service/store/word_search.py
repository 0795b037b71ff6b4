"""Finding rows by parts of words: a table of what each is found by, one folded text a row, and its trigrams.

Migrations index the texts: SQLite's FTS5 over them, or pg_trgm on PostgreSQL where that extension could be made;
without it, and for words of one or two letters, texts are read one by one. What few rows hold is looked up in that
index; what many hold is found soon enough by reading a list in its own order, so that neither grows with the rows.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, column, literal_column, select, table
from sqlalchemy.orm import InstrumentedAttribute, Session

LONGEST_QUERY = 200  # characters
FEW = 500  # rows that are looked up by their ids
_TRIGRAM = 3


@dataclass(frozen=True)
class WordTable:
    """A table of words: the id of what is found, its words, the number of a row, and the index that has these rows."""

    owner: InstrumentedAttribute[str]
    words: InstrumentedAttribute[str]
    number: InstrumentedAttribute[int]
    index: str

    def hits(self, session: Session, query: str) -> Select[str]:
        """Return the statement for the ids of what holds every word of the query."""
        words = folded(query[:LONGEST_QUERY]).split()
        found: Select[str] = select(self.owner)
        if session.get_bind().dialect.name == "sqlite":
            indexed = [word for word in words if len(word) >= _TRIGRAM]
            words = [word for word in words if len(word) < _TRIGRAM]
            if indexed:
                match = " AND ".join('"{}"'.format(word.replace('"', '""')) for word in indexed)
                # Joined, so that it ends at a limit; as a list of numbers it would be made whole first.
                index = table(self.index, column("rowid"))
                found = found.join(index, index.c.rowid == self.number)
                found = found.where(literal_column(self.index).op("MATCH")(match))
        return found.where(*(self.words.contains(word, autoescape=True) for word in words))

    def few(self, session: Session, query: str) -> list[str] | None:
        """Return the ids of what holds every word of the query; None where they are more than a few."""
        found = list(session.scalars(self.hits(session, query).limit(FEW + 1)))
        return found if len(found) <= FEW else None

    def holds(self, owner: ColumnElement[Any] | InstrumentedAttribute[Any], query: str) -> ColumnElement[bool]:
        """Return the condition that a row, whose id stands in ``owner``, holds every word; it is asked row by row."""
        words = folded(query[:LONGEST_QUERY]).split()
        held = [self.words.contains(word, autoescape=True) for word in words]
        return select(self.owner).where(self.owner == owner, *held).correlate(owner.table).exists()


def folded(text: str) -> str:
    """Return a text as it is compared: without case, accents and what does not show."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    shown = (sign for sign in parts if not unicodedata.combining(sign) and (sign.isprintable() or sign.isspace()))
    return "".join(shown)
