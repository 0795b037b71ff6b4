"""Witnesses: checkpoints are offered to them, and what they cosign is checked and kept (C2SP tlog-witness)."""

from __future__ import annotations

import base64
import http.client
import io
import re
import socket
import ssl
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog

from ..store.leadership import leadership
from ..verification.policy import Policy, PolicyWitness
from ..verification.signed_note import BadFormError
from . import notes
from .proofs import TileReader
from .rows import StoredCheckpoint
from .sealer import Sealer

log = structlog.get_logger()

SPACING = 10.0  # seconds between two offers to one witness
PATIENCE = 1.0  # seconds of waiting for one witness
_SHORTEST = 0.1  # seconds to take what has come already
_SLOWEST = 320.0  # seconds between two offers to a witness that does not answer
_SKEW = timedelta(minutes=5)  # between a witness's clock and ours
_LARGEST = 65_536  # bytes of an answer
_LOOK = 1.0  # seconds between two looks for a new checkpoint
_OTHERS = 5.0  # seconds between two tries to take over from the process that offers

Observe = Callable[[str, str], None]  # witness, outcome


class SilentError(Exception):
    """Raised where a witness does not answer in time, or not in HTTP."""


class _Bounded(io.RawIOBase):
    """Reads a socket until an instant of the monotonic clock, however small the pieces: one that drips is cut off."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What ``http.client`` asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there, waiting no longer than until the instant; TimeoutError then."""
        if (left := self._until - time.monotonic()) <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._sock.recv_into(buffer)


