"""``emblem serve``: the production server, gunicorn with Emblem's settings and background work."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click
import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from .. import settings
from ..campaign import CampaignError
from ..problems import ConfigurationError, Unavailable
from ..store import Database
from ..web import logging, metrics
from ..web.streams import Streams
from .common import deployment
from .recording import RecordingProcess
from .worker import Worker

if TYPE_CHECKING:
    from flask import Flask

LONGEST_LOOK = 15.0  # seconds that a start looks for damage after a crash
PATIENCE = 40.0  # seconds that a worker's start waits; gunicorn ends one that has not started after 60
_PAUSE = 1.0  # seconds between two tries of a start
GRACE = 7  # seconds that requests have to end after SIGTERM; the whole has to end within 10


class Server(BaseApplication):
    """gunicorn over the deployment of an environment; each worker process does its share of the work."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        bind: str,
        workers: int,
        threads: int,
        ready: Callable[[Any], None] | None = None,
    ) -> None:
        self._environ = dict(environ)
        self._settings = settings.load(environ)
        metrics.prepare(self._settings)
        self._options = {
            "bind": bind,
            "workers": workers,
            "threads": threads,
            "worker_class": Worker,
            "graceful_timeout": GRACE,
            "timeout": 60,
            "keepalive": 5,
            "max_requests": 0,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "logger_class": logging.GunicornLogger,
            "limit_request_line": 8190,
            "proc_name": "emblem",
            "post_worker_init": self._started,
            "worker_exit": self._ended,
            "when_ready": lambda _arbiter: metrics.listen(self._settings),
            "on_exit": self._over,
            "child_exit": lambda _arbiter, worker: metrics.ended(worker.pid),
            "control_socket_disable": True,
            "forwarded_allow_ips": "",  # forwarded headers are EMBLEM_TRUSTED_PROXIES' business alone
        }
        self._ready = ready
        self._end: Callable[[], None] | None = None
        # One worker alone records as well by itself.
        self._recording = RecordingProcess(self._settings) if workers > 1 else None
        super().__init__()

    def run(self) -> None:
        """Serve until told to end."""
        _Arbiter(self, self._recording).run()

    def load_config(self) -> None:
        """Gives gunicorn its settings; nothing is read from its own files or variables."""
        for name, value in self._options.items():
            if name in self.cfg.settings:  # some came with later versions
                self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, made in each worker."""
        self._app = load_or_exit(self._environ)
        if self._recording is not None:
            self._app.extensions["emblem"].shared_recording.use(self._recording.door)
        self._app.extensions["emblem.streams"] = Streams(self._options["threads"])  # type: ignore[arg-type]
        return self._app

    def _started(self, worker: Any) -> None:
        from .. import jobs

        self._end = jobs.start(self._app.extensions["emblem"])
        if self._ready is not None:
            self._ready(worker)

    def _ended(self, _arbiter: Any, _worker: Any) -> None:
        if self._end is not None:
            self._end()

    def _over(self, _arbiter: Any) -> None:
        if self._recording is not None:
            self._recording.end()


class _Arbiter(Arbiter):
    """gunicorn's first process, which also looks after the one that records."""

    def __init__(self, app: Server, recording: RecordingProcess | None) -> None:
        self._recording = recording
        super().__init__(app)

    def manage_workers(self) -> None:
        """See gunicorn: called whenever workers may be missing, at least once a second."""
        super().manage_workers()
        if self._recording is not None:
            self._recording.keep(self._let_go)

    def _let_go(self) -> None:
        for listener in self.LISTENERS:
            listener.sock.close()  # not its own close, which takes a Unix socket's name away


def load_or_exit(environ: Mapping[str, str] | None = None, patience: float = PATIENCE) -> Flask:
    """The application; what hinders it is told on standard error, and the process ends with 4.

    4 is gunicorn's own status for an application that cannot be loaded: it stops instead of trying again. Where
    database, storage or disk fail, which passes, this waits for them, so that a worker that is replaced meanwhile does
    not end the whole service; after ``patience`` seconds the process ends with 1, and gunicorn starts another.
    """
    logging.configure()
    collecting = gc.isenabled()
    gc.disable()  # what a start makes is kept: looking through all of it for garbage would only take time
    try:
        from sqlalchemy.exc import SQLAlchemyError

        from ..app import create_app

        # Without our own server around it (`gunicorn wsgi:app`) the work is started here.
        until = time.monotonic() + patience
        while True:
            try:
                return create_app(environ, work=environ is None)
            except (Unavailable, OSError, SQLAlchemyError) as error:
                structlog.get_logger().error("a start waits for what does not answer", reason=_reason(error))
                if time.monotonic() > until:
                    sys.exit(1)
                time.sleep(_PAUSE)
    except ConfigurationError as error:
        for mistake in error.mistakes:
            click.echo(f"emblem: {mistake}", err=True)
    except CampaignError as error:
        click.echo(str(error), err=True)
    finally:
        if collecting:
            gc.enable()
    sys.exit(4)


def _reason(error: Exception) -> str:
    """Say what does not answer, without any value of a row."""
    from ..store.database import describe

    return error.private if isinstance(error, Unavailable) else describe(error)


@click.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, metavar="A", help="HOST:PORT or unix:PATH.")
@click.option("--workers", type=click.IntRange(1, 256), default=None, metavar="N", help="Processes; one a core.")
@click.option("--threads", type=click.IntRange(1, 256), default=16, show_default=True, metavar="N")
def serve(bind: str, workers: int | None, threads: int) -> None:
    """Serve from the environment, for production."""
    from ..backup import require_finished

    # Everything that can be wrong is found here, once, before any worker starts.
    found = settings.load(os.environ)
    require_finished(found.data_dir)
    database = Database(found.database_url)
    database.check_after_crash(LONGEST_LOOK)
    database.close()
    with deployment() as emblem:
        emblem.sealer.check()
    Server(os.environ, bind=bind, workers=workers or os.cpu_count() or 1, threads=threads).run()
