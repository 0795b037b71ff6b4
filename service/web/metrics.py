"""Figures for Prometheus, on a listener of their own (``EMBLEM_METRICS_BIND``), added up over all worker processes.

prometheus_client shares the workers' figures through files, in the folder that ``PROMETHEUS_MULTIPROC_DIR``
names, and reads that variable when it is imported: ``prepare`` sets it before anything else imports it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flask import Flask, Response, g, request

from .. import private_files

if TYPE_CHECKING:
    from ..settings import Settings

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}  # whatever else is sent is one figure
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)  # seconds


@dataclass(frozen=True)
class Figure:
    """One figure: its kind in Prometheus' terms, what it tells, and its labels. Counters gain ``_total``."""

    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...]


FIGURES = {
    "emblem_requests": Figure("counter", "Requests answered", ("method", "route", "status")),
    "emblem_request_seconds": Figure("histogram", "Time to the first byte of the answer", ("route",)),
    "emblem_problems": Figure("counter", "Requests refused or failed", ("slug",)),
    "emblem_witness_offers": Figure("counter", "Checkpoints offered to witnesses", ("witness", "outcome")),
    "emblem_witness_cosigned_timestamp_seconds": Figure("gauge", "When a witness cosigned last", ("witness",)),
}
Observe = Callable[[str, str, int, float], None]  # method, route, status, seconds
ObserveWitness = Callable[[str, str], None]  # name of a witness, what came of an offer to it


def prepare(settings: Settings) -> None:
    """Before the workers start: an empty folder for their figures, if figures are wanted."""
    if not settings.metrics_bind:
        return
    folder = settings.data_dir / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    private_files.make_folder(folder)
    os.environ[_FOLDER] = str(folder)


def listen(settings: Settings) -> None:
    """In the process that watches the workers: serves ``/metrics`` from a thread of its own."""
    if not settings.metrics_bind:
        return
    from prometheus_client import CollectorRegistry, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector

    host, _, port = settings.metrics_bind.rpartition(":")
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    start_http_server(int(port), host.strip("[]") or "127.0.0.1", registry)


def ended(pid: int) -> None:
    """A worker has ended: its gauges are forgotten, its counters stay in the sums."""
    if _FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def witnesses() -> ObserveWitness | None:
    """Counts offers of checkpoints by witness and outcome; None where no figures are wanted."""
    if not Path(os.environ.get(_FOLDER, "")).is_dir() or _FOLDER not in os.environ:
        return None
    from prometheus_client import Counter, Gauge

    offers = Counter(*_named("emblem_witness_offers"))
    last = Gauge(*_named("emblem_witness_cosigned_timestamp_seconds"), multiprocess_mode="max")

    def observe(witness: str, outcome: str) -> None:
        offers.labels(witness, outcome).inc()
        if outcome == "cosigned":
            last.labels(witness).set(time.time())

    return observe


def install(app: Flask) -> Observe | None:
    """Counts requests and their time by route, and refusals by problem; None where no figures are wanted.

    What is answered before Flask, without a refusal, is told to the function that is returned.
    """
    if not Path(os.environ.get(_FOLDER, "")).is_dir() or _FOLDER not in os.environ:
        return None
    from prometheus_client import Counter, Histogram

    requests = Counter(*_named("emblem_requests"))
    seconds = Histogram(*_named("emblem_request_seconds"), buckets=_BUCKETS)
    problems = Counter(*_named("emblem_problems"))

    def observe(method: str, route: str, status: int, took: float) -> None:
        requests.labels(method if method in _METHODS else "other", route, status).inc()
        seconds.labels(route).observe(took)

    @app.before_request
    def begin() -> None:
        g.metrics_began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        route = str(request.url_rule) if request.url_rule else "none"
        now = time.perf_counter()
        observe(request.method, route, response.status_code, now - g.get("metrics_began", now))
        if slug := g.get("problem"):
            problems.labels(slug).inc()
        return response

    return observe


def _named(name: str) -> tuple[str, str, tuple[str, ...]]:
    return name, FIGURES[name].help, FIGURES[name].labels
