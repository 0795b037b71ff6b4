"""Taking in what a cache delivered: server logs become logo uses, each line once however often it is given.

What was taken of a file is known by the digest of exactly those bytes (after gunzip). So the same file
again changes nothing, a file that has grown is taken from where it was, and an import that was
interrupted goes on. Views wait in ``log_import_counts`` until the file's end, then become entries.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

from sqlalchemy import bindparam, delete, func, insert, select, text
from sqlalchemy.orm import Session

from ..clock import Clock, timestamp
from ..ids import new_id
from ..ledger import LogoUsed, ReportImported, append, append_many
from ..store.audit_tables import LogImport, LogImportCount
from ..store.database import Database
from ..store.leadership import leadership
from ..store.tables import Embed, Instant, LogoUse, Participant
from .log_formats import FORMATS, Seen, hour, site, target

ORIGINS = 200  # different ones an embed and hour; the rest are ``other``
_BLOCK = 1 << 20  # bytes read at a time
_COMMIT = 1_000_000  # lines between two commits
_MOST_COUNTS = 200_000  # in memory
_ENTRIES = 5_000  # a transaction
_PATIENCE = 5.0  # seconds to wait for another import
_SHOWN = 1_000  # bad lines kept by number

Progress = Callable[[int, int], None]
_Key = tuple[str, str, str, datetime]  # embed, variant, site, hour


class LogFileError(Exception):
    """A file that cannot be read to its end; the text says why. What was taken before stays taken."""


@dataclass
class Imported:
    """How the import of a file went. ``lines`` are those read now, ``before`` those taken earlier."""

    file: str
    lines: int = 0
    before: int = 0
    views: int = 0
    entries: int = 0
    other: int = 0
    unknown: int = 0
    bad: int = 0
    bad_lines: list[tuple[int, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "file": self.file,
            "lines": self.lines,
            "already_imported": self.before,
            "views": self.views,
            "entries": self.entries,
            "not_counted": self.other,
            "unknown_embed": self.unknown,
            "bad": self.bad,
            "bad_lines": [{"line": number, "detail": detail} for number, detail in self.bad_lines],
        }


def _silent(done: int, total: int) -> None:
    """No progress shown."""


class Importer:
    """Imports server logs into one deployment. One import of a file at a time."""

    def __init__(self, database: Database, data_dir: Path, clock: Clock) -> None:
        self.database = database
        self.data_dir = data_dir
        self.clock = clock
        self.commit_every = _COMMIT

    def run(self, path: Path, form: str, progress: Progress = _silent) -> Imported:
        """Takes in a file (gzip too). LogFileError where it cannot be read to its end; lines are never fatal."""
        result = Imported(str(path))
        try:
            with leadership(self.database, self.data_dir, _PATIENCE, "import") as alone, _opened(path) as (stream, raw):
                if alone is None:
                    raise LogFileError("Another import is running; start this one when it is done.")
                known = self._known(stream, form)
                state = _State(self, form, known, result)
                if state.start:
                    stream.seek(state.start)
                for block in _blocks(stream):
                    state.take(block)
                    progress(raw.tell(), max(1, path.stat().st_size))
                state.finish()
        except (OSError, EOFError, zlib.error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise LogFileError(f"{path} cannot be read to its end: {reason}.") from error
        return result

    def _known(self, stream: IO[bytes], form: str) -> tuple[LogImport, Any] | None:
        """The longest beginning of the file that is taken already, with the state of its digest."""
        with self.database.read() as session:
            statement = select(LogImport).where(LogImport.format == form, LogImport.bytes > 0).order_by(LogImport.bytes)
            rows = list(session.scalars(statement))
            session.expunge_all()
        digest = hashlib.sha256()
        position = 0
        found = None
        for row in rows:
            while position < row.bytes:
                piece = stream.read(min(_BLOCK, row.bytes - position))
                if not piece:
                    break
                digest.update(piece)
                position += len(piece)
            if position < row.bytes:
                break
            if digest.hexdigest() == row.sha256:
                found = (row, digest.copy())
        stream.seek(0)
        return found


class _State:
    """One import on its way through a file."""

    def __init__(self, importer: Importer, form: str, known: tuple[LogImport, Any] | None, result: Imported) -> None:
        self.importer = importer
        self.database = importer.database
        self.form = form
        self.parse = FORMATS[form]()
        self.result = result
        row = known[0] if known else None
        self.digest = known[1] if known else hashlib.sha256()
        self.start = self.bytes = row.bytes if row else 0
        self.number = result.before = row.lines if row else 0
        self.unfinished = row is not None and not row.finished
        self.id = row.import_id if row is not None and self.unfinished else new_id("imp")
        # What an interrupted run has counted already belongs to the same import.
        self.carried = (row.bad, row.views) if row is not None and self.unfinished else (0, 0)
        self.counts: dict[_Key, int] = {}
        self.committed = self.number
        self.embeds: dict[str, str | None] = {}
        self.targets: dict[bytes, tuple[str, str] | None] = {}
        self.sites: dict[tuple[bytes, bytes], str] = {}
        self.hours: dict[bytes, datetime | str] = {}

    def take(self, block: bytes) -> None:
        """Counts the lines of a block, which ends with a line."""
        self.digest.update(block)
        self.bytes += len(block)
        parse, counts = self.parse, self.counts
        number = self.number
        for line in block.removesuffix(b"\n").split(b"\n"):
            number += 1
            if not line:
                continue
            try:
                seen = parse(line)
            except ValueError as error:
                self._bad(number, str(error))
                continue
            if seen is None:
                self.result.other += 1
                continue
            self._count(number, seen, counts)
        self.result.lines += number - self.number
        self.number = number
        if self.number - self.committed >= self.importer.commit_every or len(counts) > _MOST_COUNTS:
            self.commit()

    def _count(self, number: int, seen: Seen, counts: dict[_Key, int]) -> None:
        # The minute is enough to know the hour in any zone; so few different ones are looked at closely.
        when = seen.when[:17] + seen.when[19:] if seen.when[10:11] in b"T " and len(seen.when) > 19 else seen.when
        at = self.hours.get(when)
        if at is None:
            if len(self.hours) > 100_000:
                self.hours.clear()
            try:
                at = hour(seen.when)
            except (ValueError, OverflowError, OSError):
                at = "the time is not one"
            self.hours[when] = at
        if isinstance(at, str):
            self._bad(number, at)
            return
        try:
            what = self.targets[seen.path]
        except KeyError:
            what = self._target(seen.path)
        if what is None:
            self.result.other += 1
            return
        if what == _UNKNOWN:
            self.result.unknown += 1
            return
        pair = (seen.origin, seen.referer)
        where = self.sites.get(pair)
        if where is None:
            if len(self.sites) > 100_000:
                self.sites.clear()
            where = self.sites[pair] = site(*pair)
        key = (*what, where, at)
        counts[key] = counts.get(key, 0) + 1

    def _target(self, path: bytes) -> tuple[str, str] | None:
        if len(self.targets) > 100_000:
            self.targets.clear()
        found = target(path)
        what: tuple[str, str] | None = None
        if found is not None:
            embed, logo, variant = found
            if embed not in self.embeds:
                with self.database.read() as session:
                    self.embeds[embed] = session.scalar(select(Embed.logo).where(Embed.key == embed))
            what = (embed, variant) if self.embeds[embed] == logo else _UNKNOWN
        self.targets[path] = what
        return what

    def _bad(self, number: int, why: str) -> None:
        self.result.bad += 1
        if len(self.result.bad_lines) < _SHOWN:
            self.result.bad_lines.append((number, why))

    def commit(self, finished: bool = False) -> None:
        """Makes durable what was counted so far, together with how far that is."""
        if self.number == self.committed and not finished:
            return
        rows = [
            {"import_id": self.id, "embed": key[0], "variant": key[1], "origin": key[2], "hour": key[3], "views": views}
            for key, views in self.counts.items()
        ]
        self.result.views += sum(self.counts.values())
        self.counts.clear()
        self.committed = self.number

        def work(session: Session) -> None:
            if rows:
                # Insert or add, in bulk; the statement is understood by both databases.
                session.connection().execute(_ADD, rows)
            session.execute(delete(LogImport).where(LogImport.import_id == self.id, LogImport.finished.is_(False)))
            session.execute(insert(LogImport).values(**self._progress(finished)))

        self.database.write(work)

    def _progress(self, finished: bool) -> dict[str, Any]:
        return {
            "sha256": self.digest.hexdigest(),
            "format": self.form,
            "import_id": self.id,
            "bytes": self.bytes,
            "lines": self.number,
            "bad": self.carried[0] + self.result.bad,
            "views": self.carried[1] + self.result.views,
            "finished": finished,
            "at": self.importer.clock(),
        }

    def finish(self) -> None:
        """Turns the counts into entries, some thousand a transaction, then says that the import is done."""
        if self.number == self.result.before and not self.unfinished:
            return  # nothing new
        self.commit()
        self._cap_origins()
        while entered := self.database.write(self._enter):
            self.result.entries += entered
        self.database.write(self._end)

    def _cap_origins(self) -> None:
        """Where an embed has more than 200 sites in an hour, those with the fewest views become ``other``."""
        crowded = (
            select(LogImportCount.embed, LogImportCount.hour)
            .where(LogImportCount.import_id == self.id)
            .group_by(LogImportCount.embed, LogImportCount.hour)
            .having(func.count(LogImportCount.origin.distinct()) > ORIGINS)
        )
        with self.database.read() as session:
            found = session.execute(crowded).all()
        for embed, at in found:
            self.database.write(partial(self._merge_others, embed=embed, at=at))

    def _merge_others(self, session: Session, embed: str, at: datetime) -> None:
        mine = (LogImportCount.import_id == self.id, LogImportCount.embed == embed, LogImportCount.hour == at)
        views = func.sum(LogImportCount.views)
        ranked = session.execute(
            select(LogImportCount.origin)
            .where(*mine, LogImportCount.origin.not_in(("", "other")))
            .group_by(LogImportCount.origin)
            .order_by(views.desc(), LogImportCount.origin)
        ).scalars()
        surplus = list(ranked)[ORIGINS:]
        for start in range(0, len(surplus), 500):
            some = (*mine, LogImportCount.origin.in_(surplus[start : start + 500]))
            totals = session.execute(
                select(LogImportCount.variant, views).where(*some).group_by(LogImportCount.variant)
            ).all()
            session.execute(delete(LogImportCount).where(*some))
            rows = [
                {
                    "import_id": self.id,
                    "embed": embed,
                    "variant": variant,
                    "origin": "other",
                    "hour": at,
                    "views": count,
                }
                for variant, count in totals
            ]
            if rows:
                session.connection().execute(_ADD, rows)

    def _enter(self, session: Session) -> int:
        """Some of the counts, as uses and as entries; their number, 0 where all are entered."""
        counts = LogImportCount
        columns = (counts.id, counts.embed, counts.hour, counts.variant, counts.origin, counts.views)
        mine = counts.import_id == self.id
        rows = session.execute(select(*columns).where(mine).order_by(counts.id).limit(_ENTRIES)).all()
        if not rows:
            return 0
        keys = {row.embed for row in rows}
        joined = select(Embed, Participant).join(Participant, Participant.id == Embed.participant)
        facts: dict[str, dict[str, Any]] = {
            embed.key: {
                "embed": embed.key,
                "participant": embed.participant,
                "participant_kind": person.kind,
                "country": person.country,
                "logo": embed.logo,
            }
            for embed, person in session.execute(joined.where(Embed.key.in_(keys)))
        }
        now = self.importer.clock()
        use = {"batch": self.id, "entered_at": now}
        shared = ("embed", "hour", "variant", "origin", "views")
        session.execute(insert(LogoUse), [{**{name: getattr(row, name) for name in shared}, **use} for row in rows])
        append_many(
            session,
            (
                LogoUsed(
                    **facts[row.embed],
                    hour=timestamp(row.hour),
                    variant=row.variant,
                    origin=row.origin or None,
                    views=row.views,
                )
                for row in rows
            ),
            now,
        )
        session.execute(delete(counts).where(mine, counts.id <= rows[-1].id))
        return len(rows)

    def _end(self, session: Session) -> None:
        progress = self._progress(True)
        session.execute(delete(LogImport).where(LogImport.import_id == self.id, LogImport.finished.is_(False)))
        session.execute(insert(LogImport).values(**progress))
        entry = ReportImported(
            format=self.form,
            sha256=progress["sha256"],
            first_line=self.result.before + 1,
            last_line=self.number,
            bad_lines=progress["bad"],
            views=progress["views"],
            import_=self.id,
        )
        append(session, entry, self.importer.clock())


_UNKNOWN = ("", "")
_ADD = text(
    "insert into log_import_counts (import_id, embed, variant, origin, hour, views) "
    "values (:import_id, :embed, :variant, :origin, :hour, :views) "
    "on conflict (import_id, embed, hour, variant, origin) "
    "do update set views = log_import_counts.views + excluded.views"
).bindparams(bindparam("hour", type_=Instant()))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The file's bytes, unpacked where they are gzip, and the file itself for its position."""
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if zipped:
            with gzip.GzipFile(fileobj=raw) as stream:
                yield stream, raw  # type: ignore[misc]  # GzipFile reads and seeks like a file
        else:
            yield raw, raw


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """The rest of a file in blocks of whole lines; the last may lack its line end."""
    rest = b""
    while piece := stream.read(_BLOCK):
        cut = piece.rfind(b"\n") + 1
        if not cut:
            rest += piece
            if len(rest) > 16 * _BLOCK:  # one endless line: it is given on in parts, each a bad line
                yield rest
                rest = b""
            continue
        yield rest + piece[:cut]
        rest = piece[cut:]
    if rest:
        yield rest
