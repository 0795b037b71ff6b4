"""Mistakes in a campaign's files: each with its file, its line and the fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing to correct. ``line`` counts from 1; 0 means the file as a whole."""

    file: str
    line: int
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {_sentence(self.message)} {_sentence(self.fix)}"


class CampaignError(Exception):
    """The campaign's files cannot be used as they are; ``mistakes`` has all of them, in the order of the files."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class Mistakes:
    """Collects mistakes, so that one run tells all of them."""

    def __init__(self) -> None:
        self._found: list[Mistake] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, file: Path, line: int, message: str, fix: str) -> None:
        """Notes one mistake in a file; ``line`` 0 is the whole file."""
        self._found.append(Mistake(shown(file), line, message, fix))

    def all(self) -> tuple[Mistake, ...]:
        """Everything noted so far, in the order of noting."""
        return tuple(self._found)

    def extend(self, mistakes: Iterable[Mistake]) -> None:
        """Takes over what another reader found."""
        self._found.extend(mistakes)

    def raise_if_any(self) -> None:
        """Raises CampaignError with all that was noted, if there is anything."""
        if self._found:
            raise CampaignError(self._found)


def shown(path: Path) -> str:
    """A path as people read it: relative to the working directory if it lies below it."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
