"""The staff pages: staff decide, auditors read without names and change nothing, nobody else comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.store import outbox
from tests.parts.willing import PLAN

from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session

PAGES = ("", "/participants", "/links", "/downloads", "/embeds", "/catalogue", "/terms", "/audit", "/webhooks")


@pytest.fixture
def waiting(app: Flask) -> Visitor:
    """Somebody whose application waits in the queue."""
    visitor = Visitor(app)
    visitor.join(name="Example Waiting", purposes=["commercial"])
    return visitor


@pytest.fixture
def staff(app: Flask) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in_as_staff()
    return visitor


def _id(visitor: Visitor) -> str:
    return next(one.id for one in visitor.parts.participants.listing.list().items if one.email == visitor.address)


@pytest.mark.parametrize("lang", ["en", "fr", "ar"])
def test_every_page_is_there_in_every_language(staff: Visitor, waiting: Visitor, lang: str) -> None:
    for page in (*PAGES, f"/participants/{_id(waiting)}"):
        answer = staff.get(f"/staff{page}?lang={lang}")
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert staff.html.all("html")[0].attributes["lang"] == lang
        assert not staff.html.mistakes, (page, staff.html.mistakes[:3])
        assert len(staff.html.all("h1")) == 1
        assert not [element for element in staff.html.elements if "style" in element.attributes], page
        assert f"/staff/links?lang={lang}" in staff.html.links()


def test_nobody_else_comes_in(app: Flask, waiting: Visitor) -> None:
    stranger = Visitor(app)
    for page in PAGES:
        stranger.get(f"/staff{page}", status=401)
        waiting.get(f"/staff{page}", status=403)


def test_suspending_lifting_and_erasing(staff: Visitor, waiting: Visitor) -> None:
    participant = _id(waiting)
    page = f"/staff/participants/{participant}"
    staff.get(page)
    staff.post(page, {"outcome": "suspended", "reason": "Looked into."})
    assert "Looked into." in waiting.get("account").text
    staff.get(page)
    staff.post(page, {"outcome": "approved", "reason": "Cleared."})
    assert staff.parts.participants.listing.get(participant).status == "approved"
    staff.get(page)
    staff.post(page, {"outcome": "erased", "reason": "Asked for."}, status=422)
    assert staff.html.all("textarea", id="f-reason")[0].text == "Asked for."
    staff.post(page, {"outcome": "erased", "reason": "Asked for.", "sure": "yes"})
    assert "Example Waiting" not in staff.get(page).text
    assert waiting.client.get("/en/account").status_code == 302


def test_who_acts_is_named_to_staff_alone_and_signs_out(staff: Visitor, waiting: Visitor, app: Flask) -> None:
    people = staff.parts.participants
    (member,) = people.staff.list()
    people.staff.add("staff@example.org", name="Sam Example", by="staff:cli")
    participant = _id(waiting)
    page = f"/staff/participants/{participant}"
    assert "Signed in as Sam Example" in staff.get(page).text
    staff.post(page, {"outcome": "approved", "reason": "A fair sale."})
    assert people.listing.get(participant).decided_by == f"staff:{member.id}"
    staff.get(page)
    assert any("Sam Example" in decision.text for decision in staff.html.all("li"))
    auditor = Visitor(app)
    auditor.sign_in_as_staff("auditor@example.org")
    text = auditor.get(page).text
    assert member.id in text
    assert "Sam Example" not in text
    assert "Sam Example" not in waiting.get("account").text
    staff.get(page)
    staff.post("/en/sign-out", {})
    staff.get("/staff", status=401)


def test_staff_end_links_and_withdraw_versions(staff: Visitor, app: Flask) -> None:
    visitor = Visitor(app)
    visitor.join()
    visitor.accept()
    visitor.get("tools/logo")
    visitor.post("download", {"package": "logo"})
    link, *_ = staff.parts.links.list().items
    assert link.id in staff.get("/staff/links").text
    staff.post(f"/staff/links/{link.id}/revocation", {"reason": "Sent to the wrong list."})
    assert staff.parts.links.get(link.id).status == "revoked"
    assert "Sent to the wrong list." in staff.get("/staff/links").text
    staff.get("/staff/catalogue")
    version = staff.parts.catalogue.current_version("posters").version
    staff.post(f"/staff/catalogue/posters/{version}/withdrawal", {"reason": ""}, status=422)
    staff.post(f"/staff/catalogue/posters/{version}/withdrawal", {"reason": "A printer's error."})
    visitor.get("tools/posters", status=410)
    assert "A printer&#39;s error." in staff.get("/staff/catalogue").text


def test_auditors_read_without_names_and_change_nothing(app: Flask, waiting: Visitor) -> None:
    auditor = Visitor(app)
    auditor.sign_in_as_staff("auditor@example.org")
    participant = _id(waiting)
    for page in (*PAGES, f"/participants/{participant}"):
        text = auditor.get(f"/staff{page}").text
        for personal in ("Example Waiting", waiting.address, PLAN):
            assert personal not in text, page
        forms = [form.attributes for form in auditor.html.all("form") if form.attributes.get("method") == "post"]
        assert [form["action"] for form in forms] == ["/en/sign-out"], page
    auditor.get("/en/sign-in")
    auditor.post(f"/staff/participants/{participant}", {"outcome": "approved", "reason": "No."}, status=403)
    assert waiting.parts.participants.listing.get(participant).status == "under_review"


def test_participants_are_found_and_named(staff: Visitor, waiting: Visitor, app: Flask) -> None:
    participant = _id(waiting)
    for question, found in (("waiting", True), (waiting.address, True), ("nobody-of-this-name", False)):
        text = staff.get(f"/staff/participants?q={question}").text
        assert (participant in text) is found, question
    assert staff.html.all("input", id="q")[0].attributes["value"] == "nobody-of-this-name"
    visitor = Visitor(app)
    visitor.join(name="Example Reader")
    visitor.accept()
    assert "Example Reader" in staff.get("/staff/links").text
    auditor = Visitor(app)
    auditor.sign_in_as_staff("auditor@example.org")
    assert participant in auditor.get("/staff/participants?q=nobody-of-this-name").text, "auditors find by no name"
    assert not auditor.html.all("input", id="q")
    assert "Example Reader" not in auditor.get("/staff/links").text


def test_deliveries_to_webhooks_are_listed_and_tried_again(
    app: Flask, staff: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    emblem = staff.parts
    now = emblem.clock()
    url = "https://crm.example.org/hook"

    def work(session: Session) -> None:
        for leaf in range(3):
            payload = {"type": "participant.decided", "data": {"leaf": leaf}}
            outbox.add(session, "webhook", url, payload, now, subject=f"leaf_{leaf}")

    emblem.database.write(work)
    lost, taken = outbox.claim(emblem.database, "webhook", now, 2)
    outbox.failed(emblem.database, lost.id, "answered 503; given up", again=None, now=now)
    outbox.delivered(emblem.database, taken.id, now, "answered 204", keep=True)
    page = staff.get("/staff/webhooks").text
    assert [page.count(f">leaf_{leaf}<") for leaf in range(3)] == [1, 1, 1]
    assert page.index("leaf_2") < page.index("leaf_0")
    assert page.count("answered 503; given up") == page.count("answered 204") == 1
    assert page.count("/retry") == 2  # not for what was delivered
    auditor = Visitor(app)
    auditor.sign_in_as_staff("auditor@example.org")
    assert "/retry" not in auditor.get("/staff/webhooks").text
    staff.post(f"/staff/webhooks/{lost.id}/retry", {}, status=303)
    staff.post(f"/staff/webhooks/{taken.id}/retry", {}, status=303)
    due = outbox.claim(emblem.database, "webhook", emblem.clock())
    assert [(one.id, one.attempts) for one in due] == [(lost.id, 1), (taken.id + 1, 1)]
    staff.post(f"/staff/webhooks/{taken.id + 99}/retry", {}, status=404)
    monkeypatch.setattr("service.web.staff.webhooks.PAGE", 2)
    (more,) = [link for link in (staff.get("/staff/webhooks"), staff.html.links())[1] if "cursor=" in link]
    assert "leaf_0" in staff.get(more).text
    staff.get("/staff/webhooks?cursor=x", status=422)
