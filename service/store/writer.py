"""The thread of a process that commits whatever waits together.

SQLite has one writer at a time, and a commit is one flush of the disk (``wal``): a hundred waiting downloads share it,
and the writer's place is free for other processes meanwhile. Notes that may be missing wait for each other a moment
longer, in transactions of their own: one for each would take as many turns as the records that somebody waits for.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from time import monotonic, sleep
from typing import Any

from .answer import Answer
from .group_commit import GroupCommit, Waiting, Work

_MOST = 256  # writes a transaction: bounds how long the first of them waits
_LATER = 0.25  # seconds for which a note waits for others
_LONGEST_GATHERING = 0.005  # seconds for which a write waits for those who were there the last time


class WriterThread:
    """Takes what waits, commits it, and then gives each caller its answer."""

    def __init__(self, commit: GroupCommit) -> None:
        """Start it."""
        self.commit = commit
        #: What somebody waits for; None ends the thread, an empty tuple wakes it for a note.
        self.queue: queue.SimpleQueue[Waiting | tuple[()] | None] = queue.SimpleQueue()
        self._notes: deque[Waiting] = deque()
        self._due: float | None = None  # the moment at which the oldest note is to be written
        self._together = 1  # writes of the last transaction
        self._took = 0.0  # seconds that it took
        self._thread = threading.Thread(target=self._run, name="emblem-writer", daemon=True)
        self._thread.start()

    def put(self, work: Work | None, item: Any, answer: Answer) -> None:
        """Hand a write over: an item of ``work``, or a function of a session where that is None."""
        self.queue.put((work, item, answer))

    def put_note(self, work: Work, item: Any) -> None:
        """Hand over what nobody waits for, to be written within a moment."""
        self._notes.append((work, item, Answer()))
        if len(self._notes) in (1, _MOST):
            self.queue.put(())

    def stop(self) -> None:
        """Finish what waits, and end."""
        self.queue.put(None)
        self._thread.join()
        self.commit.leave()

    def _run(self) -> None:
        ending = False
        while not ending:
            if self._due is None and self._notes:
                self._due = monotonic() + _LATER
            first = self._next()
            if first is None:
                break
            if first:
                ending = self._write_waiting(first)
            if len(self._notes) >= _MOST or (self._due is not None and monotonic() >= self._due):
                self._write_notes()
        while self._notes:
            self._write_notes()

    def _next(self) -> Waiting | tuple[()] | None:
        """The next that somebody waits for; an empty tuple where it is the notes' turn."""
        try:
            return self.queue.get(timeout=None if self._due is None else max(0.0, self._due - monotonic()))
        except queue.Empty:
            return ()

    def _write_waiting(self, first: Waiting) -> bool:
        """Write it with what else waits; tell whether the thread is to end."""
        ending = False
        self._gather()
        with self.commit.turns.turn():  # before taking more: what comes meanwhile is part of the batch, or given up
            began = monotonic()
            waiting = [first]
            while len(waiting) < _MOST:
                try:
                    item = self.queue.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    ending = True
                    break
                if item:
                    waiting.append(item)
            done = self.commit.together([one for one in waiting if one[2].begin()])
        # After the turn: others write while the disk does, and whoever hears of it may stand still at once, and the
        # process with it.
        for answer, given in self.commit.flushed(done):
            answer.give(given)
        self._together, self._took = len(waiting), monotonic() - began
        return ending

    def _gather(self) -> None:
        """Wait a little for those who wrote together the last time: they come again one after the other.

        A transaction for the first of them would take as long as one for all. Who writes alone waits for nobody.
        """
        if self.queue.qsize() + 1 < self._together:
            sleep(min(self._took, _LONGEST_GATHERING))

    def _write_notes(self) -> None:
        """Write the oldest notes, to be flushed with what comes next; those that cannot be written are dropped."""
        self._due = None
        notes = [self._notes.popleft() for _ in range(min(len(self._notes), _MOST))]
        with self.commit.turns.turn():
            self.commit.together(notes)
