"""The tables of the audit: keys of the log, segments, imported logs, refusals and alerts."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .tables import Base, BigId


class LogKey(Base):
    """A verifier key that the log has had; ``number`` is the order in which they came."""

    __tablename__ = "log_keys"
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    vkey: Mapped[str] = mapped_column(String(2100), unique=True)  # an ML-DSA-44 key has 1,752 letters beside its name
    added_at: Mapped[datetime]


class Segment(Base):
    """Sealed entries of the leaves ``first`` to ``last`` of one day, as a Parquet file in storage."""

    __tablename__ = "segments"
    first: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(String(200))
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class LogImport(Base):
    """Progress of the import of a server log: ``lines`` lines with their ends, and the digest of their bytes.

    ``first_line`` is a digest of its first line of data, by which it is found; ``marks`` are digests of its
    beginnings, so that a shorter copy is known. ``tail`` is what was counted of a further line without its end.
    """

    __tablename__ = "log_imports"
    import_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    format: Mapped[str] = mapped_column(String(12))
    first_line: Mapped[str] = mapped_column(String(64), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[int] = mapped_column(BigInteger)
    marks: Mapped[builtins.bytes] = mapped_column(LargeBinary)
    tail_bytes: Mapped[int] = mapped_column(Integer)
    tail_sha256: Mapped[str] = mapped_column(String(64))
    bad: Mapped[int] = mapped_column(BigInteger)
    views: Mapped[int] = mapped_column(BigInteger)
    finished: Mapped[bool]
    at: Mapped[datetime]


class LogImportCount(Base):
    """Views of an import that has not come to its end; they become entries when it does."""

    __tablename__ = "log_import_counts"
    __table_args__ = (UniqueConstraint("import_id", "embed", "hour", "variant", "origin"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    import_id: Mapped[str] = mapped_column(String(40))
    embed: Mapped[str] = mapped_column(String(40))
    hour: Mapped[datetime]
    variant: Mapped[str] = mapped_column(String(80))
    origin: Mapped[str] = mapped_column(String(300))
    views: Mapped[int] = mapped_column(BigInteger)


class Refusal(Base):
    """Requests refused in one hour on one link or embed, by the problem they were answered with."""

    __tablename__ = "refusals"
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(40), primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), primary_key=True)
    attempts: Mapped[int] = mapped_column(BigInteger)


class Alert(Base):
    """An alert that was raised; ``fingerprint`` makes each be raised once."""

    __tablename__ = "alerts"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    rule: Mapped[str] = mapped_column(String(60))
    fingerprint: Mapped[str] = mapped_column(String(300), unique=True)
    summary: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)


class WebhookPosition(Base):
    """Position up to which an address has been sent the log: ``leaf`` is the first that was not looked at for it yet.

    ``digest`` is the SHA-256 of the address, which may be longer than what a database takes into an index.
    """

    __tablename__ = "webhook_positions"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    leaf: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class MailedCheckpoint(Base):
    """The last checkpoint of a day, as it was mailed to the auditors."""

    __tablename__ = "mailed_checkpoints"
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
