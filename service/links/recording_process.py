"""Recording by one process for all of a machine: what that process does, until those that ask have ended."""

from __future__ import annotations

import pickle
import selectors
import socket
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

import structlog

from ..problems import Problem, Unavailable
from ..store import Database
from ..store.database import Batch
from .decisions import RecordRequest
from .records import End, Recorded, Records
from .shared_recording import GREETING, LARGEST

_TOGETHER = 0.25  # seconds for which ends wait for others
_MOST = 256  # requests of one transaction: bounds how long the first of them waits

log = structlog.get_logger()


def serve(door: socket.socket, database: Database, records: Records) -> None:
    """Record for whoever sends a connection through the door, until nobody has its other end any more."""
    _Recording(door, database, records).run()


class _Recording:
    """All connections of a machine's processes, read by one thread that also writes."""

    def __init__(self, door: socket.socket, database: Database, records: Records) -> None:
        self._door = door
        self._records: Batch[RecordRequest, Recorded] = database.batch(records.write)
        self._notes: Batch[End, None] = database.batch(records.note_ends)
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(door, selectors.EVENT_READ)
        self._ends: list[End] = []
        self._due = 0.0  # when the ends are written, where there are any
        self._open = True

    def run(self) -> None:
        while self._open or len(self._waiting.get_map()):
            asked = []
            for key, _ in self._waiting.select(max(0.0, self._due - monotonic()) if self._ends else None):
                one: socket.socket = key.fileobj  # type: ignore[assignment]
                if one is self._door:
                    self._let_in()
                elif (request := self._read(one)) is not None:
                    asked.append((one, request))
            for start in range(0, len(asked), _MOST):
                self._record(asked[start : start + _MOST])
            if self._ends and monotonic() >= self._due:
                self._note()
        self._note()

    def _let_in(self) -> None:
        came, descriptors, _, _ = socket.recv_fds(self._door, 1, 1)
        for descriptor in descriptors:
            one = socket.socket(fileno=descriptor)
            with suppress(OSError):  # who sent it has ended
                one.send(GREETING)
                self._waiting.register(one, selectors.EVENT_READ)
        if not came:
            self._waiting.unregister(self._door)
            self._open = False

    def _read(self, one: socket.socket) -> RecordRequest | None:
        """The request that came, where it is one and in time."""
        try:
            came = one.recv(LARGEST)
        except OSError:
            came = b""
        if not came:
            self._waiting.unregister(one)
            one.close()
            return None
        deadline, request, ends = pickle.loads(came)  # noqa: S301 - of a process of ours, see ``shared_recording``
        if ends:
            self._due = self._due if self._ends else monotonic() + _TOGETHER
            self._ends += ends
        if request is not None and monotonic() > deadline:
            _answer(one, Unavailable(headers={"Retry-After": "5"}, private="the recorder was busy for too long"))
            return None
        found: RecordRequest | None = request
        return found

    def _record(self, asked: Sequence[tuple[socket.socket, RecordRequest]]) -> None:
        answers: Sequence[Recorded | Exception]
        try:
            answers = self._records.write_all([request for _, request in asked])
        except Exception as error:
            answers = [error] * len(asked)
        for (one, _), answer in zip(asked, answers, strict=True):
            _answer(one, answer)

    def _note(self) -> None:
        """Write how downloads ended; what cannot be written is dropped."""
        notes, self._ends = self._ends, []
        for start in range(0, len(notes), _MOST):
            with suppress(Exception):
                self._notes.write_all(notes[start : start + _MOST])


def _answer(one: socket.socket, answer: Recorded | Exception) -> None:
    if isinstance(answer, Exception) and not isinstance(answer, Problem):
        log.error("a download could not be recorded", exc_info=answer)
        answer = Problem(private=f"the recorder: {type(answer).__name__}")
    with suppress(OSError):  # who asked has ended
        one.send(pickle.dumps(answer, 5))
