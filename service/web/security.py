"""Browser security: header fields, sessions in cookies, and forms that only our own pages can send."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from itsdangerous import BadData, URLSafeTimedSerializer
from markupsafe import Markup

from ..problems import Forbidden, InvalidForm, InvalidOrigin, Unauthorized
from .context import deployment

if TYPE_CHECKING:
    from ..participants import Session

SESSION_COOKIE = "emblem_session"
_FORM_COOKIE = "emblem_form"
_FORM_AGE = 12 * 3600  # seconds that a form may stay open
_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def install(app: Flask) -> None:
    """Registers the checks before each request, the header fields after it, and the template's helpers."""
    app.before_request(_check_form)
    app.after_request(_add_headers)
    app.jinja_env.globals["csrf_field"] = csrf_field
    app.jinja_env.globals["current_session"] = current_session


def current_session() -> Session | None:
    """The signed-in person of this request, or None."""
    if "session" not in g:
        secret = request.cookies.get(SESSION_COOKIE, "")
        g.session = deployment().participants.sign_in.session(secret) if secret else None
    found: Session | None = g.session
    return found


def require_session(*roles: str) -> Session:
    """The signed-in person, if of one of these roles; else Unauthorized or Forbidden."""
    found = current_session()
    if found is None:
        raise Unauthorized("Sign in to see this page.")
    if roles and found.role not in roles:
        raise Forbidden("This page is for the campaign's staff.")
    return found


def sign_in(response: Response, secret: str, seconds: int) -> Response:
    """Sets the session cookie on a response."""
    response.set_cookie(
        SESSION_COOKIE, secret, max_age=seconds, httponly=True, samesite="Lax", secure=_secure(), path="/"
    )
    return response


def sign_out(response: Response) -> Response:
    """Removes the session cookie."""
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="Lax", secure=_secure(), path="/")
    return response


def csrf_field() -> Markup:
    """A hidden input that proves that a form came from a page of ours, opened in this browser."""
    cookie = request.cookies.get(_FORM_COOKIE) or g.get("form_cookie") or secrets.token_urlsafe(16)
    g.form_cookie = cookie
    return Markup('<input type="hidden" name="csrf" value="{}">').format(_forms().dumps(_digest(cookie)))


def _check_form() -> None:
    if request.method not in _UNSAFE or request.path.startswith(("/api/", "/logos/")) or request.endpoint is None:
        return
    source = request.headers.get("Origin") or request.headers.get("Referer")
    if source and (
        source == "null" or _origin(source) not in {_origin(deployment().settings.base_url), _origin(request.host_url)}
    ):
        raise InvalidOrigin
    cookie = request.cookies.get(_FORM_COOKIE, "")
    try:
        said = _forms().loads(request.form.get("csrf", ""), max_age=_FORM_AGE)
    except BadData as error:
        raise InvalidForm from error
    if not cookie or not hmac.compare_digest(str(said), _digest(cookie)):
        raise InvalidForm


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if _secure():
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if cookie := g.get("form_cookie"):
        response.set_cookie(_FORM_COOKIE, cookie, httponly=True, samesite="Lax", secure=_secure(), path="/")
    if "form_cookie" in g or g.get("session") is not None:
        response.headers["Cache-Control"] = "private, no-store"
    elif response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-cache")
        response.vary.add("Cookie")
    return response


def _forms() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(list(reversed(deployment().settings.secret_keys)), salt="emblem.form.1")


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()[:32]


def _origin(url: str) -> tuple[str, str]:
    split = urlsplit(url)
    return split.scheme, split.netloc.lower()


def _secure() -> bool:
    return deployment().settings.base_url.startswith("https:")
