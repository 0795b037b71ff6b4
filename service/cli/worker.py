"""gunicorn's worker with threads, except that a connection whose next request comes at once keeps its thread.

gunicorn hands a kept connection back to the worker's main thread after each request, which watches it and
hands it to a thread again: two changes of threads a request, which cost more than a warm answer does. A proxy
in front, or a browser that loads a page, sends the next request within a moment. Waiting that moment answers
half as many requests again per process (``python -m tests.benchmarks.variants warm``).
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from gunicorn.workers.gthread import ThreadWorker

if TYPE_CHECKING:
    from gunicorn.workers.gthread import TConn

_MOMENT = 2  # milliseconds


class Worker(ThreadWorker):
    """Waits for the next request only while there is a thread for every connection, so nobody waits for it."""

    def handle(self, conn: TConn) -> bool:
        """See gunicorn: answers a request; True where the connection is to be kept."""
        keep = super().handle(conn)
        while keep is True and self.alive and self.nr_conns <= self.cfg.threads and _has_more(conn):
            keep = super().handle(conn)
        return keep


def _has_more(conn: TConn) -> bool:
    poll = select.poll()
    poll.register(conn.sock, select.POLLIN)
    return bool(poll.poll(_MOMENT))
