"""Content codings of texts: right for every coding, and nothing coded that has to stay as it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parts.codings import DECODERS

from .conftest import Api
from .visitor import Visitor

TEXTS = ["/en/tools", "/ar/", "/static/emblem.css", "/static/emblem.js", "/api/v1/packages", "/api/v1/openapi.json"]


def get(api: Api, path: str, coding: str = "", method: str = "GET", **headers: str) -> Any:
    if coding:
        headers["Accept-Encoding"] = coding
    return api.ask(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("path", TEXTS)
def test_a_text_is_sent_in_each_coding_with_a_tag_of_its_own(api: Api, path: str) -> None:
    plain = get(api, path)
    assert plain.status_code == 200
    assert "Content-Encoding" not in plain.headers
    assert "accept-encoding" in plain.headers["Vary"].lower()
    tags = {plain.headers.get("ETag")}
    for coding, decode in DECODERS.items():
        answer = get(api, path, coding)
        assert answer.headers["Content-Encoding"] == coding
        assert "accept-encoding" in answer.headers["Vary"].lower()
        assert decode(answer.data) == plain.data
        assert len(answer.data) < 0.6 * len(plain.data)
        assert int(answer.headers["Content-Length"]) == len(answer.data)
        assert {*plain.headers.keys()} <= {*answer.headers.keys()}
        head = get(api, path, coding, "HEAD")
        for name in ("Content-Encoding", "Content-Length", "ETag", "Vary", "Content-Type"):
            assert head.headers.get(name) == answer.headers.get(name), name
        if tag := answer.headers.get("ETag"):
            assert not tag.startswith("W/"), "the bytes are the same each time"
            tags.add(tag)
            known = get(api, path, coding, If_None_Match=tag)
            assert (known.status_code, known.data, known.headers["ETag"]) == (304, b"", tag)
            assert "accept-encoding" in known.headers["Vary"].lower()
            assert get(api, path, coding, If_None_Match='"another"').status_code == 200
    assert len(tags) == (1 if plain.headers.get("ETag") is None else 1 + len(DECODERS))


@pytest.mark.parametrize(
    ("asked", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip;q=0, zstd", "zstd"),
        ("br;q=0", None),
        ("gzip;q=0.1, identity", None),
        ("deflate", None),
        ("x", None),
    ],
)
def test_the_most_welcome_coding_is_sent_and_none_that_is_refused(api: Api, asked: str, coding: str | None) -> None:
    assert get(api, "/en/tools", asked).headers.get("Content-Encoding") == coding


def test_downloads_pictures_and_the_log_are_sent_as_they_are(api: Api) -> None:
    link = api.link(api.ready())
    api.parts.sealer.seal()
    path = api.path(link)
    every = "br, zstd, gzip"
    package = api.parts.catalogue.current_version("logo")
    size = int(get(api, "/log/checkpoint").text.splitlines()[1])
    for target, status in (
        (path, 200),
        ("/log/checkpoint", 200),
        ("/log/key", 200),
        (f"/log/tile/0/000.p/{size}", 200),
        (f"/brand/packages/logo/{package.version}.png", 200),
        (f"/brand/packages/logo/{package.version}/384.webp", 200),
        ("/en/nothing-here", 404),
    ):
        answer = get(api, target, every)
        assert answer.status_code == status
        assert "Content-Encoding" not in answer.headers, target
    part = get(api, path, every, Range="bytes=10-1009")
    assert (part.status_code, len(part.data)) == (206, 1000)
    assert "Content-Encoding" not in part.headers
    assert part.headers["Content-Length"] == "1000"


def test_what_is_for_one_person_alone_is_not_coded(api: Api) -> None:
    """A coded answer's length tells of a secret in it what a stranger guessed beside it."""
    every = {"Accept-Encoding": "br, zstd, gzip"}
    participant = api.ready()
    for path in ("/api/v1/me", f"/api/v1/participants/{participant}", "/api/v1/packages"):
        answer = api.ask("GET", path, key="portal", headers=every)
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers, path
    visitor = Visitor(api.app)
    visitor.join()
    for path in ("/en/account", "/en/tools/logo"):
        answer = visitor.client.get(path, headers=every)
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers, path
