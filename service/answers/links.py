"""Answers about links, downloads and embeds."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field

from ..clients import ClientKind
from ..embeds import EmbedDetails
from ..links import DownloadView, IssuedLink
from .base import Answer, Instant, ListAnswer
from .revocation import RevocationAnswer


class LinkedPackage(Answer):
    """The package version that a link leads to; digest, size and name are those of what is sent."""

    id: str
    version: str
    sha256: str
    bytes: int
    filename: str


class LinkedFile(Answer):
    """The file that is sent."""

    filename: str
    media_type: str
    bytes: int
    sha256: str


class LinkAnswer(Answer):
    """A link; auditors see no URL, since it is a permission."""

    id: str
    url: str | None = None
    participant: str
    package: LinkedPackage | None = Field(description="Null for a link to several packages")
    packages: list[LinkedPackage] = Field(
        description="All that it leads to, in the order of their ids; of several, each with its own archive's digest"
    )
    file: LinkedFile
    path: str | None = Field(description="The one file of the package that the link is to; null for all of it")
    created_at: Instant
    expires_at: Instant
    max_downloads: int | None
    downloads: int = Field(description="Counted downloads")
    status: Literal["active", "expired", "revoked", "exhausted", "suspended", "lapsed", "terms_required", "withdrawn"]
    revoked: RevocationAnswer | None = Field(None, description="For a revoked link: when, by whom and why")

    @classmethod
    def of(cls, seen: IssuedLink, *, with_url: bool = True) -> Self:
        """Return the link, with or without the URL that carries its token."""
        more: dict[str, Any] = {"url": seen.url} if with_url else {}
        if seen.state.revocation is not None:
            more["revoked"] = RevocationAnswer.of(seen.state.revocation, with_reason=with_url)
        packages = [
            LinkedPackage(
                id=package.id,
                version=package.version,
                sha256=sent.sha256,
                bytes=sent.bytes,
                filename=sent.filename,
            )
            for package in seen.packages
            for sent in [package if seen.state.bundle else seen.file]
        ]
        file = seen.file
        return cls(
            id=seen.id,
            participant=seen.state.participant,
            package=None if seen.state.bundle else packages[0],
            packages=packages,
            file=LinkedFile(filename=file.filename, media_type=file.media_type, bytes=file.bytes, sha256=file.sha256),
            path=seen.state.path,
            created_at=seen.state.created_at,
            expires_at=seen.state.expires_at,
            max_downloads=seen.state.max_downloads,
            downloads=seen.state.counted,
            status=seen.status,
            **more,
        )


class LinksAnswer(ListAnswer):
    """A page of links, newest first."""

    links: list[LinkAnswer]


class ClientAnswer(Answer):
    """Client of a download, as it is kept for people to read."""

    kind: ClientKind
    prefix: str | None = Field(description="The /24 or /48 of its address; null once it is forgotten")


class DownloadAnswer(Answer):
    """A recorded download."""

    id: str
    at: Instant
    link: str
    participant: str
    package: str
    version: str
    path: str | None
    counted: bool
    range: str | None
    status: int
    client: ClientAnswer
    bytes: int = Field(description="Bytes of the file that were asked for")
    bytes_sent: int | None = Field(description="Bytes of the file that went out, where that is known")

    @classmethod
    def of(cls, seen: DownloadView) -> Self:
        """Return the download."""
        return cls(
            id=seen.id,
            at=seen.at,
            link=seen.link,
            participant=seen.participant,
            package=seen.package,
            version=seen.version,
            path=seen.path,
            counted=seen.counted,
            range=seen.range,
            status=seen.status,
            client=ClientAnswer(kind=seen.client_kind, prefix=seen.client_prefix),
            bytes=seen.bytes,
            bytes_sent=seen.bytes_sent,
        )


class DownloadsAnswer(ListAnswer):
    """A page of downloads, newest first."""

    downloads: list[DownloadAnswer]
    kept_since: Instant | None = Field(
        description="Downloads from before are no longer listed: reports, exports and the log have them for ever. "
        "Null where all are listed"
    )


class SnippetsAnswer(Answer):
    """Texts to paste, by where they go."""

    html: str
    markdown: str
    css: str


class EmbedAnswer(Answer):
    """An embed."""

    id: str
    key: str
    participant: str
    logo: str
    origins: list[str]
    unlisted: Literal["report", "refuse"]
    status: Literal["active", "grace", "terms_required", "suspended", "lapsed", "revoked"]
    revoked: RevocationAnswer | None = Field(None, description="For a revoked embed: when, by whom and why")
    created_at: Instant
    base_url: str = Field(description="What the addresses of the logo's variants begin with")
    html: str
    snippets: SnippetsAnswer

    @classmethod
    def of(cls, seen: EmbedDetails, *, with_reason: bool = True) -> Self:
        """Return the embed, with texts in its participant's language, and what a person typed only ``with_reason``."""
        made, more = seen.snippets(), {}
        if seen.revocation is not None:
            more["revoked"] = RevocationAnswer.of(seen.revocation, with_reason=with_reason)
        return cls(
            id=seen.id,
            key=seen.key,
            participant=seen.participant,
            logo=seen.logo,
            origins=list(seen.origins),
            unlisted=seen.unlisted,
            status=seen.status,
            created_at=seen.created_at,
            base_url=seen.base_url,
            html=made["html"],
            snippets=SnippetsAnswer(**made),
            **more,
        )


class EmbedsAnswer(ListAnswer):
    """A page of embeds, newest first."""

    embeds: list[EmbedAnswer]
