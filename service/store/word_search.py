"""Finding rows by parts of words: a table of what each is found by, one folded text a row, and its trigrams.

Migrations index the texts: SQLite's FTS5 over them, or pg_trgm on PostgreSQL where that extension could be made;
without it, and for words of one or two letters, texts are read one by one. What few rows hold is looked up in that
index; what many hold is found soon enough by reading a list in its own order, so that neither grows with the rows.

Trigrams that a good part of the rows have (those of a domain, or of how ids begin) say little and cost most, for all
their rows are gone through. The index is asked for the others of a query, and the rows that are left for its words.
"""

from __future__ import annotations

import threading
import time
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Any

from cachetools import TTLCache
from sqlalchemy import ColumnElement, Select, column, func, literal_column, select, table
from sqlalchemy.orm import InstrumentedAttribute, Session

LONGEST_QUERY = 200  # characters
FEW = 500  # rows that are looked up by their ids
_TRIGRAM = 3
_SAMPLE = 200  # rows at most that tell which trigrams are common
_COMMON = 0.2  # of the rows
_commons: TTLCache[tuple[str, str], frozenset[str]] = TTLCache(64, 3600, time.monotonic)
_asking = threading.Lock()  # round the cache, which is not safe to share


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
        grams = {word[at : at + _TRIGRAM] for word in words for at in range(len(word) - _TRIGRAM + 1)}
        rare = sorted(gram for gram in grams - self._common(session) if gram.isalnum())
        held = [self.words.contains(word, autoescape=True) for word in words]
        if session.get_bind().dialect.name != "sqlite":
            if len(rare) == len(grams) or not rare:
                return found.where(*held)
            # As another text, of which there is no index, whole words are looked for in what is left alone.
            words_again = (self.words + "").contains
            again = [words_again(word, autoescape=True) for word in words]
            return found.where(*(self.words.contains(gram) for gram in rare), *again)
        indexed = [word for word in words if len(word) >= _TRIGRAM]
        if len(rare) < len(grams) and rare:
            indexed = rare
        else:
            held = [hold for word, hold in zip(words, held, strict=True) if len(word) < _TRIGRAM]
        if indexed:
            match = " AND ".join('"{}"'.format(word.replace('"', '""')) for word in indexed)
            # Joined, so that it ends at a limit; as a list of numbers it would be made whole first.
            index = table(self.index, column("rowid"))
            found = found.join(index, index.c.rowid == self.number)
            found = found.where(literal_column(self.index).op("MATCH")(match))
        return found.where(*held)

    def _common(self, session: Session) -> frozenset[str]:
        """The trigrams of many rows, as a sample says that is spread over the table; made anew every hour."""
        asked = str(session.get_bind().engine.url), self.index
        with _asking:
            known = _commons.get(asked)
        if known is None:
            last = session.scalar(select(func.max(self.number))) or 0
            spread = range(1, last + 1, last // _SAMPLE + 1)
            texts = session.scalars(select(self.words).where(self.number.in_(spread))).all()
            seen = Counter(gram for text in texts for gram in {text[at : at + _TRIGRAM] for at in range(len(text) - 2)})
            known = frozenset(gram for gram, rows in seen.items() if rows > len(texts) * _COMMON)
            with _asking:
                _commons[asked] = known
        return known

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
