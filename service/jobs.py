"""The background work of a process: one table of jobs, and the two threads that do them.

Every process of a deployment runs all jobs; what one process alone may do holds a lock of its own name.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from .store import idempotency
from .store.leadership import leadership

if TYPE_CHECKING:
    from datetime import datetime

    from .deployment import Deployment

log = structlog.get_logger()

_TURN = 1.0  # seconds between two looks at what is due


@dataclass
class Job:
    """Work that is repeated: ``every`` so many seconds; under the lock of that name where one is given."""

    name: str
    every: float
    work: Callable[[], object]
    lock: str | None = None
    due: float = 0.0  # on the monotonic clock


def table(deployment: Deployment) -> list[Job]:
    """All jobs but sealing, which waits for none of them."""

    def sweep() -> None:
        deployment.participants.sign_in.purge()
        idempotency.purge(deployment.database, deployment.clock())

    return [
        Job("logo uses", 30, deployment.embeds.enter_uses),
        Job("notices of new terms", 120, lambda: deployment.embeds.notify_terms(deployment.mailer)),
        Job("segments", 20, deployment.segments.write),
        Job("refusals", 5, deployment.refusals.flush),
        Job("alerts", 120, deployment.alerts.run),
        Job("webhooks", 15, deployment.webhooks.deliver, lock="webhooks"),
        Job("retention", 3600, deployment.retention.run),
        Job("checkpoint mail", 60, deployment.checkpoint_mail.run),
        Job("sessions and answers that have run out", 3600, sweep),
    ]


class Jobs:
    """Does the background work of one process, sealing in a thread of its own. A job that fails stops no other."""

    def __init__(self, deployment: Deployment, jobs: Sequence[Job] | None = None) -> None:
        self.deployment = deployment
        self.jobs = table(deployment) if jobs is None else list(jobs)
        self._sealed_at = 0.0  # on the monotonic clock; 0 before the first time
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._turns, args=(turn,), name=name, daemon=True)
            for name, turn in (("emblem-seal", self.seal_if_due), ("emblem-jobs", self.run_due))
        ]

    def start(self) -> None:
        """Start the threads, and those of the parts that have their own."""
        self.deployment.embeds.start()
        self.deployment.variants.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads, do the last turn so that nothing waits in memory, and close the deployment."""
        self._ending.set()
        deadline = time.monotonic() + 5
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))
        self._attempt("logo uses", lambda: self.deployment.embeds.enter_uses(everything=True))
        self._attempt("refusals", self.deployment.refusals.flush)
        self._attempt("sealing", lambda: self.deployment.sealer.seal(wait=3))
        self._attempt("closing", self.deployment.close)

    def run_due(self) -> None:
        """Do every job whose time has come. One that fails is logged and tried again at its next time."""
        for job in self.jobs:
            now = time.monotonic()
            if now >= job.due and not self._ending.is_set():
                job.due = now + job.every
                self._attempt(job.name, lambda job=job: self._do(job))  # type: ignore[misc]

    def seal_if_due(self) -> None:
        """Seal where the interval is over since the newest checkpoint, or where entries wait."""
        self._attempt("sealing", self._seal)

    def _seal(self) -> None:
        sealer, interval = self.deployment.sealer, self.deployment.settings.seal_interval
        newest = sealer.rows.newest()
        if newest is not None and self._sealed_at and self._age(newest.at) < interval:
            return
        now = time.monotonic()
        # A full turn now and then, even with nothing waiting, publishes what a process left that was killed.
        if now - self._sealed_at >= interval or sealer.rows.waiting():
            sealer.seal()
            self._sealed_at = now

    def _age(self, at: datetime) -> float:
        return (self.deployment.clock() - at).total_seconds()

    def _do(self, job: Job) -> None:
        if job.lock is None:
            job.work()
            return
        with leadership(self.deployment.database, self.deployment.settings.data_dir, name=job.lock) as held:
            if held is not None:
                job.work()

    def _turns(self, turn: Callable[[], None]) -> None:
        while not self._ending.wait(_TURN):
            turn()

    def _attempt(self, name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            log.error("background work failed; it is tried again", job=name, exc_info=error)


def start(deployment: Deployment) -> Callable[[], None]:
    """Start the background work of this process; returns what ends it."""
    jobs = Jobs(deployment)
    jobs.start()
    return jobs.stop
