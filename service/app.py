"""A deployment → the Flask application that serves it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import structlog

from . import jobs
from . import settings as settings_module
from .backup import require_finished
from .clock import Clock, now
from .deployment import assemble
from .store import migrate
from .web import compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from .settings import Settings

log = structlog.get_logger()


def create_app(
    environ: Mapping[str, str] | None = None,
    *,
    settings: Settings | None = None,
    clock: Clock = now,
    work: bool = False,
) -> Flask:
    """Build the web application of a deployment, from its environment or its settings.

    Refuses to start (ConfigurationError, CampaignError) where the schema is not current, the log's key is
    not the log's, or a policy has a mistake. With ``work`` the background work runs in this process too.
    """
    deployment = assemble(settings or settings_module.load(os.environ if environ is None else environ), clock)
    require_finished(deployment.settings.data_dir)
    migrate.require_current(deployment.database)
    deployment.refresh()
    if deployment.publication is None:
        log.warning("nothing is published yet: the files are in force until `emblem catalogue publish`")
    deployment.sealer.check()
    app = compose(deployment)
    if work:
        jobs.start(deployment)
    return app
