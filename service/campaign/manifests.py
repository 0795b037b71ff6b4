"""The manifests in ``assets/``: which logos there are, and which packages with the making of each file.

A logo is a folder ``logos/<id>/`` with ``manifest.yaml`` and one SVG master for each colourway. A package is
a folder ``tools/<id>/`` with ``manifest.yaml`` and the sources of its files. A file of a package is made
by the kinds of its source and its target:

- an ``.svg`` rendered to a ``.png`` of exactly ``width`` pixels,
- a ``.typ`` compiled to a ``.pdf``, or to a ``.png`` of exactly ``width`` by ``height`` pixels,
- anything else taken as it is.

``for`` lists values by name; the file is made once for each combination, with ``{name}`` replaced.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from ..media_types import MEDIA_TYPES
from .file_rules import (
    SEGMENT,
    SHARED,
    Expansion,
    FileEntry,
    FileRule,
    Id,
    PreviewEntry,
    is_source,
    patterned,
    windows_refuses,
)
from .languages import LANGUAGES, Language
from .masters import Drawing, ViewBox, read_master
from .mistakes import Mistakes, shown
from .source import Source, Strict, read_yaml
from .text import Text

__all__ = [
    "ARCHIVE_MEDIA_TYPE",
    "PREVIEW_SIZE",
    "SHARED",
    "FileRule",
    "Logo",
    "PackageManifest",
    "is_source",
    "load_logos",
    "load_packages",
    "version_key",
]

ARCHIVE_MEDIA_TYPE = MEDIA_TYPES["zip"]
PREVIEW_SIZE = (640, 400)  # pixels

_NUMBER = r"(?:0|[1-9]\d{0,5})"
Version = Annotated[
    str, patterned(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}", "this is no version", "Write three numbers, such as 1.0.0")
]


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    raise PydanticCustomError(
        "instant", "This is no instant", {"fix": "Write 2026-07-30 (midnight UTC) or 2026-07-30T06:00:00Z"}
    )


class _LogoManifest(Strict):
    id: Id
    title: Text
    terms: Id
    masters: dict[Id, str] = Field(min_length=1)


class _PackageFile(Strict):
    id: Id
    kind: Literal["logo", "tool"]
    title: Text
    description: Text
    version: Version
    terms: Id
    languages: tuple[Language, ...] = Field(min_length=1)
    filename: str
    licence: Text
    preview: PreviewEntry
    files: tuple[FileEntry, ...] = Field(min_length=1)
    visible_from: Annotated[datetime, BeforeValidator(_instant)] | None = None


@dataclass(frozen=True)
class Logo:
    """A logo with the drawing of each colourway. ``terms`` is the id of the terms that its users accept."""

    id: str
    title: Text
    terms: str
    masters: Mapping[str, Drawing]
    view_box: ViewBox
    manifest: Path = field(repr=False, compare=False)

    @property
    def colourways(self) -> tuple[str, ...]:
        """The names of the colourways, in the manifest's order."""
        return tuple(self.masters)

    @property
    def aspect_ratio(self) -> float:
        """Width divided by height, from the view box; the same for every colourway."""
        return self.view_box[2] / self.view_box[3]

    def drawing(self, colourway: str) -> Drawing:
        """The drawing of a colourway's master; KeyError for an unknown one."""
        return self.masters[colourway]


@dataclass(frozen=True)
class PackageManifest:
    """One package: what it is, and how each of its files is made."""

    id: str
    kind: str
    title: Text
    description: Text
    version: str
    terms: str
    languages: tuple[str, ...]
    filename: str
    licence: Text
    preview: FileRule
    files: tuple[FileRule, ...]
    visible_from: datetime | None
    source: Source = field(repr=False, compare=False)

    @property
    def path(self) -> Path:
        """The manifest's file, for messages."""
        return self.source.path

    @property
    def assets_dir(self) -> Path:
        """The assets folder that the manifest lies in."""
        return self.path.parents[2]

    @property
    def content(self) -> Mapping[str, Any]:
        """Return what the manifest says that a published version may not change: all but when it is shown."""
        data: dict[str, Any] = self.source.data
        return {name: value for name, value in data.items() if name != "visible_from"}

    def mistake(self, where: str, message: str, fix: str) -> Mistakes:
        """One mistake at a key of the manifest."""
        mistakes = Mistakes()
        mistakes.add(self.path, self.source.line((where,)), message, fix)
        return mistakes


def version_key(version: str) -> tuple[int, ...]:
    """Return what versions are ordered by: ``1.10.0`` comes after ``1.9.0``."""
    return tuple(int(part) for part in version.split("."))


def load_logos(
    assets_dir: Path, mistakes: Mistakes | None = None, terms: Collection[str] | None = None
) -> dict[str, Logo]:
    """The logos of ``assets_dir/logos`` by id.

    Mistakes are added to ``mistakes`` (a logo that has one is left out), or raised as CampaignError where
    that is not given. ``terms`` are the ids of the terms that exist; None checks none.
    """
    found = Mistakes()
    logos = {}
    for folder in _folders(assets_dir / "logos", found):
        logo = _load_logo(folder, found, terms)
        if logo is not None:
            logos[logo.id] = logo
    _report(found, mistakes)
    return logos


def load_packages(
    assets_dir: Path, mistakes: Mistakes | None = None, terms: Collection[str] | None = None
) -> dict[str, PackageManifest]:
    """The packages of ``assets_dir/tools`` by id; mistakes and ``terms`` as in ``load_logos``."""
    found = Mistakes()
    packages: dict[str, PackageManifest] = {}
    names: dict[str, str] = {}
    _check_imports(assets_dir / SHARED[0], found)
    for folder in _folders(assets_dir / "tools", found):
        package = _Package(folder, assets_dir, found).load(terms)
        if package is None:
            continue
        packages[package.id] = package
        other = names.setdefault(package.filename, package.id)
        if other != package.id:
            found.extend(package.mistake("filename", f"{other} has this filename too", "Choose another one").all())
    _report(found, mistakes)
    return packages


