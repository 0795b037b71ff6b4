"""Blueprint of the API whose operations are described when the OpenAPI document is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.openapi import OpenAPI
from flask_openapi3.types import ParametersTuple
from flask_openapi3.utils import parse_parameters

_lock = Lock()


class LateBlueprint(APIBlueprint):
    """Blueprint that validates at once, and makes the JSON schemas of its models only for ``describe_in``.

    The library makes them while modules load, which is a tenth of a start; few processes are asked for the document.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._undescribed: list[Callable[[], object]] = []

    def _collect_openapi_info(self, rule: str, func: Callable[..., Any], **options: Any) -> ParametersTuple:
        self._undescribed.append(partial(super()._collect_openapi_info, rule, func, **options))
        return parse_parameters(func, doc_ui=False)

    def describe_in(self, app: OpenAPI) -> None:
        """Put tags, paths and schemas of the operations into the application's document."""
        with _lock:
            while self._undescribed:
                self._undescribed.pop(0)()
            app.tags.extend(tag for tag in self.tags if tag not in app.tags)
            app.paths.update(self.paths)
            app.components_schemas.update(self.components_schemas)
