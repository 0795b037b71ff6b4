"""The rows of downloads, written for many at once with the same number of statements whatever their number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Integer, Text, bindparam, insert, update
from sqlalchemy.orm import Session

from .. import ledger
from ..clock import Clock
from ..ids import new_id_in_order
from ..problems import Problem
from ..store.bulk import BulkInsert
from ..store.many_keys import among, as_json, given, looked_up, records_of_json, rows_of_json
from ..store.tables import Download, Instant, Link, LinkClient
from ..store.upsert import insert_or_update
from .decisions import Decisions, RecordRequest
from .permission import read_states

# A download that ends later has no end noted: PostgreSQL need not look for it in the months before.
_LONGEST_DOWNLOAD = timedelta(days=7)

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


class Recorded(NamedTuple):
    """A durable record of a GET: a download of each package that its link leads to, all counted or none.

    ``downloads`` are their ids and the bytes of the file that each has a share of, in the order of the packages' ids.
    """

    downloads: tuple[tuple[str, int], ...]
    counted: bool


class End(NamedTuple):
    """How a recorded download ended (``complete`` or ``aborted``), and the bytes of the file that went out."""

    recorded: Recorded
    sent: int
    how: str


class Records:
    """Decides and writes downloads of a deployment. Its methods are works of ``store.database.Batch``."""

    def __init__(self, clock: Clock, base_url: str) -> None:
        self._clock = clock
        self._base_url = base_url

    def read(self, connection: Connection, requests: Sequence[RecordRequest], *, lock: bool) -> Decisions:
        """Read what decides about requests. ``lock`` keeps others out of their links until the transaction ends."""
        now = self._clock()
        states = read_states(connection, {(request.link, request.in_force) for request in requests}, lock=lock)
        asked = {(request.link, name) for request in requests for name in request.hashes}
        rows = connection.execute(_KNOWN[connection.dialect.name], {"asked": as_json(asked)})
        return Decisions(states, {(link, name): last for link, name, last in rows}, now, self._base_url)

    def write(self, session: Session, requests: Sequence[RecordRequest]) -> list[Recorded | Problem]:
        """Decide and write a batch, in its order, with the same number of statements whatever its size."""
        connection = session.connection()
        decisions = self.read(connection, requests, lock=True)
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
                    "client_kind": request.kind,
                    "bytes": share,
                }
                rows.append(
                    {
                        **shared,
                        "at": now,
                        "range": request.asked.range,
                        "status": request.asked.status,
                        "client_prefix": request.prefix,
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

    def note_ends(self, session: Session, ends: Sequence[End]) -> list[None]:
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
