"""The answer to one write, from the writer's thread to the one that waits for it."""

from __future__ import annotations

import threading
from typing import Any


class Answer:
    """A result or an exception that is given once.

    ``concurrent.futures.Future`` does more, by a condition: whoever waits is woken to find its lock taken, and waits
    once more. With some thirty who are woken at the same moment that is as much work as the record itself.
    """

    __slots__ = ("_begun", "_error", "_given", "_result")

    def __init__(self) -> None:
        self._begun = threading.Lock()  # taken by whoever is first: the writer, or who gives up
        self._given = threading.Lock()
        self._given.acquire()
        self._result: Any = None
        self._error: BaseException | None = None

    def begin(self) -> bool:
        """Let the writer take the write up; False where nobody waits for it any more."""
        return self._begun.acquire(blocking=False)

    def give_up(self) -> bool:
        """Leave the write undone; False where the writer has begun it, and its answer will come."""
        return self._begun.acquire(blocking=False)

    def give(self, answer: Any) -> None:
        """Give the result, or the exception that is raised where it is waited for. Once."""
        if isinstance(answer, BaseException):
            self._error = answer
        else:
            self._result = answer
        self._given.release()

    def wait(self, seconds: float = -1) -> Any:
        """The result, or what was given as exception; TimeoutError after so many seconds, negative for no end."""
        if not self._given.acquire(timeout=seconds):
            raise TimeoutError
        self._given.release()  # it may be asked for again
        if self._error is not None:
            raise self._error
        return self._result
