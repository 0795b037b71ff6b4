"""The table of what the audit knows of an entry: the columns of segments, dimensions and measures of reports.

A new dimension is one line of ``FACTS``: its column is in every segment written from then on, and is read
from the entries themselves where a segment is older.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..campaign.text import msgid


@dataclass(frozen=True)
class Fact:
    """A fact of entries that has a column of its own in segments.

    ``type`` is DuckDB's. With ``words``, its name for people, it is a dimension of reports too.
    """

    type: str = "VARCHAR"
    words: str | None = None


#: Facts by their name in entries; everything else of an entry is in the column ``entry``, its canonical JSON.
FACTS: dict[str, Fact] = {
    "id": Fact(),
    "link": Fact(),
    "participant": Fact(words=msgid("Participant")),
    "participant_kind": Fact(words=msgid("Kind of participant")),
    "country": Fact(words=msgid("Country")),
    "package": Fact(words=msgid("Package")),
    "version": Fact(words=msgid("Version")),
    "terms_version": Fact(words=msgid("Terms accepted")),
    "counted": Fact("BOOLEAN"),
    "client_kind": Fact(words=msgid("Kind of program")),
    "bytes": Fact("BIGINT"),
    "embed": Fact(),
    "logo": Fact(words=msgid("Logo")),
    "variant": Fact(words=msgid("Variant")),
    "origin": Fact(words=msgid("Site")),
    "views": Fact("BIGINT"),
}


@dataclass(frozen=True)
class Dimension:
    """A dimension of reports: ``words`` for people, and SQL over the columns of entries.

    ``key`` is what is grouped by; ``shown`` is how a group is written, with ``{}`` for the key.
    """

    words: str
    key: str
    shown: str = "{}"
    over_time: bool = False


DIMENSIONS: dict[str, Dimension] = {
    "day": Dimension(msgid("Day"), "cast(happened_at as date)", "strftime({}, '%Y-%m-%d')", over_time=True),
    "week": Dimension(msgid("Week"), "date_trunc('week', happened_at)", "strftime({}, '%G-W%V')", over_time=True),
    "month": Dimension(msgid("Month"), "date_trunc('month', happened_at)", "strftime({}, '%Y-%m')", over_time=True),
    **{name: Dimension(fact.words, name) for name, fact in FACTS.items() if fact.words},
}

#: Measures by their name in reports, in their order there, with their name for people.
MEASURES: dict[str, str] = {
    "downloads": msgid("Downloads"),
    "requests": msgid("Requests"),
    "bytes": msgid("Bytes"),
    "participants": msgid("Participants"),
    "logo_views": msgid("Logo views"),
}
