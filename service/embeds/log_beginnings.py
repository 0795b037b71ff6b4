"""Tell how much of a log file has been imported already: the beginnings of files, known by digests.

Of each imported file a digest is kept of its first line, its first two, and so on (the first 65,536; then of every
1,024th, and of all). So the same file is known again however it is called or packed, and so is a file that has grown,
a shorter copy of it, and what an interrupted import had taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from ..store.audit_tables import LogImport

DENSE = 65_536  # lines, each of which ends a beginning that is known
SPARSE = 1_024  # lines from one known beginning to the next, after those
_MARK = 8  # bytes of a digest that are kept
_BLOCK = 1 << 20  # bytes read at a time
_LONGEST = 16 << 20  # bytes of a line; a longer one is taken in parts, as lines of their own


class Beginning:
    """The lines of a file from its first on, as their digests tell them."""

    def __init__(self) -> None:
        self.lines = 0
        self.bytes = 0
        self.digest = hashlib.sha256()
        self.marks = bytearray()

    def extend(self, lines: Sequence[bytes], stops: Iterable[int] = ()) -> Iterator[int]:
        """Take further lines, each with its end; yield the number taken at each mark and at each stop."""
        taken = 0
        while taken < len(lines):
            mark = self.lines + 1 if self.lines < DENSE else self.lines + SPARSE - self.lines % SPARSE
            until = min((mark, *(stop for stop in stops if stop > self.lines)))
            some = lines[taken : taken + until - self.lines]
            taken += len(some)
            joined = some[0] if len(some) == 1 else b"".join(some)
            self.lines += len(some)
            self.bytes += len(joined)
            self.digest.update(joined)
            if self.lines == mark:
                self.marks += self.digest.digest()[:_MARK]
            if self.lines == until:
                yield taken

    def is_beginning_of(self, known: LogImport) -> bool | None:
        """Tell whether a known file begins like this one; None where no digest of it was kept at this line."""
        if self.lines == known.lines:
            return self.digest.hexdigest() == known.sha256
        if self.lines > known.lines:
            return False
        number = _place(self.lines)
        if number is None or not known.marks:
            return None
        return known.marks[number * _MARK : (number + 1) * _MARK] == self.digest.digest()[:_MARK]


def _place(lines: int) -> int | None:
    """Return which of the marks is that of so many lines."""
    if lines <= DENSE:
        return lines - 1
    return DENSE + (lines - DENSE) // SPARSE - 1 if lines % SPARSE == 0 else None


@dataclass
class Overlap:
    """Part of a file that was imported before."""

    beginning: Beginning  # the lines that were
    header: bytes = b""  # the last line among them that tells how to read those after it
    known: list[LogImport] = field(default_factory=list)  # files that lie in this beginning, the longest last
    others: list[LogImport] = field(default_factory=list)  # files that begin alike and go on, in another way or longer
    ended: bool = False  # whether the file has nothing else than these lines, and perhaps a part of a known one


def overlap(stream: IO[bytes], candidates: Sequence[LogImport], header: bytes) -> Overlap:
    """Compare a file, from its first byte on, with those that begin with the same line.

    ``header`` begins the lines that tell how to read others; empty where there are none.
    """
    found: Overlap = Overlap(Beginning(), known=[known for known in candidates if not known.lines])
    alive = [known for known in candidates if known.lines]
    stops = sorted({known.lines for known in alive})
    reading, seen = Beginning(), b""
    agreed = 0, 0, hashlib.sha256(), 0  # lines, bytes, digest and number of marks
    for some, _ in blocks(stream):
        before = 0
        for taken in reading.extend(some, stops):
            seen = _last_header(some[before:taken], header) or seen
            before = taken
            agree = {known.import_id: reading.is_beginning_of(known) for known in alive}
            if any(agree.values()):
                agreed = reading.lines, reading.bytes, reading.digest.copy(), len(reading.marks)
                found.header = seen
            found.others += [known for known in alive if agree[known.import_id] is False and reading.lines > 1]
            found.known += [known for known in alive if agree[known.import_id] and known.lines == reading.lines]
            alive = [known for known in alive if agree[known.import_id] is not False and known.lines > reading.lines]
            if not alive:
                break
        if not alive:
            break
        seen = _last_header(some[before:], header) or seen
    alive = [known for known in alive if known.marks]  # imports of long ago are known by all of their lines alone
    if alive:
        # The file ends within a known one: what lies behind the last mark of it is taken to be the same.
        found.others += alive if reading.lines else []
        # One line without its end is their first line, by which they were found.
        found.ended = True
        found.beginning, found.header = reading, seen
        return found
    lines, size, found.beginning.digest, marks = agreed
    found.beginning.lines, found.beginning.bytes, found.beginning.marks = lines, size, reading.marks[:marks]
    return found


def _last_header(lines: Sequence[bytes], header: bytes) -> bytes:
    return next((line for line in reversed(lines) if line.startswith(header)), b"") if header else b""


def first_line(stream: IO[bytes]) -> tuple[bytes, bool] | None:
    """Return a file's first line of data without its end, and whether the end is there; None for a file without."""
    for lines, rest in blocks(stream):
        for line in (*lines, rest):
            if line.strip() and not line.startswith(b"#"):
                return line.rstrip(b"\r\n"), bool(lines)
    return None


def is_counted_tail(line: bytes, known: LogImport) -> bool:
    """Tell whether a line is the one that was counted before its end was written, or a part of it."""
    begin = line[: known.tail_bytes]
    if not known.tail_bytes:
        return False
    return len(begin) < known.tail_bytes or hashlib.sha256(begin).hexdigest() == known.tail_sha256


def blocks(stream: IO[bytes]) -> Iterator[tuple[list[bytes], bytes]]:
    """Read the rest of a file: lines with their ends, and at its end what is there of a line without."""
    rest = b""
    while piece := stream.read(_BLOCK):
        rest += piece
        while (rest.index(b"\n") if b"\n" in piece else len(rest)) >= _LONGEST:
            yield [rest[:_LONGEST]], b""
            rest = rest[_LONGEST:]
        cut = rest.rfind(b"\n") + 1 if b"\n" in piece else 0
        if cut:
            yield [line + b"\n" for line in rest[: cut - 1].split(b"\n")], b""
            rest = rest[cut:]
    yield [], rest
