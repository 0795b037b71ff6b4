"""What kind of client asks: a person's browser, a program that a person runs, or a robot."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Literal

import counter_robots  # type: ignore[import-untyped]  # it ships no types
from pydantic import Field as Setting

from .source import Strict

ClientKind = Literal["browser", "program", "robot"]
Words = Annotated[tuple[Annotated[str, Setting(min_length=2, max_length=80)], ...], Setting(min_length=1)]

# Longer user agents are no browser's; what is cached stays small.
_LONGEST = 1024


class ClientsFile(Strict):
    """``clients.yaml``: names as they stand in user agents."""

    programs: Words
    previewers: Words
    robots: Words


class Clients:
    """Tells clients apart by their user agent."""

    def __init__(self, written: ClientsFile) -> None:
        self._program = _products(written.programs)
        self._robot = re.compile("|".join(map(re.escape, (*written.previewers, *written.robots))))
        self._browser = re.compile(r"(?:Mozilla|Opera)/\d")
        self._cached = lru_cache(maxsize=4096)(self._classify)

    def kind(self, user_agent: str | None) -> ClientKind:
        """``browser``, ``program`` or ``robot``. A client that says nothing is a program that someone runs."""
        return self._cached((user_agent or "").strip()[:_LONGEST])

    def _classify(self, user_agent: str) -> ClientKind:
        if not user_agent:
            return "program"
        if self._robot.search(user_agent):
            return "robot"
        # A program's own name is taken out before the COUNTER list is asked, so that a robot that
        # is built with a program's library is still known by the rest of what it says.
        rest = self._program.sub("", user_agent).strip()
        if rest != user_agent and not re.search(r"\w", rest):
            return "program"
        if counter_robots.is_robot_or_machine(rest):
            return "robot"
        if rest != user_agent or not self._browser.match(user_agent):
            return "program"
        return "browser"


def _products(names: Iterable[str]) -> re.Pattern[str]:
    """Matches any of the names as a product: with a version anywhere, or alone at the beginning."""
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![\w.-])(?:{either})/\S*|^(?:{either})(?![\w.-])", re.IGNORECASE)
