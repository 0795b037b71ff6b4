"""Kinds of log entry: one class a kind, which says and checks the facts that an entry of it has.

What is in the log stays there: nobody can correct it. So each fact is checked before it is written, and a
kind may gain a fact but never lose one, rename one or change what one means while its ``v`` stays the same.
``docs/reference/entries.md`` is made of these classes.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ..ids import new_id

EntryId = Annotated[str, Field(min_length=1, description="the entry's own id, `ent_…`")]
ParticipantId = Annotated[str, Field(min_length=1, description="the participant's id, `par_…`")]
LinkId = Annotated[str, Field(min_length=1, description="the link's id, `lnk_…`, which the entry has for its own")]
EmbedKey = Annotated[str, Field(min_length=1, description="the embed's key, `ebd_…`")]
KeyId = Annotated[str, Field(min_length=1, description="the key's id: `key_…`, or 8 hex digits for a key of the log")]
KeyRole = Annotated[str, Field(min_length=1, description="`portal`, `partner`, `staff`, `auditor`, or `log`")]
Actor = Annotated[
    str,
    Field(
        min_length=1,
        description="who acted, without personal data: `staff:stf_…` for a person of the staff (before these had ids, "
        "`staff` or `staff:key_…`), else a role, or a role and its key",
    ),
]
MemberId = Annotated[str, Field(min_length=1, description="the id of a person of a participant, `mem_…`")]
StaffId = Annotated[str, Field(min_length=1, description="the id of a person of the staff, `stf_…`")]
Package = Annotated[str, Field(min_length=1, description="the package's name in addresses")]
Version = Annotated[str, Field(min_length=1, description="the package's version, `MAJOR.MINOR.PATCH`")]
Terms = Annotated[str, Field(min_length=1, description="the id of the terms")]
TermsVersion = Annotated[
    str, Field(min_length=1, description="the version of the terms, `YYYY-MM-DD` or `YYYY-MM-DD.N`")
]
Logo = Annotated[str, Field(min_length=1, description="the logo's id")]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256, lower-case hex")]
ArtworkVerdict = Annotated[
    str, Field(min_length=1, description="`compliant`, `not_compliant`, `logo_not_found` or `needs_review`")
]
Commitment = Annotated[
    str,
    Field(
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 of a 32-byte salt and the personal record in canonical JSON, lower-case hex",
    ),
]
Instant = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
        description="an instant, RFC 3339 in UTC with six decimals",
    ),
]
ParticipantKind = Annotated[str, Field(min_length=1, description="the participant's kind, as the campaign names it")]
Country = Annotated[
    str | None, Field(description="the participant's country, ISO 3166-1 alpha-2 or `EU`; null for none")
]
CaseId = Annotated[str, Field(min_length=1, description="the case's id, `cas_…`")]
CaseKind = Annotated[str, Field(min_length=1, description="`joining`, `change`, `renewal` or `misuse`")]
CaseParticipant = Annotated[
    str | None, Field(description="the participant whom it is about; null where none is known, as with misuse")
]
Count = Annotated[int, Field(ge=0)]


class Entry(BaseModel):
    """The facts of one entry; ``kind`` names the class in the log, ``v`` is the version of its fields.

    ValueError (pydantic's ValidationError) for facts that the kind does not have, lacks or has otherwise.
    A fact with the default ``None`` is left out of the entry where it does not apply.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    kind: ClassVar[str]
    v: ClassVar[int] = 1
    _missing: ClassVar[tuple[str, ...]] = ()

    id: EntryId = Field(default_factory=lambda: new_id("ent"))

    @classmethod
    def __pydantic_init_subclass__(cls, **_options: Any) -> None:
        cls._missing = tuple(
            field.serialization_alias or name
            for name, field in cls.model_fields.items()
            if field.default is None and not field.is_required()
        )

    @classmethod
    def may_be_missing(cls) -> tuple[str, ...]:
        """The names of facts that an entry lacks where they do not apply."""
        return cls._missing

    def facts(self) -> dict[str, Any]:
        """The facts by their names in the entry, as JSON values."""
        facts = self.model_dump(by_alias=True)
        for name in self._missing:
            if facts[name] is None:
                del facts[name]
        return facts


class PolicyPublishedEntry(Entry):
    """The campaign's policies are in force as of now."""

    kind = "policy.published"
    digest: Digest = Field(description="SHA-256 over the policies' files, which every decision names")
    by: str | None = Field(default=None, description="who published it, as in other entries")


class TermsPublishedEntry(Entry):
    """A version of terms is published, or has gained a language."""

    kind = "terms.published"
    terms: Terms
    version: TermsVersion
    effective: Instant = Field(description="when the version comes into force")
    digests: dict[str, Digest] = Field(description="SHA-256 of the text by language: exactly the bytes accepted")
    by: str | None = Field(default=None, description="who published it, as in other entries")


class PackagePublishedEntry(Entry):
    """A version of a package is published; its file never changes."""

    kind = "package.published"
    package: Package
    version: Version
    sha256: Digest = Field(description="SHA-256 of the file that is handed out")
    bytes: Count = Field(description="the file's size")
    terms: str = Field(description="the id of the terms that must be accepted for it")
    by: str | None = Field(default=None, description="who published it, as in other entries")
    files: Digest | None = Field(
        default=None, description="SHA-256 of the RFC 8785 form of `{path: sha256}` of the files in it"
    )
    signed_by: Digest | None = Field(
        default=None, description="SHA-256 of the certificate that signed its files' content credentials, if any did"
    )


class PackageWithdrawnEntry(Entry):
    """A version of a package is handed out no more."""

    kind = "package.withdrawn"
    package: Package
    version: Version
    by: str | None = Field(default=None, description="who withdrew it, as in other entries")


class ParticipantJoinedEntry(Entry):
    """Somebody joined the campaign."""

    kind = "participant.joined"
    participant: ParticipantId
    participant_kind: ParticipantKind
    country: Country
    commitment: Commitment


class ParticipantDecidedEntry(Entry):
    """Rules or staff decided on a participant."""

    kind = "participant.decided"
    participant: ParticipantId
    outcome: str = Field(min_length=1, description="`approved`, `review`, `declined`, `suspended` or `lapsed`")
    rule: str = Field(min_length=1, description="the rule of the policies that decided, or `staff`")
    policy: str = Field(min_length=1, description="the digest of the policies in force then")
    by: Actor
    purposes: list[str] | None = Field(
        default=None, description="the purposes of use from now on, where a case decided on them"
    )


class ParticipantErasedEntry(Entry):
    """A participant was erased, and the salts of its commitments with it."""

    kind = "participant.erased"
    participant: ParticipantId
    by: Actor


class TermsAcceptedEntry(Entry):
    """A participant accepted exactly these terms."""

    kind = "terms.accepted"
    id: str = Field(min_length=1, description="the acceptance's id, `acc_…`")
    participant: ParticipantId
    terms: Terms
    version: TermsVersion
    language: str = Field(min_length=1, description="the language of the text that was accepted")
    digest: Digest = Field(description="SHA-256 of that text")
    via: str = Field(
        min_length=1, description="where it was accepted: the site's own page, or a portal's or staff's key"
    )
    member: str | None = Field(default=None, description="the person of the participant who signed, `mem_…`")
    commitment: Commitment


class LinkIssuedEntry(Entry):
    """A download link was issued."""

    kind = "link.issued"
    id: LinkId
    participant: ParticipantId
    package: str | None = Field(description="the package's name in addresses; null where the link leads to several")
    version: str | None = Field(description="the package's version; null where the link leads to several packages")
    expires_at: Instant = Field(description="when the link ends by itself")
    max_downloads: int | None = Field(description="how many counted downloads it allows; null for any number")
    path: str | None = Field(default=None, description="the one file of the package that it leads to")
    packages: dict[str, str] | None = Field(
        default=None, description="of a link that leads to several packages: the version of each, by its name"
    )
    by: Actor


class LinkRevokedEntry(Entry):
    """A download link was ended."""

    kind = "link.revoked"
    id: LinkId
    participant: ParticipantId
    by: Actor


class LinkRestoredEntry(LinkRevokedEntry):
    """The end of a download link was taken back: it works again."""

    kind = "link.restored"


class DownloadEntry(Entry):
    """A request was answered with bytes of a package's file; written before the first byte leaves.

    A request for several packages at once makes an entry for each of them, which share the bytes out by size.
    """

    kind = "download"
    id: str = Field(min_length=1, description="the download's id, `dl_…`")
    link: str = Field(min_length=1, description="the link's id, `lnk_…`")
    participant: ParticipantId
    participant_kind: ParticipantKind
    country: Country
    package: Package
    version: Version
    terms_version: str | None = Field(
        description="the version of the package's terms that the participant accepted last"
    )
    counted: bool = Field(description="whether it begins a download (COUNTER's unique item request, sliding hour)")
    client_kind: str = Field(min_length=1, description="`browser`, `program`, `agent` or `robot`")
    bytes: Count = Field(description="bytes of the file that were asked for")
    path: str | None = Field(default=None, description="the one file of the package that the link leads to")


class EmbedCreatedEntry(Entry):
    """An embed was made: an address from which a site may show a logo."""

    kind = "embed.created"
    embed: EmbedKey
    participant: ParticipantId
    logo: Logo
    origins: list[str] = Field(description="the sites that the participant listed; of a person none is named")
    commitment: Commitment | None = Field(
        default=None, description="for a person: binds `{embed, origins}` as `participant.joined` binds who joined"
    )
    unlisted: str = Field(description="what happens on other sites: `report` or `refuse`")
    by: Actor


class EmbedChangedEntry(EmbedCreatedEntry):
    """An embed's sites, or what happens on others, were changed; the facts are those from now on."""

    kind = "embed.changed"


class EmbedRevokedEntry(Entry):
    """An embed was ended."""

    kind = "embed.revoked"
    embed: EmbedKey
    participant: ParticipantId
    by: Actor


class EmbedRestoredEntry(EmbedRevokedEntry):
    """The end of an embed was taken back: it works again."""

    kind = "embed.restored"


class LogoUsedEntry(Entry):
    """Views of one variant of an embed's logo on one site in one hour; written when the hour is over."""

    kind = "logo.used"
    hour: Instant = Field(description="the hour's beginning")
    embed: EmbedKey
    participant: ParticipantId
    participant_kind: ParticipantKind
    country: Country
    logo: Logo
    variant: str = Field(min_length=1, description="`{colourway}/{width}.{format}`")
    origin: str | None = Field(
        description="the site, `scheme://host[:port]`; `other`, for those beyond 200 and all of a person's embeds; "
        "or null where none was named"
    )
    views: Count = Field(description="how many requests were answered with the picture")


class ArtworkCheckedEntry(Entry):
    """Somebody with a key or an account had a file checked: whether the campaign's logos in it follow the rules.

    Nothing of the file but its digest is in the log.
    """

    kind = "artwork.checked"
    id: str = Field(min_length=1, description="the check's id, `chk_…`")
    participant: str | None = Field(description="the participant whose artwork it is; null where none was named")
    sha256: Digest = Field(description="SHA-256 of the file")
    verdict: ArtworkVerdict
    logos: list[str] = Field(description="the ids of the logos that were found, each once")
    rules: list[str] = Field(description="the rules that are surely broken, each once")
    policy: str = Field(min_length=1, description="the digest of the policies in force then")
    by: Actor


class CertificateIssuedEntry(Entry):
    """A certificate was issued, which says that a participant may use the logo."""

    kind = "certificate.issued"
    id: str = Field(min_length=1, description="the certificate's id, `crt_…`")
    participant: ParticipantId
    terms: Terms
    terms_version: TermsVersion
    language: str = Field(min_length=1, description="the language that it is written in")
    commitment: Commitment
    by: Actor


class ArtworkOverruledEntry(Entry):
    """Staff judged a checked file otherwise."""

    kind = "artwork.overruled"
    check: str = Field(min_length=1, description="the check's id, `chk_…`")
    participant: str | None = Field(description="the participant whose artwork it is; null where none was named")
    before: ArtworkVerdict
    verdict: ArtworkVerdict
    by: Actor


class CaseOpenedEntry(Entry):
    """Something waits for a person's decision. Nothing that was written in the case is in the log."""

    kind = "case.opened"
    case: CaseId
    case_kind: CaseKind
    participant: CaseParticipant
    by: Actor


class CaseReturnedEntry(Entry):
    """Staff asked the applicant something; the case waits for the answer."""

    kind = "case.returned"
    case: CaseId
    case_kind: CaseKind
    participant: CaseParticipant
    by: Actor


class CaseDecidedEntry(Entry):
    """A case has ended: decided by rules or staff, or withdrawn by whoever asked."""

    kind = "case.decided"
    case: CaseId
    case_kind: CaseKind
    participant: CaseParticipant
    outcome: str = Field(
        min_length=1, description="`approved`, `declined` or `withdrawn`; of misuse `upheld` or `dismissed`"
    )
    by: Actor


class KeyCreatedEntry(Entry):
    """A key for the API was made, or the log has a new signing key (``role`` is ``log``)."""

    kind = "key.created"
    key: KeyId
    role: KeyRole
    participant: str | None = Field(description="whose key it is; null for all but a partner's")
    staff: str | None = Field(default=None, description="the person of the staff whose key it is, `stf_…`")
    scopes: list[str] | None = Field(
        default=None,
        description="what it is narrowed to: `read`, `package:ID`, `origin` (embeds of one site, which is not named)",
    )
    expires_at: Instant | None = Field(default=None, description="when it ends by itself, where it does")
    by: str | None = Field(default=None, description="who made it; not for a key of the log")
    vkey: str | None = Field(default=None, description="the verifier key, for a key of the log")


class KeyRotatedEntry(Entry):
    """A key for the API has a new secret; its id, its role and what it may stay."""

    kind = "key.rotated"
    key: KeyId
    role: KeyRole
    participant: str | None = Field(description="whose key it is; null for all but a partner's")
    staff: str | None = Field(default=None, description="the person of the staff whose key it is, `stf_…`")
    until: Instant = Field(description="until when the secret of before is good too")
    expires_at: Instant | None = Field(default=None, description="when the key ends by itself, where it does")
    by: Actor


class KeyRevokedEntry(Entry):
    """A key for the API was ended."""

    kind = "key.revoked"
    key: KeyId
    role: KeyRole
    participant: str | None = Field(description="whose key it was; null for all but a partner's")
    staff: str | None = Field(default=None, description="the person of the staff whose key it was, `stf_…`")
    by: Actor


class MemberAddedEntry(Entry):
    """A person was invited to act for a participant."""

    kind = "member.added"
    member: MemberId
    participant: ParticipantId
    by: Actor


class MemberRemovedEntry(Entry):
    """A person acts for a participant no more."""

    kind = "member.removed"
    member: MemberId
    participant: ParticipantId
    by: Actor


class StaffAddedEntry(Entry):
    """A person belongs to the campaign's staff from now on."""

    kind = "staff.added"
    staff: StaffId
    by: Actor


class StaffRemovedEntry(Entry):
    """A person belongs to the campaign's staff no more; their keys and sessions ended with it."""

    kind = "staff.removed"
    staff: StaffId
    by: Actor


class ReportImportedEntry(Entry):
    """Views were taken from the access log of a cache or another server."""

    kind = "report.imported"
    format: str = Field(min_length=1, description="the log's format, such as `nginx`")
    sha256: Digest = Field(description="SHA-256 of the bytes read, unpacked")
    first_line: Count = Field(description="the first line that was new")
    last_line: Count = Field(description="the last line that was read")
    bad_lines: Count = Field(description="lines that could not be understood")
    views: Count = Field(description="views that were counted")
    import_: str = Field(serialization_alias="import", min_length=1, description="the import's id")


class PasskeyAddedEntry(Entry):
    """A person of the staff added a passkey, and needs one from now on."""

    kind = "passkey.added"
    passkey: str = Field(min_length=1, description="the passkey's id, `pky_…`")
    staff: StaffId
    by: Actor


class PasskeyRemovedEntry(Entry):
    """A passkey of a person of the staff was removed."""

    kind = "passkey.removed"
    passkey: str = Field(min_length=1, description="the passkey's id, `pky_…`")
    staff: StaffId
    by: Actor
    agreed: str | None = Field(default=None, description="who said first that it was lost, where two colleagues did")


def _kinds() -> dict[str, type[Entry]]:
    found: dict[str, type[Entry]] = {}
    waiting: list[type[Entry]] = list(Entry.__subclasses__())
    while waiting:
        entry = waiting.pop(0)
        found[entry.kind] = entry
        waiting += entry.__subclasses__()
    return found


#: Every kind by its name in the log.
KINDS = _kinds()
