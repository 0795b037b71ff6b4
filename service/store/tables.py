"""Every table, as typed SQLAlchemy models. Instants are stored in UTC; JSON columns hold plain values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime with microseconds on every backend (SQLite has no zones of its own)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; naive datetimes are a programming error."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """As aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigId = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """The declarative base; its metadata is what the migrations build."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Instant(),
        dict[str, Any]: JSON,
        list[str]: JSON,
        bytes: LargeBinary,
    }


def _where(condition: str) -> dict[str, Any]:
    """A partial index of that condition, on each database."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Participant(Base):
    """Someone who joined. Personal fields are null once erased."""

    __tablename__ = "participants"
    __table_args__ = (
        # Lists are newest first, of a status, a kind, or both.
        Index("ix_participants_status_created", "status", "created_at", "id"),
        Index("ix_participants_kind_created", "kind", "created_at", "id"),
        Index("ix_participants_status_kind", "status", "kind", "created_at", "id"),
        Index("ix_participants_status_decided", "status", "decided_at"),  # whose permission ends
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(50))
    name: Mapped[str | None] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(String(320), unique=True)
    country: Mapped[str | None] = mapped_column(String(2))
    language: Mapped[str] = mapped_column(String(2))
    website: Mapped[str | None] = mapped_column(Text)
    answers: Mapped[dict[str, Any] | None]
    purposes: Mapped[list[str]]
    status: Mapped[str] = mapped_column(String(20))
    outcome: Mapped[str] = mapped_column(String(20))
    rule: Mapped[str] = mapped_column(String(80))
    reasons: Mapped[list[str]]
    policy: Mapped[str] = mapped_column(String(64))
    joined_via: Mapped[str] = mapped_column(String(60))
    salt: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(60))  # null: a rule, or one of before this was kept
    suspended_reason: Mapped[str | None] = mapped_column(Text)  # typed by staff, while the suspension lasts
    erased_at: Mapped[datetime | None]


class Member(Base):
    """A person of a participant. Once removed the row has no address; erasure takes the name too."""

    __tablename__ = "members"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    participant: Mapped[str] = mapped_column(ForeignKey("participants.id"), index=True)
    email: Mapped[str | None] = mapped_column(String(320), unique=True)
    name: Mapped[str | None] = mapped_column(Text)
    capacity: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class ParticipantWords(Base):
    """Text that a participant is found by, as ``participants.search`` folds it; migrations index its trigrams."""

    __tablename__ = "participant_words"
    number: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    participant: Mapped[str] = mapped_column(ForeignKey("participants.id"), unique=True)
    words: Mapped[str] = mapped_column(Text)


class PortalGrant(Base):
    """A portal key that may act for a participant: it joined it, or the owner allowed it."""

    __tablename__ = "portal_grants"
    __table_args__ = (Index("ix_portal_grants_key", "key", "participant"),)
    participant: Mapped[str] = mapped_column(ForeignKey("participants.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    granted_at: Mapped[datetime]


class Decision(Base):
    """One decision on a participant, by rule or by staff; the newest is in force."""

    __tablename__ = "decisions"
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    participant: Mapped[str] = mapped_column(ForeignKey("participants.id"), index=True)
    outcome: Mapped[str] = mapped_column(String(20))
    rule: Mapped[str] = mapped_column(String(80))
    reasons: Mapped[list[str]]
    policy: Mapped[str] = mapped_column(String(64))
    by: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]


class Acceptance(Base):
    """A participant's acceptance of exactly the bytes of one version of the terms."""

    __tablename__ = "acceptances"
    __table_args__ = (UniqueConstraint("participant", "terms", "version"),)
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    participant: Mapped[str] = mapped_column(ForeignKey("participants.id"))
    terms: Mapped[str] = mapped_column(String(60))
    version: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(2))
    digest: Mapped[str] = mapped_column(String(64))
    signatory_name: Mapped[str | None] = mapped_column(Text)
    signatory_capacity: Mapped[str | None] = mapped_column(Text)
    member: Mapped[str | None] = mapped_column(String(40))  # who signed; null where that is not known
    via: Mapped[str] = mapped_column(String(60))
    salt: Mapped[bytes | None]
    commitment: Mapped[str] = mapped_column(String(64))
    accepted_at: Mapped[datetime]


