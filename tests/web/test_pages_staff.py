"""The staff pages: staff decide, auditors read without names and change nothing, nobody else comes in."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service import settings
from service.alerts.alert_rules import Webhook
from service.participants import Scope
from service.problems import EmbedRevoked
from service.store import outbox
from tests.parts.willing import PLAN

from ..conftest import FrozenClock
from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session

NEW_TERMS = """  - version: "2026-11-25"
    effective: 2026-11-25T00:00:00Z
    languages: [ar, en, es, fr, ru, zh]
    changes: {en: Nothing but the number.}
"""
PAGES = ("", "/participants", "/links", "/downloads", "/embeds", "/catalogue", "/terms", "/audit", "/webhooks", "/keys")


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
        here = {one.attributes["href"] for one in staff.html.all("a") if one.attributes.get("aria-current") == "page"}
        assert len(here) == 1, page


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
    staff.get(f"/staff/links/{link.id}")
    staff.post(f"/staff/links/{link.id}/revocation", {"reason": " "}, status=422)
    staff.post(f"/staff/links/{link.id}/revocation", {"reason": "By mistake."})
    staff.post(f"/staff/links/{link.id}/restoration", {"reason": "It was the right list."})
    assert staff.parts.links.get(link.id).status == "active"
    staff.post(f"/staff/links/{link.id}/revocation", {"reason": "Sent to the wrong list."})
    assert staff.parts.links.get(link.id).status == "revoked"
    staff.get(f"/staff/links/{link.id}")
    assert [row.text.rpartition(": ")[2] for row in staff.html.all("li") if " it" in row.text] == [
        "Sent to the wrong list.",
        "It was the right list.",
        "By mistake.",
    ]
    assert [mail["Subject"].partition(": ")[2] for mail in visitor.letters()[-3:]] == [
        "your download link has been ended",
        "your download link works again",
        "your download link has been ended",
    ]
    assert "Sent to the wrong list." in staff.get("/staff/links").text
    staff.get("/staff/catalogue")
    version = staff.parts.catalogue.current_version("posters").version
    staff.post(f"/staff/catalogue/posters/{version}/withdrawal", {"reason": ""}, status=422)
    staff.post(f"/staff/catalogue/posters/{version}/withdrawal", {"reason": "A printer's error."})
    visitor.get("tools/posters", status=410)
    assert "A printer&#39;s error." in staff.get("/staff/catalogue").text


def test_ending_an_embed_shows_what_it_breaks_and_is_taken_back(staff: Visitor, app: Flask) -> None:
    visitor = Visitor(app)
    visitor.join()
    visitor.accept()
    parts = staff.parts
    (participant,) = parts.participants.listing.list().items
    embed = parts.embeds.create(participant.id, "heart", ["https://www.example.org"], "report", by="page")
    served = parts.embeds.permission(embed.key)
    for _ in range(3):
        parts.embeds.count(served, "blue/64.png", "https://www.example.org")
    parts.embeds.flush()
    parts.embeds.enter_uses(everything=True)
    page = staff.get(f"/staff/embeds/{embed.key}").text
    assert "https://www.example.org" in page
    assert [cell.text for cell in staff.html.all("td") if cell.attributes.get("class") == "num"] == ["3"]
    staff.post(f"/staff/embeds/{embed.key}/revocation", {"reason": ""}, status=422)
    staff.post(f"/staff/embeds/{embed.key}/revocation", {"reason": "The wrong site."})
    with pytest.raises(EmbedRevoked):
        parts.embeds.permission(embed.key)
    staff.post(f"/staff/embeds/{embed.key}/restoration", {"reason": "It was the right one."})
    assert parts.embeds.permission(embed.key).key == embed.key
    assert ["embed" in mail["Subject"] for mail in visitor.letters()[-2:]] == [True, True]
    parts.erasure.erase(participant.id, reason="Asked for.", by="page")
    staff.post(f"/staff/embeds/{embed.key}/restoration", {"reason": "Back."}, status=409)
    assert {one.reason for one in parts.endings.history(embed.key)} == {None}


@pytest.fixture
def draft(app: Flask, tmp_path: Path) -> Path:
    """Policies of one's own, published as they are shipped; the folder is the draft."""
    policies = shutil.copytree(settings.shipped("policies"), tmp_path / "policies")
    emblem = app.extensions["emblem"]
    emblem.settings = replace(emblem.settings, policies_dir=policies)
    return policies


