"""Decide which downloads may be recorded and which count: the counting rule and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ..campaign import TermsInForce
from ..problems import InvalidLink
from .permission import LinkState

# COUNTER's unique item request, with an hour that slides (Code of Practice 5.1, section 7).
WINDOW = timedelta(hours=1)


class Asked(NamedTuple):
    """Request of a GET: the ``Range`` as sent (None: the whole file), the answer's status, bytes of the file."""

    range: str | None
    status: int
    bytes: int


class RecordRequest(NamedTuple):
    """A download that waits for its record, as it goes to whoever writes it: its client is a name alone.

    ``hashes`` are the client's names on the link, the first being the one to store, ``prefix`` the network that is
    kept for people to read. ``in_force`` are the terms by which the download is asked for.
    """

    link: str
    hashes: tuple[str, ...]
    prefix: str | None
    kind: str
    asked: Asked
    in_force: TermsInForce


class Decisions:
    """Permission and counts of some links, as one transaction reads it and its decisions change it."""

    def __init__(
        self,
        states: Mapping[tuple[str, TermsInForce], LinkState],
        known: Mapping[tuple[str, str], datetime],
        now: datetime,
        base_url: str,
    ) -> None:
        self._states = states
        self._known = dict(known)
        self.now = now
        self._base_url = base_url
        self.more = {link: 0 for link, _ in states}  # counted downloads that were added, by link
        self.seen: dict[tuple[str, str], datetime] = {}  # clients to store, by link and hash

    def decide(self, request: RecordRequest) -> tuple[LinkState, str, bool]:
        """The state, the client's name and whether it counts; raises the first refusal that holds.

        Requests are decided one after the other: each sees what those before it counted.
        """
        state = self._states.get((request.link, request.in_force))
        if state is None:
            raise InvalidLink
        if problem := state.refusal(self.now, self._base_url):
            if state.bundle is None:
                problem.extra.setdefault("package", state.versions[0].package)
            raise problem
        name, last = self._client(request)
        begun = last is not None and self.now - last <= WINDOW
        state.refuse_client(request.kind, begun, self.more[request.link])
        return state, name, request.kind != "robot" and not begun

    def take(self, request: RecordRequest, name: str, counted: bool) -> None:
        """Let a decision be seen by those that follow."""
        self._known[request.link, name] = self.seen[request.link, name] = self.now
        self.more[request.link] += counted

    def _client(self, request: RecordRequest) -> tuple[str, datetime | None]:
        """The name under which a client is known on its link, and when it was last seen; else its newest name."""
        found = [(last, name) for name in request.hashes if (last := self._known.get((request.link, name))) is not None]
        if not found:
            return request.hashes[0], None
        last, name = max(found)
        return name, last
