"""A program that checks files: it loads what a check needs once, then each file gets a copy of it for itself alone.

``processes`` starts it. A copy (a fork) lives for one file, so that whatever a file does to a decoder ends with it: its
memory, its time and its number of pixels are bounded. What takes longest to start, libraries and templates, is loaded
before the copies are made.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import resource
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import pypdfium2  # noqa: F401 - what reading needs is to be there before the copies are made
from PIL import Image

from ..media_types import MEDIA_TYPES
from ..problems import Problem
from .annotating import annotated
from .inspecting import Kit, inspect
from .judging import verdict_of
from .reading import Sheet, kind_of, sheets
from .report import ArtworkReport, LogoReport

MOST_SECONDS = 90
MOST_MEMORY = 2 << 30  # bytes of address space, of which libraries reserve more than they use
MOST_IDLE = 300.0  # seconds without a file, after which the program ends
BEGUN = b"+"  # what a copy says first
_LONGEST_ORDER = 4096  # bytes
_CHUNK = 1 << 20  # bytes


@dataclass(frozen=True)
class Order:
    """Order of a check: what ``ArtworkChecks.check`` was asked for."""

    logo: str | None
    lang: str
    pictures: bool

    def written(self) -> bytes:
        """The order as one message."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def read(cls, message: bytes) -> Self:
        """The order that a message is."""
        return cls(**json.loads(message))


def main() -> None:
    """On standard input: the pickled kit, from our own process. The argument is the number of a socket.

    Each message on it is an order, and brings a socket: the file comes in there until its end, and out go ``BEGUN``,
    one line of JSON, and the pictures whose lengths it names. A file that is refused is told in the JSON as the slug
    and the words of a problem, one that could not be checked as ``failed`` with the reason.
    """
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        kit = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - from the process that started this one
        _warm(kit)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the copies: they tell themselves how it went
        orders.settimeout(MOST_IDLE)
        while True:
            try:
                message, brought, _, _ = socket.recv_fds(orders, _LONGEST_ORDER, 1)
            except TimeoutError:
                return
            if not message:  # whoever started this is gone
                return
            for number in brought:
                with socket.socket(fileno=number) as asking:
                    _copied(kit, message, orders, asking)


def _warm(kit: Kit) -> None:
    """Do once what the first check of a process does, on a picture with nothing but a disc in it. Starts no thread."""
    Image.init()
    pixels = np.full((160, 160, 3), 240, np.uint8)
    cv2.circle(pixels, (80, 80), 40, (20, 40, 90), -1)
    found = inspect(kit, pixels)
    annotated(Sheet(pixels, 1.0, 160, 160, None), found)


def _copied(kit: Kit, message: bytes, orders: socket.socket, asking: socket.socket) -> None:
    """Start a copy of this process that checks a file; where none can be made, its socket closes without a word."""
    with suppress(OSError):
        if os.fork():
            return
        try:
            orders.close()
            _bound()
            asking.sendall(BEGUN)
            for part in _told(kit, Order.read(message), _all(asking)):
                asking.sendall(part)
        finally:
            os._exit(0)  # nothing of what the other process is to do at its end


def _bound() -> None:
    """Limit what this process may use."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.alarm(MOST_SECONDS)  # which ends it wherever it is, also when whoever started it is gone
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    # Where memory runs out all the same, the system is to end this process and none that serves.
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)  # what decoders say of a file


def _all(asking: socket.socket) -> bytes:
    """Everything that is sent until the other side has no more."""
    parts = []
    while part := asking.recv(_CHUNK):
        parts.append(part)
    return b"".join(parts)


def _told(kit: Kit, order: Order, data: bytes) -> list[bytes]:
    """What is answered on a file: a line of JSON, and the pictures."""
    pictures: list[tuple[int, bytes]] = []
    try:
        report, pictures = checked(kit, order, data)
        answer = {"report": report.model_dump(mode="json"), "pictures": [[page, len(png)] for page, png in pictures]}
    except Problem as problem:
        answer = {"problem": problem.slug, "detail": problem.detail, "private": problem.private}
    except Exception as error:
        answer = {"failed": f"{type(error).__name__}: {error}"}
    return [json.dumps(answer).encode() + b"\n", *(png for _, png in pictures)]


def checked(kit: Kit, order: Order, data: bytes) -> tuple[ArtworkReport, list[tuple[int, bytes]]]:
    """The report on a file, and a picture for each page with a logo; for a file without any, of its first page."""
    started = time.perf_counter()
    kind = kind_of(data)
    logos: list[LogoReport] = []
    notes: list[str] = []
    pictures: list[tuple[int, bytes]] = []
    width = height = pages = 0
    for sheet in sheets(data):
        pages += 1
        if pages == 1:
            width, height = sheet.width, sheet.height
        per_inch = sheet.per_inch
        if kind != "pdf" and (per_inch is None or per_inch < kit.policy.print_resolution):
            per_inch = None
        found = inspect(
            kit,
            sheet.pixels,
            logo=order.logo,
            lang=order.lang,
            per_inch=per_inch,
            zoom=sheet.zoom,
            page=sheet.page,
        )
        for name, number in sheet.notes:
            note = kit.policy.note(name, order.lang, number)
            if note is not None and note not in notes:
                notes.append(note)
        if order.pictures and (found or pages == 1):
            pictures.append((pages, annotated(sheet, found)))
        logos += found
    if logos and logos[0].page not in (None, 1):
        del pictures[:1]  # it shows nothing, and others do
    report = ArtworkReport(
        verdict=verdict_of(tuple(logos)),
        logos=tuple(logos),
        width=width,
        height=height,
        seconds=round(time.perf_counter() - started, 3),
        sha256=hashlib.sha256(data).hexdigest(),
        media_type=MEDIA_TYPES[kind],
        pages=pages,
        notes=tuple(notes),
    )
    return report, pictures


if __name__ == "__main__":
    main()
