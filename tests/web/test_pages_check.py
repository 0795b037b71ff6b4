"""The page of the artwork check, for whoever comes by, for participants and for staff."""

from __future__ import annotations

import dataclasses
import io
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from service.app import create_app
from service.limits import LIMITS
from service.logos import VariantRequest
from service.settings import Settings
from tests.conftest import FrozenClock
from tests.parts.posters import poster

from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse


pytestmark = pytest.mark.usefixtures("one_kit")


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def heart(visitor: Visitor) -> bytes:
    """The logo as the service makes it."""
    return visitor.parts.variants.get(VariantRequest("heart", "blue", 240, "png")).bytes


def send(visitor: Visitor, data: bytes, status: int = 303, name: str = "poster.png", **fields: str) -> str:
    """Sends a file on the page, and opens the page of what came out; its path."""
    visitor.get("check")
    answer = visitor.post("check", {"file": (io.BytesIO(data), name), **fields}, status)
    if status != 303:
        return ""
    path = urlsplit(answer.headers["Location"]).path
    visitor.get(path)
    return path


def words(visitor: Visitor) -> str:
    """What the main part of the page says."""
    return " ".join(visitor.html.all("main")[0].text.split())


def test_whoever_comes_by_sees_what_is_wrong_for_an_hour(visitor: Visitor, clock: FrozenClock) -> None:
    path = send(visitor, poster(heart(visitor), stretched=1.25))
    assert visitor.html.mistakes == []
    assert "The logo is not used right yet" in words(visitor)
    (row,) = visitor.html.all("tbody")
    assert "Has to change" in row.text
    pictures = [one.attributes["src"] for one in visitor.html.all("img") if "/artwork/" in one.attributes["src"]]
    assert visitor.client.get(urlsplit(pictures[0]).path).mimetype == "image/png"
    assert visitor.client.get(urlsplit(visitor.html.all("image")[-1].attributes["href"]).path).status_code == 200
    assert visitor.parts.verdicts.list().items == (), "nothing is on record of who is not signed in"
    clock.advance(3600)
    visitor.get(path, 404)
    assert visitor.client.get(urlsplit(pictures[0]).path).status_code == 404
    assert visitor.parts.verdicts.drop() == 1
    assert list(visitor.parts.storage.list("artwork/")) == []


def test_what_is_refused_is_said_beside_the_field(visitor: Visitor) -> None:
    for data, status, name in ((b"no picture", 415, "a.png"), (poster(None)[:300], 422, "a.png"), (b"", 422, "")):
        send(visitor, data, status, name)
        assert visitor.html.all("input", id="f-file")[0].attributes["aria-invalid"] == "true"
        assert visitor.html.all("a", href="#f-file"), "the summary leads to the field"
    send(visitor, b"\x00" * 26_000_000, 413)  # of which nothing is read
    assert visitor.html.all("input", id="f-file")[0].attributes["aria-invalid"] == "true"
    assert "MB" in visitor.html.all("p", id="f-file-error")[0].text


def test_a_file_that_comes_without_a_length_brings_the_form_back_too(app: Flask) -> None:
    """Chunked, so that only reading it shows how long it is: no more of it is read than a file may have."""
    reader = Visitor(app, "ar")
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'

    def sent(accept: str, size: int, path: str = "/ar/check") -> tuple[TestResponse, int]:
        body = io.BytesIO(head + bytes(size) + b"\r\n--x--\r\n")
        answer = reader.client.post(
            path,
            input_stream=body,
            content_type="multipart/form-data; boundary=x",
            headers={"Accept": accept, "Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )
        return answer, body.tell()

    answer, read = sent("text/html", 60_000_000)
    assert read < 30_000_000
    reader._seen(answer, 413)
    assert reader.html.all("a", href="#f-file"), "the summary leads to the field"
    said = reader.html.all("p", id="f-file-error")[0].text
    assert "25" in said
    reader._seen(sent("text/html", 1000)[0], 415)
    assert reader.html.all("p", id="f-file-error")[0].text != said
    refused, _ = sent("application/json", 60_000_000)
    assert refused.mimetype == "application/problem+json"
    assert "25 MB" in refused.text
    reader._seen(sent("text/html", 1_100_000, "/ar/sign-in")[0], 413)
    assert "1048" in reader.html.all("p", class_="lead")[0].text


def test_in_arabic_and_what_it_says_is_arabic(app: Flask) -> None:
    reader = Visitor(app, "ar")
    send(reader, poster(heart(reader), stretched=1.25))
    assert reader.html.all("html")[0].attributes["dir"] == "rtl"
    english = {one.text.strip() for one in reader.html.elements if one.language == "en"}
    assert english <= {"", "English"}


def test_a_participant_keeps_a_history_that_staff_see_and_overrule(visitor: Visitor, app: Flask) -> None:
    visitor.join()
    path = send(visitor, poster(heart(visitor)), keep="yes")
    check = path.rpartition("/")[2]
    visitor.get("account")
    assert path in visitor.html.links()
    Visitor(app).get(path, 404)
    staff = Visitor(app)
    staff.sign_in_as_staff()
    (kept,) = staff.parts.verdicts.list().items
    staff.get(f"/staff/participants/{kept.participant}")
    assert f"/staff/artwork/{check}" in staff.html.links()
    staff.get(f"/staff/artwork/{check}")
    assert staff.client.get(f"/staff/artwork/{check}/file").data == poster(heart(visitor))
    staff.post(f"/staff/artwork/{check}", {"verdict": "not_compliant", "reason": ""}, 422)
    staff.post(f"/staff/artwork/{check}", {"verdict": "compliant", "reason": "It is."}, 422)
    staff.post(f"/staff/artwork/{check}", {"verdict": "not_compliant", "reason": "The heart stands on a <coffin>."})
    staff.get("/staff/artwork?overruled=yes")
    assert "The heart stands on a <coffin>." in words(staff)
    visitor.get(path)
    assert "The logo is not used right yet" in words(visitor)
    assert "The heart stands on a <coffin>." in words(visitor)
    auditor = Visitor(app)
    auditor.sign_in_as_staff("auditor@example.org")
    auditor.get(f"/staff/artwork/{check}")
    assert "coffin" not in words(auditor)
    auditor.post(f"/staff/artwork/{check}", {"verdict": "compliant", "reason": "No."}, 403)


def test_a_form_from_elsewhere_is_refused(visitor: Visitor) -> None:
    visitor.get("check")
    sent = {**visitor.html.hidden, "file": (io.BytesIO(poster(None)), "a.png")}
    answer = visitor.client.post("/en/check", data=sent, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403


def test_many_checks_from_one_address_are_told_to_wait(settings: Settings, clock: FrozenClock) -> None:
    app = create_app(settings=dataclasses.replace(settings, rate_limits=True), clock=clock)
    visitor = Visitor(app)
    for _ in range(LIMITS["artwork"].amount):
        send(visitor, b"no picture", 415)
    visitor.get("check")
    answer = visitor.post("check", {"file": (io.BytesIO(b"no picture"), "a.png")}, 429)
    assert int(answer.headers["Retry-After"]) > 0
    app.extensions["emblem"].close()


def test_without_the_extra_the_page_says_so(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.verdicts.verdicts.missing_packages", lambda: ("numpy",))
    visitor.get("check")
    assert "cannot be checked" in words(visitor)
    assert visitor.html.all("input", type="file") == []
