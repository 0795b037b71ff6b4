"""Browser security: header fields, sessions in cookies, and forms that only our own pages can send."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from .. import paths
from ..participants.sign_in import RECENT
from ..problems import Forbidden, InvalidOrigin, SignInAgain, Unauthorized
from .context import deployment

if TYPE_CHECKING:
    from ..participants import Session

_COOKIE = "emblem_session"
_BINDING = "emblem_openid"
#: Who asks here is known by a key, or is nobody in particular.
_NO_FORMS = ("/api/", "/logos/", "/mcp", paths.BROWSER_REPORTS)
_GROUP = "browser"  # of the Reporting API; browsers take it over https alone, and forget ``report-uri`` for it then
STAY_WITH_HTTPS = "max-age=31536000; includeSubDomains"
_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}

#: Of drawings, and of other files that somebody sent: they load nothing, run nothing, send no form, and have no origin.
FILE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; sandbox"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
        # No text becomes markup or a script, not even in scripts of ours: they make elements.
        "require-trusted-types-for 'script'; trusted-types 'none'; "
        f"report-uri {paths.BROWSER_REPORTS}"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def install(app: Flask) -> None:
    """Register the checks before each request, the header fields after it, and the template's helpers."""
    app.before_request(_refuse_foreign_forms)
    app.after_request(_add_headers)
    app.jinja_env.globals["current_session"] = current_session


def current_session() -> Session | None:
    """Return the signed-in person of this request, or None."""
    if "session" not in g:
        secret = session_secret()
        g.session = deployment().participants.sign_in.session(secret) if secret else None
    found: Session | None = g.session
    return found


def session_secret() -> str:
    """Return the secret of the session cookie that the browser sent; empty where it sent none."""
    return request.cookies.get(cookie_name(), "")


def cookie_name() -> str:
    """Return the name of the session cookie.

    With https it has the prefix by which browsers let nobody but this very host set it (RFC 6265bis).
    """
    return f"__Host-{_COOKIE}" if _secure() else _COOKIE


def binding() -> str:
    """Return the secret by which a browser that comes back from the OpenID Connect provider is the one that went."""
    return request.cookies.get(_binding_name(), "")


def set_binding(response: Response, secret: str) -> Response:
    """Set that secret on a response, for ten minutes."""
    response.set_cookie(_binding_name(), secret, max_age=600, httponly=True, samesite="Lax", secure=_secure(), path="/")
    return response


def drop_binding(response: Response) -> Response:
    """Remove that secret: it is good once."""
    response.delete_cookie(_binding_name(), httponly=True, samesite="Lax", secure=_secure(), path="/")
    return response


def _binding_name() -> str:
    return f"__Host-{_BINDING}" if _secure() else _BINDING


def require_session(*roles: str) -> Session:
    """Return the signed-in person, if of one of these roles; else Unauthorized or Forbidden."""
    found = current_session()
    if found is None:
        raise Unauthorized("Sign in to see this page.")
    if roles and found.role not in roles:
        raise Forbidden("This page is for the campaign's staff.")
    return found


def require_recent() -> None:
    """Raise SignInAgain where the person of this request signed in longer ago than what cannot be undone asks for."""
    if deployment().clock() - require_session().signed_in_at > RECENT:
        raise SignInAgain


def sign_in(response: Response, secret: str, seconds: int) -> Response:
    """Set the session cookie on a response."""
    response.set_cookie(
        cookie_name(), secret, max_age=seconds, httponly=True, samesite="Lax", secure=_secure(), path="/"
    )
    return response


def sign_out(response: Response) -> Response:
    """Remove the session cookie, and what the browser has kept of pages that were for this person.

    ``cookies`` is not among it: that would end cookies of other hosts of the same domain.
    """
    response.delete_cookie(cookie_name(), httponly=True, samesite="Lax", secure=_secure(), path="/")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _refuse_foreign_forms() -> None:
    """Raise InvalidOrigin for a form that a page of another site sent; the API knows its callers by their keys."""
    if request.method not in _UNSAFE or request.path.startswith(_NO_FORMS) or request.endpoint is None:
        return
    if not _sent_from_here():
        raise InvalidOrigin


def _sent_from_here() -> bool:
    """Tell whether a page of ours, or no page at all, sent this request: what the browser itself says of it.

    Browsers say it in ``Sec-Fetch-Site`` wherever the site is reached safely, and in ``Origin`` of every form; the
    oldest, and whoever strips these, at least in ``Referer``. No script or page can set any of the three. A program
    that sends none of them carries nobody's cookies but its own.
    """
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site in ("same-origin", "none")
    source = request.headers.get("Origin") or request.headers.get("Referer")
    return not source or _origin(source) in {_origin(deployment().settings.base_url), _origin(request.host_url)}


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.mimetype == "text/html":
        # With COOP: no other site shares the page's process, and the page loads nothing that did not agree to it.
        response.headers.setdefault("Cross-Origin-Embedder-Policy", "require-corp")
    if _secure():
        response.headers.setdefault("Strict-Transport-Security", STAY_WITH_HTTPS)
        if response.mimetype == "text/html" and "report-uri" in (policy := response.headers["Content-Security-Policy"]):
            response.headers["Content-Security-Policy"] = f"{policy}; report-to {_GROUP}"
            response.headers["Reporting-Endpoints"] = f'{_GROUP}="{paths.BROWSER_REPORTS}"'
    if g.get("session") is not None:
        response.headers["Cache-Control"] = "private, no-store"
    elif response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-cache")
        response.vary.add("Cookie")
    return response


def _origin(url: str) -> tuple[str, str]:
    split = urlsplit(url)
    return split.scheme, split.netloc.lower()


def _secure() -> bool:
    return deployment().settings.base_url.startswith("https:")
