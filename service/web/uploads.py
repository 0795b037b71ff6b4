"""Uploads: the few routes that take a file have a larger limit than all others, and read it from a form."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import ParamSpec, TypeVar

from flask import Flask, Response, current_app, request
from markupsafe import Markup
from werkzeug.datastructures import FileStorage, ImmutableMultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from ..campaign.text import msgid
from ..problems import Problem, TooLarge, UnsupportedMediaType
from .errors import answer, wants_html
from .i18n import has_words, translate, translate_error

P = ParamSpec("P")
R = TypeVar("R")

_KINDS = msgid("This is none of the kinds of files that are looked at. Send PNG, JPEG, WebP, AVIF, SVG or PDF.")
_LIMITS = msgid("PNG, JPEG, WebP, AVIF, SVG or PDF, at most %(megabytes)s MB and 40 megapixels.")
_OTHERWISE = msgid(
    "The file cannot be looked at as it is. Save it anew, without links to other files, and send it again."
)
_BODY = msgid("What is sent here may have at most %(kilobytes)s kB. Send less.")

MULTIPART = "multipart/form-data"
_BESIDE = 64 * 1024  # bytes of a form beside its file


def takes_file(most: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Marks a view whose form has a file of at most ``most`` bytes."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        view.most = most  # type: ignore[attr-defined]
        return view

    return decorate


def most() -> int | None:
    """Return how many bytes a file of this request may have; None where its view takes none."""
    found: int | None = getattr(current_app.view_functions.get(request.endpoint or ""), "most", None)
    return found


def install(app: Flask) -> None:
    """Sets the limit of each request that may have a file in it, before anything reads its form."""
    app.before_request(_limit)
    app.register_error_handler(RequestEntityTooLarge, _from_too_long)


def _limit() -> None:
    largest = most()
    if largest is None or request.method != "POST":
        return
    request.max_content_length = largest + _BESIDE
    if not wants_html():
        if (request.content_length or 0) > request.max_content_length:
            raise too_large(largest)
    elif _is_too_long(request.max_content_length):
        # Nothing is kept of it: the view comes to its file, and shows the form again with what is wrong with it.
        request.form = ImmutableMultiDict()
        request.files = ImmutableMultiDict({"file": FileStorage(_TooLong(largest), filename="file")})


def _is_too_long(largest: int) -> bool:
    """Tell whether the form is longer than ``largest``: by its length, or by reading one that comes without."""
    if request.content_length is not None:
        return request.content_length > largest
    try:
        _ = request.files
    except RequestEntityTooLarge:
        return True
    return False


def _from_too_long(_: RequestEntityTooLarge) -> Response:
    """Say how much may be sent to this address."""
    if (largest := most()) is not None:
        return answer(too_large(largest))
    return answer(TooLarge(_BODY, values={"kilobytes": (request.max_content_length or 0) // 1000}))


class _TooLong(BytesIO):
    """A file in place of one that is longer than ``largest`` bytes: reading it raises TooLarge."""

    def __init__(self, largest: int) -> None:
        super().__init__()
        self._largest = largest

    def read(self, size: int | None = -1, /) -> bytes:
        """Raise TooLarge."""
        raise too_large(self._largest)


def too_large(largest: int) -> TooLarge:
    """The problem of a file that is longer than ``largest`` bytes."""
    return TooLarge(
        "A file may have at most %(megabytes)s MB. Send it smaller.", values={"megabytes": largest // 10**6}
    )


def content(file: FileStorage, largest: int) -> bytes:
    """The bytes of a file that was sent. Raises TooLarge."""
    data = file.stream.read(largest + 1)
    if len(data) > largest:
        raise too_large(largest)
    return data


def said_of_file(problem: Problem, largest: int) -> Markup:
    """Say in the visitor's language why a file was refused: in its own words, else by the kind of the refusal."""
    if has_words(problem):
        return translate_error(problem)
    if isinstance(problem, TooLarge):
        return translate(_LIMITS, megabytes=largest // 10**6)
    return translate(_KINDS if isinstance(problem, UnsupportedMediaType) else _OTHERWISE)
