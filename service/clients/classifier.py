"""The kind of program that asks, told by its user agent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Literal, Protocol

ClientKind = Literal["browser", "program", "agent", "robot"]

# Longer user agents are no browser's; what is cached stays small.
_LONGEST = 1024

# The model in what a browser says of its telephone: "(Linux; Android 14; MODEL Build/…; wv)"; before 5.0 it stands
# after a language.
_MODEL = re.compile(
    r"(\bAndroid\b[^;()]*;(?:\s*[a-z]{2,3}(?:[-_][a-z]{2,4})?;)?)(?:[^;()]|\([^;()]*\))+(?=[;)])", re.IGNORECASE
)
# Robots say where to read about them. No browser does.
_ADDRESS = re.compile(r"https?:|\bwww\.|\+\w[\w-]*\.[\w.-]+/|[\w.+-]{1,64}(?:@|\[at\])[\w-]+\.[a-z]{2,}", re.IGNORECASE)
# "Compatible" is what browsers said until 2013 or so, followed by one of these; robots still do, before their name.
_COMPATIBLE = re.compile(
    r"\bcompatible;(?!\s*(?:MSIE|Konqueror|iCab|OmniWeb|IBrowse|U;|;|Windows|Linux|X11|\)))", re.IGNORECASE
)
# What apps on Apple's devices send: their name, and what they are built with.
_APPLE_APP = re.compile(r"^[^()]*[\s;]CFNetwork/[\d.]+;?\s+Darwin/[\d.]+")
# The name of a desktop app that shows pages by Electron.
_DESKTOP_APP = re.compile(r"(like Gecko\)) [^()]+? (?=Chrome/\S+ Electron/)")
# Telephones of before the smartphones send their maker's or their network's name.
_BROWSER = re.compile(
    r"(?:Mozilla|Opera|DoCoMo|KDDI|SoftBank|Nokia\w*|BlackBerry\w*|SonyEricsson\w*)/\d", re.IGNORECASE
)


class Names(Protocol):
    """Names as they stand in user agents, by what they tell. Upper and lower case are alike in all of them."""

    @property
    def programs(self) -> Iterable[str]:
        """Programs and libraries that people run; they are taken off the COUNTER list."""

    @property
    def agents(self) -> Iterable[str]:
        """Software that acts for a person at that moment; taken off the COUNTER list."""

    @property
    def people(self) -> Iterable[str]:
        """Words that tell a person's device or app, though the COUNTER list has them or a part of them."""

    @property
    def previewers(self) -> Iterable[str]:
        """Return what fetches a page to show a preview of a link."""

    @property
    def robots(self) -> Iterable[str]:
        """Robots that the COUNTER list lacks."""


class Classifier:
    """Tells kinds of clients apart by their user agents. Safe to share between threads."""

    def __init__(self, names: Names) -> None:
        self._program = _products(names.programs)
        self._agent = _tokens(names.agents)
        self._people = _anywhere(names.people)
        self._robot = _anywhere((*names.previewers, *names.robots))
        self._counter_list = counter_list()
        self._cached = lru_cache(maxsize=4096)(self._classify)

    def kind(self, user_agent: str | None) -> ClientKind:
        """Return the kind of a client. One that says nothing is a program that someone runs."""
        return self._cached((user_agent or "").strip()[:_LONGEST])

    def _classify(self, user_agent: str) -> ClientKind:
        if not user_agent:
            return "program"
        if self._agent.search(user_agent):
            return "agent"
        # What a telephone or an app is called is its maker's word: it tells no robot, whatever it is.
        user_agent = _DESKTOP_APP.sub(r"\1 ", _MODEL.sub(r"\1", _APPLE_APP.sub("CFNetwork/0", user_agent)))
        if self._robot.search(user_agent):
            return "robot"
        # A program's own name is taken out before the COUNTER list is asked, so that a robot that
        # is built with a program's library is still known by the rest of what it says.
        rest = self._program.sub("", user_agent).strip()
        if rest != user_agent and not re.search(r"\w", rest):
            return "program"
        said = self._people.sub(" ", rest)
        if _ADDRESS.search(said) or _COMPATIBLE.search(said):
            return "robot"
        if self._counter_list.search(said):
            return "robot"
        if rest != user_agent or not _BROWSER.match(user_agent):
            return "program"
        return "browser"


def counter_list() -> re.Pattern[str]:
    """Compile the COUNTER list of robots and machines, as the package ``counter-robots`` has it.

    COUNTER wants it to be matched without regard to case; the package's own functions regard it.
    """
    data = files("counter_robots") / "data"
    patterns = [(data / name).read_text("utf-8").splitlines() for name in ("robot.txt", "machine.txt")]
    return re.compile("|".join(pattern for some in patterns for pattern in some if pattern), re.IGNORECASE)


def _products(names: Iterable[str]) -> re.Pattern[str]:
    """Match any of the names as a product: alone at the beginning, or anywhere with a version, then its own address."""
    either = _either(names)
    own_address = r"(?:\s*\(\+?https?://[^\s()]*(?P=name)[^\s()]*\))?"
    return re.compile(rf"^(?:{either})(?![\w./-])|(?<![\w.-])(?P<name>{either})/[^\s;]*{own_address}", re.IGNORECASE)


def _tokens(names: Iterable[str]) -> re.Pattern[str]:
    """Match any of the names as a word of its own, outside addresses; one that begins with a hyphen ends a word."""
    either = "|".join((r"\w+" if name.startswith("-") else "") + re.escape(name) for name in names)
    return re.compile(rf"(?<![\w.@/+-])(?:{either})(?![\w@-])", re.IGNORECASE)


def _anywhere(names: Iterable[str]) -> re.Pattern[str]:
    return re.compile(_either(names), re.IGNORECASE)


def _either(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
