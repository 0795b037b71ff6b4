"""Import views that a cache delivered from its access logs, each line once however often it is given.

What was imported of a file is known by digests of its beginnings (``log_beginnings``). So the same file again changes
nothing, a file that has grown is taken from where it was, a shorter copy is known, and an import that was interrupted
goes on. Views wait in ``log_import_counts`` until the file's end, then are entered into the ledger.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from sqlalchemy import bindparam, delete, func, insert, select, text
from sqlalchemy.orm import Session

from .. import ledger
from ..clock import Clock
from ..ids import new_id
from ..store.audit_tables import LogImport, LogImportCount
from ..store.database import Database
from ..store.leadership import leadership
from ..store.pairs import one_of
from ..store.tables import Embed, Instant
from .counter import lock_uses
from .log_beginnings import Beginning, Overlap, blocks, first_line, is_counted_tail, overlap
from .log_fields import hour, site, target
from .log_formats import FORMATS, LogFormat
from .rollup import Counts, enter

_COMMIT = 1_000_000  # lines between two commits
_MOST_COUNTS = 200_000  # in memory
_MOST_KEPT = 100_000  # different fields that are kept with what they say
_ROWS = 5_000  # a transaction, unless one embed has more in one hour
_PATIENCE = 5.0  # seconds to wait for another import
_SHOWN = 1_000  # bad lines kept by number

Progress = Callable[[int, int], None]
K = TypeVar("K")
V = TypeVar("V")
_Key = tuple[str, str, str, datetime]  # embed, variant, site, hour


class LogFileError(Exception):
    """A file that cannot be read to its end; the text says why. What was taken before stays taken."""


@dataclass
class Imported:
    """Account of the import of a file. ``lines`` are those read now, ``before`` those taken earlier."""

    file: str
    lines: int = 0
    before: int = 0
    views: int = 0
    entries: int = 0
    other: int = 0
    unknown: int = 0
    bad: int = 0
    bad_lines: list[tuple[int, str]] = field(default_factory=list)
    unended: bool = False  # the last line has no end yet; it is left for the next time

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
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
            "last_line_left": self.unended,
        }


def _silent(done: int, total: int) -> None:
    """No progress shown."""


class Importer:
    """Imports server logs into one deployment, one file at a time."""

    def __init__(self, database: Database, data_dir: Path, clock: Clock) -> None:
        self.database = database
        self.data_dir = data_dir
        self.clock = clock
        self.commit_every = _COMMIT

    def run(self, path: Path, form: str, progress: Progress = _silent) -> Imported:
        """Import a file (gzip too). Raise LogFileError where it cannot be read to its end; lines are never fatal."""
        result = Imported(str(path))
        try:
            with leadership(self.database, self.data_dir, _PATIENCE, "import") as alone, _opened(path) as (stream, raw):
                if alone is None:
                    raise LogFileError("Another import is running; start this one when it is done.")
                began = first_line(stream)
                if began is None:
                    return result  # nothing but headers
                stream.seek(0)
                reader = FORMATS[form]()
                line, ended = began
                known_by = _digest(reader.known_by(line))
                found = overlap(stream, self._candidates(form, [known_by, _digest(line)]), reader.header)
                run = _Run(self, form, reader, (known_by, ended), found, result)
                if not found.ended:
                    stream.seek(found.beginning.bytes)
                    for lines, rest in blocks(stream):
                        run.take(lines)
                        run.rest = rest
                        progress(raw.tell(), max(1, path.stat().st_size))
                run.finish()
        except (OSError, EOFError, zlib.error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise LogFileError(f"{path} cannot be read to its end: {reason}.") from error
        return result

    def _candidates(self, form: str, began: Sequence[str]) -> Sequence[LogImport]:
        """The imported files that begin with the same line, the shortest first. Older rows know all of its text."""
        with self.database.read() as session:
            alike = (LogImport.format == form, LogImport.first_line.in_((*began, "")))
            rows = list(session.scalars(select(LogImport).where(*alike).order_by(LogImport.lines, LogImport.at)))
            session.expunge_all()
        return rows


class _Run:
    """One import on its way through a file."""

    def __init__(
        self,
        importer: Importer,
        form: str,
        reader: LogFormat,
        began: tuple[str, bool],
        found: Overlap,
        result: Imported,
    ) -> None:
        self.importer = importer
        self.database = importer.database
        self.form = form
        self.began, ended = began
        self.only_line = not ended
        self.format = reader
        if found.header:
            self.format.parse(found.header)
        self.result = result
        self.beginning: Beginning = found.beginning
        self.rest = b""
        self.tail = _NO_TAIL  # how much of `rest` was counted
        result.before = self.beginning.lines
        last = found.known[-1] if found.known else None
        resumed = last if last is not None and not last.finished and last.lines == self.beginning.lines else None
        self.id = resumed.import_id if resumed is not None else new_id("imp")
        # What an interrupted run has counted already belongs to the same import.
        self.carried = (resumed.bad, resumed.views) if resumed is not None else (0, 0)
        self.resumed = resumed is not None
        # Its files are known by this one from now on; one that goes on behind a counted line only if this one does.
        self.tails = [known for known in found.known if known.tail_bytes and known.lines == self.beginning.lines]
        self.superseded = [known.import_id for known in found.known if known.finished and known not in self.tails]
        self.unfinished = [known for known in (*found.known, *found.others) if not known.finished and known != resumed]
        self.counts: dict[_Key, int] = {}
        self.committed = self.beginning.lines
        self.embeds: dict[str, str | None] = {}
        self.targets: dict[bytes, tuple[str, str]] = {}
        self.sites: dict[tuple[bytes, bytes], str] = {}
        self.hours: dict[bytes, datetime | str] = {}

    def take(self, lines: list[bytes]) -> None:
        """Count further lines, each with its end."""
        if not lines:
            return
        number = self.beginning.lines
        for _ in self.beginning.extend(lines):
            pass
        new = lines
        if self.tails:
            new = self._after_counted_tail(lines)
            number += len(lines) - len(new)
        self._lines(number, new)
        number += len(new)
        self.result.lines += len(new)
        if number - self.committed >= self.importer.commit_every or len(self.counts) > _MOST_COUNTS:
            self._commit()

    def _after_counted_tail(self, lines: list[bytes]) -> list[bytes]:
        """The lines without the first, where that was counted before its end was written."""
        same = [known for known in self.tails if is_counted_tail(lines[0], known)]
        self.tails = []
        self.superseded += [known.import_id for known in same]
        self.result.before += bool(same)
        return lines[1:] if same else lines

    def _lines(self, number: int, lines: Sequence[bytes]) -> None:
        """Count lines, of which the first has the number after this one. What their fields say is looked at once."""
        parse, counts = self.format.parse, self.counts
        hours, targets, sites = self.hours, self.targets, self.sites
        other = 0
        for line in lines:
            number += 1
            try:
                seen = parse(line)
            except ValueError as error:
                if line.strip():
                    self._bad(number, str(error))
                continue
            if seen is None:
                other += 1
                continue
            when, path, referer, origin = seen
            # The minute is enough to know the hour in any zone; so few different ones are looked at closely.
            minute = when[:17] + when[19:] if when[10:11] in b"T " and len(when) > 19 else when
            at = hours.get(minute) or _keep(hours, minute, _hour(when))
            if isinstance(at, str):
                self._bad(number, at)
                continue
            what = targets.get(path) or _keep(targets, path, self._target(path))
            if what == _NO_LOGO:
                other += 1
                continue
            if what == _UNKNOWN:
                self.result.unknown += 1
                continue
            # A site is told by what stands before the path: of a page without it there are few.
            if (end := referer.find(b"/", 8)) > 0 and referer.startswith((b"https://", b"http://")):
                referer = referer[: end + 1]
            where = sites.get((origin, referer))
            if where is None:
                where = _keep(sites, (origin, referer), self._site(origin, referer))
            key = (*what, where, at)
            counts[key] = counts.get(key, 0) + 1
        self.result.other += other

    def _site(self, origin: bytes, referer: bytes) -> str:
        return site(self.format.unescape(origin), self.format.unescape(referer))

    def _target(self, path: bytes) -> tuple[str, str]:
        """Embed and variant, or that it is none."""
        found = target(self.format.unescape(path))
        if found is None:
            return _NO_LOGO
        embed, logo, variant = found
        if embed not in self.embeds:
            with self.database.read() as session:
                self.embeds[embed] = session.scalar(select(Embed.logo).where(Embed.key == embed))
        return (embed, variant) if self.embeds[embed] == logo else _UNKNOWN

    def _bad(self, number: int, why: str) -> None:
        self.result.bad += 1
        if len(self.result.bad_lines) < _SHOWN:
            self.result.bad_lines.append((number, why))

    def finish(self) -> None:
        """Enter the counts into the ledger, some thousand rows a transaction; then note that the import is done."""
        self._take_rest()
        if self.result.lines or self.resumed:
            self._commit()
            while entered := self.database.write(partial(self._enter, import_id=self.id)):
                self.result.entries += entered
            self.database.write(self._end)
        for known in self.unfinished:
            # What an interrupted import of a file that goes on otherwise has counted is not waited for.
            while entered := self.database.write(partial(self._enter, import_id=known.import_id)):
                self.result.entries += entered
            self.database.write(partial(self._end_other, known=known))

    def _take_rest(self) -> None:
        """Count a last line without its end if it is whole; else leave it for the next time."""
        if not self.rest.strip():
            return
        for known in self.tails:
            if is_counted_tail(self.rest, known):
                self.result.before += 1
                self.tail = known.tail_bytes, known.tail_sha256
                return
        if not self.format.is_whole(self.rest, first=self.only_line):
            self.result.unended = True
            return
        self.result.lines += 1
        self.tail = len(self.rest), hashlib.sha256(self.rest).hexdigest()
        self._lines(self.beginning.lines, [self.rest])

    def _commit(self) -> None:
        """Make durable what was counted so far, together with how far that is."""
        rows = [
            {"import_id": self.id, "embed": key[0], "variant": key[1], "origin": key[2], "hour": key[3], "views": views}
            for key, views in self.counts.items()
        ]
        self.result.views += sum(self.counts.values())
        self.counts.clear()
        self.committed = self.beginning.lines

        def work(session: Session) -> None:
            if rows:
                # Insert or add, in bulk; the statement is understood by both databases.
                session.connection().execute(_ADD, rows)
            session.execute(delete(LogImport).where(LogImport.import_id.in_([self.id, *self.superseded])))
            session.execute(insert(LogImport).values(**self._progress(finished=False)))

        self.database.write(work)

    def _progress(self, *, finished: bool) -> dict[str, Any]:
        return {
            "import_id": self.id,
            "format": self.form,
            "first_line": self.began,
            "sha256": self.beginning.digest.hexdigest(),
            "bytes": self.beginning.bytes,
            "lines": self.beginning.lines,
            "marks": bytes(self.beginning.marks),
            "tail_bytes": self.tail[0],
            "tail_sha256": self.tail[1],
            "bad": self.carried[0] + self.result.bad,
            "views": self.carried[1] + self.result.views,
            "finished": finished,
            "at": self.importer.clock(),
        }

    def _enter(self, session: Session, import_id: str) -> int:
        """Enter some of the counts; return the number of entries, 0 where all are entered."""
        lock_uses(session, shared=False)
        waiting = LogImportCount
        mine = waiting.import_id == import_id
        # In the order of the index, so that no more of them are read than are taken.
        order = (waiting.embed, waiting.hour)
        sizes = select(waiting.hour, waiting.embed, func.count()).where(mine).group_by(*order).order_by(*order)
        counts: Counts = {}
        total = 0
        for at, embed, size in session.execute(sizes.limit(500)):
            total += size
            if counts and total > _ROWS:
                break
            counts[at, embed] = {}
        if not counts:
            return 0
        some = (mine, one_of(waiting.hour, waiting.embed, counts))
        columns = (waiting.hour, waiting.embed, waiting.variant, waiting.origin, waiting.views)
        for at, embed, variant, origin, views in session.execute(select(*columns).where(*some)):
            counts[at, embed][variant, origin] = views
        session.execute(delete(waiting).where(*some).execution_options(synchronize_session=False))
        return enter(session, self.importer.clock(), counts)

    def _end(self, session: Session) -> None:
        progress = self._progress(finished=True)
        session.execute(delete(LogImport).where(LogImport.import_id == self.id))
        session.execute(insert(LogImport).values(**progress))
        self._note(session, progress, self.result.before + 1)

    def _end_other(self, session: Session, known: LogImport) -> None:
        session.get_one(LogImport, known.import_id).finished = True
        names = ("import_id", "sha256", "lines", "tail_bytes", "bad", "views")
        self._note(session, {name: getattr(known, name) for name in names}, 1)

    def _note(self, session: Session, progress: dict[str, Any], first: int) -> None:
        entry = ledger.ReportImportedEntry(
            format=self.form,
            sha256=progress["sha256"],
            first_line=first,
            last_line=progress["lines"] + bool(progress["tail_bytes"]),
            bad_lines=progress["bad"],
            views=progress["views"],
            import_=progress["import_id"],
        )
        ledger.append(session, entry, self.importer.clock())


def _keep(memo: dict[K, V], key: K, found: V) -> V:
    """Keep what a field says, which will stand in many lines."""
    if len(memo) >= _MOST_KEPT:
        memo.clear()
    memo[key] = found
    return found


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _hour(when: bytes) -> datetime | str:
    try:
        return hour(when)
    except (ValueError, OverflowError, OSError):
        return "the time is not one"


_NO_LOGO = ("", "")
_UNKNOWN = ("", "?")
_NO_TAIL = (0, hashlib.sha256().hexdigest())
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
