"""The two blueprints of the pages: those under ``/{lang}/``, and the few that have no language in their address."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from ...campaign import LANGUAGES
from ..i18n import language

pages = Blueprint("pages", __name__, url_prefix=f"/<any({','.join(LANGUAGES)}):lang>")
root = Blueprint("root", __name__)


@pages.url_value_preprocessor
def _take_language(endpoint: str | None, values: dict[str, Any] | None) -> None:
    # Views ask language() for it, which also knows it where no view is reached.
    if values:
        values.pop("lang", None)


@pages.url_defaults
def _give_language(endpoint: str, values: dict[str, Any]) -> None:
    values.setdefault("lang", language())


def query(name: str, longest: int = 200) -> str:
    """Return a query parameter, cut to a length that is safe to show and to compare; empty where it is not given."""
    return request.args.get(name, "")[:longest]
