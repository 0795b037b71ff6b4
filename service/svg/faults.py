"""Faults of a drawing: each with its line and the fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """One thing to correct in a file; ``line`` counts from 1."""

    line: int
    message: str
    fix: str


class DrawingError(Exception):
    """Says that a file cannot be used as a drawing; ``faults`` holds everything that is wrong, by line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("; ".join(f"line {fault.line}: {fault.message}" for fault in self.faults))


class Refused(Exception):
    """Refuses one value; whoever asked for it knows its line."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
