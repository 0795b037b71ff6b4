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

import itertools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from .masters import ViewBox, check_master
from .mistakes import Mistakes, shown
from .source import Source, Strict, read_yaml
from .text import LANGUAGES, Text

#: What may be in a package, and how it is named to browsers. A list of ours: the system's lists differ.
MEDIA_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".pdf": "application/pdf",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".typ": "text/plain; charset=utf-8",
    ".rtf": "application/rtf",
    ".json": "application/json",
}
ARCHIVE_MEDIA_TYPE = "application/zip"
PREVIEW_SIZE = (640, 400)  # pixels
SHARED = ("tools/_shared", "logos")  # what every package may use besides its own folder

_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_NUMBER = r"(?:0|[1-9]\d{0,5})"
_VERSION = rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_MOST_FILES = 2000
_MOST_PIXELS = 8192

Id = Annotated[str, StringConstraints(pattern=rf"^{_ID.pattern}$")]
Version = Annotated[str, StringConstraints(pattern=rf"^{_VERSION}$")]


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


class _File(Strict):
    path: str
    source: str = Field(alias="from")
    width: int | str | None = None
    height: int | str | None = None
    inputs: dict[str, str] = Field(default={})
    each: dict[Id, tuple[str | int, ...]] = Field(default={}, alias="for")


class _Preview(Strict):
    source: str = Field(alias="from")
    inputs: dict[str, str] = Field(default={})


class _PackageFile(Strict):
    id: Id
    kind: Literal["logo", "tool"]
    title: Text
    description: Text
    version: Version
    terms: Id
    languages: tuple[Literal["ar", "en", "es", "fr", "ru", "zh"], ...] = Field(min_length=1)
    filename: str
    licence: Text
    preview: _Preview
    files: tuple[_File, ...] = Field(min_length=1)
    visible_from: Annotated[datetime, BeforeValidator(_instant)] | None = None


@dataclass(frozen=True)
class Logo:
    """A logo with its masters. ``terms`` is the id of the terms that its users accept."""

    id: str
    title: Text
    terms: str
    masters: Mapping[str, Path]
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

    def master_bytes(self, colourway: str) -> bytes:
        """The SVG master of a colourway; KeyError for an unknown one."""
        return self.masters[colourway].read_bytes()


@dataclass(frozen=True)
class FileRule:
    """How one file of a package is made. ``source`` is relative to the assets folder, sizes are pixels."""

    path: str
    source: str
    making: Literal["copy", "render", "compile"]
    width: int | None = None
    height: int | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    line: int = field(default=0, compare=False)

    @property
    def media_type(self) -> str:
        """The media type of the made file."""
        return MEDIA_TYPES[PurePosixPath(self.path).suffix]


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
        """What the manifest says that a published version may not change: all but when it is shown."""
        data: dict[str, Any] = self.source.data
        return {name: value for name, value in data.items() if name != "visible_from"}

    def mistake(self, where: str, message: str, fix: str) -> Mistakes:
        """One mistake at a key of the manifest."""
        mistakes = Mistakes()
        mistakes.add(self.path, self.source.line((where,)), message, fix)
        return mistakes


def version_key(version: str) -> tuple[int, ...]:
    """What versions are ordered by: ``1.10.0`` comes after ``1.9.0``."""
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
    boxes: dict[str, ViewBox] = {}
    if source and manifest:
        _check_common(source, folder, manifest.id, manifest.terms, terms)
        for colourway, name in manifest.masters.items():
            where = ("masters", colourway)
            if not _SEGMENT.fullmatch(name) or not name.endswith(".svg"):
                source.mistake(where, f"{name!r} is no SVG beside the manifest", "Write a name such as blue.svg")
            elif not (folder / name).is_file():
                source.mistake(where, f"The master {shown(folder / name)} is missing", "Add it, or correct the name")
            elif box := check_master(folder / name, found):
                boxes[colourway] = box
                first = next(iter(boxes))
                if box != boxes[first]:
                    message = f"The viewBox of {colourway} is not that of {first}"
                    source.mistake(where, message, "Draw every colourway of a logo in the same viewBox")
    mistakes.extend(found.all())
    if found or manifest is None:
        return None
    masters = {colourway: folder / name for colourway, name in manifest.masters.items()}
    box = next(iter(boxes.values()))
    return Logo(manifest.id, manifest.title, manifest.terms, masters, box, folder / "manifest.yaml")


