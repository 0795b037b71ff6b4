"""A program that checks one file: an order and the bytes come in, the report and the annotated pictures go out.

``checks`` starts it. It lives for one file, so that whatever a file does to a decoder ends with it: its memory, its
time and its number of pixels are bounded.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import resource
import signal
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ..media_types import MEDIA_TYPES
from ..problems import Problem
from .annotating import annotated
from .inspecting import Kit, inspect
from .judging import verdict_of
from .reading import kind_of, sheets
from .report import ArtworkReport, LogoReport

MOST_SECONDS = 90
MOST_MEMORY = 2 << 30  # bytes of address space, of which libraries reserve more than they use


@dataclass(frozen=True)
class Order:
    """Order of a check: the kit, and what ``ArtworkChecks.check`` was asked for."""

    kit: Kit
    logo: str | None
    lang: str
    pictures: bool


def main() -> None:
    """On standard input: the length of the pickled order as eight bytes, the order (from our own process), the file.

    On standard output: one line of JSON, then the pictures whose lengths it names. A file that is refused is told in
    the JSON as the slug and the words of a problem.
    """
    signal.alarm(MOST_SECONDS)  # which ends it wherever it is, also when whoever started it is gone
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    # Where memory runs out all the same, the system is to end this process and none that serves.
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    (length,) = struct.unpack(">Q", sys.stdin.buffer.read(8))
    order = pickle.loads(sys.stdin.buffer.read(length))  # noqa: S301 - from the process that started this one
    data = sys.stdin.buffer.read()
    try:
        report, pictures = checked(order, data)
    except Problem as problem:
        answer = {"problem": problem.slug, "detail": problem.detail, "private": problem.private}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        return
    told = {"report": report.model_dump(mode="json"), "pictures": [[page, len(png)] for page, png in pictures]}
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n")
    for _, png in pictures:
        sys.stdout.buffer.write(png)


def checked(order: Order, data: bytes) -> tuple[ArtworkReport, list[tuple[int, bytes]]]:
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
        if kind != "pdf" and (per_inch is None or per_inch < order.kit.policy.print_resolution):
            per_inch = None
        found = inspect(
            order.kit,
            sheet.pixels,
            logo=order.logo,
            lang=order.lang,
            per_inch=per_inch,
            zoom=sheet.zoom,
            page=sheet.page,
        )
        for name, number in sheet.notes:
            note = order.kit.policy.note(name, order.lang, number)
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
