"""Proxies in front: trusted as configured, and noticed where nothing is configured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from .. import private_files

if TYPE_CHECKING:
    from ..settings import Settings

_NAMES = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded")
_MARK = "forwarded-headers-seen"


def install(app: Flask, settings: Settings) -> None:
    """Reads addresses from as many proxies as are trusted; with none, forwarded headers are ignored.

    The first one that is seen while none is trusted leaves a mark, for ``emblem doctor`` to warn of.
    """
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
        return
    told = False

    @app.before_request
    def notice() -> None:
        nonlocal told
        found = [name for name in _NAMES if name in request.headers]
        if found and not told:
            told = True
            try:
                private_files.make_folder(settings.data_dir)
                private_files.make_file(settings.data_dir / _MARK)
                (settings.data_dir / _MARK).write_text(", ".join(found))
            except OSError:
                told = False


def seen(data_dir: Path) -> str:
    """The names of the forwarded headers that came while none was trusted; empty where none came."""
    try:
        return (data_dir / _MARK).read_text()
    except OSError:
        return ""