class _Door:
    """The address of a witness, with one kept connection."""

    def __init__(self, prefix: str) -> None:
        self._parts = urlsplit(prefix)
        self._tls = ssl.create_default_context() if self._parts.scheme == "https" else None
        self._sock: socket.socket | None = None
        host = self._parts.netloc.rpartition("@")[2]
        self._head = (
            f"POST {self._parts.path}/add-checkpoint HTTP/1.1\r\nHost: {host}\r\nUser-Agent: emblem-log\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: "
        )

    @property
    def opened(self) -> bool:
        """Tell whether a connection was kept."""
        return self._sock is not None

    def open(self, until: float) -> None:
        """Connect, where that works until an instant of the monotonic clock."""
        with suppress(OSError):
            self._connected(until)

    def post(self, body: bytes, until: float) -> Generator[None, None, tuple[int, bytes]]:
        """Send at the first step, and take status and body of the answer at the next. SilentError where none comes."""
        while True:
            kept = self.opened
            try:
                sock = self._connected(until)
                sock.settimeout(max(_SHORTEST, until - time.monotonic()))
                sock.sendall(f"{self._head}{len(body)}\r\n\r\n".encode("ascii") + body)
                yield
                return self._answer(sock, until)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._close()
                if not kept or time.monotonic() >= until:
                    raise SilentError(str(error) or type(error).__name__) from error
                # a kept connection may have ended meanwhile: once more on a new one

    def _connected(self, until: float) -> socket.socket:
        if self._sock is None:
            port = self._parts.port or (443 if self._tls else 80)
            host = self._parts.hostname or ""
            sock = socket.create_connection((host, port), max(_SHORTEST, until - time.monotonic()))
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sock = self._tls.wrap_socket(sock, server_hostname=host) if self._tls else sock
            except BaseException:
                sock.close()
                raise
        return self._sock

    def _answer(self, sock: socket.socket, until: float) -> tuple[int, bytes]:
        # It asks its socket for a file, and for nothing else.
        until = max(until, time.monotonic() + _SHORTEST)  # others may have been waited for meanwhile
        answer = http.client.HTTPResponse(_Bounded(sock, until), method="POST")  # type: ignore[arg-type]
        answer.begin()
        data = answer.read(_LARGEST + 1)
        if len(data) > _LARGEST or (answer.length or 0) > 0:
            raise ValueError(f"the answer is cut off, or longer than {_LARGEST} bytes")
        if answer.will_close:
            self._close()
        answer.close()
        return answer.status, data

    def _close(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None


@dataclass
class _Standing:
    """Standing of one witness. ``held`` is the size that it cosigned last, as far as we know."""

    witness: PolicyWitness
    door: _Door
    held: int = 0
    due: float = 0.0
    failures: int = 0
    outcome: str = "not asked yet"
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Offered:
    """Outcome of one round: the checkpoint's size, whether the quorum is met now, and each witness's last outcome."""

    size: int
    met: bool
    outcomes: dict[str, str]


class Witnesses:
    """Offers the newest checkpoint to the witnesses of a policy. One process of a deployment does at a time.

    What each holds is kept in memory; after a start it is learned from the answer 409, which states it.
    """

    def __init__(self, sealer: Sealer, policy: Policy) -> None:
        self.sealer = sealer
        self.policy = policy
        self.observe: Observe = lambda _witness, _outcome: None
        self._checked: tuple[str, frozenset[str]] = ("", frozenset())
        self._standings = [_Standing(item, _Door(item.url)) for item in policy.witnesses if item.url]

    def run(self, ending: Callable[[], bool], told: Callable[[Offered], object]) -> float:
        """Offer for as long as the process lives and holds the lock; the seconds until the next try to take it.

        ``told`` hears of every round.
        """
        with leadership(self.sealer.database, self.sealer.data_dir, name="witnesses") as held:
            while held is not None and self._standings and not ending() and held():
                if (offered := self.offer()) is not None:
                    told(offered)
                time.sleep(_LOOK)
        return _OTHERS

    def offer(self) -> Offered | None:
        """Offer the newest checkpoint to each witness that has not cosigned it and whose time has come.

        None where there is none. Unavailable where the cosignatures could not be kept: the next round asks again.
        """
        now = time.monotonic()
        due = [one for one in self._standings if now >= one.due]
        head = self.sealer.rows.newest() if due else None
        if head is None:
            return None
        seen = self._seen(head)
        asked = [one for one in due if one.witness.name not in seen]
        if not asked:
            return None
        self._ask(asked, head)
        lines = [line for one in asked for line in one.lines]
        if lines:
            self.sealer.cosign(head.size, lines)
        for one in asked:
            self.observe(one.witness.name, one.outcome)
            if one.lines:
                seen.add(one.witness.name)
        return Offered(head.size, self.policy.met_by(seen), {one.witness.name: one.outcome for one in self._standings})

    def _seen(self, head: StoredCheckpoint) -> set[str]:
        """Names of the witnesses that cosigned a checkpoint; the signatures of one note are checked once."""
        if self._checked[0] != head.note:
            self._checked = (head.note, frozenset(one.witness for one in self.policy.cosignatures(head.note.encode())))
        return set(self._checked[1])

    def _ask(self, asked: list[_Standing], head: StoredCheckpoint) -> None:
        """Offer a checkpoint to all of these at once: it is sent to each before any answer is waited for."""
        begun = time.monotonic()
        reader = TileReader(self.sealer.storage, head.size)
        if len(asked) > 1 and (away := [one.door for one in asked if not one.door.opened]):
            with ThreadPoolExecutor(len(away), thread_name_prefix="emblem-witness") as pool:
                list(pool.map(lambda door: door.open(begun + PATIENCE), away))
        dialogues = [(one, self._submit(one, head, reader, begun + PATIENCE)) for one in asked]
        for one in asked:
            one.lines = []
        while dialogues:
            dialogues = [(one, dialogue) for one, dialogue in dialogues if self._goes_on(one, dialogue)]
        for one in asked:
            one.failures = 0 if one.lines else one.failures + 1
            pause = SPACING if one.lines else min(SPACING * 2 ** min(one.failures - 1, 5), _SLOWEST)
            one.due = begun + pause

    def _goes_on(self, one: _Standing, dialogue: Generator[None, None, str]) -> bool:
        """Take the next step of a dialogue; False where it has ended, with the outcome noted."""
        try:
            next(dialogue)
        except StopIteration as ended:
            one.outcome = ended.value
        except SilentError as error:
            one.outcome = "silent"
            log.warning("a witness does not answer", witness=one.witness.name, reason=str(error))
        except Exception as error:
            one.outcome = "failed"
            log.error("a witness could not be asked", witness=one.witness.name, exc_info=error)
        else:
            return True
        return False

    def _submit(
        self, one: _Standing, head: StoredCheckpoint, reader: TileReader, until: float
    ) -> Generator[None, None, str]:
        """Offer a checkpoint to one witness, again from where it stands where it says so; the outcome in one word."""
        own = notes.without_witnesses(head.note)
        one.held = min(one.held, head.size)  # it was ahead of us: let it say once more where it is
        for _ in range(2):
            proof = reader.consistency(one.held) if one.held else []
            lines = [f"old {one.held}", *(base64.b64encode(item).decode() for item in proof)]
            status, answer = yield from one.door.post(("\n".join(lines) + "\n\n" + own).encode(), until)
            if status == 200:
                return self._take(one, head, answer)
            if status != 409:
                log.warning("a witness refuses", witness=one.witness.name, status=status, answer=answer[:200])
                return f"refused-{status}"
            match = re.fullmatch(rb"(0|[1-9][0-9]{0,18})\n?", answer)
            if not match:
                return "malformed"
            if int(match[1]) > head.size:
                one.held = int(match[1])
                log.warning("a witness holds more than this log", witness=one.witness.name, holds=one.held)
                return "ahead"
            if int(match[1]) == one.held:
                return "refused-409"  # the same size and another root, in version 1.0.0 of the specification
            one.held = int(match[1])
        return "refused-409"

    def _take(self, one: _Standing, head: StoredCheckpoint, answer: bytes) -> str:
        """Check what a witness answered, and keep its cosignature; the outcome in one word."""
        statement = notes.read(head.note).text.encode()
        try:
            lines = answer.decode("utf-8").splitlines()
            found = [item for line in lines if line and (item := self.policy.check(line, statement))]
        except (BadFormError, UnicodeDecodeError) as error:
            log.warning("a cosignature does not hold", witness=one.witness.name, reason=str(error))
            return "bad-cosignature"
        mine = next((item for item in found if item.witness == one.witness.name), None)
        if mine is None:
            return "no-cosignature"
        if abs(mine.at - self.sealer.clock()) > _SKEW:
            log.warning("a cosignature is of another time", witness=one.witness.name, at=mine.at.isoformat())
            return "wrong-time"
        one.held, one.lines = head.size, [mine.line]
        return "cosigned"
