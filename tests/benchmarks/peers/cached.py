"""Warm through a cache: the nginx of docs/deploy before Emblem, and the same before files with the same headers."""

from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import urllib3

from tests.parts.nginx import DeployedNginx, Nginx

from .measure import rate
from .servers import Ours

_KEPT = ("ETag", "Cache-Control", "Access-Control-Allow-Origin", "Link", "X-Content-Type-Options")


def through_nginx(ours: Ours, path: str, folder: Path, seconds: float, rounds: int = 5) -> tuple[float, float, bool]:
    """Requests a second from the cache before Emblem and before the files, and whether all but the first were HITs."""
    upstream = _files(ours.base + path, path, folder / "files")
    fronts = [
        DeployedNginx(folder / "front-emblem", urlsplit(ours.base).netloc),
        DeployedNginx(folder / "front-files", urlsplit(upstream.url).netloc),
    ]
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for front, measured in zip(fronts, rates, strict=True):
            measured.append(rate(front.url + path, seconds))
    said = Counter(fronts[0].statuses())
    for front in fronts:
        front.close()
    upstream.close()
    # Rates in pairs: the machine is slower now and then, and both are then.
    ratio = statistics.median(a / b for a, b in zip(*rates, strict=True))
    files = statistics.median(rates[1])
    return files * ratio, files, said["MISS"] == 1 and set(said) <= {"MISS", "HIT", "STALE", "UPDATING", "REVALIDATED"}


def _files(url: str, path: str, folder: Path) -> Nginx:
    """A server of one file with the body and the headers of ``url``."""
    answer = urllib3.request("GET", url)
    file = folder / "root" / path.lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_bytes(answer.data)
    headers = "\n".join(f"    add_header {name} '{answer.headers[name]}';" for name in _KEPT)
    content_type = answer.headers["Content-Type"]
    return Nginx(
        folder, f"    root {folder}/root;\n    etag off;\n    types {{}} default_type {content_type};\n{headers}"
    )
