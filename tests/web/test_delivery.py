"""``/d/``: whole sets of header fields, ranges, and what happens when it cannot be recorded."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import html
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from service import jobs
from service.links import Claim
from service.problems import Unavailable
from service.storage import open_storage
from service.storage.s3 import S3Storage
from tests.parts.processes import wait_until

from ..parts.relay import Relay
from .conftest import Api, problem

if TYPE_CHECKING:
    from service.settings import Settings
    from tests.conftest import FrozenClock
    from tests.parts.s3 import S3Server


def fields(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "X-Request-Id"}


def expected(api: Api, link: dict[str, Any]) -> dict[str, str]:
    package = link["package"]
    digest = base64.b64encode(bytes.fromhex(package["sha256"])).decode()
    return {
        "Content-Type": "application/zip",
        "Content-Length": str(package["bytes"]),
        "Content-Disposition": (
            f"attachment; filename=\"{package['filename']}\"; filename*=UTF-8''{package['filename']}"
        ),
        "ETag": f'"{package["sha256"]}"',
        "Accept-Ranges": "bytes",
        "Repr-Digest": f"sha-256=:{digest}:",
        "Link": f'<{api.parts.settings.base_url}/en/terms/logo-terms>; rel="license"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": (
            "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
            "require-trusted-types-for 'script'; trusted-types 'none'; report-uri /browser-reports"
        ),
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def test_the_whole_set_of_fields(api: Api) -> None:
    link = api.link(api.ready())
    answer = api.ask("GET", api.path(link))
    assert answer.status_code == 200
    assert hashlib.sha256(answer.data).hexdigest() == link["package"]["sha256"]
    assert fields(answer) == expected(api, link)
    head = api.ask("HEAD", api.path(link))
    assert (head.status_code, head.data) == (200, b"")
    assert fields(head) == expected(api, link)


def test_a_part_has_the_fields_of_the_whole_and_its_range(api: Api) -> None:
    link = api.link(api.ready())
    answer = api.ask("GET", api.path(link), headers={"Range": "bytes=10-19"})
    assert answer.status_code == 206
    size = link["package"]["bytes"]
    changed = {"Content-Length": "10", "Content-Range": f"bytes 10-19/{size}"}
    assert fields(answer) == expected(api, link) | changed


def test_several_parts_are_what_they_say(api: Api) -> None:
    link = api.link(api.ready())
    whole = api.ask("GET", api.path(link)).data
    answer = api.ask("GET", api.path(link), headers={"Range": "bytes=0-4,-3"})
    assert answer.status_code == 206
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    boundary = answer.mimetype_params["boundary"].encode()
    first, second = (part.split(b"\r\n\r\n", 1) for part in answer.data.split(b"--" + boundary)[1:3])
    assert first[1].removesuffix(b"\r\n") == whole[:5]
    assert second[1].removesuffix(b"\r\n") == whole[-3:]
    assert f"Content-Range: bytes 0-4/{len(whole)}".encode() in first[0]


@pytest.mark.parametrize(
    ("headers", "status", "slug"),
    [
        ({"If-None-Match": "*"}, 304, None),
        ({"Range": "bytes=99999999-"}, 416, "range-not-satisfiable"),
        ({"If-Match": '"other"'}, 412, "precondition-failed"),
    ],
)
def test_what_sends_no_byte_is_not_recorded(api: Api, headers: dict[str, str], status: int, slug: str | None) -> None:
    link = api.link(api.ready(), max_downloads=1)
    answer = api.ask("GET", api.path(link), headers=headers)
    assert answer.status_code == status
    if slug:
        problem(answer, status, slug)
    listed = api.ask("GET", "/api/v1/downloads", key="staff").json
    assert listed["downloads"] == []
    assert listed["kept_since"] == "2023-11-26T12:00:00.000000Z", "three years, as the campaign's policy says"
    assert api.ask("GET", f"/api/v1/links/{link['id']}", key="portal").json["downloads"] == 0


def test_what_cannot_be_recorded_is_not_sent(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    link = api.link(api.ready())

    def full(_work: Any) -> None:
        raise Unavailable(private="database or disk is full")

    monkeypatch.setattr(api.parts.recorder._batch, "write", full)
    answer = api.ask("GET", api.path(link))
    told = problem(answer, 503, "not-recorded")
    assert int(answer.headers["Retry-After"]) > 0
    assert "disk" not in str(told)


def old_path(api: Api, link: dict[str, Any]) -> str:
    """The path of a link as earlier deployments issued it: its token does not say the package."""
    expires = datetime.fromisoformat(link["expires_at"])
    claim = Claim(link["id"], None, link["package"]["version"], expires)
    token = api.parts.tokens.sign(claim, datetime.fromisoformat(link["created_at"]))
    return f"/d/{token}/{link['package']['filename']}"


def test_a_link_of_an_earlier_deployment_goes_on_working(api: Api) -> None:
    link = api.link(api.ready())
    path = old_path(api, link)
    assert path != api.path(link)
    answer = api.ask("GET", path)
    assert (answer.status_code, answer.headers["ETag"]) == (200, f'"{link["package"]["sha256"]}"')
    problem(api.ask("GET", path[:-1]), 403, "invalid-link")


def test_a_database_that_cannot_be_read_is_503_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    link = api.link(api.ready())

    def gone() -> None:
        raise Unavailable(private="gone")

    monkeypatch.setattr(api.parts.database, "read", gone)
    problem(api.ask("GET", old_path(api, link)), 503, "not-recorded")
    assert api.ask("HEAD", old_path(api, link)).status_code == 503


def damage(api: Api, link: dict[str, Any], how: str) -> None:
    """Damages the stored file of a link."""
    storage, key = api.parts.storage, api.parts.catalogue.version("logo", link["package"]["version"]).storage_key
    if how == "missing":
        storage.delete(key)
        return
    content = storage.read(key)
    bad = {"flipped": content[:-1] + bytes([content[-1] ^ 1]), "short": content[:-1], "empty": b""}
    storage.replace(key, bad[how])


@pytest.mark.parametrize("delivery", ["direct", "x-accel"])
@pytest.mark.parametrize("how", ["flipped", "short", "empty", "missing"])
@pytest.mark.parametrize("used", [False, True], ids=["never sent", "sent before"])
def test_a_damaged_file_is_not_sent_and_nothing_is_recorded(api: Api, how: str, delivery: str, used: bool) -> None:
    link = api.link(api.ready(), max_downloads=5)
    api.parts.settings = dataclasses.replace(api.parts.settings, delivery=delivery)
    if used:
        assert api.ask("GET", api.path(link)).status_code == 200
    damage(api, link, how)
    for headers in ({}, {"Range": "bytes=0-0"}, {"Range": "bytes=0-4,-3"}):
        answer = api.ask("GET", api.path(link), headers=headers)
        problem(answer, 503, "package-damaged")
        assert int(answer.headers["Retry-After"]) > 0
    assert api.ask("HEAD", api.path(link)).status_code == 503
    rows = api.ask("GET", "/api/v1/downloads", key="staff").json["downloads"]
    assert len(rows) == int(used)
    assert api.ask("GET", f"/api/v1/links/{link['id']}", key="portal").json["downloads"] == int(used)


@pytest.mark.parametrize("how", ["flipped", "short", "empty", "missing"])
def test_readiness_and_staff_are_told_of_a_damaged_file(api: Api, how: str) -> None:
    link = api.link(api.ready())
    assert api.ask("GET", "/readyz").status_code == 200
    damage(api, link, how)
    told = problem(api.ask("GET", "/readyz"), 503, "unavailable")
    name = f"logo {link['package']['version']}"
    assert (told["failed"], told["packages"]) == (["packages"], [name])
    assert name in told["detail"]
    job = next(job for job in jobs.table(api.parts) if job.name == "stored packages")
    job.work()
    job.work()
    (alert,) = api.parts.alerts.newest()
    assert alert["rule"] == "package-damaged"
    assert name in alert["summary"]
    letters = [text for file in Path(api.parts.settings.outbox or "").glob("*") if name in (text := file.read_text())]
    assert len(letters) == 1, "one to each of the staff, once"


def test_of_a_damaged_file_the_reasons_of_the_link_are_told_first(api: Api) -> None:
    link = api.link(api.ready())
    damage(api, link, "short")
    api.ask("DELETE", f"/api/v1/links/{link['id']}", key="portal")
    problem(api.ask("GET", api.path(link)), 410, "link-revoked")


@pytest.fixture
def api_on_s3(settings: Settings, clock: FrozenClock, s3_server: S3Server) -> Iterator[Api]:
    """The application over a bucket that holds what was published."""
    from service.app import create_app

    local = open_storage(settings.storage_url)
    url = s3_server.url("delivery")
    bucket = open_storage(url)
    for stored in local.list("packages/"):
        bucket.put_new(stored.key, local.read(stored.key))
    made = create_app(settings=dataclasses.replace(settings, storage_url=url), clock=clock)
    yield Api(made)
    made.extensions["emblem"].close()


def test_what_is_refused_costs_no_request_to_the_storage(api_on_s3: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api, asked = api_on_s3, []
    link = api.link(api.ready())
    answer = api.ask("GET", api.path(link), headers={"Range": "bytes=0-9"})
    assert (answer.status_code, len(answer.data)) == (206, 10)
    api.ask("DELETE", f"/api/v1/links/{link['id']}", key="portal")
    for name in ("stream", "stat", "read"):
        monkeypatch.setattr(api.parts.storage, name, lambda *given, **_: asked.append(given))
    problem(api.ask("GET", api.path(link)), 410, "link-revoked")
    assert asked == []


def test_a_body_that_is_cut_off_before_it_begins_is_refused_and_not_recorded(
    api_on_s3: Api, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage answers with a head and a little of the body, and is gone."""
    api = api_on_s3
    link = api.link(api.ready())
    assert api.ask("GET", api.path(link), headers={"Range": "bytes=0-9"}).status_code == 206
    relay = Relay(s3_server.port)
    url = s3_server.url("delivery").replace(f":{s3_server.port}", f":{relay.port}")
    relayed = open_storage(url)
    assert isinstance(relayed, S3Storage)
    monkeypatch.setattr(S3Storage, "client", relayed.client)
    relay.cutting = 8_000  # a head has some hundred bytes
    answer = api.ask("GET", api.path(link))
    problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"]
    assert len(api.ask("GET", "/api/v1/downloads", key="staff").json["downloads"]) == 1
    relay.cutting = 0
    assert hashlib.sha256(api.ask("GET", api.path(link)).data).hexdigest() == link["package"]["sha256"]
    relay.close()


