"""Texts of the campaign that are not written in every language of the service.

They are no mistakes: pages show the English text in their place, marked as English.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .languages import LANGUAGES
from .mistakes import Mistakes, shown
from .source import Path_, Source, read_yaml


@dataclass(frozen=True)
class Untranslated:
    """One text with the languages that it lacks; ``what`` is its path of keys in the file at ``line``."""

    file: str
    line: int
    what: str
    languages: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}: {', '.join(self.languages)}"


def untranslated(policies_dir: Path, assets_dir: Path) -> list[Untranslated]:
    """Every text below ``policies/`` and in the manifests of ``assets/`` that lacks a language, file by file.

    A version of terms and the files of a package are listed by their ``languages``. Of a campaign with mistakes
    only what can be read is looked at.
    """
    files = [*sorted(policies_dir.rglob("*.yaml")), *sorted(assets_dir.glob("*/*/manifest.yaml"))]
    found: list[Untranslated] = []
    for file in files:
        source = read_yaml(file, Mistakes())
        if source is not None:
            found += _gaps(source, source.data, ())
    return found


def _gaps(source: Source, value: Any, where: Path_) -> Iterator[Untranslated]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _gaps(source, item, (*where, index))
    elif isinstance(value, dict):
        if "en" in value and value.keys() <= set(LANGUAGES):
            yield from _gap(source, where, set(value))
            return
        for name, item in value.items():
            if name == "languages" and isinstance(item, list):
                yield from _gap(source, (*where, name), set(item))
            else:
                yield from _gaps(source, item, (*where, name))


def _gap(source: Source, where: Path_, written: set[Any]) -> Iterator[Untranslated]:
    lacking = tuple(language for language in LANGUAGES if language not in written)
    if lacking:
        yield Untranslated(shown(source.path), source.line(where), _name(source.data, where), lacking)


def _name(data: Any, where: Path_) -> str:
    """A path as people read it: items of lists by what they call themselves."""
    parts = []
    for part in where:
        data = data[part]
        names = [data[key] for key in ("id", "version", "value") if isinstance(data, dict) and key in data]
        parts.append(str(names[0] if isinstance(part, int) and names else part))
    return ".".join(parts)
