"""Building a package: from a manifest and its sources to an archive with the digests of all that is in it.

The same manifest and sources give the same bytes, whichever process, zone, or umask they are built in; only content
credentials differ each time.
"""

from __future__ import annotations

import builtins
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import rfc8785

from ..campaign import CampaignError, Mistakes
from ..campaign.manifests import SHARED, FileRule, PackageManifest, is_source
from ..campaign.print_condition import PrintCondition
from ..png import optimised
from ..svg import DrawingError, read
from .archive import write_archive
from .content_credentials import ContentCredentials
from .inks import NO_INKS, Inks
from .pdfx import STANDARD
from .renderers import Maker, MakingError, Optimise
from .rights import Rights, with_rights

#: Raised when the making itself changes what comes out; every package then needs a new version.
GENERATOR = 2
_NO_RIGHTS = Rights(owner="", usage_terms={"en": ""}, web_statement="", licence="", version="")
T = TypeVar("T")
#: The renderers are native code and let go of the interpreter; half of the threads wait for a process that makes a
#: PNG smaller.
_THREADS = min(4, 2 * (os.cpu_count() or 1))


@dataclass(frozen=True)
class Making:
    """Means of making files: what makes PNG smaller, and what is called as soon as one is made, by any thread."""

    optimise: Optimise = optimised
    made_one: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class MadeFile:
    """One file in a package."""

    path: str
    bytes: int
    sha256: str
    media_type: str
    print_form: str | None = None
    standard: str | None = None
    condition: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the form that the interface shows.

        ``print`` is the form of the inks, where it is for printers; ``standard`` and ``condition`` are what it is
        made to and for which printing condition, where it is PDF/X.
        """
        facts = {"path": self.path, "bytes": self.bytes, "sha256": self.sha256, "media_type": self.media_type}
        for_print = {"print": self.print_form, "standard": self.standard, "condition": self.condition}
        return facts | {name: value for name, value in for_print.items() if value}


@dataclass(frozen=True)
class Built:
    """A built package: its archive as a file at ``path``, which the caller removes, and its preview picture."""

    path: Path
    sha256: str
    bytes: int
    files: tuple[MadeFile, ...]
    source_digest: str
    preview: builtins.bytes = field(repr=False)


def source_digest(
    manifest: PackageManifest,
    assets_dir: Path,
    rights: Rights,
    inks: Inks = NO_INKS,
    condition: PrintCondition | None = None,
) -> str:
    """SHA-256 over all that a package is made of: manifest, its folder, shared sources, logos, rights, generator.

    Layout and comments of the manifest, and the date from which it is shown, do not count.
    """
    digest = hashlib.sha256(rfc8785.dumps([GENERATOR, _plain(manifest.content), rights.document()]))
    if any(rule.print_form for rule in manifest.files):
        digest.update(rfc8785.dumps({colour: ink.as_json() for colour, ink in inks.items()}))
        if condition is not None:
            digest.update(rfc8785.dumps(condition.as_json()))
    for path, file in _sources(manifest, assets_dir).items():
        digest.update(f"\n{path} {hashlib.sha256(file.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def files_digest(files: Iterable[MadeFile]) -> str:
    """SHA-256 over what the log is to bind of the files of a version: RFC 8785 of ``{path: sha256}``."""
    return hashlib.sha256(rfc8785.dumps({file.path: file.sha256 for file in files})).hexdigest()


def build(
    manifest: PackageManifest,
    assets_dir: Path,
    rights: Rights,
    into: Path | None = None,
    inks: Inks = NO_INKS,
    credentials: ContentCredentials | None = None,
    condition: PrintCondition | None = None,
    making: Making = Making(),
) -> Built:
    """Build a package into a new file in the folder ``into`` (the system's temporary one if not given).

    With ``credentials`` its pictures and documents are signed, which alone makes them other bytes each time.
    CampaignError names file and line of every source that does not give its file.
    """
    with _staged(manifest, assets_dir) as root:
        digest = source_digest(manifest, root, rights, inks, condition)
        _resolve_logos(root, assets_dir)
        maker = Maker(root, inks, condition, making.optimise)

        def make(rule: FileRule) -> bytes:
            content = maker.make(rule)
            if rule is not manifest.preview:
                content = _told(rule, content, rights)  # the last step but one: nothing may change what is signed
                if credentials and rule.print_form is None:  # what print shops' standards know has no such attachment
                    content = _signed(rule, content, rights, credentials, manifest.id)
            making.made_one()
            return content

        made = _for_each(manifest, assets_dir, make)
    preview, *contents = made
    members = {rule.path: content for rule, content in zip(manifest.files, contents, strict=True)}
    descriptor, name = tempfile.mkstemp(prefix="emblem-", suffix=".zip", dir=into)
    archive = Path(name)
    with os.fdopen(descriptor, "wb") as opened:
        write_archive(members, opened)
    raw = archive.read_bytes()
    files = tuple(_facts(rule, content, condition) for rule, content in zip(manifest.files, contents, strict=True))
    return Built(archive, hashlib.sha256(raw).hexdigest(), len(raw), files, digest, preview)


def _facts(rule: FileRule, content: bytes, condition: PrintCondition | None) -> MadeFile:
    standard = condition is not None and rule.print_form in ("cmyk", "spot")
    return MadeFile(
        rule.path,
        len(content),
        hashlib.sha256(content).hexdigest(),
        rule.media_type,
        rule.print_form,
        STANDARD if standard else None,
        condition.name if condition is not None and standard else None,
    )


def check(*manifests: PackageManifest, inks: Inks = NO_INKS) -> None:
    """Raise CampaignError with all that ``build`` would raise; keep and draw nothing, so it takes a moment only."""
    mistakes = Mistakes()
    for manifest in manifests:
        try:
            with _staged(manifest, manifest.assets_dir) as root:
                _resolve_logos(root, manifest.assets_dir)
                _for_each(manifest, manifest.assets_dir, _checked(root, inks))
        except CampaignError as error:
            mistakes.extend(error.mistakes)
    mistakes.raise_if_any()


def _checked(root: Path, inks: Inks) -> Callable[[FileRule], None]:
    maker = Maker(root, inks)

    def check_file(rule: FileRule) -> None:
        maker.check(rule)
        if rule.making == "copy":  # what is made is of its kind
            _told(rule, maker.make(rule), _NO_RIGHTS)

    return check_file


def _told(rule: FileRule, content: bytes, rights: Rights) -> bytes:
    """Return the file with its rights in it; MakingError where it is not of the kind that its name says."""
    try:
        return with_rights(content, rule.path, rights)
    except ValueError as error:
        raise MakingError(rule.source, f"its rights cannot be written into it: {error}") from error


def _signed(rule: FileRule, content: bytes, rights: Rights, credentials: ContentCredentials, package: str) -> bytes:
    try:
        return credentials.sign(content, rule.path, rights, package)
    except ValueError as error:
        raise MakingError(rule.source, str(error)) from error


@contextmanager
def _staged(manifest: PackageManifest, assets_dir: Path) -> Iterator[Path]:
    """Return a copy of the sources: what is digested is what is built, and nothing else can be read."""
    with tempfile.TemporaryDirectory(prefix="emblem-build-") as folder:
        root = Path(folder)
        for path, file in _sources(manifest, assets_dir).items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        yield root


def _resolve_logos(root: Path, assets_dir: Path) -> None:
    """Puts the drawings of the logos in place of their masters, so that all files show what variants show."""
    mistakes = Mistakes()
    for path in sorted((root / "logos").rglob("*.svg")):
        try:
            path.write_bytes(read(path.read_bytes()).plain())
        except DrawingError as error:
            for fault in error.faults:
                mistakes.add(assets_dir / path.relative_to(root), fault.line, fault.message, fault.fix)
    mistakes.raise_if_any()


def _for_each(manifest: PackageManifest, assets_dir: Path, work: Callable[[FileRule], T]) -> list[T]:
    """Do ``work`` for the preview and for each file; CampaignError with everything that it raised."""

    def tried(rule: FileRule) -> T | MakingError:
        try:
            return work(rule)
        except MakingError as error:
            return error

    rules = (manifest.preview, *manifest.files)
    with ThreadPoolExecutor(_THREADS) as pool:
        results = list(pool.map(tried, rules))
    mistakes = Mistakes()
    for rule, result in zip(rules, results, strict=True):
        if isinstance(result, MakingError):
            _note(mistakes, manifest, assets_dir, rule, result)
    mistakes.raise_if_any()
    return [result for result in results if not isinstance(result, MakingError)]


def _note(mistakes: Mistakes, manifest: PackageManifest, assets_dir: Path, rule: FileRule, error: MakingError) -> None:
    message = f"{rule.path} of {manifest.id} cannot be made: {error}"
    if error.line:
        mistakes.add(assets_dir / error.source, error.line, message, "Correct the source")
    else:
        mistakes.add(manifest.path, rule.line, message, f"Correct {error.source}")


def _sources(manifest: PackageManifest, assets_dir: Path) -> dict[str, Path]:
    """Return what a package is made of, by path relative to the assets folder, in a fixed order."""
    found = {}
    for home in (f"tools/{manifest.id}", *SHARED):
        for file in (assets_dir / home).rglob("*"):
            relative = file.relative_to(assets_dir)
            if file.is_file() and is_source(relative):
                found[relative.as_posix()] = file
    return dict(sorted(found.items()))


def _plain(value: Any) -> Any:
    """Return a YAML value as JSON can hold it."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
