"""The connection to an OpenID Connect provider: what it says of itself, its keys, and requests that stay guarded.

The operator names the issuer, so its own host may be anywhere; what it names beside itself has to be public.
"""

from __future__ import annotations

import socket
import threading
import time
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ..outgoing import connect, is_loopback

_ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
_WAIT = 5.0  # seconds for a connection, and for an answer
_KEPT = 600.0  # seconds for which its configuration and keys are kept


class ProviderError(Exception):
    """The provider does not answer, or says what an OpenID provider may not say."""


class Provider:
    """One provider, known by its issuer. Safe to share between threads; nothing is asked before it is needed."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, redirect_uri: str) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}

    def configuration(self) -> dict[str, Any]:
        """Return what the provider says of itself (OpenID Connect Discovery 1.0). Raises ProviderError."""
        found = self._json(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:
            raise ProviderError(f"it says that its issuer is {found.get('issuer')!r}: correct EMBLEM_OIDC_ISSUER")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            self.check(found.get(name))
        return found

    def keys(self, *, anew: bool = False) -> dict[str, Any]:
        """Return the provider's keys as a JWK set; ``anew`` for a key that is not among those that are kept."""
        return self._json(str(self.configuration()["jwks_uri"]), anew=anew)

    def client(self) -> OAuth2Session:
        """Return a client for one flow, with PKCE by S256, whose requests are guarded. The caller closes it."""
        methods = self.configuration().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        way = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        client = OAuth2Session(
            client_id=self.client_id,
            client_secret=self._client_secret,
            token_endpoint_auth_method=way if self._client_secret else "none",
            scope="openid email",
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            default_timeout=_WAIT,
        )
        self._guard(client)
        return client

    def check(self, url: Any) -> str:
        """Return an address that the provider names. ProviderError where it is neither https nor the issuer's host."""
        split = urlsplit(url if isinstance(url, str) else "")
        local = is_loopback(split.hostname or "") and split.hostname == urlsplit(self.issuer).hostname
        if not split.hostname or (split.scheme != "https" and not (split.scheme == "http" and local)):
            raise ProviderError(f"it names an address that is not https: {str(url)[:200]}")
        return str(url)

    def _json(self, url: str, *, anew: bool = False) -> dict[str, Any]:
        with self._lock:
            kept = self._known.get(url)
        if kept is not None and not anew and time.monotonic() - kept[0] < _KEPT:
            return kept[1]
        with requests.Session() as session:
            self._guard(session)
            try:
                answer = session.get(self.check(url), timeout=_WAIT, allow_redirects=False)
                value = answer.json() if answer.status_code == 200 else None
            except (requests.RequestException, OSError, ValueError) as error:
                raise ProviderError(f"{url} does not answer ({type(error).__name__})") from error
        if not isinstance(value, dict):
            raise ProviderError(f"{url} answers {answer.status_code}, and no JSON object")
        with self._lock:
            self._known[url] = (time.monotonic(), value)
        return value

    def _guard(self, session: requests.Session) -> None:
        session.trust_env = False  # no proxy and no netrc of whoever started the service
        session.max_redirects = 0
        adapter = _Guarded(urlsplit(self.issuer).hostname or "")
        session.mount("https://", adapter)
        session.mount("http://", adapter)


class _Guarded(HTTPAdapter):
    """Connects to the issuer's own host, and else to public addresses alone."""

    def __init__(self, own: str) -> None:
        self._own = own
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Give the pools connections that are guarded."""
        super().init_poolmanager(*args, **options)
        own = self._own

        def open_socket(connection: HTTPConnection) -> socket.socket:
            networks = _ANYWHERE if connection.host == own else ()
            return connect(connection.host, connection.port or 443, _WAIT, networks)

        plain = type("Plain", (HTTPConnection,), {"_new_conn": open_socket})
        secure = type("Secure", (HTTPSConnection,), {"_new_conn": open_socket})
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