def test_a_damaged_object_is_not_redirected_to(api_on_s3: Api) -> None:
    api = api_on_s3
    link = api.link(api.ready(), max_downloads=2)
    api.parts.settings = dataclasses.replace(api.parts.settings, delivery="redirect")
    answer = api.ask("GET", api.path(link), headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (303, "private, no-store")
    (row,) = api.ask("GET", "/api/v1/downloads", key="staff").json["downloads"]
    assert (row["status"], row["range"], row["bytes"], row["bytes_sent"]) == (303, "bytes=0-9", 10, None)
    assert api.ask("HEAD", api.path(link)).status_code == 200, "HEAD is answered here"
    damage(api, link, "flipped")
    problem(api.ask("GET", api.path(link)), 503, "package-damaged")
    assert api.ask("GET", f"/api/v1/links/{link['id']}", key="portal").json["downloads"] == 1


CUT_OFF = [
    "/d",
    "/d/",
    "/d/{token}",
    "/d/{token}/",
    "/d/{half}",
    "/d/{half}/",
    "/d/{token}%0D%0A",
    "/d/{token}%0A/{file}",
]
CUT_OFF += ["/d/{token}/{file}%0D%0A", "/d/{token}/{part}", "/d/%0A{token}/{file}", "/d/{token}//{file}", "/d//{file}"]


@pytest.mark.parametrize("form", CUT_OFF)
def test_a_link_that_was_cut_off_anywhere_is_told_as_such(api: Api, form: str) -> None:
    _, _, token, file = api.path(api.link(api.ready())).split("/")
    path = form.format(token=token, half=token[: len(token) // 2], file=file, part=file[:-3])
    told = problem(api.ask("GET", path), 403, "invalid-link")
    if form != "/d/{token}//{file}":
        assert told["detail"].startswith("It was altered or cut off on its way. Get a new link")
    assert api.ask("HEAD", path).status_code == 403
    page = api.ask("GET", path, headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (403, "text/html")
    assert "This download link is not valid" in page.text


@pytest.mark.parametrize(("surplus", "shown"), [(".", "“.”"), (")", ")"), (",", "“,”"), ("%3E", ">"), ("&amp;", "&")])
def test_what_is_too_much_behind_a_link_is_named(api: Api, surplus: str, shown: str) -> None:
    path = api.path(api.link(api.ready())) + surplus
    told = problem(api.ask("GET", path), 403, "invalid-link")
    assert "too much at the end" in told["detail"]
    assert shown in told["detail"]
    page = api.ask("GET", path, headers={"Accept": "text/html", "Accept-Language": "fr"})
    assert html.escape(shown.strip("“”")) in page.text
    assert "too much" not in page.text, "the page is in French"


def test_the_filename_has_to_be_the_files(api: Api) -> None:
    path = api.path(api.link(api.ready()))
    for other in ("other.zip", "logo", path.rpartition("/")[2] + "/", "../x"):
        problem(api.ask("GET", path.rpartition("/")[0] + "/" + other), 403, "invalid-link")


def test_what_is_recorded_is_listed_with_what_was_sent(api: Api, clock: FrozenClock) -> None:
    link = api.link(api.ready())
    api.ask("GET", api.path(link), headers={"Range": "bytes=0-9"}, buffered=True).close()

    def listed() -> dict[str, Any]:
        (row,) = api.ask("GET", f"/api/v1/downloads?link={link['id']}", key="auditor").json["downloads"]
        return cast(dict[str, Any], row)

    wait_until(lambda: listed()["bytes_sent"] is not None, 60, "the end is noted")
    row = listed()
    assert row["range"] == "bytes=0-9"
    assert (row["status"], row["bytes"], row["bytes_sent"], row["counted"]) == (206, 10, 10, True)
    assert row["client"] == {"kind": "browser", "prefix": "127.0.0.0/24"}
    assert row["at"] == "2026-11-25T12:00:00.000000Z"


def test_other_methods_are_refused(api: Api) -> None:
    problem(
        api.ask("POST", api.path(api.link(api.ready())), headers={"Origin": "http://127.0.0.1:8000"}),
        405,
        "method-not-allowed",
    )


def test_new_terms_stop_a_link_until_they_are_accepted(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    participant = api.ready()
    link = api.link(participant)
    older = api.parts.campaign.terms.versions("logo-terms")[-1]
    from service.campaign.terms import Terms

    current = Terms.find_current
    monkeypatch.setattr(
        Terms, "find_current", lambda self, terms, now: older if terms == "logo-terms" else current(self, terms, now)
    )
    told = problem(api.ask("GET", api.path(link)), 403, "terms-not-accepted")
    assert told["terms"] == {
        "id": "logo-terms",
        "version": older.version,
        "url": f"{api.parts.settings.base_url}/en/terms/logo-terms",
    }
    assert api.ask("GET", f"/api/v1/links/{link['id']}", key="portal").json["status"] == "terms_required"
    assert api.accept(participant).status_code == 201
    assert api.ask("GET", api.path(link)).status_code == 200


CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Mobile Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "kind"),
    [
        (f"Mozilla/5.0 (Linux; Android 14; motorola edge 40 neo) {CHROME}", "browser"),
        ("curl/8.5.0", "program"),
        (f"Mozilla/5.0 {CHROME}; compatible; ChatGPT-User/1.0; +https://openai.com/bot", "agent"),
        ("Discourse Forum Onebox v3.2.0", "robot"),
        ("Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)", "robot"),
    ],
)  # fmt: skip
def test_whoever_asks_for_a_person_takes_the_only_download_and_no_preview_or_robot_does(
    api: Api, user_agent: str, kind: str
) -> None:
    link = api.link(api.ready(), max_downloads=1)
    answer = api.ask("GET", api.path(link), headers={"User-Agent": user_agent})
    rows = api.ask("GET", f"/api/v1/downloads?link={link['id']}", key="staff").json["downloads"]
    if kind == "robot":
        problem(answer, 403, "robots-not-served")
        assert rows == []
    else:
        assert answer.status_code == 200
        assert [(row["client"]["kind"], row["counted"]) for row in rows] == [(kind, True)]
    person = api.ask("GET", api.path(link), headers={"User-Agent": f"Mozilla/5.0 (X11; Linux x86_64) {CHROME}"})
    assert person.status_code == (200 if kind == "robot" else 410)
