"""Background work: when a job is due again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from service.jobs import Job, Jobs

if TYPE_CHECKING:
    from service.deployment import Deployment


def _dear() -> None:
    began = time.thread_time()
    while time.thread_time() - began < 0.02:
        pass


def test_a_job_that_costs_much_may_be_put_off_and_one_that_costs_little_is_not() -> None:
    jobs = [Job("dear", 1, _dear, longest=30), Job("cheap", 1, lambda: None, longest=30), Job("prompt", 1, _dear)]
    began = time.monotonic()
    Jobs(cast("Deployment", None), jobs).run_due()
    now = time.monotonic()
    dear, cheap, prompt = (job.due for job in jobs)
    assert began + 30 <= dear <= now + 30
    assert max(cheap, prompt) < dear - 20