class _Package:
    """The reading of one package's manifest."""

    def __init__(self, folder: Path, assets_dir: Path, mistakes: Mistakes) -> None:
        self.folder = folder
        self.assets_dir = assets_dir
        self.mistakes = mistakes
        self.found = Mistakes()
        self.taken: dict[str, str] = {}

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
        if "{version}" not in data.filename or not _SEGMENT.fullmatch(filename) or not filename.endswith(".zip"):
            fix = f"Write a name such as {data.id}-{{version}}.zip"
            source.mistake(("filename",), f"{data.filename!r} is no file name with the version in it", fix)
        for language in LANGUAGES:
            if data.languages.count(language) > 1:
                source.mistake(("languages",), f"{language} stands here twice", "Keep one of the two")
        files: list[FileRule] = []
        for index, entry in enumerate(data.files):
            files += self._expand(source, ("files", index), entry, _MOST_FILES - len(files))
        if not any(rule.path.upper().startswith(("LICENCE", "LICENSE")) for rule in files):
            source.mistake(
                ("files",), "The package holds no licence text", "Add a file LICENCE.txt that states the terms"
            )
        width, height = PREVIEW_SIZE
        preview = self._rule(
            source, ("preview",), "preview.png", data.preview.source, (width, height), data.preview.inputs
        )
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

    def _expand(self, source: Source, where: tuple[str | int, ...], entry: _File, left: int) -> list[FileRule]:
        names = list(entry.each)
        combinations = list(itertools.islice(itertools.product(*entry.each.values()), left + 1))
        if len(combinations) > left:
            source.mistake(where, f"The package has more than {_MOST_FILES} files", "Make several packages of it")
            return []
        rules = []
        for values in combinations:
            given = dict(zip(names, map(str, values), strict=True))

            def fill(text: str, given: dict[str, str] = given) -> str:
                return re.sub(r"\{([a-z0-9-]+)\}", lambda match: given.get(match[1], match[0]), text)

            sizes: list[int | None] = []
            for name, size in (("width", entry.width), ("height", entry.height)):
                text = fill(str(size)) if size is not None else None
                if text is not None and not (text.isascii() and text.isdigit() and 0 < int(text) <= _MOST_PIXELS):
                    source.mistake((*where, name), f"{text!r} is no size", f"Write pixels from 1 to {_MOST_PIXELS}")
                    text = None
                sizes.append(int(text) if text else None)
            inputs = given | {name: fill(value) for name, value in entry.inputs.items()}
            rule = self._rule(source, where, fill(entry.path), fill(entry.source), (sizes[0], sizes[1]), inputs)
            if rule is not None and self._new_path(source, where, rule.path):
                rules.append(rule)
        return rules

    def _rule(
        self,
        source: Source,
        where: tuple[str | int, ...],
        path: str,
        origin: str,
        size: tuple[int | None, int | None],
        inputs: Mapping[str, str],
    ) -> FileRule | None:
        target = PurePosixPath(path)
        if not all(_SEGMENT.fullmatch(part) for part in path.split("/")) or len(path) > 150:
            source.mistake(
                (*where, "path"), f"{path!r} is no path for a file in a package", "Use letters, digits, . _ - /"
            )
            return None
        if target.suffix not in MEDIA_TYPES:
            known = ", ".join(MEDIA_TYPES)
            source.mistake((*where, "path"), f"{path!r} is of no kind that packages hold", f"Use one of {known}")
            return None
        relative = self._source(source, where, origin)
        if relative is None:
            return None
        kinds = (PurePosixPath(relative).suffix, target.suffix)
        making: Literal["copy", "render", "compile"] = "copy"
        if kinds in ((".typ", ".pdf"), (".typ", ".png")):
            making = "compile"
        elif kinds == (".svg", ".png"):
            making = "render"
        elif kinds[0] != kinds[1]:
            source.mistake(
                where, f"Nothing makes a {kinds[1]} from a {kinds[0]}", "Make .png from .svg, .pdf or .png from .typ"
            )
            return None
        needed = {"render": (True, False), "compile": (target.suffix == ".png",) * 2, "copy": (False, False)}[making]
        for name, wanted, given in zip(("width", "height"), needed, size, strict=True):
            if wanted != (given is not None):
                fix = f"Add {name}: in pixels" if wanted else f"Remove {name}"
                source.mistake(where, f"{name} is {'missing' if wanted else 'of no use'} for {path!r}", fix)
                return None
        return FileRule(path, relative, making, *size, inputs=dict(inputs), line=source.line(where))

    def _source(self, source: Source, where: tuple[str | int, ...], origin: str) -> str | None:
        """The source relative to the assets folder; it has to lie where the package's digest covers it."""
        given = (self.assets_dir / origin.lstrip("/")) if origin.startswith("/") else (self.folder / origin)
        path, root = given.resolve(), self.assets_dir.resolve()
        homes = [self.folder.resolve(), *(root / name for name in SHARED)]
        if not any(path.is_relative_to(home) for home in homes):
            fix = f"Move it into the package's folder or {SHARED[0]}, or use a file of /logos"
            source.mistake((*where, "from"), f"{origin!r} lies outside the package's sources", fix)
            return None
        if not path.is_file():
            source.mistake((*where, "from"), f"The source {shown(given)} is missing", "Add it, or correct the name")
            return None
        return path.relative_to(root).as_posix()

    def _new_path(self, source: Source, where: tuple[str | int, ...], path: str) -> bool:
        other = self.taken.get(path.lower())
        if other is None:
            self.taken[path.lower()] = path
            return True
        same = "there already" if other == path else f"the same file as {other!r} on some systems"
        source.mistake((*where, "path"), f"{path!r} is {same}", "Give every file a path of its own")
        return False


def _check_imports(folder: Path, mistakes: Mistakes) -> None:
    for path in sorted(folder.rglob("*.typ")):
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if re.search(r'\b(?:import|include)\s*\(?\s*"@', line):
                fix = "Use files of the assets folder only"
                mistakes.add(path, number, "This import is fetched from elsewhere", fix)
