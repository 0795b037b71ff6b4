"""A monitor of a log that it does not host: it keeps its own copy, and says when the log goes back on its word.

What it finds by looking again and again, which no single verification can: that the log rewound, showed two
histories, stood still or lost its quorum, and that a witness holds what the log does not show.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from .log_copy import CopyingSource, LogCopy, entry_of, first_difference, shown_tile, write_file
from .log_reader import LogSource, NotAllowedError, PinnedSource, SourceError, WebSource
from .policy import Policy
from .signed_note import (
    ML_DSA_44,
    BadFormError,
    PublicKey,
    SignedHead,
    cosigned_at,
    parse_checkpoint,
    parse_vkey,
)
from .verifier import LeafWalk, LogVerdict, Progress, read_keys, silent, stated_keys

COSIGNED_WITHIN = 12.0  # seconds: a checkpoint is offered to witnesses at most ten after it is published
STILL = timedelta(seconds=45)  # a log of ours signs anew what is older than twenty; said at the next look
_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True)
class Alarm:
    """Something that a log may not do. ``index`` is the first leaf that it touches, None where it touches none.

    ``kind`` is ``silent``, ``unsigned``, ``rewound``, ``forked``, ``damaged``, ``still``, ``quorum``, ``split`` or
    ``evidence``; ``entries`` holds the two entries of a leaf that differ, where both can be had.
    """

    kind: str
    detail: str
    index: int | None = None
    entries: tuple[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """The alarm as plain values."""
        found: dict[str, Any] = {"kind": self.kind, "detail": self.detail, "index": self.index}
        if self.entries:
            found["entries"] = {"kept": self.entries[0], "shown": self.entries[1]}
        return found


@dataclass(frozen=True)
class Held:
    """Answer of a witness: the size that it holds, None where it holds nothing or does not answer."""

    witness: str
    size: int | None
    outcome: str


@dataclass
class Look:
    """Result of one look at a log."""

    at: datetime
    origin: str = ""
    size: int = 0
    root: str = ""
    fresh_at: datetime | None = None
    entries_read: bool = False
    cosigned_by: list[str] = field(default_factory=list)
    witnesses: list[Held] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Tell whether there is nothing to say."""
        return not self.alarms

    def as_json(self) -> dict[str, Any]:
        """The look as plain values."""
        return {
            "ok": self.ok,
            "at": self.at.strftime(_FORMAT),
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "fresh_at": self.fresh_at.strftime(_FORMAT) if self.fresh_at else None,
            "entries_read": self.entries_read,
            "cosigned_by": self.cosigned_by,
            "witnesses": [vars(held) for held in self.witnesses],
            "alarms": [alarm.as_json() for alarm in self.alarms],
        }


class BusyError(Exception):
    """Raised where another monitor works in the folder."""


