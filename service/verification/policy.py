"""Policies of witnesses (C2SP tlog-policy) and the cosignatures that meet them. Part of the verifier."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from .signed_note import ED25519_COSIGNATURE, ML_DSA_44, BadFormError, PublicKey, parse_vkey, unbase64

_MOST = 32  # witnesses and groups, each
_NAME = re.compile(r"[^\s#]{1,200}")


class PolicyError(ValueError):
    """Raised for a text that is no policy; the message names the line and the fix."""


@dataclass(frozen=True)
class PolicyWitness:
    """A witness of a policy: its name there, its key, and the prefix of its address, empty where none is given."""

    name: str
    key: PublicKey
    url: str


@dataclass(frozen=True)
class Group:
    """Members by name, of which ``needed`` have to agree."""

    members: tuple[str, ...]
    needed: int


@dataclass(frozen=True)
class Cosignature:
    """A cosignature that was checked: the witness's name in the policy, when it says that it saw, its line."""

    witness: str
    at: datetime
    line: str


@dataclass(frozen=True)
class Policy:
    """Logs, witnesses and a quorum. ``quorum`` names a witness or a group, None where none is asked for."""

    logs: tuple[PublicKey, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: dict[str, Group]
    quorum: str | None

    def met_by(self, names: set[str]) -> bool:
        """Tell whether the witnesses with these names make the quorum."""

        def agrees(name: str) -> bool:
            group = self.groups.get(name)
            if group is None:
                return name in names
            return sum(map(agrees, group.members)) >= group.needed

        return self.quorum is None or agrees(self.quorum)

    def cosignatures(self, note: bytes) -> list[Cosignature]:
        """Every cosignature of a checkpoint by a witness of this policy.

        BadFormError where one of a known key does not fit; unknown keys are passed over. The checkpoint's form
        has been checked before (``parse_checkpoint``).
        """
        text, _, tail = note.partition(b"\n\n")
        return [found for line in tail.decode().split("\n") if line and (found := self.check(line, text + b"\n"))]

    def seen(self, note: bytes) -> bool:
        """Tell whether a checkpoint in whatever form carries the cosignatures of the quorum."""
        try:
            return self.met_by({item.witness for item in self.cosignatures(note)})
        except (BadFormError, UnicodeDecodeError):
            return False

    def check(self, line: str, statement: bytes) -> Cosignature | None:
        """One signature line over a checkpoint's text; None where no witness of this policy made it.

        BadFormError where it is in no form, or names a known key and does not fit.
        """
        match = re.fullmatch(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+=*)", line)
        if not match:
            raise BadFormError("a signature line is not in its form")
        blob = unbase64(match[2], "a signature")
        for witness in self.witnesses:
            if (witness.key.name, witness.key.hash) == (match[1], blob[:4]):
                if not witness.key.fits(blob[4:], statement):
                    raise BadFormError(f"the cosignature of {witness.name} does not fit")
                return Cosignature(witness.name, _instant(blob[4:12], witness.name), line)
        return None


def _instant(stamp: bytes, name: str) -> datetime:
    try:
        return datetime.fromtimestamp(int.from_bytes(stamp, "big"), UTC)
    except (ValueError, OverflowError, OSError):
        raise BadFormError(f"the cosignature of {name} is of a time that no calendar has") from None


def parse_policy(text: str) -> Policy:
    """A policy from its file's text; PolicyError names the line."""
    reader = _PolicyReader()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if words:
            try:
                reader.take(words)
            except ValueError as error:  # BadFormError too
                raise PolicyError(f"line {number}: {error}") from None
    if reader.quorum is None:
        raise PolicyError("it names no quorum; add the line `quorum NAME`, or `quorum none`")
    quorum = None if reader.quorum == "none" else reader.quorum
    return Policy(tuple(reader.logs), tuple(reader.witnesses.values()), reader.groups, quorum)


class _PolicyReader:
    """Definitions of the lines read so far."""

    def __init__(self) -> None:
        self.logs: list[PublicKey] = []
        self.witnesses: dict[str, PolicyWitness] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self._grouped: set[str] = set()

    def take(self, words: Sequence[str]) -> None:
        """One line by its words; ValueError where it is none of a policy."""
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self.logs.append(parse_vkey(vkey))
            case ["witness", name, vkey, *rest] if len(rest) < 2:
                self._new(name, self.witnesses)
                key = parse_vkey(vkey, (ED25519_COSIGNATURE, ML_DSA_44))
                if any(key.key == other.key.key for other in self.witnesses.values()):
                    raise ValueError(f"the key of {name} is another witness's already")
                self.witnesses[name] = PolicyWitness(name, key, _address(rest[0]) if rest else "")
            case ["group", name, needed, *members] if members:
                self._new(name, self.groups)
                self._group(name, needed, members)
            case ["quorum", name]:
                if self.quorum is not None:
                    raise ValueError("there is one quorum only; remove this line or the other")
                if name != "none":
                    self._defined(name)
                self.quorum = name
            case _:
                raise ValueError(
                    "write `log VKEY [URL]`, `witness NAME VKEY [URL]`, `group NAME all|any|NUMBER MEMBER…` or "
                    "`quorum NAME|none`"
                )

    def _new(self, name: str, among: dict[str, PolicyWitness] | dict[str, Group]) -> None:
        if not _NAME.fullmatch(name) or name == "none":
            raise ValueError(f"{name[:60]!r} is no name; take another")
        if name in self.witnesses or name in self.groups:
            raise ValueError(f"{name} is defined already; take another name")
        if len(among) == _MOST:
            raise ValueError(f"there are at most {_MOST} witnesses and {_MOST} groups; remove one")

    def _defined(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise ValueError(f"{name} is not defined above; define the witness or group first")

    def _group(self, name: str, needed: str, members: Sequence[str]) -> None:
        for member in members:
            self._defined(member)
            if member in self._grouped:
                raise ValueError(f"{member} is in a group already; a name is in one group at most")
            self._grouped.add(member)
        count = {"all": len(members), "any": 1}.get(needed) or (
            int(needed) if re.fullmatch("[1-9][0-9]?", needed) else 0
        )
        if not 1 <= count <= len(members):
            raise ValueError(f"{needed} is not all, any, or a number from 1 to {len(members)}")
        self.groups[name] = Group(tuple(members), count)


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{text[:80]} is no web address; write it with http:// or https://")
    return text.rstrip("/")
