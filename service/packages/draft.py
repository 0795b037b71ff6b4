"""Draft of a publication: each file of policies and logos that is otherwise than in force, and what is new."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

_MOST_LINES = 400  # of one file's difference
_CONTEXT = 2

Change = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class FileChange:
    """A file that publishing changes; ``lines`` are a unified difference, none where the file is no text.

    ``more`` is how many lines of the difference are not shown, ``beside`` the file that an added one is compared with.
    """

    path: str
    change: Change
    lines: tuple[str, ...]
    more: int = 0
    beside: str | None = None


@dataclass(frozen=True)
class NewTerms:
    """A version of terms that is not published yet, and when it comes into force."""

    id: str
    version: str
    effective: datetime


@dataclass(frozen=True)
class Draft:
    """Draft in the folders that is not in force: files, versions of terms, and packages as (id, version)."""

    files: tuple[FileChange, ...]
    terms: tuple[NewTerms, ...]
    packages: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        return bool(self.files or self.terms or self.packages)


def compare(
    before: Mapping[str, bytes], after: Mapping[str, bytes], beside: Mapping[str, str] | None = None
) -> tuple[FileChange, ...]:
    """Return what is otherwise between two sets of files by path.

    ``beside`` names for an added file the one of ``after`` that it takes the place of, such as the text of the version
    before, so that the difference is what a reader has to read.
    """
    changed = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    return tuple(_change(path, before, after, (beside or {}).get(path)) for path in sorted(changed))


def _change(path: str, before: Mapping[str, bytes], after: Mapping[str, bytes], beside: str | None) -> FileChange:
    change: Change = "added" if path not in before else "removed" if path not in after else "changed"
    if change != "added" or beside not in after:
        beside = None
    old_and_new = (after[beside] if beside is not None else before.get(path)), after.get(path)
    try:
        old, new = (part.decode().splitlines() if part is not None else [] for part in old_and_new)
    except UnicodeDecodeError:
        return FileChange(path, change, ())
    lines = list(difflib.unified_diff(old, new, lineterm="", n=_CONTEXT))[2:]  # without the names of the files
    return FileChange(path, change, tuple(lines[:_MOST_LINES]), max(0, len(lines) - _MOST_LINES), beside)
