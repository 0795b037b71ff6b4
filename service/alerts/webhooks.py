"""Requests to webhooks: signed as Standard Webhooks has it, tried again for 12 hours, each outcome recorded."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from ..clock import Clock, timestamp
from ..outgoing import Networks, connect
from ..store import Database, outbox
from ..store.audit_tables import Alert

PAUSES = (60, 300, 1800, 7200, 43_200)  # seconds after each failed attempt; after the last it is given up
_TIMEOUT = 10  # seconds for each step of a delivery
_DEADLINE = 20.0  # seconds for all of it: a receiver that drips must not hold up the other jobs
_TURN = 5.0  # seconds after which a turn ends: deliveries must not hold up the other jobs

#: Sends a body to a URL and gives the status; raises OSError or HTTPException where nobody answers.
Post = Callable[[str, bytes, Mapping[str, str]], int]


def secret_of(key: str, url: str) -> str:
    """The secret of a webhook, made from a signing secret of the deployment, as its receiver is told it."""
    raw = hmac.new(key.encode(), f"emblem.webhook.1\0{url}".encode(), hashlib.sha256).digest()
    return f"whsec_{base64.b64encode(raw).decode()}"


def sign(secrets: Sequence[str], delivery: str, at: datetime, body: bytes) -> dict[str, str]:
    """The header fields that let a receiver check who sent this and when; one signature a secret."""
    stamp = str(int(at.timestamp()))
    text = f"{delivery}.{stamp}.".encode() + body
    signatures = []
    for secret in secrets:
        raw = base64.b64decode(secret.removeprefix("whsec_"))
        signatures.append("v1," + base64.b64encode(hmac.new(raw, text, hashlib.sha256).digest()).decode())
    return {"webhook-id": delivery, "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}


def post(url: str, body: bytes, headers: Mapping[str, str], networks: Networks = ()) -> int:
    """Send one request; redirections are not followed. OSError where it takes longer than the deadline.

    Raises RefusedTarget, an OSError, where the address may not be reached (``outgoing``).
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    # Each byte of an answer begins the time limit of a socket anew, so the whole has one of its own.
    expired = threading.Event()
    deadline = threading.Timer(_DEADLINE, _cut, [connection, expired])
    deadline.daemon = True
    try:
        connection.sock = connect(host, port, _TIMEOUT, networks)
        if secure:
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
        deadline.start()
        path = parts.path or "/"
        fields = {"Host": parts.netloc.rpartition("@")[2], **headers}
        connection.request("POST", f"{path}?{parts.query}" if parts.query else path, body, fields)
        status = connection.getresponse().status
        if expired.is_set():  # what ended the answer is that we hung up
            raise TimeoutError
        return status
    finally:
        deadline.cancel()
        connection.close()


def _cut(connection: http.client.HTTPConnection, expired: threading.Event) -> None:
    expired.set()
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


class Webhooks:
    """Delivers what waits. The newest key signs first; while keys rotate, receivers may check either signature."""

    def __init__(
        self, database: Database, clock: Clock, keys: Sequence[str], send: Post | None = None, networks: Networks = ()
    ) -> None:
        """``networks`` may be reached although they are not public; see ``outgoing``."""
        self.database = database
        self.clock = clock
        self.keys = keys
        self.send = send or partial(post, networks=networks)

    def deliver(self) -> int:
        """Try what is due; gives how many attempts were made. One process at a time, so that the order holds.

        The addresses take turns, each message waiting for the end of the one before it to the same address. An
        address that fails rests until the next call, so what follows neither overtakes nor waits for its timeouts.
        Every address that is due has one try at least, however long the others take.
        """
        end, tried = time.monotonic() + _TURN, 0
        addresses = outbox.recipients(self.database, "webhook", self.clock())
        while addresses and (not tried or time.monotonic() < end):
            fine = []
            for url in addresses:
                claimed = outbox.claim(self.database, "webhook", self.clock(), limit=1, recipient=url)
                tried += len(claimed)
                if claimed and self._deliver(claimed[0]):
                    fine.append(url)
            addresses = fine
        return tried

    def _deliver(self, message: outbox.Claimed) -> bool:
        """Try one message and note how that ended; True where it was taken."""
        now = self.clock()
        outcome, done = self._attempt(message.recipient, as_body(message.payload), message.subject or "", now)
        if done:
            outbox.delivered(self.database, message.id, now, outcome, keep=True)
        elif message.attempts > len(PAUSES):
            outbox.failed(self.database, message.id, f"{outcome}; given up", again=None, now=now)
        else:
            again = now + timedelta(seconds=PAUSES[message.attempts - 1])
            outbox.failed(self.database, message.id, outcome, again=again, now=now)
        return done

    def _attempt(self, url: str, body: bytes, delivery: str, now: datetime) -> tuple[str, bool]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "emblem-webhook",
            **sign([secret_of(key, url) for key in self.keys], delivery, now, body),
        }
        try:
            status = self.send(url, body, headers)
        except (OSError, http.client.HTTPException) as error:
            return f"no answer ({type(error).__name__})", False
        return f"answered {status}", 200 <= status < 300


def add(session: Session, alert: Alert, url: str, now: datetime) -> None:
    """Queue an alert for a webhook, in the transaction that raises it."""
    data = {"id": alert.id, "rule": alert.rule, "summary": alert.summary, "facts": alert.facts}
    payload = {"type": "alert.raised", "timestamp": timestamp(alert.at), "data": data}
    outbox.add(session, "webhook", url, payload, now, subject=alert.id)


def as_body(payload: Mapping[str, Any]) -> bytes:
    """Build the JSON to send and sign."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
