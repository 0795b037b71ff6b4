"""Making many variants ahead: on so many threads, with progress, ending early where told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from .render import RenderFailed
from .variant_request import VariantRequest

Progress = Callable[[int, int], None]
Failed = Callable[[VariantRequest, RenderFailed], None]


def run(
    requests: Sequence[VariantRequest],
    make: Callable[[VariantRequest], bool],
    *,
    threads: int,
    progress: Progress | None = None,
    failed: Failed | None = None,
    stop: Callable[[], bool],
) -> int:
    """Calls ``make`` with each wanted; the number of those for which it said True.

    A drawing that cannot be rendered stops no other: ``failed`` is told of it. What else ``make`` raises ends
    it: nothing new is begun, what is under way is finished, then it is raised.
    The work is in encoders that let other threads run, so threads use all cores.
    """
    made = done = 0
    ahead = iter(requests)
    running: dict[Future[bool], VariantRequest] = {}
    with ThreadPoolExecutor(threads, thread_name_prefix="emblem-prerender") as pool:
        while True:
            while len(running) < threads and not stop() and (wanted := next(ahead, None)) is not None:
                running[pool.submit(make, wanted)] = wanted
            if not running:
                return made
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                wanted = running.pop(future)
                try:
                    made += future.result()
                except RenderFailed as error:
                    if failed is not None:
                        failed(wanted, error)
                done += 1
                if progress is not None:
                    progress(done, len(requests))