class ApiKey(Base):
    """An API key; only the SHA-256 of its secret is kept."""

    __tablename__ = "api_keys"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    role: Mapped[str] = mapped_column(String(10))
    participant: Mapped[str | None] = mapped_column(ForeignKey("participants.id"), index=True)
    staff: Mapped[str | None] = mapped_column(String(40), index=True)  # whose a key of staff is
    name: Mapped[str] = mapped_column(Text)
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    read_only: Mapped[bool] = mapped_column(server_default=false())
    package: Mapped[str | None] = mapped_column(String(60))  # the one that it is for
    origin: Mapped[str | None] = mapped_column(Text)  # the site whose embeds it is for
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]  # to about a minute
    rotated_at: Mapped[datetime | None]
    previous_secret_sha256: Mapped[str | None] = mapped_column(String(64), index=True, unique=True)
    previous_until: Mapped[datetime | None]  # how long the secret of before is good beside the new one
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(60))
    revoked_reason: Mapped[str | None] = mapped_column(Text)


class StaffMember(Base):
    """A person of the campaign's desk; the log and answers know the id alone. A person who was removed stays known."""

    __tablename__ = "staff"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str | None] = mapped_column(Text)
    teams: Mapped[list[str]]
    named_by_settings: Mapped[bool]
    added_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    digest: Mapped[bool] = mapped_column(default=True, server_default=true())  # whether they are mailed who waits
    openid_sha256: Mapped[str | None] = mapped_column(String(64))  # of issuer and subject: who they are there


class Passkey(Base):
    """A passkey of a person of the staff: what WebAuthn says of it, and its public key."""

    __tablename__ = "passkeys"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    staff: Mapped[str] = mapped_column(ForeignKey("staff.id"), index=True)
    credential: Mapped[bytes]
    credential_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class PasskeyChallenge(Base):
    """A challenge that waits for a passkey's answer, once; ``staff`` is who adds one, empty for signing in."""

    __tablename__ = "passkey_challenges"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(10))
    staff: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[datetime]


class PasskeyRecovery(Base):
    """The word of one colleague that a person's passkeys are lost; a second one's removes them."""

    __tablename__ = "passkey_recoveries"
    staff: Mapped[str] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    by: Mapped[str] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    at: Mapped[datetime]


class MailedLink(Base):
    """A link sent by mail, waiting for its button: sign-in, confirmation of joining, a portal's wish to act."""

    __tablename__ = "mailed_links"
    secret_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    email: Mapped[str] = mapped_column(String(320), index=True)
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInSession(Base):
    """A signed-in browser; the cookie holds the secret, this row its SHA-256. ``seen_at`` is when it was last used."""

    __tablename__ = "sessions"
    secret_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    email: Mapped[str] = mapped_column(String(320), index=True)
    role: Mapped[str] = mapped_column(String(12))
    participant: Mapped[str | None] = mapped_column(ForeignKey("participants.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    openid: Mapped[bool] = mapped_column(server_default=false())  # begun at the OpenID Connect provider


class OpenIdRequest(Base):
    """A browser that went to sign in at the OpenID Connect provider; what it brings back is held against this, once."""

    __tablename__ = "openid_requests"
    state_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    binding_sha256: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(100))
    code_verifier: Mapped[str] = mapped_column(String(100))
    language: Mapped[str] = mapped_column(String(2))
    expires_at: Mapped[datetime]


class PackageVersion(Base):
    """One published, immutable version of a package."""

    __tablename__ = "package_versions"
    package: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[str] = mapped_column(String(20), primary_key=True)
    kind: Mapped[str] = mapped_column(String(4))
    terms: Mapped[str] = mapped_column(String(60))
    manifest: Mapped[dict[str, Any]]
    source_digest: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(100))
    filename: Mapped[str] = mapped_column(String(200))
    storage_key: Mapped[str] = mapped_column(String(200))
    visible_from: Mapped[datetime | None]
    published_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)
    withdrawn_by: Mapped[str | None] = mapped_column(String(60))


class Bundle(Base):
    """One ZIP file of several package versions, made once for that set of them; ``id`` is a digest of the set."""

    __tablename__ = "bundles"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int] = mapped_column(BigInteger)
    storage_key: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class BundledVersion(Base):
    """A package version that is in a bundle."""

    __tablename__ = "bundled_versions"
    __table_args__ = (
        ForeignKeyConstraint(["package", "version"], ["package_versions.package", "package_versions.version"]),
    )
    bundle: Mapped[str] = mapped_column(ForeignKey("bundles.id"), primary_key=True)
    package: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[str] = mapped_column(String(20))


