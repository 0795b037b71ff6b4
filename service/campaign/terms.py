"""Terms of use: versions of Markdown files per language, with the digest of exactly their bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import markdown
import nh3
from pydantic import BeforeValidator
from pydantic import Field as Setting
from pydantic_core import PydanticCustomError

from .. import paths
from ..problems import UnknownTerms, UnknownVersion
from .languages import Language
from .mistakes import Mistakes
from .source import Source, Strict, read_text, read_yaml
from .text import Text

_VERSION = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.([1-9][0-9]{0,5}))?")
_TAGS = {"h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "strong", "em", "a", "code", "blockquote", "hr", "br"} | {
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


def _instant(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    raise PydanticCustomError(
        "instant", "this is no instant with its time zone", {"fix": "Write it as 2026-03-01T00:00:00Z"}
    )


def _version(value: Any) -> Any:
    match = _VERSION.fullmatch(value) if isinstance(value, str) else None
    try:
        assert match is not None
        datetime.fromisoformat(match[1])
    except (AssertionError, ValueError):
        raise PydanticCustomError(
            "version", "this is no version", {"fix": 'Write a date in quotes: "2026-03-01", or "2026-03-01.2"'}
        ) from None
    return value


class VersionEntry(Strict):
    """One version as ``terms.yaml`` lists it."""

    version: Annotated[str, BeforeValidator(_version)]
    effective: Annotated[datetime, BeforeValidator(_instant)]
    languages: Annotated[tuple[Language, ...], Setting(min_length=1)]
    changes: Text


class TermsFile(Strict):
    """``terms/<id>/terms.yaml``."""

    about: Text
    authoritative: Language = "en"
    versions: Annotated[tuple[VersionEntry, ...], Setting(min_length=1)]


@dataclass(frozen=True)
class TermsVersion:
    """One version of one set of terms.

    ``effective`` is the instant from which it is current, ``authoritative`` the language whose text counts where
    translations differ.
    """

    id: str
    version: str
    effective: datetime
    about: Text
    changes: Text
    _raw: Mapping[str, bytes]
    authoritative: str = "en"

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in which this version exists."""
        return tuple(sorted(self._raw))

    def language(self, lang: str) -> str:
        """Return the language that is really given when ``lang`` is asked for."""
        return lang if lang in self._raw else "en"

    def raw(self, lang: str) -> bytes:
        """Exactly the file's bytes, in English if the language does not exist."""
        return self._raw[self.language(lang)]

    def digest(self, lang: str) -> str:
        """SHA-256 of the file's bytes in a language, in lower-case hexadecimal."""
        return hashlib.sha256(self.raw(lang)).hexdigest()

    def text(self, lang: str) -> str:
        """Return the Markdown; encoded in UTF-8 it is again exactly the file's bytes."""
        return self.raw(lang).decode("utf-8")

    def title(self, lang: str) -> str:
        """Return the heading with which the text begins."""
        return _title(self.text(lang)) or self.id

    def html(self, lang: str, *, heading: bool = True) -> str:
        """Return the text as sanitised HTML, with or without its first heading."""
        text = self.text(lang)
        return render(text if heading else text.split("\n", 1)[1])


class Terms:
    """All terms, with all their versions."""

    def __init__(self, versions: Mapping[str, tuple[TermsVersion, ...]]) -> None:
        self._versions = {
            name: tuple(sorted(found, key=_order, reverse=True)) for name, found in sorted(versions.items())
        }

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all terms, in alphabetical order."""
        return tuple(self._versions)

    def versions(self, terms: str) -> tuple[TermsVersion, ...]:
        """Return all versions, those to come included, newest first. Raises UnknownTerms."""
        if terms not in self._versions:
            raise UnknownTerms
        return self._versions[terms]

    def current(self, terms: str, now: datetime) -> TermsVersion:
        """Return the newest version whose instant has come. Raises UnknownTerms where none has."""
        found = self.find_current(terms, now)
        if found is None:
            raise _none_in_force(terms)
        return found

    def find_current(self, terms: str, now: datetime) -> TermsVersion | None:
        """Return the newest version whose instant has come, or None."""
        return next((version for version in self._versions.get(terms, ()) if version.effective <= now), None)

    def in_force(self, now: datetime) -> TermsInForce:
        """Return the newest version of each terms whose instant has come."""
        found = ((terms, self.find_current(terms, now)) for terms in self._versions)
        return TermsInForce(tuple((terms, version.version) for terms, version in found if version is not None))

    def get(self, terms: str, version: str) -> TermsVersion:
        """Return one version. Raises UnknownTerms or UnknownVersion."""
        for found in self.versions(terms):
            if found.version == version:
                return found
        raise UnknownVersion(f"See {paths.all_terms()} for the versions of {terms}.")


class TermsInForce(NamedTuple):
    """The version of each terms that is in force at one moment, by the terms' ids."""

    versions: tuple[tuple[str, str], ...]

    def current(self, terms: str) -> str:
        """Return the version that is in force. Raises UnknownTerms where none is."""
        for name, version in self.versions:
            if name == terms:
                return version
        raise _none_in_force(terms)