def _report(found: Mistakes, mistakes: Mistakes | None) -> None:
    if mistakes is None:
        found.raise_if_any()
    else:
        mistakes.extend(found.all())


def _folders(parent: Path, mistakes: Mistakes) -> list[Path]:
    if not parent.is_dir():
        mistakes.add(parent, 0, "The folder is missing", "Create it with a folder for each, as in the shipped assets")
        return []
    # Names that begin with _ or . are shared sources and leftovers of editors.
    return sorted(path for path in parent.iterdir() if path.is_dir() and path.name[0] not in "_.")


def _check_common(source: Source, folder: Path, id_: str, terms_id: str, terms: Collection[str] | None) -> None:
    if id_ != folder.name:
        source.mistake(("id",), f"The id {id_!r} is not the folder's name", f"Write id: {folder.name}")
    if terms is not None and terms_id not in terms:
        known = ", ".join(sorted(terms)) or "none"
        source.mistake(("terms",), f"There are no terms {terms_id!r}", f"Use one of those in policies/terms: {known}")


def _load_logo(folder: Path, mistakes: Mistakes, terms: Collection[str] | None) -> Logo | None:
    found = Mistakes()
    source = read_yaml(folder / "manifest.yaml", found)
    manifest = source.read(_LogoManifest) if source else None
    drawings: dict[str, Drawing] = {}
    if source and manifest:
        _check_common(source, folder, manifest.id, manifest.terms, terms)
        for colourway, name in manifest.masters.items():
            where = ("masters", colourway)
            if not SEGMENT.fullmatch(name) or not name.endswith(".svg"):
                source.mistake(where, f"{name!r} is no SVG beside the manifest", "Write a name such as blue.svg")
            elif not (folder / name).is_file():
                source.mistake(where, f"The master {shown(folder / name)} is missing", "Add it, or correct the name")
            elif drawing := read_master(folder / name, found):
                drawings[colourway] = drawing
                first = next(iter(drawings))
                if drawing.view_box != drawings[first].view_box:
                    message = f"The viewBox of {colourway} is not that of {first}"
                    source.mistake(where, message, "Draw every colourway of a logo in the same viewBox")
        # Packages may take any other drawing in the folder too.
        for path in sorted(folder.rglob("*.svg")):
            relative = path.relative_to(folder)
            if is_source(relative) and path.is_file() and relative.as_posix() not in manifest.masters.values():
                read_master(path, found)
    mistakes.extend(found.all())
    if found or manifest is None:
        return None
    box = next(iter(drawings.values())).view_box
    return Logo(manifest.id, manifest.title, manifest.terms, drawings, box, folder / "manifest.yaml")


class _Package:
    """The reading of one package's manifest."""

    def __init__(self, folder: Path, assets_dir: Path, mistakes: Mistakes) -> None:
        self.folder = folder
        self.assets_dir = assets_dir
        self.mistakes = mistakes
        self.found = Mistakes()

    def load(self, terms: Collection[str] | None) -> PackageManifest | None:
        """The manifest, or None with its mistakes noted."""
        source = read_yaml(self.folder / "manifest.yaml", self.found)
        _check_imports(self.folder, self.found)
        data = source.read(_PackageFile) if source else None
        made = self._check(source, data, terms) if source and data else None
        self.mistakes.extend(self.found.all())
        return None if self.found else made

    def _check(self, source: Source, data: _PackageFile, terms: Collection[str] | None) -> PackageManifest:
        _check_common(source, self.folder, data.id, data.terms, terms)
        filename = data.filename.replace("{version}", data.version)
        if "{version}" not in data.filename or not SEGMENT.fullmatch(filename) or not filename.endswith(".zip"):
            fix = f"Write a name such as {data.id}-{{version}}.zip"
            source.mistake(("filename",), f"{data.filename!r} is no file name with the version in it", fix)
        if refused := windows_refuses(filename):
            source.mistake(("filename",), refused, "Choose another name")
        for language in LANGUAGES:
            if data.languages.count(language) > 1:
                source.mistake(("languages",), f"{language} stands here twice", "Keep one of the two")
        expansion = Expansion(source, self.folder, self.assets_dir)
        files = expansion.files(data.files)
        if not any(rule.path.upper().startswith(("LICENCE", "LICENSE")) for rule in files):
            source.mistake(
                ("files",), "The package holds no licence text", "Add a file LICENCE.txt that states the terms"
            )
        preview = expansion.rule(("preview",), "preview.png", data.preview.source, PREVIEW_SIZE, data.preview.inputs)
        if preview is not None and preview.making != "compile":
            source.mistake(("preview", "from"), "The preview is made from a .typ file", "Name one, such as preview.typ")
        return PackageManifest(
            id=data.id,
            kind=data.kind,
            title=data.title,
            description=data.description,
            version=data.version,
            terms=data.terms,
            languages=data.languages,
            filename=filename,
            licence=data.licence,
            preview=preview or FileRule("preview.png", "", "compile"),
            files=tuple(sorted(files, key=lambda rule: rule.path)),
            visible_from=data.visible_from,
            source=source,
        )


def _check_imports(folder: Path, mistakes: Mistakes) -> None:
    for path in sorted(folder.rglob("*.typ")):
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if re.search(r'\b(?:import|include)\s*\(?\s*"@', line):
                fix = "Use files of the assets folder only"
                mistakes.add(path, number, "This import is fetched from elsewhere", fix)