def test_staff_publish_with_the_difference_and_whom_it_asks(
    staff: Visitor, app: Flask, clock: FrozenClock, draft: Path, waiting: Visitor
) -> None:
    person = Visitor(app)
    person.join()
    person.accept()
    assert "Everything is published already" in staff.get("/staff/publishing").text
    terms = draft / "terms" / "logo-terms"
    written = (terms / "terms.yaml").read_text(encoding="utf-8")
    newest = staff.parts.campaign.terms.current("logo-terms", staff.parts.clock()).version
    shutil.copytree(terms / newest, terms / "2026-11-25")
    first = written.index("  - version")
    (terms / "terms.yaml").write_text(written[:first] + NEW_TERMS + written[first:], encoding="utf-8")
    eligibility = draft / "eligibility.yaml"
    before, rule, after = eligibility.read_text(encoding="utf-8").partition("  - id: purpose-looked-at\n")
    changed = after.replace("decision: review", "decision: decline\n    reason: {en: No.}", 1)
    eligibility.write_text(before + rule + changed, encoding="utf-8")
    page = staff.get("/staff/publishing?try=yes").text
    assert staff.html.all("dd")[0].text.strip() == "1"
    assert any("decision: decline" in one.text for one in staff.html.all("ins"))
    text = f"policies/terms/logo-terms/2026-11-25/en.md added, compared with policies/terms/logo-terms/{newest}/en.md"
    assert text in [" ".join(one.text.split()) for one in staff.html.all("summary")]
    assert "applications" in page
    assert "Example Waiting" in [link.text for link in staff.html.all("a")], "who is decided otherwise is named"
    (draft / "actions.yaml").open("a", encoding="utf-8").write("# changed after the page was shown\n")
    staff.post("/staff/publishing", {"reason": "New terms."}, status=409)
    staff.post("/staff/publishing", {"reason": ""}, status=422)
    staff.post("/staff/publishing", {"reason": "New terms."})
    text = staff.get("/staff/publishing?done=yes").text
    assert "New terms." in text
    assert "Everything is published already" in text
    assert staff.parts.campaign.terms.current("logo-terms", staff.parts.clock()).version == "2026-11-25"
    staff.get("/staff/terms/logo-terms/2026-11-25")
    staff.post("/staff/terms/logo-terms/2026-11-25/reminder", {})
    staff.post("/staff/terms/logo-terms/2026-11-25/reminder", {})
    assert [mail["Subject"].partition(": ")[2] for mail in person.letters()][-1:] == ["the terms have changed"]
    staff.post(f"/staff/terms/logo-terms/{newest}/reminder", {}, status=409)
    assert staff.parts.participants.uptake.remind(staff.parts.campaign.terms.get("logo-terms", "2026-11-25")) == 0
    later = NEW_TERMS.replace("2026-11-25", "2026-11-26")
    (terms / "terms.yaml").write_text(written[:first] + later + NEW_TERMS + written[first:], encoding="utf-8")
    shutil.copytree(terms / newest, terms / "2026-11-26")
    staff.get("/staff/publishing")
    staff.post("/staff/publishing", {"reason": "For the new year."})
    late = Visitor(app)
    late.join()
    late.accept()
    late.get("/en/account/terms/logo-terms/2026-11-26")
    _accept_what_is_to_come(person)
    (draft / "desk.yaml").write_text("clock:\n  zone: Mars/Base\n", encoding="utf-8")
    assert "desk.yaml:2" in staff.get("/staff/publishing").text
    clock.advance(86_400)  # the version comes into force while it is read
    late.post("/en/account/terms/logo-terms/2026-11-26", {"name": "Example Person", "capacity": "For myself"})
    assert late.parts.participants.acceptances.of(_id(late))[0].version == "2026-11-26"


def _accept_what_is_to_come(person: Visitor) -> None:
    path = "/en/account/terms/logo-terms/2026-11-26"
    person.get("account")
    assert person.html.all("a", href=path)
    person.get(path)
    person.post(path, {"name": ""}, status=422)
    person.post(path, {"name": "Example Person", "capacity": "For myself"})
    person.get("account")
    assert not person.html.all("a", href=path)
    accepted = person.parts.participants.acceptances.of(_id(person))
    assert accepted[0].version == "2026-11-26"
    person.get(path, status=303)
    person.get("/en/account/terms/logo-terms/2026-11-25", status=303)  # the account says where it is accepted
    person.get("/en/account/terms/logo-terms/2027-12-25", status=404)


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


