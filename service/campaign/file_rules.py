"""Read how the files of a package are made: the entries of its manifest, expanded and checked one by one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from ..media_types import MEDIA_TYPES, ending
from .mistakes import shown
from .source import Source, Strict

#: Endings of the files that may be in a package.
ENDINGS = ("svg", "png", "pdf", "eps", "html", "css", "txt", "md", "csv", "typ", "rtf", "json")
SHARED = ("tools/_shared", "logos")  # what every package may use besides its own folder
SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
# "Naming Files, Paths, and Namespaces" of the Windows documentation: devices, with any ending, in any folder.
_WINDOWS_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_MOST_FILES = 2000
_MOST_PIXELS = 8192


def patterned(pattern: str, message: str, fix: str) -> BeforeValidator:
    """A check that a value is a text of a pattern, which says in words what to write instead."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and not re.fullmatch(pattern, value, re.ASCII):
            raise PydanticCustomError("pattern", message, {"fix": fix})
        return value

    return BeforeValidator(check)


Id = Annotated[
    str,
    patterned(
        "[a-z][a-z0-9-]{0,39}",
        "this is no id",
        "Use lower-case letters, digits and hyphens, at most 40, a letter first",
    ),
]


def windows_refuses(name: str) -> str:
    """Return why Windows cannot unpack a file or folder of this name; an empty text where it can."""
    if _WINDOWS_DEVICE.fullmatch(name):
        return f"Windows keeps {name.partition('.')[0].upper()} for a device, and cannot unpack {name}"
    if name.endswith((".", " ")):
        return f"Windows cannot unpack a name that ends in a full stop or a blank, such as {name!r}"
    return ""


def is_source(path: PurePath) -> bool:
    """Tell whether a file of the assets folder may go into packages: no manifest, nothing hidden, no editor's copy."""
    return path.name != "manifest.yaml" and not any(part.startswith(".") or part.endswith("~") for part in path.parts)


class FileEntry(Strict):
    """One entry of ``files:``; with ``for`` it stands for several."""

    path: str
    source: str = Field(alias="from")
    width: int | str | None = None
    height: int | str | None = None
    inputs: dict[str, str] = Field(default={})
    print_form: Literal["cmyk", "spot"] | None = Field(default=None, alias="print")
    each: dict[Id, tuple[str | int, ...]] = Field(default={}, alias="for")


class PreviewEntry(Strict):
    """Source of the preview picture."""

    source: str = Field(alias="from")
    inputs: dict[str, str] = Field(default={})


@dataclass(frozen=True)
class FileRule:
    """Recipe of one file of a package. ``source`` is relative to the assets folder, sizes are pixels.

    ``print_form`` is the form in which a document's colours are written as inks, None for screens.
    """

    path: str
    source: str
    making: Literal["copy", "render", "compile"]
    width: int | None = None
    height: int | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    print_form: Literal["cmyk", "spot", "eps"] | None = None
    line: int = field(default=0, compare=False)

    @property
    def media_type(self) -> str:
        """The media type of the made file."""
        return MEDIA_TYPES[ending(self.path)]


