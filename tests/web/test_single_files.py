"""One file of a package alone: the same link, the same record, the same counting, with its own name and digest."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import pytest
from sqlalchemy import select

from service.store.tables import LedgerEntry

from .conftest import Api, problem


def published(api: Api) -> dict[str, dict[str, Any]]:
    return {file["path"]: file for file in api.ask("GET", "/api/v1/packages/logo").json["files"]}


@pytest.mark.parametrize("path", ["svg/heart-blue.svg", "png/heart-blue-256.png", "pdf-print-cmyk/lockup-black.pdf"])
def test_a_link_to_one_file_sends_that_file(api: Api, path: str) -> None:
    """``path`` (one of the package's ``files``: the link is to that file alone, with its own name, type and digest)."""
    participant, file = api.ready(), published(api)[path]
    link = api.link(participant, path=path)
    assert link["path"] == path
    assert {name: link["package"][name] for name in ("sha256", "bytes")} == {n: file[n] for n in ("sha256", "bytes")}
    answer = api.ask("GET", api.path(link))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, file["media_type"])
    assert hashlib.sha256(answer.data).hexdigest() == file["sha256"]
    assert answer.headers["ETag"] == f'"{file["sha256"]}"'
    assert f'filename="{path.rpartition("/")[2]}"' in answer.headers["Content-Disposition"]
    assert answer.headers["Link"].endswith('logo-terms>; rel="license"')
    whole = api.ask("GET", api.path(api.link(participant)))
    with zipfile.ZipFile(io.BytesIO(whole.data)) as archive:
        assert archive.read(path) == answer.data
    part = api.ask("GET", api.path(link), headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.data) == (206, answer.data[:10])


def test_it_is_recorded_and_counted_with_its_path(api: Api) -> None:
    """Rows of downloads and ``download`` entries have ``path`` where one was asked for."""
    participant = api.ready()
    single, whole = api.link(participant, path="svg/heart-blue.svg"), api.link(participant)
    for link in (single, single, whole):
        assert api.ask("GET", api.path(link)).status_code == 200
    rows = api.ask("GET", f"/api/v1/downloads?participant={participant}", key="portal").json["downloads"]
    assert sorted((row["link"], row["path"], row["counted"]) for row in rows) == sorted(
        [
            (single["id"], "svg/heart-blue.svg", True),
            (single["id"], "svg/heart-blue.svg", False),
            (whole["id"], None, True),
        ],
        key=lambda row: (row[0], str(row[1]), row[2]),
    )
    shown = api.ask("GET", f"/api/v1/links/{single['id']}", key="portal").json
    assert (shown["path"], shown["downloads"], shown["url"]) == ("svg/heart-blue.svg", 1, single["url"])
    with api.parts.database.read() as session:
        entries = [json.loads(row.body) for row in session.scalars(select(LedgerEntry))]
    said = [(one["link"], one.get("path"), "path" in one) for one in entries if one["kind"] == "download"]
    assert sorted(said) == sorted(
        [(single["id"], "svg/heart-blue.svg", True)] * 2 + [(whole["id"], None, False)], key=lambda row: row[0]
    )


@pytest.mark.parametrize("path", ["nothing.svg", "../svg/heart-blue.svg", "svg", "svg/", "SVG/heart-blue.svg"])
def test_a_path_that_the_package_has_not_is_pointed_at(api: Api, path: str) -> None:
    body = {"participant": api.ready(), "package": "logo", "path": path}
    told = problem(api.ask("POST", "/api/v1/links", key="portal", json=body), 422, "invalid-request")
    assert [error["pointer"] for error in told["errors"]] == ["/path"]


def test_the_link_of_one_file_is_good_for_no_other(api: Api) -> None:
    participant = api.ready()
    one, other = (api.path(api.link(participant, path=f"svg/{name}.svg")) for name in ("heart-blue", "heart-white"))
    whole = api.path(api.link(participant))
    for token, name in ((one, other), (one, whole), (whole, one)):
        mixed = f"{token.rpartition('/')[0]}/{name.rpartition('/')[2]}"
        problem(api.ask("GET", mixed), 403, "invalid-link")


def test_a_damaged_archive_gives_no_file(api: Api) -> None:
    catalogue = api.parts.catalogue
    facts = catalogue.current_version("logo")
    damaged = bytearray(api.parts.storage.read(facts.storage_key))
    at = damaged.find(b"<path")
    damaged[at + 10] ^= 1
    api.parts.storage.replace(facts.storage_key, bytes(damaged))
    with zipfile.ZipFile(io.BytesIO(bytes(damaged))) as archive:
        broken = archive.testzip()
    assert broken is not None
    body = {"participant": api.ready(), "package": "logo", "path": broken}
    problem(api.ask("POST", "/api/v1/links", key="portal", json=body), 503, "package-damaged")
