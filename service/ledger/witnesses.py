"""Witnesses: checkpoints are offered to them, and what they cosign is checked and kept (C2SP tlog-witness)."""

from __future__ import annotations

import base64
import http.client
import re
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
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
_SLOWEST = 320.0  # seconds between two offers to a witness that does not answer
_SKEW = timedelta(minutes=5)  # between a witness's clock and ours
_LARGEST = 65_536  # bytes of an answer
_LOOK = 1.0  # seconds between two looks for a new checkpoint
_OTHERS = 5.0  # seconds between two tries to take over from the process that offers

Observe = Callable[[str, str], None]  # witness, outcome


class SilentError(Exception):
    """Raised where a witness does not answer in time, or not in HTTP."""


class _Door:
    """The address of a witness, with one kept connection."""

    def __init__(self, prefix: str) -> None:
        self._parts = urlsplit(prefix)
        self._connection: http.client.HTTPConnection | None = None

    def add_checkpoint(self, body: bytes, until: float) -> tuple[int, bytes]:
        """Status and body of the answer, until an instant of the monotonic clock. SilentError where there is none."""
        while True:
            kept = self._connection is not None
            try:
                return self._post(body, until)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._close()
                if not kept or time.monotonic() >= until:
                    raise SilentError(str(error) or type(error).__name__) from error
                # a kept connection may have ended meanwhile: once more on a new one

    def _post(self, body: bytes, until: float) -> tuple[int, bytes]:
        left = max(0.01, until - time.monotonic())
        connection = self._connection
        if connection is None:
            kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
            connection = kind(self._parts.hostname or "", self._parts.port, timeout=left)
            connection.connect()
            self._connection = connection
        sock = connection.sock
        sock.settimeout(left)
        # The socket's timeout is for each piece alone: one that drips is cut off as a whole.
        cut = threading.Timer(left, _shut, (sock,))
        cut.daemon = True
        cut.start()
        try:
            headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "emblem-log"}
            connection.request("POST", f"{self._parts.path}/add-checkpoint", body=body, headers=headers)
            answer = connection.getresponse()
            data = answer.read(_LARGEST + 1)
        finally:
            cut.cancel()
        if len(data) > _LARGEST or (answer.length or 0) > 0:
            raise ValueError(f"the answer is cut off, or longer than {_LARGEST} bytes")
        if answer.will_close:
            self._close()
        return answer.status, data

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


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
        head = self.sealer.rows.newest()
        if head is None:
            return None
        seen = {item.witness for item in self.policy.cosignatures(head.note.encode())}
        now = time.monotonic()
        asked = [one for one in self._standings if one.witness.name not in seen and now >= one.due]
        if not asked:
            return None
        with ThreadPoolExecutor(len(asked), thread_name_prefix="emblem-witness") as pool:
            list(pool.map(lambda one: self._ask(one, head), asked))
        lines = [line for one in asked for line in one.lines]
        if lines:
            self.sealer.cosign(head.size, lines)
        for one in asked:
            self.observe(one.witness.name, one.outcome)
            if one.lines:
                seen.add(one.witness.name)
        return Offered(head.size, self.policy.met_by(seen), {one.witness.name: one.outcome for one in self._standings})

    def _ask(self, one: _Standing, head: StoredCheckpoint) -> None:
        begun = time.monotonic()
        one.lines = []
        try:
            one.outcome = self._submit(one, head, begun + PATIENCE)
        except SilentError as error:
            one.outcome = "silent"
            log.warning("a witness does not answer", witness=one.witness.name, reason=str(error))
        except Exception as error:
            one.outcome = "failed"
            log.error("a witness could not be asked", witness=one.witness.name, exc_info=error)
        one.failures = 0 if one.lines else one.failures + 1
        pause = SPACING if one.lines else min(SPACING * 2 ** min(one.failures - 1, 5), _SLOWEST)
        one.due = begun + pause

    def _submit(self, one: _Standing, head: StoredCheckpoint, until: float) -> str:
        """Offer a checkpoint to one witness, again from where it stands where it says so; the outcome in one word."""
        own = notes.without_witnesses(head.note)
        one.held = min(one.held, head.size)  # it was ahead of us: let it say once more where it is
        for _ in range(2):
            proof = TileReader(self.sealer.storage, head.size).consistency(one.held) if one.held else []
            lines = [f"old {one.held}", *(base64.b64encode(item).decode() for item in proof)]
            status, answer = one.door.add_checkpoint(("\n".join(lines) + "\n\n" + own).encode(), until)
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
