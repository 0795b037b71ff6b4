"""Published version of a package; nothing of it ever changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Protocol

from ..campaign import Text
from ..campaign.manifests import version_key
from ..store.tables import PackageVersion


class NoSuchFile(LookupError):
    """A version has no file of this path."""


_SHOWN = frozenset({".eps", ".pdf", ".png", ".svg"})  # what is drawn, on screens or on paper


class PublishedFile(Protocol):
    """A stored file that links lead to: a package, one file of it, or several packages; it never changes."""

    @property
    def id(self) -> str:
        """Return what damage of it is told by."""
        ...

    @property
    def version(self) -> str:
        """Its version, or those in it, in words."""
        ...

    @property
    def bytes(self) -> int:
        """Its size in bytes."""
        ...

    @property
    def sha256(self) -> str:
        """Its SHA-256, lower-case hex."""
        ...

    @property
    def media_type(self) -> str:
        """Return what it is served as."""
        ...

    @property
    def filename(self) -> str:
        """The name that it is saved under."""
        ...

    @property
    def storage_key(self) -> str:
        """Return where it lies in the storage."""
        ...

    @property
    def all_terms(self) -> tuple[str, ...]:
        """The ids of the terms that apply to it."""
        ...


@dataclass(frozen=True)
class PublishedPackage:
    """A published version: what it is, where its bytes lie, and what is in it. ``terms`` is an id."""

    id: str
    kind: str
    version: str
    title: Text
    description: Text
    licence: Text
    languages: tuple[str, ...]
    terms: str
    bytes: int
    sha256: str
    media_type: str
    filename: str
    files: tuple[Mapping[str, Any], ...]
    storage_key: str
    preview_key: str
    preview_sha256: str
    published_at: datetime

    @property
    def order(self) -> tuple[int, ...]:
        """Return what versions of one package are ordered by."""
        return version_key(self.version)

    @property
    def all_terms(self) -> tuple[str, ...]:
        """Return the ids of the terms that apply to it."""
        return (self.terms,)

    @property
    def formats(self) -> tuple[str, ...]:
        """Return the kinds of files inside, such as ``("PDF", "PNG")``, without readme and licence texts."""
        suffixes = {PurePosixPath(file["path"]).suffix[1:].upper() for file in self.files}
        return tuple(sorted(suffixes - {"TXT"})) or ("TXT",)

    @property
    def folders(self) -> dict[str, str]:
        """Return what each folder is for: ``cmyk``, ``spot`` and ``eps`` for printers, else ``screen``."""
        uses: dict[str, str] = {}
        for file in self.files:
            path = PurePosixPath(file["path"])
            if path.parent.name and path.suffix in _SHOWN:
                uses.setdefault(str(path.parent), file.get("print") or "screen")
        return uses

    @property
    def print_condition(self) -> str | None:
        """Return the printing condition, in words, that its PDF/X-4 files are made for; None where they are none."""
        return next((file["condition"] for file in self.files if "condition" in file), None)

    def single(self, path: str) -> PublishedPackage:
        """Return the version with one of its files in place of the archive. Raises NoSuchFile."""
        file = next((file for file in self.files if file["path"] == path), None)
        if file is None:
            raise NoSuchFile(f"{self.id} {self.version} has no {path}")
        name = PurePosixPath(path).name
        return replace(
            self,
            bytes=file["bytes"],
            sha256=file["sha256"],
            media_type=file["media_type"],
            filename=name,
            storage_key=f"packages/{self.id}/{self.version}/files/{file['sha256'][:16]}/{name}",
        )


@dataclass(frozen=True)
class ListedVersion:
    """A published version as lists show it: withdrawn or not, and why."""

    package: PublishedPackage
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    withdrawn_by: str | None = None


def published_of(row: PackageVersion) -> PublishedPackage:
    """Read a published version from its row."""
    manifest = row.manifest
    return PublishedPackage(
        id=row.package,
        kind=row.kind,
        version=row.version,
        title=Text.model_validate(manifest["title"]),
        description=Text.model_validate(manifest["description"]),
        licence=Text.model_validate(manifest["licence"]),
        languages=tuple(manifest["languages"]),
        terms=row.terms,
        bytes=row.bytes,
        sha256=row.sha256,
        media_type=row.media_type,
        filename=row.filename,
        files=tuple(manifest["files"]),
        storage_key=row.storage_key,
        preview_key=manifest["preview"]["key"],
        preview_sha256=manifest["preview"]["sha256"],
        published_at=row.published_at,
    )
