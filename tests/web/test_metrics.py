"""Figures for Prometheus: every request is one, also those that are answered before Flask, over all workers."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.parts.processes import free_port
from tests.parts.walk import Walk

if TYPE_CHECKING:
    from tests.parts.demo import Demo

LINE = re.compile(r'emblem_requests_total\{method="(\w+)",route="([^"]*)",status="(\d+)"\} ([0-9.]+)')


def figures(port: int) -> dict[tuple[str, str, str], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        return {(*found[:3],): float(found[3]) for found in LINE.findall(answer.read().decode())}


def test_logos_refusals_and_unheard_of_methods_are_counted(new_demo: Callable[..., Demo]) -> None:
    port = free_port()
    demo = new_demo(EMBLEM_METRICS_BIND=f"127.0.0.1:{port}")
    walk = Walk(demo)
    body = {"participant": walk.participant(), "logo": "heart", "origins": ["https://www.example.org"]}
    key = walk.portal.post("/api/v1/embeds", body | {"unlisted": "report"}).json()["key"]
    client, path = demo.client(), f"/logos/{key}/heart/blue/64.png"
    tag = client.get(path).headers["etag"]
    assert client.get(path).status == 200
    assert client.request("GET", path, headers={"If-None-Match": tag}).status == 304
    assert client.request("HEAD", path).status == 200
    assert client.get(f"/logos/{key}/heart/blue/7.png").status == 422
    for method in ("BREW", "STEEP"):
        assert client.request(method, path).status == 405
    found = figures(port)
    route = "/logos/<path:rest>"
    assert found["GET", route, "200"] == 2
    assert found["GET", route, "304"] == found["HEAD", route, "200"] == found["GET", route, "422"] == 1
    assert sum(count for (method, _, status), count in found.items() if (method, status) == ("other", "405")) == 2
    assert not {method for method, _, _ in found} & {"BREW", "STEEP"}, "nobody makes new figures"
