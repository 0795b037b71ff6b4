"""What a piece of the museum is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """One edit of a shipped file, and what must be said of it.

    ``old`` becomes ``new``; one mistake has ``said`` in its message and ``fix`` in its fix, at the line that
    holds ``at``: the first such line, with a star before it the last one, and any line if it is empty.
    """

    name: str
    old: str
    new: str
    said: str
    fix: str
    at: str
