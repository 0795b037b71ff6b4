"""The background work of a process: one table of jobs, and the two threads that do them.

Every process of a deployment runs all jobs; what one process alone may do holds a lock of its own name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from .background import Background
from .store import months, outbox
from .store.leadership import leadership

if TYPE_CHECKING:
    from datetime import datetime

    from .deployment import Deployment

log = structlog.get_logger()

_REST = 2000  # times the processor time of a job that may be put off
_TURN = 1.0  # seconds between two looks at what is due
_AFFIRMED = 20.0  # seconds: a checkpoint that is older is signed anew, so that a quiet log is seen to live
_OUTBOX_KEPT = timedelta(days=90)  # after delivery: staff see how it went
_MOST_READ = 64 * 1024 * 1024  # bytes of stored packages that one turn reads, so that it holds up no other job for long


@dataclass
class Job:
    """Work that is repeated: ``every`` so many seconds; under the lock of that name where one is given.

    One that reads more the larger a deployment is may be ``longest`` put off: as long as keeps it to a two-thousandth
    of a core.
    """

    name: str
    every: float
    work: Callable[[], object]
    lock: str | None = None
    longest: float = 0.0
    due: float = 0.0  # on the monotonic clock


def table(deployment: Deployment) -> list[Job]:
    """Return all jobs but sealing and taking up publications, which wait for none of them.

    Parts that are built on the campaign are looked up at each turn: a publication replaces them.
    """

    def sweep() -> None:
        deployment.participants.sign_in.purge()
        deployment.passkeys.purge()
        deployment.openid.purge()
        deployment.idempotent.purge()
        outbox.purge(deployment.database, deployment.clock() - _OUTBOX_KEPT)

    def look_at_packages() -> None:
        damaged = deployment.stored_packages.examine(deployment.stored_files(), most=_MOST_READ)
        deployment.alerts.report_damage(damaged)

    def look_for_alerts() -> None:
        deployment.alerts.run()

    def end_permissions() -> None:
        deployment.participants.permissions.run()

    def settle_staff() -> None:
        deployment.participants.staff.settle()

    def retain() -> None:
        deployment.retention.run()

    def settle_cases() -> None:
        deployment.desk.deciding.settle()

    def look_after_cases() -> None:
        deployment.desk.requests.adopt()
        deployment.desk.deadlines.tell()
        deployment.desk.digest.run()

    def suspect() -> None:
        for one in deployment.alerts.suspicions():
            deployment.desk.misuse.suspect(one.url, one.text, participant=one.participant, source=one.source)

    def drop_case_files() -> None:
        deployment.desk.files.drop()

    return [
        Job("staff of the settings", 600, settle_staff),
        Job("permissions that end", 240, end_permissions),
        Job("counts of acceptances", 600, partial(_fold_counts, deployment)),
        Job("logo uses", 30, deployment.embeds.enter_uses),
        Job("notices of new terms", 120, lambda: deployment.embeds.notify_terms(deployment.mailer), longest=3600),
        Job("segments", 20, deployment.segments.write),
        Job("refusals", 5, deployment.refusals.flush),
        Job("uses of keys", 30, partial(_note_uses, deployment)),
        Job("alerts", 120, look_for_alerts, longest=600),
        Job("stored packages", 15, look_at_packages),
        Job("mail", 15, deployment.mailer.deliver),
        Job("entries for webhooks", 5, lambda: deployment.entry_webhooks.enqueue(deployment.alerts.rules.webhooks)),
        Job("webhooks", 5, deployment.webhooks.deliver, lock="webhooks"),
        Job("files of artwork checks", 300, deployment.verdicts.drop),
        Job("decisions of the console", 2, settle_cases),
        Job("cases", 60, look_after_cases, longest=300),
        Job("cases of alerts", 120, suspect, longest=600),
        Job("files of cases", 300, drop_case_files),
        Job("files of certificates", 300, deployment.certificates.drop_files),
        Job("months of downloads", 3600, partial(_make_months, deployment)),
        Job("retention", 3600, retain),
        Job("checkpoint mail", 60, deployment.checkpoint_mail.run),
        Job("sessions and answers that have run out", 3600, sweep),
    ]


def _note_uses(deployment: Deployment) -> None:
    deployment.participants.api_keys.note_uses()


def _fold_counts(deployment: Deployment) -> None:
    deployment.participants.uptake.fold()


def _make_months(deployment: Deployment) -> None:
    months.make_months_ahead(deployment.database, deployment.clock())


class Jobs:
    """Does the background work of one process, sealing in a thread of its own. A job that fails stops no other."""

    def __init__(self, deployment: Deployment, jobs: Sequence[Job] | None = None) -> None:
        self.deployment = deployment
        self.jobs = table(deployment) if jobs is None else list(jobs)
        self._sealed_at = 0.0  # on the monotonic clock; 0 before the first time
        self._sealing = Background("emblem-seal", self.seal_if_due, every=_TURN)
        self._working = Background("emblem-jobs", self.run_due, every=_TURN)
        self._witnessing = Background("emblem-witnesses", self.offer, every=_TURN)
        self._refreshing = Background("emblem-campaign", self.refresh, every=_TURN)

    def start(self) -> None:
        """Start the threads, and those of the parts that have their own."""
        self.deployment.embeds.start()
        self.deployment.variants.start()
        self._sealing.start()
        self._working.start()
        if self.deployment.witnesses is not None:
            self._witnessing.start()
        self._refreshing.start()

    def stop(self) -> None:
        """End the threads, do the last turn so that nothing waits in memory, and close the deployment."""
        self._refreshing.stop(timeout=1)
        self._sealing.stop(timeout=3)
        self._working.stop(timeout=2)
        self._witnessing.stop(timeout=3)
        self._attempt("logo uses", lambda: self.deployment.embeds.enter_uses(everything=True))
        self._attempt("refusals", self.deployment.refusals.flush)
        self._attempt("uses of keys", self.deployment.participants.api_keys.note_uses)
        self._attempt("sealing", lambda: self.deployment.sealer.seal(wait=3))
        self._attempt("closing", self.deployment.close)

    def refresh(self) -> None:
        """Take up what was published since."""
        self._attempt("taking up a publication", self.deployment.refresh)

    def run_due(self) -> None:
        """Do every job whose time has come. One that fails is logged and tried again at its next time."""
        for job in self.jobs:
            now = time.monotonic()
            if now >= job.due and not self._working.ending:
                began = time.thread_time()
                self._attempt(job.name, lambda job=job: self._do(job))  # type: ignore[misc]
                used = time.thread_time() - began
                job.due = now + max(job.every, min(job.longest, _REST * used))

    def offer(self) -> float | None:
        """Offer checkpoints to the witnesses while no other process does; staff hear of a quorum that is missed."""
        witnesses, alerts = self.deployment.witnesses, self.deployment.alerts
        if witnesses is None:
            return None
        return witnesses.run(
            lambda: self._witnessing.ending,
            lambda done: None if done.met else alerts.report_missed_quorum(done.size, done.outcomes),
        )

    def seal_if_due(self) -> None:
        """Seal where the interval is over since the newest checkpoint, or where entries wait."""
        self._attempt("sealing", self._seal)

    def _seal(self) -> None:
        sealer, interval = self.deployment.sealer, self.deployment.settings.seal_interval
        newest = sealer.rows.newest()
        # A checkpoint that is younger than now by a clock that was ahead must not stop sealing until that time comes.
        if newest is not None and self._sealed_at and 0 <= self._age(newest.at) < interval:
            return
        now = time.monotonic()
        # A full turn now and then, even with nothing waiting, publishes what a process left that was killed.
        if now - self._sealed_at >= interval or sealer.rows.waiting():
            sealer.seal()
            self._sealed_at = now
            sealer.affirm(_AFFIRMED)

    def _age(self, at: datetime) -> float:
        return (self.deployment.clock() - at).total_seconds()

    def _do(self, job: Job) -> None:
        if job.lock is None:
            job.work()
            return
        with leadership(self.deployment.database, self.deployment.settings.data_dir, name=job.lock) as held:
            if held is not None:
                job.work()

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
