"""Place at which a page has to be open for passkeys to work: at the deployment's own origin, and at a name."""

from __future__ import annotations

from flask import request

from .context import deployment


def elsewhere() -> str | None:
    """Return the address of this page where passkeys work; None where it is open there, or they work nowhere."""
    party = deployment().passkeys.relying_party
    if party is None or request.host_url.rstrip("/") == party.origin or not _bare():
        return None
    return party.origin + request.full_path.rstrip("?")


def _bare() -> bool:
    """Tell whether the page is open at a bare loopback address; behind a proxy our own address says nothing."""
    host = request.host.rpartition(":")[0] or request.host
    return host in ("127.0.0.1", "[::1]")
