"""Several packages in one link: one file made once, resumable, and recorded and counted for each package in it."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from service.store.tables import LedgerEntry

from .conftest import Api, problem
from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask

CHOSEN = ("web-banners", "logo")
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"}


def ready(api: Api) -> str:
    """A participant that accepted the terms of everything in ``CHOSEN``."""
    participant = api.ready()
    for terms in {api.parts.catalogue.current_version(package).terms for package in CHOSEN}:
        assert api.accept(participant, terms).status_code in (200, 201)
    return participant


def ask(api: Api, participant: str, **body: Any) -> Any:
    return api.ask("POST", "/api/v1/links", key="portal", json={"participant": participant} | body)


def several(api: Api, participant: str, **more: Any) -> dict[str, Any]:
    answer = ask(api, participant, packages=list(CHOSEN), **more)
    assert answer.status_code == 201, answer.text
    link: dict[str, Any] = answer.json
    return link


def test_one_file_has_a_folder_for_each_package(api: Api) -> None:
    """One ZIP with a folder a package, its length and digest known; ``package`` is null, ``packages`` lists them."""
    link = several(api, ready(api))
    published = {one: api.ask("GET", f"/api/v1/packages/{one}").json for one in CHOSEN}
    assert link["package"] is None
    assert [(one["id"], one["version"], one["sha256"]) for one in link["packages"]] == [
        (one, published[one]["version"], published[one]["sha256"]) for one in sorted(CHOSEN)
    ]
    answer = api.ask("GET", api.path(link))
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert int(answer.headers["Content-Length"]) == len(answer.data) == link["file"]["bytes"]
    digest = hashlib.sha256(answer.data).hexdigest()
    assert (digest, answer.headers["ETag"]) == (link["file"]["sha256"], f'"{digest}"')
    assert link["file"]["filename"] in answer.headers["Content-Disposition"]
    assert answer.headers["Link"].count('rel="license"') == len({one["terms"]["id"] for one in published.values()})
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        found = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    assert found == {
        f"{one}/{file['path']}": file["sha256"] for one, facts in published.items() for file in facts["files"]
    }


def test_it_is_made_once_for_a_set_of_versions(api: Api) -> None:
    participant = ready(api)
    links = [ask(api, participant, packages=list(order)).json for order in itertools.permutations(CHOSEN)]
    assert len({link["file"]["sha256"] for link in links}) == 1
    stored = [found.key for found in api.parts.storage.list("packages/_bundles/")]
    assert len(stored) == 1
    assert api.parts.storage.size(stored[0]) == links[0]["file"]["bytes"]
    api.parts.storage.delete(stored[0])
    problem(api.ask("GET", api.path(links[0])), 503, "package-damaged")
    assert [found.reason for found in api.parts.stored_packages.examine(api.parts.stored_files())] == ["is missing"]
    again = several(api, participant)
    assert again["file"] == links[0]["file"], "what was lost is made again, and is the same file"
    assert api.ask("GET", api.path(links[0])).status_code == 200


def test_parts_of_it_give_the_whole(api: Api) -> None:
    link = several(api, ready(api))
    path, size = api.path(link), link["file"]["bytes"]
    etag = f'"{link["file"]["sha256"]}"'
    head = api.ask("HEAD", path)
    assert (head.status_code, int(head.headers["Content-Length"]), head.headers["ETag"]) == (200, size, etag)
    half = size // 2
    parts = [
        api.ask("GET", path, headers=BROWSER | {"Range": span, "If-Range": etag})
        for span in (f"bytes=0-{half - 1}", f"bytes={half}-")
    ]
    assert [part.status_code for part in parts] == [206, 206]
    assert hashlib.sha256(b"".join(part.data for part in parts)).hexdigest() == link["file"]["sha256"]


def test_each_package_has_a_row_and_an_entry_and_the_report_has_them(api: Api) -> None:
    """A link to several packages makes one row and one entry for each of them, all counted or none."""
    participant = ready(api)
    link = several(api, participant)
    for _ in range(2):
        assert api.ask("GET", api.path(link), headers=BROWSER).status_code == 200
    rows = api.ask("GET", f"/api/v1/downloads?link={link['id']}", key="portal").json["downloads"]
    assert sorted((row["package"], row["counted"]) for row in rows) == sorted(itertools.product(CHOSEN, (False, True)))
    assert sum(row["bytes"] for row in rows) == 2 * link["file"]["bytes"]
    assert len({row["id"] for row in rows}) == 4
    filtered = api.ask("GET", f"/api/v1/downloads?link={link['id']}&package=logo", key="portal").json["downloads"]
    assert [row["package"] for row in filtered] == ["logo", "logo"]
    assert api.ask("GET", f"/api/v1/links/{link['id']}", key="portal").json["downloads"] == 1
    with api.parts.database.read() as session:
        entries = [json.loads(row.body) for row in session.scalars(select(LedgerEntry))]
    assert sorted(one["id"] for one in entries if one["kind"] == "download") == sorted(row["id"] for row in rows)
    (issued,) = [one for one in entries if one["kind"] == "link.issued"]
    assert (issued["package"], issued["packages"]) == (None, {one["id"]: one["version"] for one in link["packages"]})
    api.parts.flush_and_seal()
    report = api.ask("GET", "/api/v1/audit/report?by=package", key="auditor").json
    measured = {row["package"]: (row["downloads"], row["requests"], row["participants"]) for row in report["rows"]}
    assert measured == dict.fromkeys(CHOSEN, (1, 2, 1))
    assert report["totals"]["bytes"] == 2 * link["file"]["bytes"]
    assert report["totals"]["participants"] == 1


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/package"]),
        ({"package": "logo", "packages": ["logo"]}, ["/packages"]),
        ({"packages": ["logo", "posters"], "version": "1.0.0", "path": "README.txt"}, ["/version", "/path"]),
        ({"packages": ["logo", "posters", "logo"]}, ["/packages/2"]),
        ({"packages": []}, ["/packages"]),
        ({"packages": "logo"}, ["/packages"]),
        ({"packages": ["logo", 7]}, ["/packages/1"]),
    ],
)
def test_what_does_not_go_together_is_pointed_at(api: Api, body: dict[str, Any], pointers: list[str]) -> None:
    told = problem(ask(api, api.ready(), **body), 422, "invalid-request")
    assert [error["pointer"] for error in told["errors"]] == pointers


def test_each_package_of_it_has_to_be_there_and_its_terms_accepted(api: Api) -> None:
    participant = api.join()
    problem(ask(api, participant, packages=["logo", "none-such"]), 404, "unknown-package")
    problem(ask(api, participant, packages=["logo", "posters"]), 403, "terms-not-accepted")
    api.accept(participant)
    link = ask(api, participant, packages=["logo", "posters"]).json
    posters = api.parts.catalogue.current_version("posters")
    api.parts.catalogue.withdraw("posters", posters.version, "a fault in print", by="staff:cli")
    told = problem(api.ask("GET", api.path(link)), 410, "package-withdrawn")
    assert told["package"] == "posters"
    problem(ask(api, participant, packages=["logo", "posters"]), 410, "package-withdrawn")
    assert api.ask("GET", f"/api/v1/links/{link['id']}", key="portal").json["status"] == "withdrawn"
    assert api.parts.bundles.handed_out() == []


def test_its_token_is_good_for_nothing_else(api: Api) -> None:
    participant = ready(api)
    one, whole = api.path(several(api, participant)), api.path(api.link(participant))
    for token, name in ((one, whole), (whole, one)):
        mixed = f"{token.rpartition('/')[0]}/{name.rpartition('/')[2]}"
        problem(api.ask("GET", mixed), 403, "invalid-link")


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_they_are_chosen_on_the_page_of_the_tools(app: Flask, lang: str) -> None:
    visitor = Visitor(app, lang)
    visitor.get("tools")
    boxes = [box.attributes["value"] for box in visitor.html.all("input", type="checkbox", form="choose")]
    assert boxes == [one.id for kind in ("logo", "tool") for one in visitor.parts.catalogue.current(kind)]
    assert visitor.html.all("form", id="choose")[0].attributes["action"] == f"/{lang}/download"
    visitor.get("download")
    assert f"/{lang}/tools" in visitor.html.links(), "who chose nothing is led back"
    chosen = "download?" + "&".join(f"package={one}" for one in CHOSEN)
    visitor.get(chosen)
    assert f"/{lang}/join" in visitor.html.links()
    visitor.join()
    visitor.get(chosen)
    needed = {visitor.parts.catalogue.current_version(one).terms for one in CHOSEN}
    assert {box.attributes["value"] for box in visitor.html.all("input", name="terms")} == needed
    terms = [(one.attributes["name"], one.attributes["value"]) for one in visitor.html.all("input", type="hidden")]
    fields: dict[str, list[str]] = {}
    for name, value in terms:
        fields.setdefault(name, []).append(value)
    ready = visitor.post("download", {**fields, "name": "Example Person"}).headers["Location"]
    visitor.get(ready)
    (link,) = [one.attributes["href"] for one in visitor.html.all("a") if "download" in one.attributes]
    got = visitor.client.get(link, headers=BROWSER)
    with zipfile.ZipFile(io.BytesIO(got.data)) as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == set(CHOSEN)
    text = visitor.get("account").text
    assert all(str(visitor.parts.catalogue.current_version(one).title.get(lang)) in text for one in CHOSEN)
