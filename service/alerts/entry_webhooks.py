"""Entries of the log for webhooks: each that an address asks for waits once in the outbox, in the order of the leaves.

A row for each address says up to which leaf that is done. It moves in the transaction that adds the messages, and
only from where it was read, so neither a crash nor a second process leaves an entry out or queues it twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ..campaign.text import msgid
from ..clock import Clock
from ..ledger.proofs import TileReader
from ..problems import FieldError, InvalidRequest
from ..storage import Storage
from ..store import Database, outbox
from ..store.audit_tables import WebhookPosition
from ..store.batches import changed
from ..store.tables import Checkpoint, LedgerEntry
from ..store.upsert import insert_new
from .alert_rules import Webhook

_STEP = 2000  # leaves that one transaction looks at
_STEPS = 20  # an address and a turn, so that a replay holds up no other job
_PREFIX = "leaf_"
_NO_LEAF = msgid("The log has no sealed leaf %(leaf)s: there are %(size)s, counted from 0.")
#: Messages that wait for one address at most. The rest wait in the log, which is there anyway.
MOST_WAITING = 1000


@dataclass(frozen=True)
class Replayed:
    """Replay to an address: the leaves ``first`` to ``end - 1``, ``entries`` of them of its kinds."""

    url: str
    first: int
    end: int
    entries: int


@dataclass(frozen=True)
class _Found:
    """An entry on its way: its leaf and its text in canonical JSON."""

    leaf: int
    body: str


class EntryWebhooks:
    """Queues sealed entries for the webhooks that ask for their kinds."""

    def __init__(self, database: Database, storage: Storage, clock: Clock) -> None:
        """``storage`` has the entries that are no longer in the database."""
        self.database = database
        self.storage = storage
        self.clock = clock

    def enqueue(self, hooks: Sequence[Webhook]) -> int:
        """Queue what was sealed since the last time, a bounded part of it; return how many messages were added.

        An address that is new begins with what is sealed after it was first seen here. LogDamaged where entries are
        missing in the database and in storage.
        """
        asking = [hook for hook in hooks if hook.kinds]
        if not asking:
            return 0
        size, count = self._size(), 0
        for hook in asking:
            for _ in range(_STEPS):
                added = self._step(hook, size)
                if added is None:
                    break
                count += added
        return count

    def replay(self, hooks: Sequence[Webhook], leaf: int, url: str | None = None) -> list[Replayed]:
        """Send the entries from ``leaf`` on once more to every address that asks for entries, or to ``url`` alone.

        What waits for it from that leaf on is queued anew, in order; ``enqueue`` does that. InvalidRequest for a leaf
        that the log does not have, and for an address that asks for no entries.
        """
        asking = [hook for hook in hooks if hook.kinds and url in (None, hook.url)]
        if not asking:
            known = ", ".join(hook.url for hook in hooks if hook.kinds)
            detail = f"Addresses that ask for entries: {known}." if known else "No webhook asks for kinds of entries."
            raise InvalidRequest(detail, errors=[FieldError("/url", detail)])
        size = self._size()
        if not 0 <= leaf < size:
            wrong = FieldError.of("/from", _NO_LEAF, leaf=leaf, size=size)
            raise InvalidRequest(wrong.detail, errors=[wrong])
        return [self._rewind(hook, leaf, size) for hook in asking]

    def _size(self) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.max(Checkpoint.size))) or 0

    def _step(self, hook: Webhook, size: int) -> int | None:
        """Look at the next leaves for an address: how many messages that gave, None where there is nothing to do."""
        digest = _digest(hook.url)
        with self.database.read() as session:
            first = session.scalar(select(WebhookPosition.leaf).where(WebhookPosition.digest == digest))
            room = MOST_WAITING - outbox.open_to(session, "webhook", hook.url)
        now = self.clock()
        if first is None:
            values = {"url": hook.url, "leaf": size, "at": now}
            self.database.write(lambda session: insert_new(session, WebhookPosition, digest=digest, **values))
            return None
        if first >= size or room <= 0:
            return None
        end = min(first + _STEP, size)
        found = list(self._entries(first, end, size, hook.kinds))
        if len(found) > room:
            found = found[:room]
            end = found[-1].leaf + 1

        def work(session: Session) -> int:
            here = (WebhookPosition.digest == digest, WebhookPosition.leaf == first)
            if changed(session, update(WebhookPosition).where(*here).values(leaf=end, at=now)) != 1:
                return 0  # another process was quicker, or a replay came in between
            for one in found:
                entry = json.loads(one.body)
                data = {"leaf": one.leaf, "entry": entry}
                payload = {"type": entry["kind"], "timestamp": entry["at"], "data": data}
                outbox.add(session, "webhook", hook.url, payload, now, subject=f"{_PREFIX}{one.leaf}")
            return len(found)

        return self.database.write(work)

    def _entries(self, first: int, end: int, size: int, kinds: Sequence[str]) -> Iterator[_Found]:
        """The entries of some kinds among the leaves ``first`` to ``end - 1``, in order."""
        inside = (LedgerEntry.leaf >= first, LedgerEntry.leaf < end)
        with self.database.read() as session:
            rows = session.execute(select(LedgerEntry.leaf, LedgerEntry.kind, LedgerEntry.body).where(*inside)).all()
        here = {leaf: (kind, body) for leaf, kind, body in rows}
        reader = TileReader(self.storage, size)
        for leaf in range(first, end):
            if leaf in here:
                kind, body = here[leaf]
            else:  # entries that are many leave the database some days after
                body = reader.entry(leaf).decode()
                kind = json.loads(body)["kind"]
            if kind in kinds:
                yield _Found(leaf, body)

    def _rewind(self, hook: Webhook, leaf: int, size: int) -> Replayed:
        digest, now = _digest(hook.url), self.clock()

        def work(session: Session) -> None:
            insert_new(session, WebhookPosition, digest=digest, url=hook.url, leaf=size, at=now)
            mine = select(WebhookPosition).where(WebhookPosition.digest == digest).with_for_update()
            row = session.scalars(mine).one()
            row.leaf, row.at = min(leaf, row.leaf), now
            outbox.withdraw(session, "webhook", hook.url, lambda subject: _leaf(subject) >= leaf)

        self.database.write(work)
        steps = ((start, min(start + _STEP, size)) for start in range(leaf, size, _STEP))
        count = sum(1 for start, stop in steps for _ in self._entries(start, stop, size, hook.kinds))
        return Replayed(hook.url, leaf, size, count)


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _leaf(subject: str) -> int:
    """The leaf that a message tells of; -1 where it tells of none."""
    return int(subject.removeprefix(_PREFIX)) if subject.startswith(_PREFIX) else -1
