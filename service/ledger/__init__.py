"""The record: entries written with their facts, sealed into a public Merkle log."""

from __future__ import annotations

from .entries import append, append_many, commitment, new_salt
from .keys import key_source, new_log_key, new_log_keys, new_post_quantum_key, signers
from .kinds import (
    KINDS,
    DownloadEntry,
    EmbedChangedEntry,
    EmbedCreatedEntry,
    EmbedRevokedEntry,
    Entry,
    KeyCreatedEntry,
    KeyRevokedEntry,
    LinkIssuedEntry,
    LinkRevokedEntry,
    LogoUsedEntry,
    PackagePublishedEntry,
    PackageWithdrawnEntry,
    ParticipantDecidedEntry,
    ParticipantErasedEntry,
    ParticipantJoinedEntry,
    PolicyPublishedEntry,
    ReportImportedEntry,
    TermsAcceptedEntry,
    TermsPublishedEntry,
)
from .sealer import Sealed, Sealer

__all__ = [
    "KINDS",
    "DownloadEntry",
    "EmbedChangedEntry",
    "EmbedCreatedEntry",
    "EmbedRevokedEntry",
    "Entry",
    "KeyCreatedEntry",
    "KeyRevokedEntry",
    "LinkIssuedEntry",
    "LinkRevokedEntry",
    "LogoUsedEntry",
    "PackagePublishedEntry",
    "PackageWithdrawnEntry",
    "ParticipantDecidedEntry",
    "ParticipantErasedEntry",
    "ParticipantJoinedEntry",
    "PolicyPublishedEntry",
    "ReportImportedEntry",
    "Sealed",
    "Sealer",
    "TermsAcceptedEntry",
    "TermsPublishedEntry",
    "append",
    "append_many",
    "commitment",
    "key_source",
    "new_log_key",
    "new_log_keys",
    "new_post_quantum_key",
    "new_salt",
    "signers",
]
