"""Tables that the database fills from others by triggers of a migration, whichever release writes those.

They say nothing that the others do not; lists and counts are read from them, however many rows the others have.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .desk_tables import Case
from .tables import Base, BigId

#: Mark of such a table: a backup leaves it out, since it comes back with the others.
DERIVED = "derived"


class CaseFacet(Base):
    """What a case is listed by, with the list's order: ``purpose:…``, ``country:…`` or ``participant_kind:…``.

    As of the transaction that writes the case or its participant.
    """

    __tablename__ = "case_facets"
    __table_args__ = (
        Index("ix_case_facets_facet_due", "facet", "due_at", "case"),
        {"sqlite_with_rowid": False, "info": {DERIVED: True}},
    )
    case: Mapped[str] = mapped_column(ForeignKey(Case.id, ondelete="CASCADE"), primary_key=True)
    facet: Mapped[str] = mapped_column(String(80), primary_key=True)
    due_at: Mapped[datetime]


class TermsStanding(Base):
    """The versions of terms that a participant has accepted, sorted, with spaces between, and whether it is approved.

    As of the transaction that accepts or decides.
    """

    __tablename__ = "terms_standings"
    __table_args__ = (
        Index("ix_terms_standings_versions", "terms", "approved", "versions", "joined_at", "participant"),
        {"info": {DERIVED: True}},
    )
    participant: Mapped[str] = mapped_column(ForeignKey("participants.id", ondelete="CASCADE"), primary_key=True)
    terms: Mapped[str] = mapped_column(String(60), primary_key=True)
    versions: Mapped[str] = mapped_column(Text)
    approved: Mapped[bool]
    joined_at: Mapped[datetime]


class TermsCount(Base):
    """How many accepted a version on a ``day``; without one, how many approved participants have those ``versions``.

    Triggers add a row for each change, so that no two writers wait for one number; ``uptake`` sums them now and then.
    """

    __tablename__ = "terms_counts"
    __table_args__ = (Index("ix_terms_counts_terms", "terms"), {"info": {DERIVED: True}})
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    terms: Mapped[str] = mapped_column(String(60))
    versions: Mapped[str] = mapped_column(Text)
    day: Mapped[str] = mapped_column(String(10))  # of UTC
    number: Mapped[int] = mapped_column(BigInteger)