class Monitor:
    """Looks at one log again and again, with its copy, its keys and its memory in ``folder``.

    ``keys`` are those to rely on; without them the log's own word is taken at the first look, and kept. ``still`` is
    how old a checkpoint may be: without it ``STILL`` where the checkpoint states its time, and no limit where it
    does not, for a log in which nothing happens may stay the same for days.
    """

    def __init__(
        self,
        source: LogSource,
        folder: Path,
        keys: Sequence[PublicKey] = (),
        policy: Policy | None = None,
        still: timedelta | None = None,
    ) -> None:
        self.source = source
        self.folder = folder
        self.copy = LogCopy(folder)
        self.policy = policy
        self.still = still
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.patience = COSIGNED_WITHIN
        self._given = list(keys)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder; BusyError where another monitor does, SourceError where it cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise SourceError(f"{self.folder} cannot be written: {error.strerror}.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise BusyError(f"another monitor works in {self.folder}; give this one another --state") from None
        finally:
            os.close(lock)

    # --- one look

    def look(self, progress: Progress = silent) -> Look:
        """Read what is new, and judge it by what is kept. Nothing that the log does is raised; it is an alarm."""
        look = Look(self.clock())
        memory = self._memory()
        try:
            self._judge(look, memory, progress)
        except SourceError as error:
            look.alarms.append(Alarm("silent", str(error).removesuffix(".")))
        except BadFormError as error:
            look.alarms.append(Alarm("unsigned", f"{error}"))
        finally:
            self.copy.drop()
        for file in sorted((self.folder / "evidence").glob("*")):
            text = f"{file} proves what the log did; once that is dealt with, move the file away"
            look.alarms.append(Alarm("evidence", text))
        write_file(self.folder / "memory.json", json.dumps(memory, indent=2).encode())
        return look

    def _judge(self, look: Look, memory: dict[str, Any], progress: Progress) -> None:
        keys = self._keys()
        note = self._checkpoint()
        if note is None:
            raise BadFormError("the log shows no checkpoint")
        stated = self._stated(look)
        head = parse_checkpoint(note, keys, stated)
        look.origin, look.size, look.root = head.origin, head.size, head.root.hex()
        kept_note = self.copy.read("checkpoint")
        kept = parse_checkpoint(kept_note, keys, stated) if kept_note else None
        self._judge_age(look, memory, note, stated)
        self._judge_quorum(look, note)
        fits = self._compare(look, memory, kept, head, note, progress)
        if fits:
            self._learn_keys(note, stated)
        base = head if fits else kept
        if base is not None and self.policy is not None:
            self._ask_witnesses(look, base, keys, stated)

    def _compare(
        self,
        look: Look,
        memory: dict[str, Any],
        kept: SignedHead | None,
        head: SignedHead,
        note: bytes,
        progress: Progress,
    ) -> bool:
        """Hold a checkpoint against the kept one, and take it over where it continues that; whether it does."""
        if kept is not None and kept.origin != head.origin:
            look.alarms.append(Alarm("forked", f"this is another log: it was {kept.origin} and is {head.origin} now"))
            return False
        if kept is not None and head.size < kept.size:
            text = f"the log had {kept.size} leaves and shows {head.size} now"
            if self.copy.root(head.size) == head.root:
                look.alarms.append(Alarm("rewound", text, head.size))
            else:
                self._forked(look, kept, head, note)
            return False
        if kept is not None and head.size == kept.size:
            if head.root != kept.root:
                self._forked(look, kept, head, note)
                return False
            look.entries_read = bool(memory.get("entries"))
            if look.entries_read or not self._allowed(head):
                write_file(self.folder / "checkpoint", note)  # further cosignatures
                return True
        return self._grow(look, memory, kept, head, note, progress)

    def _grow(
        self,
        look: Look,
        memory: dict[str, Any],
        kept: SignedHead | None,
        head: SignedHead,
        note: bytes,
        progress: Progress,
    ) -> bool:
        known = bool(memory.get("entries"))
        from_start = kept is None or (not known and self._allowed(head))
        first = 0 if from_start or kept is None else kept.size >> 8
        verdict = LogVerdict()
        walk = LeafWalk(CopyingSource(PinnedSource(self.source, note), self.copy), verdict, head.size, head.root)
        walk.stack = self.copy.stack(first << 8)
        roots = walk.run([kept.size] if kept else [], progress, first)
        self._compare_tiles(verdict)
        good = not verdict.findings and roots[head.size] == head.root
        if good and kept is not None and roots[kept.size] != kept.root:
            good = False
        if not good:
            if kept is not None:
                leaf = first_difference(self.copy, self.source, kept.size, head.size)
                if leaf is not None and not self._only_shown_wrong(head):
                    self._forked(look, kept, head, note, leaf)
                    return False
            where = verdict.first
            detail = f"{where.path}: {where.text}" if where else "the tiles do not have the root that was signed"
            look.alarms.append(Alarm("damaged", detail, where.index if where else None))
            return False
        look.entries_read = memory["entries"] = walk.entries and (known or from_start)
        self.copy.commit(note, head.size)
        return True

    def _only_shown_wrong(self, head: SignedHead) -> bool:
        """Tell whether the tiles that the log shows now lack the root that it signed: damage, not another history."""
        verdict = LogVerdict()
        walk = LeafWalk(self.source, verdict, head.size, head.root)
        walk.entries = False
        roots = walk.run([], silent)
        return bool(verdict.findings) or roots[head.size] != head.root

    def _compare_tiles(self, verdict: LogVerdict) -> None:
        """Hash tiles that came in begin as those that are kept."""
        for path, file in self.copy.staged():
            parts = path.removeprefix("tile/").partition(".p/")[0].split("/")
            if parts[0] == "entries" or verdict.findings:
                continue
            index = int("".join(part.removeprefix("x") for part in parts[1:]))
            mine, data = self.copy.tile(int(parts[0]), index), file.read_bytes()
            place = next((at for at in range(0, min(len(mine), len(data)), 32) if mine[at:][:32] != data[at:][:32]), -1)
            if place >= 0:
                leaf = (index * 256 + place // 32) << (8 * int(parts[0]))
                LeafWalk(self.copy, verdict, 0).find(leaf, path, "it is not what it was")

    def _forked(self, look: Look, kept: SignedHead, head: SignedHead, note: bytes, leaf: int | None = None) -> None:
        """Keep the checkpoint as evidence, and say where the histories part."""
        place = self.folder / "evidence" / f"forked-{head.size}-{head.root.hex()[:16]}.checkpoint"
        write_file(place, note)
        entries = None
        with suppress(NotAllowedError, SourceError):
            if leaf is None:
                leaf = first_difference(self.copy, self.source, kept.size, head.size)
            if leaf is not None:
                width = min(256, head.size - (leaf & ~255))
                mine = entry_of(self.copy.tile("entries", leaf >> 8), leaf & 255)
                theirs = entry_of(shown_tile(self.source, "entries", leaf >> 8, width), leaf & 255)
                if mine is not None and theirs is not None:
                    entries = (mine.decode("utf-8", "replace"), theirs.decode("utf-8", "replace"))
        text = f"the log signed two histories: its {kept.size} leaves are not among the {head.size} that it shows now"
        text += "" if leaf is None else f"; the first leaf that differs is {leaf}"
        look.alarms.append(Alarm("forked", text, leaf, entries))

    def _allowed(self, head: SignedHead) -> bool:
        """Tell whether the log shows its entries to us."""
        try:
            return bool(head.size and shown_tile(self.source, "entries", 0, min(256, head.size)))
        except NotAllowedError:
            return False

    # --- age, quorum, witnesses

    def _judge_age(self, look: Look, memory: dict[str, Any], note: bytes, stated: Sequence[PublicKey]) -> None:
        digest = sha256(note).hexdigest()
        if memory.get("checkpoint") != digest:
            memory["checkpoint"], memory["changed_at"] = digest, look.at.strftime(_FORMAT)
        times = [cosigned_at(note, key) for key in [*self._keys(), *stated] if key.type == ML_DSA_44]
        stamps = [at for at in times if at is not None]
        changed = datetime.strptime(memory["changed_at"], _FORMAT).replace(tzinfo=UTC)
        look.fresh_at = max(stamps) if stamps else changed
        limit = self.still or (STILL if stamps else None)
        if limit is not None and look.at - look.fresh_at > limit:
            age = int((look.at - look.fresh_at).total_seconds())
            what = "was signed" if stamps else "changed"
            text = f"the newest checkpoint {what} {age} s ago, at {look.fresh_at:%Y-%m-%d %H:%M:%S} UTC"
            look.alarms.append(Alarm("still", text))

    def _judge_quorum(self, look: Look, note: bytes) -> None:
        if self.policy is None:
            return
        seen = {item.witness for item in self.policy.cosignatures(note)}
        look.cosigned_by = sorted(seen)
        if not self.policy.met_by(seen):
            who = ", ".join(look.cosigned_by) or "no witness"
            text = f"the quorum {self.policy.quorum} is missed: {who} cosigned the checkpoint of {look.size} leaves"
            look.alarms.append(Alarm("quorum", text))

    def _checkpoint(self) -> bytes | None:
        """The log's checkpoint, waiting for one that the quorum has cosigned where it is too young for that."""
        until = time.monotonic() + self.patience
        while True:
            note = self.source.read("checkpoint")
            if self.policy is None or note is None or self.policy.seen(note) or time.monotonic() >= until:
                return note
            time.sleep(0.5)

    def _ask_witnesses(
        self, look: Look, base: SignedHead, keys: Sequence[PublicKey], stated: Sequence[PublicKey]
    ) -> None:
        """Ask each witness what it holds of the log, and hold it against the copy, which is of ``base``."""
        assert self.policy is not None
        place = f"{sha256(base.origin.encode()).hexdigest()}/checkpoint"
        for witness in self.policy.witnesses:
            if not witness.url:
                continue
            try:
                note = WebSource(witness.url, timeout=5).read(place)
            except (SourceError, NotAllowedError):
                look.witnesses.append(Held(witness.name, None, "does not answer"))
                continue
            if note is None:
                look.witnesses.append(Held(witness.name, None, "holds nothing"))
                continue
            try:
                held = parse_checkpoint(note, keys, stated)
                proved = witness.name in {item.witness for item in self.policy.cosignatures(note)}
            except (BadFormError, UnicodeDecodeError):
                proved = False
            if not proved or held.origin != base.origin:
                look.witnesses.append(Held(witness.name, None, "shows nothing that it signed"))
                continue
            self._hold_against(look, base, witness.name, held, note)

    def _hold_against(self, look: Look, base: SignedHead, name: str, held: SignedHead, note: bytes) -> None:
        if held.size <= base.size:
            if self.copy.root(held.size) == held.root:
                look.witnesses.append(Held(name, held.size, "agrees"))
                return
            text = f"{name} holds another history of {held.size} leaves than the log shows here"
        else:
            now = self.source.read("checkpoint") or b""
            lines = now.split(b"\n")
            if len(lines) > 1 and lines[1].isdigit() and int(lines[1]) >= held.size:
                look.witnesses.append(Held(name, held.size, "is ahead"))  # the log has grown meanwhile: next time
                return
            text = f"{name} holds {held.size} leaves, and the log shows {base.size} here"
        write_file(self.folder / "evidence" / f"{name}-{held.size}-{held.root.hex()[:16]}.checkpoint", note)
        look.witnesses.append(Held(name, held.size, "disagrees"))
        look.alarms.append(Alarm("split", text))

    # --- keys and memory

    def _keys(self) -> list[PublicKey]:
        """The keys to rely on: those given, else those that were kept, else the log's own word."""
        if self._given:
            return self._given
        kept = self.copy.read("key")
        if kept is None:
            keys = read_keys(self.source)
            write_file(self.folder / "key", "".join(f"{key.vkey}\n" for key in keys).encode())
            return keys
        return [parse_vkey(line) for line in kept.decode().split("\n") if line]

    def _stated(self, look: Look) -> list[PublicKey]:
        verdict = LogVerdict()
        found = stated_keys(self.source, verdict)
        look.alarms += [Alarm("unsigned", item.text) for item in verdict.findings]
        return found

    def _learn_keys(self, note: bytes, stated: Sequence[PublicKey]) -> None:
        """Rely on a key too that signed a good checkpoint beside one relied on so far: the log's key was changed."""
        if self._given:
            return
        known = self._keys()
        fresh = [key for key in stated if key.vkey not in {mine.vkey for mine in known}]
        signed = set(parse_checkpoint(note, [*known, *fresh]).signed_by)
        if learned := [key for key in fresh if key.vkey in signed]:
            text = "".join(f"{key.vkey}\n" for key in [*learned, *known])
            write_file(self.folder / "key", text.encode())

    def _memory(self) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / "memory.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