def _none_in_force(terms: str) -> UnknownTerms:
    return UnknownTerms(f"No version of {terms} is in force. See {paths.all_terms()} for all that there are.")


def _order(version: TermsVersion) -> tuple[datetime, tuple[str, int]]:
    return version.effective, _version_key(version.version)


def _version_key(version: str) -> tuple[str, int]:
    match = _VERSION.fullmatch(version)
    assert match is not None
    return match[1], int(match[2] or 0)


@lru_cache(maxsize=256)
def render(text: str) -> str:
    """Return Markdown as HTML in which no script, style, picture or foreign markup is left."""
    made = markdown.markdown(text, extensions=["tables", "sane_lists"], output_format="html")
    return nh3.clean(
        made, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"https", "http", "mailto"}, link_rel="noopener"
    )


def _title(text: str) -> str:
    first = text.split("\n", 1)[0].strip()
    return first[2:].strip() if first.startswith("# ") else ""


def terms_ids(directory: Path) -> list[str]:
    """Return the ids of all terms below ``terms/``, those with mistakes in them included."""
    if not directory.is_dir():
        return []
    return sorted(path.name for path in directory.iterdir() if path.is_dir() and not path.name.startswith("."))


def read_terms(directory: Path, mistakes: Mistakes) -> Terms:
    """Return all terms below ``terms/``; every mistake is noted with its file and line."""
    folders = [directory / name for name in terms_ids(directory)]
    if not folders:
        mistakes.add(directory, 0, "There are no terms", "Add terms/<id>/terms.yaml with at least one version")
    found = {}
    for folder in folders:
        if not re.fullmatch("[a-z][a-z0-9-]*", folder.name):
            mistakes.add(folder, 0, f"{folder.name!r} is no id", "Use lower-case letters, digits and hyphens")
        source = read_yaml(folder / "terms.yaml", mistakes)
        written = source.read(TermsFile) if source else None
        if source and written:
            found[folder.name] = _read_versions(folder, source, written, mistakes)
    return Terms(found)


def _read_versions(folder: Path, source: Source, written: TermsFile, mistakes: Mistakes) -> tuple[TermsVersion, ...]:
    made = []
    seen: dict[str, datetime] = {}
    for index, entry in enumerate(written.versions):
        where = ("versions", index)
        if entry.version in seen:
            source.mistake(where, f"{entry.version} stands here twice", "Give each version a name of its own")
            continue
        for other, effective in seen.items():
            if (_version_key(other) < _version_key(entry.version)) != (effective < entry.effective):
                source.mistake(
                    (*where, "effective"),
                    f"{entry.version} and {other} come into force in the wrong order",
                    "Let the later version have the later instant",
                )
        seen[entry.version] = entry.effective
        if "en" not in entry.languages:
            source.mistake((*where, "languages"), "The English text is missing", "Add en, and the file en.md")
            continue
        counts = written.authoritative
        if counts not in entry.languages:
            source.mistake(
                (*where, "languages"),
                f"The authoritative language, {counts}, is missing",
                f"Add {counts}, and the file {counts}.md",
            )
            continue
        raw = _read_languages(folder / entry.version, entry, mistakes)
        made.append(
            TermsVersion(folder.name, entry.version, entry.effective, written.about, entry.changes, raw, counts)
        )
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in seen and not path.name.startswith("."):
            mistakes.add(
                path, 0, f"The version {path.name} is not in terms.yaml", "List it there, or remove the folder"
            )
    return tuple(made)


def _read_languages(folder: Path, entry: VersionEntry, mistakes: Mistakes) -> Mapping[str, bytes]:
    raw: dict[str, bytes] = {}
    for language in entry.languages:
        path = folder / f"{language}.md"
        text = read_text(path, mistakes)
        if text is None:
            continue
        if text.startswith("\ufeff"):
            mistakes.add(path, 1, "The file begins with a byte order mark", "Save it as UTF-8 without one")
        elif not _title(text):
            mistakes.add(path, 1, "The file does not begin with its title", "Begin with a line such as # Terms of use")
        elif not text.partition("\n")[2].strip():
            mistakes.add(path, 1, "The file has a title and no text", "Write the terms below the title")
        raw[language] = text.encode("utf-8")
    for path in sorted(folder.glob("*.md")):
        if path.stem not in entry.languages:
            mistakes.add(path, 0, f"{path.stem} is not among the languages of this version", "List it in terms.yaml")
    return raw
