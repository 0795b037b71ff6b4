"""Record downloads before their first byte: the counting rule, the limits, and the rows, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Text, bindparam, insert, update
from sqlalchemy.orm import Session

from .. import ledger
from ..campaign import Campaign
from ..clients.client import Client, hashing_keys
from ..clock import Clock
from ..ids import new_id_in_order
from ..problems import InvalidLink, NotRecorded, Problem, Unavailable
from ..store import Database
from ..store.bulk import BulkInsert
from ..store.database import Batch
from ..store.many_keys import among, as_json, given, looked_up, records_of_json, rows_of_json
from ..store.tables import Download, Instant, Link, LinkClient
from ..store.upsert import insert_or_update
from .permission import LinkState, read_states
from .tokens import Claim

# COUNTER's unique item request, with an hour that slides (Code of Practice 5.1, section 7).
WINDOW = timedelta(hours=1)
# A download that ends later has no end noted: PostgreSQL need not look for it in the months before.
_LONGEST_DOWNLOAD = timedelta(days=7)
LONGEST_RANGE = 400  # characters of a ``Range`` that are kept; longer ones are served all the same

# Built once: building a statement takes longer than running it.
_KNOWN = {
    dialect: looked_up(dialect, "asked", (LinkClient.link, LinkClient.client), LinkClient.last_at)
    for dialect in ("sqlite", "postgresql")
}
_COUNT = (
    update(Link)
    .where(Link.id == bindparam("link_id"))
    .values(counted=Link.counted + bindparam("more", type_=Integer()))
)
_SEEN = {
    dialect: BulkInsert(insert_or_update(LinkClient, dialect, ("last_at",)), ("link", "client", "last_at", "counted"))
    for dialect in ("sqlite", "postgresql")
}
_DOWNLOAD = BulkInsert(
    insert(Download),
    [name for name in Download.__table__.columns.keys() if name not in ("bytes_sent", "ended")],  # noqa: SIM118
)

_, (_END_OF, _END_SENT, _END_HOW) = rows_of_json("ends", 3)
_ENDS = records_of_json("ends", {"id": Text(), "sent": BigInteger(), "how": Text()})
_ENDED = {
    "sqlite": update(Download).where(Download.id == _END_OF).values(bytes_sent=_END_SENT, ended=_END_HOW),
    # The ids, and since when, are said besides: they are looked up in the months that can have them.
    "postgresql": update(Download)
    .where(
        Download.id == _ENDS.c.id,
        among("postgresql", "ids", Download.id),
        Download.at >= bindparam("since", type_=Instant()),
    )
    .values(bytes_sent=_ENDS.c.sent, ended=_ENDS.c.how),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Request of a GET: the ``Range`` as sent (None: the whole file), the answer's status, bytes of the file."""

    range: str | None
    status: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A durable record of a GET: a download of each package that its link leads to, all counted or none.

    ``downloads`` are their ids and the bytes of the file that each has a share of, in the order of the packages' ids.
    """

    downloads: tuple[tuple[str, int], ...]
    counted: bool


@dataclass(frozen=True, slots=True)
class _Request:
    """A download that waits for its record."""

    link: str
    client: Client
    hashes: tuple[str, ...]
    asked: Asked


@dataclass(frozen=True, slots=True)
class _End:
    """How a recorded download ended, and the bytes of the file that went out."""

    recorded: Recorded
    sent: int
    how: str


class _Decisions:
    """Permission and counts of some links, as one transaction reads it and its decisions change it."""

    def __init__(
        self, states: Mapping[str, LinkState], known: Mapping[tuple[str, str], datetime], now: datetime, base_url: str
    ) -> None:
        self._states = states
        self._known = dict(known)
        self.now = now
        self._base_url = base_url
        self.more = dict.fromkeys(states, 0)  # counted downloads that were added, by link
        self.seen: dict[tuple[str, str], datetime] = {}  # clients to store, by link and hash

    def decide(self, request: _Request) -> tuple[LinkState, str, bool]:
        """The state, the client's name and whether it counts; raises the first refusal that holds.

        Requests are decided one after the other: each sees what those before it counted.
        """
        state = self._states.get(request.link)
        if state is None:
            raise InvalidLink
        if problem := state.refusal(self.now, self._base_url):
            if state.bundle is None:
                problem.extra.setdefault("package", state.versions[0].package)
            raise problem
        name, last = self._client(request)
        begun = last is not None and self.now - last <= WINDOW
        state.refuse_client(request.client.kind, begun, self.more[request.link])
        return state, name, request.client.kind != "robot" and not begun

    def take(self, request: _Request, name: str, counted: bool) -> None:
        """Let a decision be seen by those that follow."""
        self._known[request.link, name] = self.seen[request.link, name] = self.now
        self.more[request.link] += counted

    def _client(self, request: _Request) -> tuple[str, datetime | None]:
        """The name under which a client is known on its link, and when it was last seen; else its newest name."""
        found = [(last, name) for name in request.hashes if (last := self._known.get((request.link, name))) is not None]
        if not found:
            return request.hashes[0], None
        last, name = max(found)
        return name, last


class Recorder:
    """Checks and records downloads. What waits at the same moment is decided and written as one batch."""

    def __init__(
        self, database: Database, campaign: Campaign, clock: Clock, secrets: Sequence[str], base_url: str
    ) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._keys = hashing_keys(secrets)
        self._base_url = base_url
        self._batch: Batch[_Request, Recorded] = database.batch(self._record)
        self._ends: Batch[_End, None] = database.batch(self._note_ends)

    def check(self, claim: Claim, client: Client) -> None:
        """Raise the first refusal that holds, and record nothing: for HEAD, 304 and 416."""
        request = self._request(claim, client, Asked(None, 200, 0))
        with self._database.read() as session:
            self._read(session.connection(), [request], lock=False).decide(request)

    def record(self, claim: Claim, client: Client, asked: Asked) -> Recorded:
        """Record a GET that will send bytes of the file. When it returns, the record survives a power cut.

        Raises the first refusal that holds, or ``NotRecorded`` where the database cannot take the record;
        then no byte of the file may leave.
        """
        try:
            return self._batch.write(self._request(claim, client, asked))
        except Unavailable as error:
            raise NotRecorded(headers={"Retry-After": "5"}, private=error.private) from error

    def _request(self, claim: Claim, client: Client, asked: Asked) -> _Request:
        return _Request(claim.link, client, tuple(client.hashes(self._keys, claim.link)), asked)

    def _read(self, connection: Connection, requests: Sequence[_Request], *, lock: bool) -> _Decisions:
        now = self._clock()
        links = {request.link for request in requests}
        states = read_states(connection, self._campaign, links, now, lock=lock)
        asked = {(request.link, name) for request in requests for name in request.hashes}
        dialect = connection.dialect.name
        rows = connection.execute(_KNOWN[dialect], {"asked": as_json(asked)})
        return _Decisions(states, {(link, name): last for link, name, last in rows}, now, self._base_url)

    def _record(self, session: Session, requests: Sequence[_Request]) -> list[Recorded | Problem]:
        """Decide and write a batch, in its order, with the same number of statements whatever its size."""
        connection = session.connection()
        decisions = self._read(connection, requests, lock=True)
        now = decisions.now
        answers: list[Recorded | Problem] = []
        rows: list[dict[str, Any]] = []
        entries: list[ledger.DownloadEntry] = []
        for request in requests:
            try:
                state, name, counted = decisions.decide(request)
            except Problem as problem:
                answers.append(problem)
                continue
            decisions.take(request, name, counted)
            downloads = []
            shares = shared_out(request.asked.bytes, [version.bytes for version in state.versions])
            for version, share in zip(state.versions, shares, strict=True):
                download = new_id_in_order("dl", now)
                downloads.append((download, share))
                shared: dict[str, Any] = {
                    "id": download,
                    "link": state.link,
                    "participant": state.participant,
                    "package": version.package,
                    "version": version.version,
                    "path": state.path,
                    "counted": counted,
                    "client_kind": request.client.kind,
                    "bytes": share,
                }
                rows.append(
                    {
                        **shared,
                        "at": now,
                        "range": request.asked.range and request.asked.range[:LONGEST_RANGE],
                        "status": request.asked.status,
                        "client_prefix": request.client.prefix,
                        "client_hash": name,
                    }
                )
                entries.append(
                    ledger.DownloadEntry(
                        **shared,
                        participant_kind=state.participant_kind,
                        country=state.country,
                        terms_version=version.terms_version,
                    )
                )
            answers.append(Recorded(tuple(downloads), counted))
        if rows:
            seen = [
                {"link": link, "client": name, "last_at": at, "counted": False}
                for (link, name), at in decisions.seen.items()
            ]
            _SEEN[connection.dialect.name].run(connection, seen)
            if more := [{"link_id": link, "more": count} for link, count in decisions.more.items() if count]:
                connection.execute(_COUNT, more)
            _DOWNLOAD.run(connection, rows)
            ledger.append_many(session, entries, now)
        return answers

    def ended(self, recorded: Recorded, sent: int, how: str) -> None:
        """Note afterwards how many bytes went out and how it ended (``complete`` or ``aborted``), within a moment.

        It is lost where the process dies first.
        """
        self._ends.write_soon(_End(recorded, sent, how))

    def _note_ends(self, session: Session, ends: Sequence[_End]) -> list[None]:
        """Write the ends of a batch of downloads by one statement."""
        rows = []
        for end in ends:
            shares = shared_out(end.sent, [share for _, share in end.recorded.downloads])
            for (download, _), share in zip(end.recorded.downloads, shares, strict=True):
                rows.append((download, share, end.how))
        connection = session.connection()
        dialect = connection.dialect.name
        if dialect == "sqlite":
            values: dict[str, Any] = {"ends": as_json(rows)}
        else:
            ids = given(dialect, [name for name, _, _ in rows])
            records = [{"id": name, "sent": sent, "how": how} for name, sent, how in rows]
            values = {"ends": as_json(records), "ids": ids, "since": self._clock() - _LONGEST_DOWNLOAD}
        connection.execute(_ENDED[dialect], values)
        return [None] * len(ends)


def shared_out(total: int, sizes: Sequence[int]) -> list[int]:
    """Share bytes out in proportion to sizes: whole numbers that add up to the total."""
    whole = sum(sizes)
    if not whole:
        return [total, *[0] * (len(sizes) - 1)]
    shares, before, size = [], 0, 0
    for one in sizes:
        size += one
        upto = total * size // whole
        shares.append(upto - before)
        before = upto
    return shares
