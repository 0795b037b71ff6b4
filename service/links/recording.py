"""Recording a download before its first byte: the counting rule, the limit, and the row, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.orm import Session

from .. import ledger
from ..campaign import Campaign
from ..clients.client import Client, hashing_keys
from ..clock import Clock
from ..ids import new_id
from ..problems import NotRecorded, Unavailable
from ..store import Database
from ..store.tables import Download, Link, LinkClient
from .permission import LinkState, read_state
from .tokens import Claim

# COUNTER's unique item request, with an hour that slides (Code of Practice 5.1, section 7).
WINDOW = timedelta(hours=1)

# Built once: building a statement takes longer than running it.
_KNOWN = (
    select(LinkClient.client, LinkClient.last_at)
    .where(LinkClient.link == bindparam("link"), LinkClient.client.in_(bindparam("clients", expanding=True)))
    .order_by(LinkClient.last_at.desc())
)
_COUNT = update(Link).where(Link.id == bindparam("link_id")).values(counted=Link.counted + 1)
_SEEN = insert(LinkClient).values(
    link=bindparam("link_id"), client=bindparam("client_name"), last_at=bindparam("seen_at")
)
_SEEN_AGAIN = (
    update(LinkClient)
    .where(LinkClient.link == bindparam("link_id"), LinkClient.client == bindparam("client_name"))
    .values(last_at=bindparam("seen_at"))
)
_DOWNLOAD = insert(Download)


@dataclass(frozen=True)
class Asked:
    """What a GET asks for: the ``Range`` as sent (None: the whole file), the answer's status, bytes of the file."""

    range: str | None
    status: int
    bytes: int


@dataclass(frozen=True)
class Recorded:
    """A durable record of a download."""

    id: str
    counted: bool


class Recorder:
    """Checks and records downloads."""

    def __init__(
        self, database: Database, campaign: Campaign, clock: Clock, secrets: Sequence[str], base_url: str
    ) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._keys = hashing_keys(secrets)
        self._base_url = base_url

    def check(self, claim: Claim, client: Client) -> None:
        """Raises the first refusal that holds, and records nothing: for HEAD, 304 and 416."""
        now = self._clock()
        with self._database.read() as session:
            state = read_state(session, self._campaign, claim.link, now)
            self._refuse(state, now)
            known = self._known(session.connection(), state.link, client.hashes(self._keys, state.link))
            state.refuse_client(client.kind, begun=_begun(known, now))

    def record(self, claim: Claim, client: Client, asked: Asked) -> Recorded:
        """Records a GET that will send bytes of the file. When it returns, the record survives a power cut.

        Raises the first refusal that holds, or ``NotRecorded`` where the database cannot take the record;
        then no byte of the file may leave.
        """
        try:
            return self._database.write(lambda session: self._record(session, claim, client, asked))
        except Unavailable as error:
            raise NotRecorded(headers={"Retry-After": "5"}, private=error.private) from error

    def _refuse(self, state: LinkState, now: datetime) -> None:
        if problem := state.refusal(now, self._base_url):
            problem.extra.setdefault("package", state.package)
            raise problem

    def _known(self, connection: Connection, link: str, hashes: Sequence[str]) -> tuple[str, datetime] | None:
        """The client's name on the link and when it last made a recorded GET, if it ever did."""
        row = connection.execute(_KNOWN, {"link": link, "clients": hashes}).first()
        return (row.client, row.last_at) if row else None

    def _record(self, session: Session, claim: Claim, client: Client, asked: Asked) -> Recorded:
        now = self._clock()
        connection = session.connection()
        state = read_state(session, self._campaign, claim.link, now, lock=True)
        self._refuse(state, now)
        hashes = client.hashes(self._keys, state.link)
        known = self._known(connection, state.link, hashes)
        begun = _begun(known, now)
        state.refuse_client(client.kind, begun=begun)
        counted = client.kind != "robot" and not begun
        if counted:
            connection.execute(_COUNT, {"link_id": state.link})
        name = known[0] if known else hashes[0]
        seen = {"link_id": state.link, "client_name": name, "seen_at": now}
        connection.execute(_SEEN_AGAIN if known else _SEEN, seen)
        download = new_id("dl")
        shared: dict[str, Any] = {
            "id": download,
            "link": state.link,
            "participant": state.participant,
            "package": state.package,
            "version": state.version,
            "counted": counted,
            "client_kind": client.kind,
            "bytes": asked.bytes,
        }
        row = {
            "at": now,
            "range": asked.range,
            "status": asked.status,
            "client_prefix": client.prefix,
            "client_hash": name,
        }
        connection.execute(_DOWNLOAD, shared | row)
        entry = ledger.Download(
            **shared,
            participant_kind=state.participant_kind,
            country=state.country,
            terms_version=state.terms_version,
        )
        ledger.append(session, entry, now)
        return Recorded(download, counted)

    def ended(self, download: str, sent: int, how: str) -> None:
        """Notes afterwards how many bytes went out and how it ended (``complete`` or ``aborted``); best effort."""
        self._database.write_soon(
            lambda session: session.execute(
                update(Download).where(Download.id == download).values(bytes_sent=sent, ended=how)
            )
        )


def _begun(known: tuple[str, datetime] | None, now: datetime) -> bool:
    return known is not None and now - known[1] <= WINDOW
