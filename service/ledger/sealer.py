"""Sealing: rows of the ledger become leaves of the log, its tiles are written, its checkpoint is signed and swapped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.orm import Session

from ..clock import Clock
from ..problems import ConfigurationError, LogDamaged, Unavailable
from ..storage import ObjectMissing, Storage
from ..storage.durable import replace_file
from ..store.database import Database
from ..store.leadership import StillHeld, leadership
from . import notes, tiles
from .entries import append
from .keys import ED25519, Signer, Verifier, is_classical
from .kinds import KeyCreatedEntry
from .rows import Rows
from .tree import Edge, leaf_hash, levels

log = structlog.get_logger()

NEWEST = "newest-checkpoint"  # a file of the data directory
CHUNK = 64 * tiles.WIDTH  # entries a checkpoint: bounds memory, and how long a writer waits for their indexes
_PARALLEL = 8  # tiles on their way to storage at once


@dataclass(frozen=True)
class Sealed:
    """Outcome of ``Sealer.seal``: ``sealed`` (with ``added`` new leaves), ``nothing`` to do, or ``busy``."""

    outcome: str
    size: int = 0
    added: int = 0


@dataclass(frozen=True)
class _State:
    edge: Edge
    entries: tuple[bytes, ...]  # of the unfinished bundle


def _no_step(name: str) -> None:
    """Test hook, replaced to crash the process after a named step."""


class Sealer:
    """Seals one log. Safe to share between threads; of all sealers of a deployment one works at a time.

    ``signers`` gives the keys in force, newest first, under the log's ``origin``.
    """

    def __init__(
        self,
        database: Database,
        storage: Storage,
        signers: Callable[[], Sequence[Signer]],
        origin: str,
        clock: Clock,
        data_dir: Path,
    ) -> None:
        self.database = database
        self.storage = storage
        self.signers = signers
        self.origin = origin
        self.clock = clock
        self.data_dir = data_dir
        self.rows = Rows(database)
        self.step: Callable[[str], None] = _no_step
        self._state: _State | None = None
        self._mutex = threading.Lock()

    # --- the start

    def check(self, *, recovering: bool = False) -> None:
        """Raises ConfigurationError, with the fix, where key or origin are not those of the log that is there.

        So it does where this machine has published a longer log, unless that is what is ``recovering``.
        """
        head = self.rows.newest()
        if head is None:
            if self.storage.size(tiles.CHECKPOINT) is not None:
                raise _mistake(
                    "EMBLEM_STORAGE_URL holds a log that the database does not know: name the database that "
                    "belongs to it, or another storage."
                )
            return
        seen = self.newest_published()
        if not recovering and seen is not None and seen.origin == self.origin and seen.size > head.size:
            raise _mistake(
                f"This machine has published a log of {seen.size} leaves, but the database knows {head.size}: "
                "it is an older one that was put back. Run `emblem audit recover` before the service starts."
            )
        stated = notes.read(head.note)
        if stated.origin != self.origin:
            raise _mistake(
                f"EMBLEM_LOG_ORIGIN is {self.origin}, but the log that is there is {stated.origin}: "
                f"set EMBLEM_LOG_ORIGIN={stated.origin}."
            )
        try:
            notes.verify(head.note, [one.verifier for one in self.signers() if one.verifier.type == ED25519])
        except notes.NoteError:
            known = self.rows.vkeys()
            raise _mistake(
                "EMBLEM_LOG_KEY is not the key that signed the log so far"
                + (f" ({known[0]})" if known else "")
                + ": put that key back; `emblem audit rotate-key` adds a new one."
            ) from None

    def vkeys(self) -> list[str]:
        """Every verifier key that the log has had, newest first; those in force although nothing is sealed yet.

        Those of Ed25519 come before those of ML-DSA-44: the first line is one that every reader understands.
        """
        known = self.rows.vkeys()
        fresh = [signer.verifier.vkey for signer in self.signers() if signer.verifier.vkey not in known]
        return sorted(fresh + known, key=is_classical, reverse=True)

    # --- what this machine has published, whatever becomes of database and storage

    def newest_published(self) -> notes.Head | None:
        """The newest checkpoint that this machine has published, kept apart from database and storage."""
        try:
            return notes.read((self.data_dir / NEWEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _keep(self, note: str) -> None:
        try:
            replace_file(self.data_dir / NEWEST, note.encode())
        except OSError as error:  # it guards against a backup that is put back; sealing goes on without it
            log.warning("the newest checkpoint could not be kept", path=NEWEST, error=type(error).__name__)

    # --- sealing

    def seal(self, wait: float = 0) -> Sealed:
        """Seals what is committed. ``busy`` where another sealer works for longer than ``wait`` seconds.

        Crash order. Each step is durable before the next begins, and a later call goes on where a crash
        left off, by the same code:

        1. stage: leaf indexes are written to the rows, in the order of commits. A crash after this leaves
           rows with an index beyond the newest checkpoint: they are what the next call takes first.
        2. tiles and bundles are stored. They follow from 1 alone, so they come out the same again; one that
           exists with other bytes stops sealing (``LogDamaged``).
        3. swap: the signed checkpoint becomes a row. From here on the entries are sealed.
        4. publish: the checkpoint replaces the one in storage. A crash before this leaves an older one
           there, which is a true one; the next call publishes first of all.

        Raises ``Unavailable`` where database or storage do not answer; nothing is lost, the next call
        goes on.
        """
        with self._mutex, leadership(self.database, self.data_dir, wait) as held:
            if held is None:
                return Sealed("busy")
            try:
                return self._seal(held)
            except BaseException:
                self._state = None  # whatever was reached: read again from what is durable
                raise

    def _seal(self, held: StillHeld) -> Sealed:
        head = self.rows.newest()
        if head is not None:
            self._publish(head.size, head.note, held)
        self._register_keys()
        size, added = (head.size if head else 0), 0
        known = self._state
        state = self._load(size, notes.read(head.note).root if head else Edge().root)
        if head is not None and state is not known:
            # Another process sealed last, or one that died: it may not have come to its last step.
            for before in self.rows.sizes_near(size):
                self._remove_partials(before, size)
        while True:
            rows, more = self._stage(size)
            self.step("staged")
            if not rows and head is not None:
                break
            state = self._write(state, rows)
            self.step("tiles-written")
            at = self.clock()
            note = notes.sign(notes.Head(self.origin, state.edge.size, state.edge.root), self.signers(), at)
            self.database.write(_swap(size if head else None, state.edge, note, at))
            self.step("swapped")
            head = self.rows.newest()
            if head is None or head.note != note:
                raise Unavailable(private="another sealer swapped the checkpoint")
            self._publish(head.size, note, held)
            self._state = state
            self.step("published")
            self._remove_partials(size, state.edge.size)
            self.step("cleaned")
            size, added = state.edge.size, added + len(rows)
            if not more:
                break
        self._state = state
        return Sealed("sealed" if added else "nothing", size, added)

    def resign(self, wait: float = 30) -> None:
        """Signs the newest checkpoint anew by the keys in force, after these changed."""
        with self._mutex, leadership(self.database, self.data_dir, wait) as held:
            if held is None:
                raise Unavailable(private="another sealer works")
            head = self.rows.newest()
            if head is not None:
                fresh = notes.sign(notes.read(head.note), self.signers(), self.clock())
                note = notes.with_cosignatures(fresh, notes.cosignatures(head.note))
                self.rows.rewrite_note(head.size, note)
                self._publish(head.size, note, held)

    def affirm(self, every: float) -> bool:
        """Sign the newest checkpoint anew where its own ML-DSA-44 cosignature is older than ``every`` seconds.

        A log in which nothing happens shows so that it is alive. False where it is young, where no such key states
        a time, or where another sealer works.
        """
        head = self.rows.newest()
        at = None if head is None else notes.stated_at(head.note, [one.verifier for one in self.signers()])
        if at is None or 0 <= (self.clock() - at).total_seconds() < every:
            return False
        try:
            self.resign(wait=0)
        except Unavailable:
            return False
        return True

    def cosign(self, size: int, lines: Sequence[str], wait: float = 2) -> None:
        """Keeps witnesses' cosignatures of a checkpoint, which were checked, and publishes them while it is the newest.

        Unavailable where another sealer works for longer than ``wait`` seconds.
        """
        with self._mutex, leadership(self.database, self.data_dir, wait) as held:
            if held is None:
                raise Unavailable(private="another sealer works")
            newest = self.rows.newest()  # of this lock's time: nobody else seals meanwhile
            made = newest if newest is not None and newest.size == size else self.rows.checkpoint(size)
            if made is None:
                return
            note = notes.with_cosignatures(made.note, lines)
            self.rows.rewrite_note(size, note)
            if made is newest:
                self._publish(size, note, held, known=made.note.encode())

    # --- the steps

    def _stage(self, size: int) -> tuple[list[bytes], bool]:
        """The entries that come next, their indexes durable; and whether more may wait behind them."""
        staged = self.rows.staged(size, CHUNK)
        for position, (leaf, _) in enumerate(staged):
            if leaf != size + position:
                raise LogDamaged(
                    f"The entry of leaf {size + position} is gone from the database, so the log cannot grow. "
                    "Restore the database from a backup.",
                )
        if staged:
            return [entry for _, entry in staged], True
        rows = self.rows.unsealed(CHUNK)
        if rows:
            seqs = [seq for seq, _ in rows]
            self.database.write(lambda session: self.rows.assign(session, seqs, size))
        return [entry for _, entry in rows], len(rows) == CHUNK

    def _write(self, state: _State, entries: list[bytes]) -> _State:
        edge, new_tiles = state.edge.grown([leaf_hash(entry) for entry in entries])
        objects = [(tiles.key(tile.level, tile.index, tile.width), tile.data) for tile in new_tiles]
        waiting = [*state.entries, *entries]
        index = state.edge.size // tiles.WIDTH
        start = 0
        while start < len(waiting):
            part = waiting[start : start + tiles.WIDTH]
            objects.append((tiles.key("entries", index, len(part)), tiles.bundle(part)))
            start, index = start + tiles.WIDTH, index + 1
        rest = len(waiting) - len(waiting) % tiles.WIDTH
        with ThreadPoolExecutor(_PARALLEL) as pool:
            for _ in pool.map(self._put, objects):
                pass
        return _State(edge, tuple(waiting[rest:]))

    def _put(self, item: tuple[str, bytes]) -> None:
        key, data = item
        if not self.storage.put_new(key, data) and self.storage.read(key) != data:
            raise LogDamaged(
                f"{key} exists in storage with other bytes than the log has now; sealing has stopped. "
                "Find out who changed the storage or the database; `emblem audit verify` names the first bad leaf."
            )
        self.step("tile-written")

    def _publish(self, size: int, note: str, held: StillHeld, known: bytes = b"") -> None:
        """Publish a checkpoint. What is published now has to be of this log.

        ``known`` is the same checkpoint with fewer signatures: where that is what is published, it is of this log,
        and kept on this machine already.
        """
        try:
            published = self.storage.read(tiles.CHECKPOINT)
        except ObjectMissing:
            published = b""
        if published == note.encode():
            return
        signed_alone = bool(published) and published == known
        if published and not signed_alone:
            self._recognise(published, size)
        if held():
            self._put_checkpoint(note)
            if held():
                if not signed_alone:
                    self._keep(note)
                return
            # While it was on its way another may have published a newer one, which must not be taken back.
            head = self.rows.newest()
            if head is not None and head.size > size:
                self._put_checkpoint(head.note)
        raise Unavailable(private="the lock of the sealer was lost")

    def _put_checkpoint(self, note: str) -> None:
        self.storage.replace(tiles.CHECKPOINT, note.encode(), "text/plain; charset=utf-8")

    def _recognise(self, published: bytes, size: int) -> None:
        """LogDamaged where the published checkpoint is none of this log's: it must not be covered up."""
        try:
            stated = notes.read(published.decode())
        except ValueError:
            stated = None
        if stated is None or stated.origin != self.origin:
            raise LogDamaged(
                f"{tiles.CHECKPOINT} in storage is no checkpoint of {self.origin}. If EMBLEM_STORAGE_URL is right, "
                "it was damaged: remove it, and it is written anew."
            )
        made = self.rows.checkpoint(stated.size)
        if made is None and stated.size > size:
            raise LogDamaged(
                f"The published checkpoint has {stated.size} leaves, the database knows only {size}: "
                "the database is older than the log. Restore a newer backup of the database, or, where there is none, "
                "run `emblem audit recover`."
            )
        if made is None or made.root != stated.root.hex():
            raise LogDamaged(
                f"The published checkpoint of {stated.size} leaves was not made by this database. Either "
                "EMBLEM_STORAGE_URL or EMBLEM_DATABASE_URL is that of another deployment, or the checkpoint was "
                f"damaged: only then, remove {tiles.CHECKPOINT} in storage, and it is written anew."
            )

    def _remove_partials(self, before: int, size: int) -> None:
        """Removes the unfinished tiles of every tile that became full on the way from ``before`` to ``size`` leaves.

        Only the first of a level can have had some.
        """
        for level in range(levels(before)):
            index = before >> (8 * (level + 1))
            if tiles.partial_width(before, level) and size >> (8 * (level + 1)) > index:
                for name in (level, "entries") if level == 0 else (level,):
                    prefix = tiles.key(name, index, 1).rpartition("/")[0] + "/"
                    for item in list(self.storage.list(prefix)):
                        self.storage.delete(item.key)

    def _load(self, size: int, root: bytes) -> _State:
        """The right edge at a checkpoint, from memory or from storage; LogDamaged where storage does not hold it."""
        if self._state is not None and self._state.edge.size == size and self._state.edge.root == root:
            return self._state
        partials = []
        level = 0
        while size >> (8 * level):
            width = tiles.partial_width(size, level)
            partials.append(self._stored(level, size >> (8 * (level + 1)), width) if width else b"")
            level += 1
        entries: list[bytes] = []
        if width := tiles.partial_width(size, 0):
            key = tiles.key("entries", size // tiles.WIDTH, width)
            try:
                entries = tiles.unbundle(self._stored("entries", size // tiles.WIDTH, width))[:width]
            except ValueError:
                entries = []
            if b"".join([leaf_hash(entry) for entry in entries]) != partials[0]:
                raise LogDamaged(f"{key} in storage does not fit its tile; restore it from a copy of the log.")
        try:
            edge = Edge(size, partials)
        except ValueError as error:
            raise LogDamaged(f"The log in storage is damaged: {error}. Restore it from a copy of the log.") from None
        if edge.root != root:
            raise LogDamaged(
                f"The tiles in storage do not give the root of the checkpoint of {size} leaves. "
                "Restore them from a copy of the log; `emblem audit verify` names the first bad leaf."
            )
        return _State(edge, tuple(entries))

    def _stored(self, level: int | str, index: int, width: int) -> bytes:
        """An unfinished tile or bundle, from the full one where a crash has left that: its beginning is the same."""
        for key in (tiles.key(level, index, width), tiles.key(level, index)):
            try:
                data = self.storage.read(key)
            except ObjectMissing:
                continue
            return data if level == "entries" else data[: tiles.HASH * width]
        raise LogDamaged(
            f"{tiles.key(level, index, width)} is missing in storage, which the newest checkpoint needs. "
            "Restore it from a copy of the log."
        )

    def _register_keys(self) -> None:
        known = set(self.rows.vkeys())
        fresh = [signer.verifier for signer in self.signers() if signer.verifier.vkey not in known]
        if fresh:
            self.database.write(lambda session: self._enter_keys(session, list(reversed(fresh))))

    def _enter_keys(self, session: Session, fresh: list[Verifier]) -> None:
        at = self.clock()
        for verifier in fresh:  # a rotation is itself a fact of the log
            self.rows.add_key(session, verifier.vkey, at)
            entry = KeyCreatedEntry(key=verifier.id.hex(), role="log", participant=None, vkey=verifier.vkey)
            append(session, entry, at)


def _mistake(sentence: str) -> ConfigurationError:
    return ConfigurationError([sentence])


def _swap(before: int | None, edge: Edge, note: str, at: datetime) -> Callable[[Session], Any]:
    return lambda session: Rows.swap(session, before, edge.size, edge.root.hex(), note, at)