class Expansion:
    """The reading of the entries of one manifest; mistakes are noted at their lines."""

    def __init__(self, source: Source, folder: Path, assets_dir: Path) -> None:
        self.source = source
        self.folder = folder
        self.assets_dir = assets_dir
        self.taken: dict[str, str] = {}  # by the path in small letters, which some systems do not tell apart
        self.folders: dict[str, str] = {}  # a folder in small letters -> a path in it

    def files(self, entries: Iterable[FileEntry]) -> list[FileRule]:
        """The files that the entries stand for, in their order."""
        files: list[FileRule] = []
        for index, entry in enumerate(entries):
            files += self._expand(("files", index), entry, _MOST_FILES - len(files))
        return files

    def _expand(self, where: tuple[str | int, ...], entry: FileEntry, left: int) -> list[FileRule]:
        names = list(entry.each)
        combinations = list(itertools.islice(itertools.product(*entry.each.values()), left + 1))
        if len(combinations) > left:
            self.source.mistake(where, f"The package has more than {_MOST_FILES} files", "Make several packages of it")
            return []
        rules: list[FileRule] = []
        for values in combinations:
            rule = self._of(where, entry, dict(zip(names, map(str, values), strict=True)))
            if rule is None or not self._new_path(where, rule.path):
                return rules  # the other combinations have the same mistake
            rules.append(rule)
        return rules

    def _of(self, where: tuple[str | int, ...], entry: FileEntry, given: Mapping[str, str]) -> FileRule | None:
        """The file of one combination of values."""

        def fill(text: str) -> str:
            return re.sub(r"\{([a-z0-9-]+)\}", lambda match: given.get(match[1], match[0]), text)

        sizes: dict[str, int | None] = {"width": None, "height": None}
        for name, size in (("width", entry.width), ("height", entry.height)):
            text = fill(str(size)) if size is not None else ""
            if text and not (text.isascii() and text.isdigit() and 0 < int(text) <= _MOST_PIXELS):
                self.source.mistake((*where, name), f"{text!r} is no size", f"Write pixels from 1 to {_MOST_PIXELS}")
                return None
            sizes[name] = int(text) if text else None
        inputs = {**given, **{name: fill(value) for name, value in entry.inputs.items()}}
        made = self.rule(where, fill(entry.path), fill(entry.source), (sizes["width"], sizes["height"]), inputs)
        if made is None or entry.print_form is None:
            return made
        if made.making != "compile" or not made.path.endswith(".pdf"):
            self.source.mistake((*where, "print"), "Only a .pdf from a .typ is made for print", "Remove print:")
            return None
        return replace(made, print_form=entry.print_form)

    def rule(
        self,
        where: tuple[str | int, ...],
        path: str,
        origin: str,
        size: tuple[int | None, int | None],
        inputs: Mapping[str, str],
    ) -> FileRule | None:
        """Read how one file is made; None with its mistake noted. ``origin`` is as written, ``size`` in pixels."""
        target = PurePosixPath(path)
        if not all(SEGMENT.fullmatch(part) for part in path.split("/")) or len(path) > 150:
            self.source.mistake(
                (*where, "path"), f"{path!r} is no path for a file in a package", "Use letters, digits, . _ - /"
            )
            return None
        if refused := next(filter(None, map(windows_refuses, path.split("/"))), ""):
            self.source.mistake((*where, "path"), f"{path!r}: {refused}", "Choose another name")
            return None
        if ending(path) not in ENDINGS:
            known = ", ".join(f".{one}" for one in ENDINGS)
            self.source.mistake((*where, "path"), f"{path!r} is of no kind that packages hold", f"Use one of {known}")
            return None
        relative = self._source(where, origin)
        if relative is None:
            return None
        kinds = (PurePosixPath(relative).suffix, target.suffix)
        making: Literal["copy", "render", "compile"] = "copy"
        if kinds in ((".typ", ".pdf"), (".typ", ".png"), (".typ", ".eps")):
            making = "compile"
        elif kinds == (".svg", ".png"):
            making = "render"
        elif kinds[0] != kinds[1]:
            self.source.mistake(
                where,
                f"Nothing makes a {kinds[1]} from a {kinds[0]}",
                "Make .png from .svg, .pdf, .eps or .png from .typ",
            )
            return None
        needed = {"render": (True, False), "compile": (target.suffix == ".png",) * 2, "copy": (False, False)}[making]
        for name, wanted, given in zip(("width", "height"), needed, size, strict=True):
            if wanted != (given is not None):
                fix = f"Add {name}: in pixels" if wanted else f"Remove {name}"
                self.source.mistake(where, f"{name} is {'missing' if wanted else 'of no use'} for {path!r}", fix)
                return None
        form: Literal["eps"] | None = "eps" if target.suffix == ".eps" else None
        line = self.source.line(where)
        return FileRule(path, relative, making, *size, inputs=dict(inputs), print_form=form, line=line)

    def _source(self, where: tuple[str | int, ...], origin: str) -> str | None:
        """The source relative to the assets folder; it has to lie where the package's digest covers it."""
        given = (self.assets_dir / origin.lstrip("/")) if origin.startswith("/") else (self.folder / origin)
        path, root = given.resolve(), self.assets_dir.resolve()
        homes = [self.folder.resolve(), *(root / name for name in SHARED)]
        if not any(path.is_relative_to(home) for home in homes):
            fix = f"Move it into the package's folder or {SHARED[0]}, or use a file of /logos"
            self.source.mistake((*where, "from"), f"{origin!r} lies outside the package's sources", fix)
            return None
        relative = path.relative_to(root)
        if path.is_file() and not is_source(relative):
            self.source.mistake((*where, "from"), f"{origin!r} is no source of files", "Rename or remove it")
            return None
        if not path.is_file():
            self.source.mistake(
                (*where, "from"), f"The source {shown(given)} is missing", "Add it, or correct the name"
            )
            return None
        return relative.as_posix()

    def _new_path(self, where: tuple[str | int, ...], path: str) -> bool:
        name = path.lower()
        folders = [parent.as_posix() for parent in PurePosixPath(name).parents]
        clash = self.folders.get(name) or next((self.taken[parent] for parent in folders if parent in self.taken), None)
        if clash is not None:
            message = f"{path!r} and {clash!r} cannot both be: one name is a file and a folder"
            self.source.mistake((*where, "path"), message, "Give every file a path of its own")
            return False
        other = self.taken.get(name)
        if other is None:
            self.taken[name] = path
            self.folders |= dict.fromkeys(folders, path)
            return True
        same = "there already" if other == path else f"the same file as {other!r} on some systems"
        self.source.mistake((*where, "path"), f"{path!r} is {same}", "Give every file a path of its own")
        return False
