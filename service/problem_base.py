"""Base of all problems: slug, status, words, the document that tells it, and the mistakes in what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from . import paths


@dataclass(frozen=True)
class FieldError:
    """One mistake in the input.

    ``pointer`` is an RFC 6901 JSON Pointer into the body, or ``?name`` for a query parameter. ``template``
    is the detail before ``values`` were put in for its ``%(name)s``, so that pages can translate it.
    """

    pointer: str
    detail: str
    template: str = field(default="", compare=False, repr=False)
    values: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, pointer: str, template: str, **values: object) -> FieldError:
        """A mistake whose detail is a text of the catalogue with values in it."""
        return cls(pointer, template % values if values else template, template, values)

    def as_json(self) -> dict[str, str]:
        """The form that problem documents carry."""
        return {"pointer": self.pointer, "detail": self.detail}


#: Every kind of problem by its slug.
REGISTRY: dict[str, type[Problem]] = {}


class Problem(Exception):
    """Base of all public errors, and itself the one of a bug: 500.

    ``extra`` are RFC 9457 extension members, ``headers`` HTTP fields. ``values`` are put in for the ``%(name)s``
    of ``detail``, which pages translate before.
    """

    slug: ClassVar[str] = "internal-error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"
    help = "Nothing you did is lost. Try again in a moment; if it happens again, tell the campaign's staff."

    def __init_subclass__(cls) -> None:
        REGISTRY.setdefault(cls.slug, cls)  # the first: a special case of it has its slug and another status

    def __init__(
        self,
        detail: str = "",
        *,
        values: Mapping[str, object] | None = None,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        private: str = "",
    ) -> None:
        self.template = detail if values else ""
        self.values = dict(values or {})
        self.detail = (detail % values if values else detail) or self.help
        super().__init__(self.detail)
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})
        self.private = private

    def as_json(self, instance: str = "") -> dict[str, Any]:
        """The RFC 9457 document; ``instance`` is the path that was asked for."""
        value: dict[str, Any] = {"type": paths.problem(self.slug), "title": self.title, "status": self.status}
        value["detail"] = self.detail
        if instance:
            value["instance"] = instance
        if self.errors:
            value["errors"] = [error.as_json() for error in self.errors]
        return {**self.extra, **value}


REGISTRY[Problem.slug] = Problem
