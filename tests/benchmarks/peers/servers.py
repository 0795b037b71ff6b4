"""The programs side by side, each as one process behind a loopback port, with the address of a variant in each."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.parts.demo import Demo
from tests.parts.nginx import Nginx
from tests.parts.processes import Process, answers, free_port
from tests.parts.walk import Walk

from .install import IMAGE_FILTER, thumbor
from .masters import Master

KINDS = ("png", "webp", "avif")

_IPX = """\
import { createServer } from "node:http";
import { createIPX, createIPXNodeServer, ipxFSStorage } from "ipx";
const [dir, port] = process.argv.slice(2);
createServer(createIPXNodeServer(createIPX({ storage: ipxFSStorage({ dir }) }))).listen(Number(port), "127.0.0.1");
"""
# Of itself thumbor keeps results for the sake of speed; the cold measurement is of what it makes.
_THUMBOR = """\
LOADER = 'thumbor.loaders.file_loader'
FILE_LOADER_ROOT_PATH = {sources!r}
STORAGE = 'thumbor.storages.no_storage'
RESULT_STORAGE = 'thumbor.result_storages.{results}'
RESULT_STORAGE_FILE_STORAGE_ROOT_PATH = {kept!r}
RESULT_STORAGE_STORES_UNSAFE = True
RESULT_STORAGE_EXPIRATION_SECONDS = 0
MAX_AGE = 86400
"""
_IMAGE_FILTER = """\
    image_filter_buffer 20M;
    location ~ ^/(\\d+)/(.+)$ {{ set $width $1; alias {sources}/$2; image_filter resize $width -; }}
"""


class Program(ABC):
    """A running program: ``name`` as tables call it, the kind of ``source`` that it renders from, and its process."""

    name: str
    source: str  # svg, png or webp
    pid: int

    @abstractmethod
    def url(self, master: Master, width: int, kind: str) -> str:
        """The address of one variant."""


@dataclass(frozen=True)
class Peer(Program):
    """A peer with one kind of source; ``pattern`` is the path of a request."""

    name: str
    base: str
    source: str
    pattern: str
    pid: int

    def url(self, master: Master, width: int, kind: str) -> str:
        """The address of one variant."""
        return self.base + self.pattern.format(master=master.name, width=width, kind=kind, source=self.source)

    def makes(self, kind: str) -> bool:
        """Whether it makes this format (nginx keeps the source's)."""
        return "{kind}" in self.pattern or kind == self.source


@dataclass(frozen=True)
class Ours(Program):
    """Emblem with the embeds of one participant: one key for each logo."""

    base: str
    keys: dict[str, str]
    demo: Demo
    pid: int
    name: str = "Emblem"
    source: str = "svg"

    def url(self, master: Master, width: int, kind: str) -> str:
        """The address of one variant."""
        return f"{self.base}/logos/{self.keys[master.logo]}/{master.logo}/{master.colourway}/{width}.{kind}"


@contextmanager
def peers(programs: Path, folder: Path, sources: Path) -> Iterator[list[Peer]]:
    """All peers, running; a peer that takes several kinds of source is there once for each."""
    ipx = "/w_{width},f_{kind}/{master}.{source}"
    unsafe = "/unsafe/{width}x0/filters:format({kind})/{master}.{source}"
    with ExitStack() as ending:
        port = free_port()
        script = programs / "ipx/serve.js"
        script.write_text(_IPX)
        process = Process(["node", script, sources, str(port)], folder / "ipx.log", cwd=script.parent)
        ending.callback(process.stop)
        process.wait_for(lambda: answers(port), 30, "ipx answers")
        found = [Peer("ipx", f"http://127.0.0.1:{port}", source, ipx, process.pid) for source in ("svg", "png")]

        base, pid = ending.enter_context(one_thumbor(programs, folder, sources, keep=False))
        found += [Peer("thumbor", base, source, unsafe, pid) for source in ("svg", "png")]

        nginx = Nginx(
            folder / "image_filter", _IMAGE_FILTER.format(sources=sources), main=f"load_module {IMAGE_FILTER};\n"
        )
        ending.callback(nginx.close)
        pattern, pid = "/{width}/{master}.{source}", nginx.process.pid
        found += [Peer("nginx", nginx.url, source, pattern, pid) for source in ("png", "webp")]
        yield found


@contextmanager
def one_thumbor(programs: Path, folder: Path, sources: Path, *, keep: bool) -> Iterator[tuple[str, int]]:
    """One thumbor process, with or without a store of results; its base URL and its id."""
    port = free_port()
    name = "thumbor-warm" if keep else "thumbor"
    settings = folder / f"{name}.conf"
    results = "file_storage" if keep else "no_storage"
    settings.write_text(_THUMBOR.format(sources=str(sources), results=results, kept=str(folder / f"{name}-results")))
    process = Process(
        [thumbor(programs), "-i", "127.0.0.1", "-p", str(port), "-c", settings, "-l", "error"],
        folder / f"{name}.log",
    )
    process.wait_for(lambda: answers(port), 30, "thumbor answers")
    yield f"http://127.0.0.1:{port}", process.pid
    process.stop()


@contextmanager
def emblem(folder: Path) -> Iterator[Ours]:
    """One process of ``emblem serve`` on the deployment of a demo, its common widths made, rate limits off."""
    demo = Demo(folder / "var", {"EMBLEM_RATE_LIMITS": "off"})
    walk = Walk(demo)
    who = walk.participant()
    keys = {}
    for logo in ("lockup", "heart"):
        body = {"participant": who, "logo": logo, "origins": ["https://partner.example.org"], "unlisted": "report"}
        made = walk.portal.post("/api/v1/embeds", body)
        assert made.status == 201, made
        keys[logo] = made.json()["key"]
    demo.stop()
    with serving(demo, folder / "serve.log") as (base, pid):
        yield Ours(base, keys, demo, pid)


@contextmanager
def cold_again(ours: Ours, widths: Collection[int]) -> Iterator[Ours]:
    """Another process on the same deployment, for which nothing of these widths was made before."""
    for file in ours.demo.folder.rglob("variants/*/*/*/*"):
        if int(file.name.partition(".")[0].removesuffix("-space")) in widths:
            file.unlink()
    with serving(ours.demo, ours.demo.folder.parent / "cold.log") as (base, pid):
        yield replace(ours, base=base, pid=pid)


@contextmanager
def serving(demo: Demo, log: Path) -> Iterator[tuple[str, int]]:
    """The deployment of a stopped demo served by one process; its base URL and its id."""
    port = free_port()
    environment = demo.environment | {"EMBLEM_CONFIG": str(demo.folder / "emblem.env")}
    process = Process(
        [sys.executable, "-m", "service", "serve", "--bind", f"127.0.0.1:{port}", "--workers", "1"],
        log,
        environment=environment | {"PYTHONPATH": os.getcwd()},  # noqa: PTH109
    )
    process.wait_for(lambda: answers(port), 60, "emblem serve answers")
    yield f"http://127.0.0.1:{port}", process.pid
    process.stop()
