"""Making many variants ahead: on so many threads, with progress, ending early where told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from .variant_request import Plan

Progress = Callable[[int, int], None]


def run(
    plans: Sequence[Plan],
    make: Callable[[Plan], bool],
    *,
    threads: int,
    progress: Progress | None = None,
    stop: Callable[[], bool],
) -> int:
    """Calls ``make`` with each plan; the number of those for which it said True.

    What ``make`` raises ends it: nothing new is begun, what is under way is finished, then it is raised.
    The work is in encoders that let other threads run, so threads use all cores.
    """
    made = done = 0
    ahead = iter(plans)
    running: set[Future[bool]] = set()
    with ThreadPoolExecutor(threads, thread_name_prefix="emblem-prerender") as pool:
        while True:
            while len(running) < threads and not stop() and (plan := next(ahead, None)) is not None:
                running.add(pool.submit(make, plan))
            if not running:
                return made
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                made += future.result()
                done += 1
                if progress is not None:
                    progress(done, len(plans))
