"""The body of a download: the bytes of a file, or of several parts of it, counted while they leave."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

from ..packages import PublishedFile, StoredPackages
from ..storage import Pieces
from .ranges import RangeAnswer
from .streams import SMALL, Streams


class FileBody:
    """An iterable of bytes for the server, which calls ``close`` however it ends. Opens the file when it is made.

    One that is not small takes a place of ``streams`` until it is closed.

    ``length`` is that of the body, in bytes; ``boundary`` is empty unless the body has several parts. Raises
    PackageDamaged or Unavailable.
    """

    def __init__(self, stored: StoredPackages, package: PublishedFile, answer: RangeAnswer, streams: Streams) -> None:
        self._streams = streams if answer.length > SMALL else None
        if self._streams is not None:
            self._streams.take()
        try:
            self._open(stored, package, answer)
        except BaseException:
            self._leave()
            raise

    def _open(self, stored: StoredPackages, package: PublishedFile, answer: RangeAnswer) -> None:
        self.on_end: Callable[[int, str], None] | None = None
        self.boundary = secrets.token_hex(16) if len(answer.spans) > 1 else ""
        self.length = answer.length
        self._expected = answer.length
        self._sent = 0  # bytes of the file handed to the server
        self._parts: list[bytes | Pieces] = []  # the frames of a multipart body, and the file's bytes
        for start, stop in answer.spans:
            if self.boundary:
                head = (
                    f"\r\n--{self.boundary}\r\nContent-Type: {package.media_type}\r\n"
                    f"Content-Range: bytes {start}-{stop - 1}/{package.bytes}\r\n\r\n"
                ).encode()
                self._frame(head)
            self._parts.append(stored.stream(package, start, stop - start))
        if self.boundary:
            self._frame(f"\r\n--{self.boundary}--\r\n".encode())

    def _frame(self, text: bytes) -> None:
        self._parts.append(text)
        self.length += len(text)

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
                continue
            for piece in part:
                yield piece
                self._sent += len(piece)

    def _leave(self) -> None:
        if self._streams is not None:
            streams, self._streams = self._streams, None
            streams.give_back()

    def close(self) -> None:
        """Close the file, and tell ``on_end``, once, how many bytes of it went out and how it ended."""
        for part in self._parts:
            if not isinstance(part, bytes):
                part.close()
        self._leave()
        if self.on_end is not None:
            on_end, self.on_end = self.on_end, None
            on_end(self._sent, "complete" if self._sent == self._expected else "aborted")
