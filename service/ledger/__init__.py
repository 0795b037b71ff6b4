"""The record: entries written with their facts, sealed into a public Merkle log."""

from __future__ import annotations

from .entries import append, append_many, commitment, new_salt
from .keys import key_source, new_log_key, signers
from .kinds import (
    KINDS,
    Download,
    EmbedChanged,
    EmbedCreated,
    EmbedRevoked,
    Entry,
    KeyCreated,
    KeyRevoked,
    LinkIssued,
    LinkRevoked,
    LogoUsed,
    PackagePublished,
    PackageWithdrawn,
    ParticipantDecided,
    ParticipantErased,
    ParticipantJoined,
    PolicyPublished,
    ReportImported,
    TermsAccepted,
    TermsPublished,
)
from .sealer import Sealed, Sealer

__all__ = [
    "KINDS",
    "Download",
    "EmbedChanged",
    "EmbedCreated",
    "EmbedRevoked",
    "Entry",
    "KeyCreated",
    "KeyRevoked",
    "LinkIssued",
    "LinkRevoked",
    "LogoUsed",
    "PackagePublished",
    "PackageWithdrawn",
    "ParticipantDecided",
    "ParticipantErased",
    "ParticipantJoined",
    "PolicyPublished",
    "ReportImported",
    "Sealed",
    "Sealer",
    "TermsAccepted",
    "TermsPublished",
    "append",
    "append_many",
    "commitment",
    "key_source",
    "new_log_key",
    "new_salt",
    "signers",
]
