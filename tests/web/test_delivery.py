"""``/d/``: whole sets of header fields, ranges, and what happens when it cannot be recorded."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from service.problems import Unavailable

from .conftest import Api, problem

if TYPE_CHECKING:
    from tests.conftest import FrozenClock


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
            "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
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
    assert api.ask("GET", "/api/v1/downloads", key="staff").json["downloads"] == []
    assert api.ask("GET", f"/api/v1/links/{link['id']}", key="portal").json["downloads"] == 0


def test_what_cannot_be_recorded_is_not_sent(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    link = api.link(api.ready())

    def full(_work: Any) -> None:
        raise Unavailable(private="database or disk is full")

    monkeypatch.setattr(api.parts.database, "write", full)
    answer = api.ask("GET", api.path(link))
    told = problem(answer, 503, "not-recorded")
    assert int(answer.headers["Retry-After"]) > 0
    assert "disk" not in str(told)


def test_a_database_that_cannot_be_read_is_503_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    link = api.link(api.ready())
    api.parts.links._packages.clear()

    def gone() -> None:
        raise Unavailable(private="gone")

    monkeypatch.setattr(api.parts.database, "read", gone)
    problem(api.ask("GET", api.path(link)), 503, "not-recorded")


def test_a_file_that_is_missing_is_503_and_nothing_is_recorded(api: Api) -> None:
    link = api.link(api.ready())
    facts = api.parts.catalogue.version("logo", link["package"]["version"])
    api.parts.storage.delete(facts.storage_key)
    problem(api.ask("GET", api.path(link)), 503, "unavailable")
    assert api.ask("GET", "/api/v1/downloads", key="staff").json["downloads"] == []


def test_the_filename_has_to_be_the_files(api: Api) -> None:
    path = api.path(api.link(api.ready()))
    for other in ("other.zip", "logo", path.rpartition("/")[2] + "/", "../x"):
        problem(api.ask("GET", path.rpartition("/")[0] + "/" + other), 403, "invalid-link")


def test_what_is_recorded_is_listed_with_what_was_sent(api: Api, clock: FrozenClock) -> None:
    link = api.link(api.ready())
    api.ask("GET", api.path(link), headers={"Range": "bytes=0-9"}, buffered=True).close()
    api.parts.database.write(lambda session: None)
    (row,) = api.ask("GET", f"/api/v1/downloads?link={link['id']}", key="auditor").json["downloads"]
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

    current = Terms.current
    monkeypatch.setattr(
        Terms, "current", lambda self, terms, now: older if terms == "logo-terms" else current(self, terms, now)
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
