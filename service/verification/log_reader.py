"""Read a log for the verifier from a web address, a folder, or anything else with the same one method."""

from __future__ import annotations

import http.client
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from .signed_note import plain_text

_LARGEST = 256 * 65_537  # bytes: a bundle of entries of the greatest length
_TEXTS = ("checkpoint", "key")  # files of an export that an editor or a version control may have saved anew


class SourceError(Exception):
    """The source does not answer; the text says what to do."""


class NotAllowedError(Exception):
    """The source does not show this without a token of an auditor."""


def reason(error: OSError | http.client.HTTPException) -> str:
    """Say in words why a connection failed, without the number of the error and without a full stop."""
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(said).removesuffix(".")


class LogSource(Protocol):
    """A log by its paths, such as ``checkpoint`` or ``tile/0/000``."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a path, None where there is nothing. NotAllowedError and SourceError as they say."""


class FolderSource(LogSource):
    """A log in a folder, such as ``emblem audit export`` writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "checkpoint").is_file():
            raise SourceError(f"{folder} has no file named checkpoint; name the folder of `emblem audit export`.")

    def read(self, path: str) -> bytes | None:
        """See ``LogSource.read``."""
        try:
            data = (self.folder / path).read_bytes()
            return plain_text(data) if path in _TEXTS else data
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SourceError(f"{self.folder / path} cannot be read: {error.strerror}.") from error


class StorageSource(LogSource):
    """A deployment's own log in its storage: ``read`` gives the bytes of a key, None where there are none."""

    def __init__(self, read: Callable[[str], bytes | None], vkeys: list[str]) -> None:
        self._read = read
        self.vkeys = vkeys

    def read(self, path: str) -> bytes | None:
        """See ``LogSource.read``."""
        if path == "key":
            return "".join(f"{vkey}\n" for vkey in self.vkeys).encode()
        return self._read(f"log/{path}")


class PinnedSource(LogSource):
    """A log whose checkpoint was read before: all that is read from it is judged by that one."""

    def __init__(self, source: LogSource, checkpoint: bytes | None) -> None:
        self._source = source
        self._checkpoint = checkpoint

    def read(self, path: str) -> bytes | None:
        """See ``LogSource.read``."""
        return self._checkpoint if path == "checkpoint" else self._source.read(path)


class WebSource(LogSource):
    """Files below a web address, with one kept-alive connection a thread. ``timeout`` in seconds."""

    def __init__(self, base: str, token: str | None = None, timeout: float = 30) -> None:
        parts = urlsplit(base.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceError(f"{base!r} is no web address; write it with http:// or https://.")
        self.parts = parts
        self.token = token
        self.timeout = timeout
        self._local = threading.local()

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if found is None:
            kind = http.client.HTTPSConnection if self.parts.scheme == "https" else http.client.HTTPConnection
            found = self._local.connection = kind(self.parts.hostname or "", self.parts.port, timeout=self.timeout)
        return found

    def read(self, path: str) -> bytes | None:
        """See ``LogSource.read``. One more try where a kept connection has ended."""
        headers = {"User-Agent": "emblem-verify", "Accept-Encoding": "gzip"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        for attempt in (1, 2):
            connection = self._connection()
            try:
                connection.request("GET", f"{self.parts.path}/{path}", headers=headers)
                answer = connection.getresponse()
                body = answer.read()
                break
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if attempt == 2:
                    raise SourceError(f"{self.parts.geturl()} does not answer: {reason(error)}.") from error
        if answer.status == 200:
            return self._plain(path, body) if answer.getheader("Content-Encoding") == "gzip" else body
        if answer.status in (404, 410):
            return None
        if answer.status in (401, 403):
            raise NotAllowedError(path)
        raise SourceError(f"{self.parts.geturl()}/{path} answered {answer.status}; try again later.")

    def _plain(self, path: str, body: bytes) -> bytes:
        """Return what was coded with gzip; no more than a bundle can have, whatever the other side sends."""
        reader = zlib.decompressobj(31)
        try:
            data = reader.decompress(body, _LARGEST)
        except zlib.error as error:
            raise SourceError(f"{self.parts.geturl()}/{path} is coded with gzip, and damaged.") from error
        if not reader.eof:
            raise SourceError(f"{self.parts.geturl()}/{path} is cut off, or longer than any file of a log.")
        return data


class UrlSource(WebSource):
    """A log behind a deployment's web address, or behind the address of the log itself."""

    def __init__(self, base: str, token: str | None = None, timeout: float = 30) -> None:
        base = base.rstrip("/")
        super().__init__(base if base.endswith("/log") else base + "/log", token, timeout)
