"""The measurements: bytes at their quality, the time of a cold variant, and the rate of warm ones."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import urllib3

from tests.parts.system import path_of

from .masters import Master
from .quality import score
from .servers import KINDS, Ours, Peer, Program

WIDTHS = (256, 1024)
#: 40 widths that are on the ladder and none of the common ones, which are never cold.
COLD_WIDTHS = (*range(102, 502, 20), *range(528, 1040, 32), 1040, 1056, 1072, 1088)
LARGE_WIDTHS = (1536, 2048, 3072, 4096)  # only ours: how time and bytes go on growing

_pool = urllib3.PoolManager(retries=False, timeout=120)


@dataclass(frozen=True)
class Made:
    """One variant as one program made it; ``quality`` is its SSIMULACRA2, ``seconds`` how long the request took.

    ``processor`` is the processor time in seconds that the program took meanwhile.
    """

    program: str
    source: str
    master: str
    width: int
    kind: str
    bytes: int
    height: int
    quality: float
    seconds: float
    processor: float = 0.0


def bytes_at_quality(ours: Ours, peers: Sequence[Peer], masters: Sequence[Master]) -> list[Made]:
    """Every program's variant of every master at WIDTHS in every format that it makes."""
    found = []
    for master in masters:
        for width in WIDTHS:
            for kind in KINDS:
                for program in programs(ours, (peer for peer in peers if peer.makes(kind))):
                    content, seconds = fetch(program.url(master, width, kind))
                    size, quality = score(master, content)
                    if size[0] != width:
                        continue  # no larger than its source: not what was asked for
                    found.append(
                        Made(
                            program.name,
                            program.source,
                            master.name,
                            width,
                            kind,
                            len(content),
                            size[1],
                            quality,
                            seconds,
                        )
                    )
    return found


#: Widths at which ``auto`` and JPEG XL are held against AVIF; 120 pixels is none of the common ones.
AUTO_WIDTHS = (120, 256, 512, 1024)
#: What Chrome 155 and later send for an image.
CHROME = {
    "Accept": "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br, zstd",
}


@dataclass(frozen=True)
class Sent:
    """Bytes of one logo at one width as they are sent: AVIF, JPEG XL, and what ``auto`` chose for Chrome."""

    master: str
    width: int
    avif: int
    jxl: int
    auto: int
    chosen: str


def sent(ours: Ours, masters: Sequence[Master]) -> list[Sent]:
    """Ask for every master at AUTO_WIDTHS as AVIF, as JPEG XL, and as Chrome asks for ``auto``."""
    found = []
    for master in masters:
        for width in AUTO_WIDTHS:
            sizes = {kind: len(fetch(ours.url(master, width, kind))[0]) for kind in ("avif", "jxl")}
            answer = _pool.request("GET", ours.url(master, width, "auto"), headers=CHROME, decode_content=False)
            assert answer.status == 200, answer.data
            chosen = answer.headers["Content-Type"].removeprefix("image/").removesuffix("+xml")
            found.append(Sent(master.name, width, sizes["avif"], sizes["jxl"], len(answer.data), chosen))
    return found


def cold(
    ours: Ours, peers: Sequence[Peer], masters: Sequence[Master], widths: Sequence[int] = COLD_WIDTHS
) -> list[Made]:
    """The time of the first request of each of the widths, the programs taking turns.

    Peers render from their quickest source.
    """
    quickest = [peer for peer in peers if peer.source == "svg" or peer.name == "nginx"]
    found = []
    for master in masters:
        for program in programs(ours, quickest):  # the first request of all reads the master or opens the source
            for kind in KINDS:
                if program is ours or program.source in ("svg", kind):
                    fetch(program.url(master, COLD_WIDTHS[0] - 1, kind))
        for width in widths:
            for kind in KINDS:
                for program in programs(ours, (peer for peer in quickest if peer.makes(kind))):
                    before = processor_seconds(program.pid)
                    content, seconds = fetch(program.url(master, width, kind))
                    worked = processor_seconds(program.pid) - before
                    found.append(
                        Made(
                            program.name, program.source, master.name, width, kind, len(content), 0, 0, seconds, worked
                        )
                    )
    return found


def least(turns: Sequence[Sequence[Made]]) -> list[Made]:
    """Of each variant the turn in which it took the least time, with the mean of its processor time.

    Other work of the machine makes single turns longer, and none shorter. Processor time comes in hundredths of a
    second, of which the mean over many variants is right.
    """
    found: dict[tuple[str, str, str, int, str], list[Made]] = {}
    for one in chain.from_iterable(turns):
        found.setdefault((one.program, one.source, one.master, one.width, one.kind), []).append(one)
    return [
        replace(min(made, key=lambda one: one.seconds), processor=statistics.mean(one.processor for one in made))
        for made in found.values()
    ]


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process and those that it started have taken, in steps of 0.01 s."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    taken = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    below = (
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text(encoding="ascii").split()
    )
    return taken + sum(map(processor_seconds, below))


def programs(ours: Ours, peers: Iterable[Peer]) -> list[Program]:
    """All that take turns."""
    return [ours, *peers]


def fetch(url: str, headers: dict[str, str] | None = None) -> tuple[bytes, float]:
    """The body, and the seconds from asking to its last byte on a connection that is open already."""
    began = time.perf_counter()
    answer = _pool.request("GET", url, headers=headers)
    taken = time.perf_counter() - began
    if answer.status != 200:
        raise SystemExit(f"{url} was answered {answer.status}: {answer.data[:300]!r}")
    return answer.data, taken


def rate(url: str, seconds: float, headers: Iterable[str] = (), status: int = 200) -> float:
    """Requests a second that wrk gets answered over 16 kept connections, all with ``status``."""
    answer = _pool.request("GET", url, headers=dict(header.split(": ", 1) for header in headers))
    assert answer.status == status, f"{url} was answered {answer.status}"
    sent = [part for header in headers for part in ("-H", header)]
    command = [path_of("wrk"), "-t1", "-c16", f"-d{max(1, round(seconds))}s", *sent, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Socket errors" not in said, said
    assert "Non-2xx" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found is not None, said
    return float(found[1])


def warm(urls: dict[str, str], seconds: float, rounds: int = 3) -> dict[str, tuple[float, float]]:
    """For each address its rate of whole answers and of 304s: medians of rounds in which all take turns."""
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in urls}
    for _ in range(rounds):
        for name, url in urls.items():
            etag = _pool.request("GET", url).headers["ETag"]
            whole = rate(url, seconds)
            rates[name].append((whole, rate(url, seconds, [f"If-None-Match: {etag}"], 304)))
    return {
        name: (statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs))
        for name, pairs in rates.items()
    }