class Link(Base):
    """A signed link's permission; the token itself is never stored."""

    __tablename__ = "links"
    __table_args__ = (
        Index("ix_links_participant_created_at", "participant", "created_at", "id"),
        Index("ix_links_created_at_id", "created_at", "id"),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    participant: Mapped[str] = mapped_column(ForeignKey("participants.id"))
    package: Mapped[str] = mapped_column(String(60))
    version: Mapped[str] = mapped_column(String(20))
    path: Mapped[str | None] = mapped_column(String(150))  # of the one file; none for the whole package
    # Where it leads to several packages: ``package`` and ``version`` are the first of them then.
    bundle: Mapped[str | None] = mapped_column(String(40))
    issued_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    max_downloads: Mapped[int | None]
    counted: Mapped[int] = mapped_column(default=0)
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(60))
    revoked_reason: Mapped[str | None] = mapped_column(Text)


class LinkClient(Base):
    """A client (keyed hash) on a link: when it last made a recorded GET, and whether it has begun."""

    __tablename__ = "link_clients"
    link: Mapped[str] = mapped_column(ForeignKey("links.id"), primary_key=True)
    client: Mapped[str] = mapped_column(String(64), primary_key=True)
    last_at: Mapped[datetime] = mapped_column(index=True)
    counted: Mapped[bool] = mapped_column(default=False)


class Download(Base):
    """A recorded GET that sends bytes, durable before the first leaves. PostgreSQL has ``months`` of them."""

    __tablename__ = "downloads"
    __table_args__ = (
        Index("ix_downloads_at_id", "at", "id"),
        Index("ix_downloads_participant_at", "participant", "at", "id"),
        Index("ix_downloads_link_at", "link", "at", "id"),
        Index("ix_downloads_package_at", "package", "at", "id"),
        # What retention has still to blank: small, however many downloads there are.
        Index("ix_downloads_client_hash", "at", **_where("client_hash IS NOT NULL")),
        Index("ix_downloads_client_prefix", "at", **_where("client_prefix IS NOT NULL")),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime]
    link: Mapped[str] = mapped_column(ForeignKey("links.id"))
    participant: Mapped[str] = mapped_column(String(40))
    package: Mapped[str] = mapped_column(String(60))
    version: Mapped[str] = mapped_column(String(20))
    path: Mapped[str | None] = mapped_column(String(150))  # of the one file; none for the whole package
    counted: Mapped[bool]
    range: Mapped[str | None] = mapped_column(String(400))  # the beginning of what was sent
    status: Mapped[int]
    client_kind: Mapped[str] = mapped_column(String(10))
    client_prefix: Mapped[str | None] = mapped_column(String(60))
    client_hash: Mapped[str | None] = mapped_column(String(64))
    bytes: Mapped[int] = mapped_column(BigInteger)
    bytes_sent: Mapped[int | None] = mapped_column(BigInteger)
    ended: Mapped[str | None] = mapped_column(String(12))


class Embed(Base):
    """A partner's permission to show one logo on their sites; ``personal``: a person's, whose sites no entry names."""

    __tablename__ = "embeds"
    __table_args__ = (
        Index("ix_embeds_participant_created_at", "participant", "created_at", "key"),
        Index("ix_embeds_created_at_key", "created_at", "key"),
    )
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    participant: Mapped[str] = mapped_column(ForeignKey("participants.id"))
    logo: Mapped[str] = mapped_column(String(60))
    origins: Mapped[list[str]]
    unlisted: Mapped[str] = mapped_column(String(6))
    personal: Mapped[bool | None]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(60))
    revoked_reason: Mapped[str | None] = mapped_column(Text)


class ArtworkCheck(Base):
    """A check of a file, with its report as JSON in the reader's ``language``.

    ``by`` is ``page`` for whoever is not signed in: such a row goes with its files. Files lie in the storage under
    ``secret``, by the names in ``files``, until ``files_until``; once they are deleted, both say so.
    """

    __tablename__ = "artwork_checks"
    __table_args__ = (
        Index("ix_artwork_checks_at_id", "at", "id"),
        *(Index(f"ix_artwork_checks_{one}_at", one, "at", "id") for one in ("verdict", "by")),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime]
    participant: Mapped[str | None] = mapped_column(ForeignKey("participants.id"), index=True)
    by: Mapped[str] = mapped_column(String(60))
    language: Mapped[str] = mapped_column(String(2))
    sha256: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(20))
    report: Mapped[dict[str, Any]]
    secret: Mapped[str] = mapped_column(String(40), unique=True, index=True)
    files: Mapped[list[str]]
    files_until: Mapped[datetime | None] = mapped_column(index=True)
    overruled_at: Mapped[datetime | None] = mapped_column(index=True)
    overruled_by: Mapped[str | None] = mapped_column(String(60))
    overruled_verdict: Mapped[str | None] = mapped_column(String(20))
    overruled_reason: Mapped[str | None] = mapped_column(Text)


