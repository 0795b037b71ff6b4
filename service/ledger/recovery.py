"""Recovery: a database that was put back from a backup takes over what the log in storage has and it does not.

A backup of the database is older than one of the storage that was made after it, and both are older than
what was published last. To go on from the database alone would give published indexes to other entries: a
fork. So every entry that the storage still has becomes a row with its index, and sealing goes on behind them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..problems import LogDamaged, Unavailable
from ..storage import ObjectMissing
from ..store.audit_tables import LogKey
from ..store.leadership import leadership
from ..store.tables import LedgerEntry
from . import notes, tiles
from .kinds import KINDS
from .proofs import TileReader
from .rows import Rows, StoredCheckpoint
from .sealer import Sealer
from .tree import leaf_hash, perfect_root


@dataclass
class Recovered:
    """Leaves taken over, ``before`` to ``size - 1``; the kinds of those without a row; those of the ones applied."""

    before: int
    size: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    applied: Counter[str] = field(default_factory=Counter)


#: Applies an entry that the database had no row of, in the transaction that takes it over; whether it changed anything.
Apply = Callable[[Session, dict[str, Any]], bool]


def _apply_nothing(_session: Session, _facts: dict[str, Any]) -> bool:
    return False


def recover(
    sealer: Sealer, wait: float = 30, *, apply: Apply = _apply_nothing, least: notes.Head | None = None
) -> Recovered:
    """Takes over every entry that the log in storage has behind the database's newest checkpoint, and seals.

    ``least`` is the newest checkpoint that somebody outside has seen. Safe to repeat, also after a crash in the
    middle. LogDamaged where the log in storage does not continue what the database knows, is not as long as
    ``least`` or as what this machine has published, or no key in force signed it; nothing is changed then.
    Unavailable where another process seals for longer than ``wait`` seconds.
    """
    with leadership(sealer.database, sealer.data_dir, wait) as held:
        if held is None:
            raise Unavailable("Another process is sealing; stop the service, and run the command again.")
        newest = sealer.rows.newest()
        done = Recovered(newest.size if newest else 0)
        published = _published(sealer)
        if published.size >= done.before:
            reader = TileReader(sealer.storage, published.size)
            _compare(reader, published, newest)
            end = done.before
            for first, entries in _bundles(reader, done.before):  # all are checked before the first is taken over
                end = first + len(entries)
            for seen in (least, sealer.newest_published()):
                _reaches(reader, end, seen)
            for first, entries in _bundles(reader, done.before):
                unknown, applied = sealer.database.write(partial(_take_over, first=first, entries=entries, apply=apply))
                done.unknown += unknown
                done.applied += applied
        else:
            for seen in (least, sealer.newest_published()):
                if seen is not None and seen.size > done.before:
                    raise _rewound(done.before, seen)
        if published.size > done.before:
            before = newest.size if newest else None
            sealer.database.write(
                lambda session: sealer.rows.swap(
                    session, before, published.size, published.root, published.note, published.at
                )
            )
    done.size = sealer.seal(wait).size
    return done


def _published(sealer: Sealer) -> StoredCheckpoint:
    """The checkpoint in storage, its signature checked."""
    try:
        note = sealer.storage.read(tiles.CHECKPOINT).decode()
        head = notes.verify(note, [signer.verifier for signer in sealer.signers()])
    except ObjectMissing:
        raise LogDamaged(f"{tiles.CHECKPOINT} is missing in storage: there is no log to recover from.") from None
    except ValueError as error:
        raise LogDamaged(f"{tiles.CHECKPOINT} in storage is not one of this log: {error}.") from error
    return StoredCheckpoint(head.size, head.root.hex(), note, sealer.clock())


def _compare(reader: TileReader, published: StoredCheckpoint, newest: StoredCheckpoint | None) -> None:
    """The tiles have the published root, and begin with what the database knows."""
    if reader.root().hex() != published.root:
        raise LogDamaged("The tiles in storage do not have the root of the published checkpoint. Restore them too.")
    if newest is not None and reader.subtree(0, newest.size).hex() != newest.root:
        raise LogDamaged(
            f"The log in storage does not continue the {newest.size} leaves that the database knows: "
            "EMBLEM_STORAGE_URL or EMBLEM_DATABASE_URL is that of another deployment."
        )


def _reaches(reader: TileReader, end: int, seen: notes.Head | None) -> None:
    """The log has all that somebody has seen of it, and the same."""
    if seen is None:
        return
    if seen.size > end:
        raise _rewound(end, seen)
    if seen.size <= reader.size and reader.subtree(0, seen.size) != seen.root:
        raise LogDamaged(f"The log in storage is not the one whose checkpoint of {seen.size} leaves was published.")


def _rewound(end: int, seen: notes.Head) -> LogDamaged:
    return LogDamaged(
        f"The log in storage has {end} leaves, but {seen.size} were published: going on would give the published "
        "indexes to other entries. Put the newest copy of the log back, such as an export, with "
        "`emblem restore --log DIR`, and run `emblem audit recover` again."
    )


def _bundles(reader: TileReader, start: int) -> Iterator[tuple[int, list[bytes]]]:
    """Leaf and entries behind ``start``, of each bundle in storage in turn, also of those not published yet."""
    index, end = start // tiles.WIDTH, start
    while end >= index * tiles.WIDTH and (key := _widest(reader, index)):
        entries = _read(reader, index, key)
        begun, end = end, index * tiles.WIDTH + len(entries)
        if end > begun:
            yield begun, entries[begun - end :]
        index += 1
    if end < reader.size:
        raise LogDamaged(f"The entries of the log are missing in storage from leaf {end} on. Restore them too.")


def _widest(reader: TileReader, index: int) -> str | None:
    """The key of the bundle of an index that has the most entries, None where there is none."""
    full = tiles.key("entries", index)
    if reader.storage.size(full) is not None:
        return full
    parts = reader.storage.list(f"{full}.p/")
    return max((item.key for item in parts), key=lambda key: int(key.rpartition("/")[2]), default=None)


def _read(reader: TileReader, index: int, key: str) -> list[bytes]:
    """The entries of a bundle, each with the hash of its leaf as far as the log has it."""
    first = index * tiles.WIDTH
    try:
        entries = tiles.unbundle(reader.storage.read(key))
        tile = reader.storage.read(key.replace("/entries/", "/0/"))
    except ObjectMissing:  # a crash came between the bundle and its tile
        tile = b""
    except ValueError as error:
        raise LogDamaged(f"{key}: {error}. Restore it from a copy of the log.") from None
    hashes = [leaf_hash(entry) for entry in entries]
    whole = first + tiles.WIDTH <= reader.size
    if whole and perfect_root(b"".join(hashes)) != reader.subtree(first, first + tiles.WIDTH):
        raise LogDamaged(f"{key} is not what its hash in the log says. Restore it from a copy of the log.")
    for place, found in enumerate(hashes):
        stated = [tile[tiles.HASH * place :][: tiles.HASH]] if tile else []
        if first + place < reader.size:
            stated.append(reader.subtree(first + place, first + place + 1))
        if any(item != found for item in stated):
            raise LogDamaged(f"{key}: the entry of leaf {first + place} is not that of its hash. Restore it.")
    return entries


def _take_over(session: Session, first: int, entries: list[bytes], apply: Apply) -> tuple[Counter[str], Counter[str]]:
    """Gives entries their indexes, and rows where they have none; the kinds of these, and of those applied."""
    facts = [_facts(first + place, entry) for place, entry in enumerate(entries)]
    names = [fact["id"] for fact in facts]
    wanted = select(LedgerEntry.seq, LedgerEntry.body, LedgerEntry.leaf).where(LedgerEntry.id.in_(names))
    rows = {row.body: row for row in session.execute(wanted)}
    unknown: Counter[str] = Counter()
    applied: Counter[str] = Counter()
    try:
        for place, (fact, entry) in enumerate(zip(facts, entries, strict=True)):
            leaf, body = first + place, entry.decode()
            if row := rows.get(body):
                if row.leaf not in (None, leaf):
                    raise LogDamaged(f"The database has the entry of leaf {leaf} at {row.leaf}.")
                session.execute(update(LedgerEntry).where(LedgerEntry.seq == row.seq).values(leaf=leaf))
                continue
            at = datetime.fromisoformat(fact["at"])
            session.execute(insert(LedgerEntry).values(id=fact["id"], kind=fact["kind"], at=at, body=body, leaf=leaf))
            unknown[fact["kind"]] += 1
            if apply(session, fact):
                applied[fact["kind"]] += 1
            if fact["kind"] == "key.created" and fact.get("role") == "log":
                _know_key(session, fact["vkey"], at)
    except IntegrityError as error:
        raise LogDamaged(
            f"The database gives an index from {first} on to another entry than the log in storage.", private=str(error)
        ) from error
    return unknown, applied


def _know_key(session: Session, vkey: str, at: datetime) -> None:
    if session.scalar(select(LogKey.vkey).where(LogKey.vkey == vkey)) is None:
        Rows.add_key(session, vkey, at)


def _facts(leaf: int, entry: bytes) -> dict[str, Any]:
    try:
        facts = json.loads(entry)
        if facts["kind"] in KINDS and isinstance(facts["id"], str) and datetime.fromisoformat(facts["at"]).tzinfo:
            return dict(facts)
    except (ValueError, KeyError, TypeError):
        pass
    raise LogDamaged(f"Leaf {leaf} in storage is no entry of this log.")
