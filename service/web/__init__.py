"""The web entrance: pages, API, downloads, logo variants and the public log, over the capabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from .. import __version__
from . import (
    brand,
    browser_reports,
    components,
    compression,
    credentials,
    delivery,
    errors,
    limits,
    logging,
    metrics,
    odd_text,
    oembed,
    operations,
    proxies,
    security,
    uploads,
)
from .streams import Streams

if TYPE_CHECKING:
    from ..deployment import Deployment

_STATIC_AGE = 31_536_000  # seconds; the addresses of static files hold their content's digest
LARGEST_REQUEST = 1024 * 1024  # bytes; files have limits of their own (uploads)


def compose(deployment: Deployment) -> Flask:
    """The Flask application over the parts of a deployment, every route of it registered here."""
    from . import i18n, pages, staff, variants
    from . import log as public_log
    from .api import (
        artwork,
        audit,
        cases,
        catalogue,
        certificates,
        docs,
        embeds,
        links,
        me,
        participants,
        verifications,
    )

    app = OpenAPI(
        "service.web",
        info=Info(title="Emblem", version=__version__, description="Signed links, logo variants and their record."),
        security_schemes={"key": {"type": "http", "scheme": "bearer"}},
        validation_error_callback=errors.invalid,
        doc_ui=False,
        static_folder="static",
        static_url_path="/static",
    )
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST,
        SECRET_KEY=None,
        SEND_FILE_MAX_AGE_DEFAULT=_STATIC_AGE,
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False
    app.extensions["emblem"] = deployment
    app.extensions["emblem.streams"] = Streams()
    logging.install(app)
    observe = metrics.install(app)
    if deployment.witnesses is not None and (observe_witness := metrics.witnesses()):
        deployment.witnesses.observe = observe_witness
    compression.install(app)
    errors.install(app)
    odd_text.install(app)
    uploads.install(app)
    security.install(app)
    limits.install(app, deployment.limiter)
    i18n.install(app)
    for blueprint in (
        delivery.blueprint,
        operations.blueprint,
        browser_reports.blueprint,
        brand.blueprint,
        components.blueprint,
        credentials.blueprint,
        oembed.blueprint,
        public_log.blueprint,
        docs.pages,
        *pages.blueprints,
        *staff.blueprints,
    ):
        app.register_blueprint(blueprint)
    for part in (
        me.api,
        catalogue.api,
        participants.api,
        cases.api,
        cases.open_api,
        links.api,
        embeds.api,
        artwork.api,
        audit.api,
        certificates.api,
        certificates.public_api,
        verifications.api,
    ):
        app.register_api(part)
    app.wsgi_app = variants.install(app, deployment, observe)  # type: ignore[method-assign,assignment]
    proxies.install(app, deployment.settings)
    return app