def test_entries_are_sent_to_a_webhook_again_from_the_page(app: Flask, staff: Visitor, waiting: Visitor) -> None:
    emblem, url = staff.parts, "https://crm.example.org/hook"
    assert "alerts.yaml" in staff.get("/staff/webhooks").text, "where nothing is sent, the page says where that is said"
    hook = Webhook.model_validate({"url": url, "kinds": ["participant.joined"]})
    emblem.alerts.rules = emblem.alerts.rules.model_copy(update={"webhooks": (hook,)})
    emblem.sealer.seal()
    staff.get("/staff/webhooks")
    for wrong in ({"from": "x"}, {"from": "4711"}, {"from": "0", "url": "https://other.example.org/"}):
        staff.post("/staff/webhooks/replays", wrong, status=422)
        assert staff.html.all("div", class_="summary")
    staff.post("/staff/webhooks/replays", {"from": "0", "url": url})
    assert "Entries that are sent again: 1." in staff.get("/staff/webhooks?replayed=1").text
    assert emblem.entry_webhooks.enqueue([hook]) == 1
    auditor = Visitor(app)
    auditor.sign_in_as_staff("auditor@example.org")
    assert "/replays" not in auditor.get("/staff/webhooks").text
    auditor.post("/staff/webhooks/replays", {"from": "0"}, status=403)


def test_staff_make_narrow_keys_whose_secret_is_shown_once(staff: Visitor, app: Flask) -> None:
    staff.get("/staff/keys")
    form = {"role": "portal", "name": "Download page", "package": "logo", "read_only": "yes", "life": "30"}
    shown = staff.post("/staff/keys", form, status=200).text
    found = re.search(r"emb_[A-Za-z0-9_-]{43}", shown)
    assert found
    keys = staff.parts.participants.api_keys
    key = keys.authenticate(found[0])
    assert key is not None
    assert (key.name, key.scope) == ("Download page", Scope(read_only=True, package="logo"))
    assert key.expires_at == staff.parts.clock() + timedelta(days=30)
    page = staff.get("/staff/keys").text
    assert key.id in page
    assert "emb_" not in page
    again = re.search(
        r"emb_[A-Za-z0-9_-]{43}", staff.post(f"/staff/keys/{key.id}/rotation", {"overlap": "0"}, 200).text
    )
    assert again
    assert keys.authenticate(found[0]) is None
    assert keys.authenticate(again[0]) == key
    for wrong in ({"origin": "https://example.org/page"}, {"package": "nothing"}, {"role": "partner"}):
        staff.get("/staff/keys")
        assert staff.post("/staff/keys", form | wrong, status=404 if "package" in wrong else 422).text
    auditor = Visitor(app)
    auditor.sign_in_as_staff("auditor@example.org")
    seen = auditor.get("/staff/keys").text
    assert key.id in seen
    assert "Download page" not in seen
    staff.post(f"/staff/keys/{key.id}/revocation", {"reason": " "}, status=422)
    assert keys.authenticate(again[0]) == key
    assert "Write why it is ended" in staff.html.all("p", class_="error")[0].text
    staff.post(f"/staff/keys/{key.id}/revocation", {"reason": "No longer used."})
    assert keys.authenticate(again[0]) is None
    mine = staff.post("/staff/keys", {"role": "staff", "life": "0"}, status=200).text
    of_staff = keys.authenticate(re.findall(r"emb_[A-Za-z0-9_-]{43}", mine)[0])
    assert of_staff is not None
    assert (of_staff.staff, of_staff.expires_at) == (staff.parts.participants.staff.list()[0].id, None)


def test_what_does_not_come_back_needs_a_recent_sign_in(
    staff: Visitor, waiting: Visitor, app: Flask, clock: FrozenClock
) -> None:
    participant = _id(waiting)
    key, _ = staff.parts.participants.api_keys.create("portal", by="staff:cli")
    erasure = {"outcome": "erased", "reason": "Asked for.", "sure": "yes"}
    tries: tuple[tuple[str, dict[str, str]], ...] = (
        (f"/staff/participants/{participant}", erasure),
        ("/staff/keys", {"role": "portal"}),
        (f"/staff/keys/{key.id}/rotation", {"overlap": "24"}),
        ("/staff/catalogue/logo/1.0.0/withdrawal", {"reason": "Wrong file."}),
        ("/staff/passkeys/options", {}),
        ("/staff/passkeys", {"credential": "{}"}),
        ("/staff/passkeys/pky_x/removal", {}),
        ("/staff/passkeys/recovery/stf_x", {}),
    )
    clock.advance(15 * 60 + 1)
    staff.get("/staff/keys")
    for path, form in tries:
        assert "/en/sign-in" in staff.post(path, form, status=403).text
    assert staff.parts.participants.listing.get(participant).status == "under_review"
    assert len(staff.parts.participants.api_keys.list()) == 1
    staff.sign_in_as_staff()
    staff.get("/staff/keys")
    assert [
        staff.post(path, form, status).status_code for (path, form), status in zip(tries, (303, 200, 200), strict=False)
    ]
    assert staff.parts.participants.listing.get(participant).status == "erased"