class Certificate(Base):
    """A participant's certificate; its state follows from the participant. ``number`` is its place in status lists.

    ``name`` and ``salt`` are null once its holder is erased.
    """

    __tablename__ = "certificates"
    number: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    participant: Mapped[str] = mapped_column(ForeignKey("participants.id"), index=True)
    name: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(2))
    terms: Mapped[str] = mapped_column(String(60))
    terms_version: Mapped[str] = mapped_column(String(20))
    accepted_at: Mapped[datetime]
    issued_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]
    salt: Mapped[bytes | None]
    has_files: Mapped[bool] = mapped_column(default=False)


class LogoUse(Base):
    """Views of an embed by origin, variant and hour. ``entered`` once it is an entry of the ledger."""

    __tablename__ = "logo_uses"
    __table_args__ = (UniqueConstraint("hour", "embed", "variant", "origin", "batch"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    hour: Mapped[datetime]
    embed: Mapped[str] = mapped_column(ForeignKey("embeds.key"), index=True)
    variant: Mapped[str] = mapped_column(String(80))
    origin: Mapped[str] = mapped_column(String(300), default="")  # "" for none: null never equals null
    batch: Mapped[str] = mapped_column(String(40), default="")  # "" until entered: then the batch it was entered with
    views: Mapped[int] = mapped_column(BigInteger)
    entered_at: Mapped[datetime | None] = mapped_column(index=True)


class LogoUseWriter(Base):
    """A process that counts views: the number of its last batch, so that none is added twice."""

    __tablename__ = "logo_use_writers"
    writer: Mapped[str] = mapped_column(String(40), primary_key=True)
    batch: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class TermsNotice(Base):
    """A partner with embeds was mailed that a version of the terms needs to be accepted."""

    __tablename__ = "terms_notices"
    participant: Mapped[str] = mapped_column(ForeignKey("participants.id"), primary_key=True)
    terms: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime]


class PermissionNotice(Base):
    """A participant was mailed, so many ``days`` before, that the permission ends."""

    __tablename__ = "permission_notices"
    participant: Mapped[str] = mapped_column(ForeignKey("participants.id"), primary_key=True)
    ends_at: Mapped[datetime] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class PublishedPolicy(Base):
    """A digest of the policies that was in force from ``at``."""

    __tablename__ = "published_policies"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


class Publication(Base):
    """Policies and logos as they were published: a ZIP file of them. The newest by ``number`` is in force."""

    __tablename__ = "publications"
    number: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    policies: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))  # over the names and contents of the files
    files: Mapped[bytes]
    by: Mapped[str | None] = mapped_column(String(60))  # who published it; None for those of before this was kept
    reason: Mapped[str | None] = mapped_column(Text)


class PublishedTerms(Base):
    """A version of the terms that was published, with its digests by language."""

    __tablename__ = "published_terms"
    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[str] = mapped_column(String(20), primary_key=True)
    digests: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class LedgerEntry(Base):
    """An audited fact, written in the transaction of the fact; ``leaf`` is its index once sealed.

    ``xid`` is PostgreSQL's transaction id: only rows of transactions before every one still running are sealed, so
    that none lands behind a sealed entry. On SQLite it is null: writers follow each other, in the order of ``seq``.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        # Only what waits for the sealer, in the order in which it takes them: small however long the log is.
        Index("ix_ledger_unsealed", "xid", "seq", **_where("leaf IS NULL")),
    )
    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(60), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    at: Mapped[datetime]
    body: Mapped[str] = mapped_column(Text)
    xid: Mapped[int | None] = mapped_column(BigInteger)
    leaf: Mapped[int | None] = mapped_column(BigInteger, unique=True)


class Checkpoint(Base):
    """A published tree head of the log, with its signed note."""

    __tablename__ = "checkpoints"
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class IdempotentRequest(Base):
    """The first answer to a POST with an Idempotency-Key, kept for a day."""

    __tablename__ = "idempotent_requests"
    scope: Mapped[str] = mapped_column(String(200), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    answer: Mapped[dict[str, Any] | None]
    location: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(index=True)


class OutboxMessage(Base):
    """A mail or a webhook's request on its way out; ``subject`` is what it tells of, such as an alert's id.

    ``done_at`` is when it was delivered or given up, as ``outcome`` says; a delivered mail is deleted.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "channel", "done_at", "due_at"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    channel: Mapped[str] = mapped_column(String(10))
    recipient: Mapped[str] = mapped_column(Text, index=True)
    subject: Mapped[str | None] = mapped_column(String(40), index=True)
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None] = mapped_column(index=True)
    outcome: Mapped[str | None] = mapped_column(Text)
