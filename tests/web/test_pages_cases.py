"""Cases on pages: the console decides, undoes and asks back; applicants answer, ask and withdraw; anybody reports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from service.desk import UNDO_FOR, CaseView, Filter
from tests.conftest import FrozenClock
from tests.parts.mails import text_of
from tests.parts.willing import PLAN

from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask


@pytest.fixture
def staff(app: Flask) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in_as_staff()
    return visitor


@pytest.fixture
def waiting(app: Flask) -> Visitor:
    """Somebody whose application waits in the queue."""
    visitor = Visitor(app)
    visitor.join(name="Example Waiting", purposes=["commercial"])
    return visitor


def case_of(visitor: Visitor) -> CaseView:
    """The newest case of whoever is at the browser."""
    people = visitor.parts.participants.listing.list().items
    participant = next(one.id for one in people if one.email == visitor.address)
    return visitor.parts.desk.reading.of_participant(participant, staff=True)[0]


def status(visitor: Visitor) -> str:
    """The status of whoever is at the browser."""
    return visitor.parts.participants.listing.get(str(case_of(visitor).participant)).status


def answers(visitor: Visitor, **changes: str) -> dict[str, str]:
    """The form of questions as it stands, with what is changed."""
    fields = {
        field.attributes["name"]: field.attributes.get("value", "")
        for field in visitor.html.all("input")
        if field.attributes.get("type") not in ("radio", "checkbox", "file") or "checked" in field.attributes
    }
    fields |= {area.attributes["name"]: area.text for area in visitor.html.all("textarea")}
    return fields | changes


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_the_pages_are_whole_in_every_language(staff: Visitor, waiting: Visitor, lang: str) -> None:
    case = case_of(waiting)
    for page in (f"/staff?lang={lang}&q=example&mine=no", f"/staff/cases/{case.id}?lang={lang}"):
        staff.get(page)
        assert not staff.html.mistakes, (page, staff.html.mistakes[:3])
        assert not [element for element in staff.html.elements if "style" in element.attributes]
        assert "Example Waiting" in " ".join(heading.text for heading in staff.html.all("th") + staff.html.all("h1"))
    for page in (f"/{lang}/account/cases/{case.id}", f"/{lang}/report"):
        waiting.get(page)
        assert not waiting.html.mistakes, (page, waiting.html.mistakes[:3])
        assert len(waiting.html.all("h1")) == 1


def test_a_decision_is_undone_and_then_takes_effect(staff: Visitor, waiting: Visitor, clock: FrozenClock) -> None:
    case = case_of(waiting)
    page = f"/staff/cases/{case.id}"
    text = staff.get(page).text
    assert PLAN in text
    assert "Thank you for your support." in text  # an answer to begin with
    sent = {"outcome": "approved", "reason": "A fair sale.", "version": str(case.version)}
    staff.post(f"{page}/decision", {**sent, "reason": " "}, status=422)
    done = staff.post(f"{page}/decision", sent)
    assert done.headers["Location"] == f"/staff?decided={case.id}"
    assert "can be undone" in staff.get(done.headers["Location"]).text
    staff.post(f"{page}/undo", {})
    assert case_of(waiting).pending is None
    assert "Somebody was quicker" in staff.post(f"{page}/decision", sent, status=412).text
    staff.get(page)
    staff.post(f"{page}/decision", {**sent, "version": str(case_of(waiting).version)})
    assert status(waiting) == "under_review"
    clock.advance(UNDO_FOR.total_seconds())
    assert staff.parts.desk.deciding.settle() == 1
    assert status(waiting) == "approved"
    assert "A fair sale." in waiting.get("account").text
    staff.post(f"{page}/undo", {}, status=409)


def test_after_a_decision_the_next_case_opens(staff: Visitor, waiting: Visitor, app: Flask) -> None:
    other = Visitor(app)
    other.join(name="Example Second", purposes=["fundraising"])
    first, second = case_of(waiting), case_of(other)
    staff.get(f"/staff/cases/{first.id}")
    sent = {"outcome": "declined", "reason": "No.", "version": str(first.version)}
    done = staff.post(f"/staff/cases/{first.id}/decision", sent)
    assert done.headers["Location"] == f"/staff/cases/{second.id}?decided={first.id}"
    assert "Undo" in staff.get(done.headers["Location"]).text


def test_many_are_decided_with_one_reason(staff: Visitor, waiting: Visitor, app: Flask, clock: FrozenClock) -> None:
    other = Visitor(app)
    other.join(name="Example Second", purposes=["fundraising"])
    first, second = case_of(waiting), case_of(other)
    staff.get("/staff")
    staff.post("/staff/cases", {"outcome": "approved", "reason": "Fine."}, status=422)
    staff.get("/staff")
    versions = {f"version-{one.id}": str(one.version) for one in (first, second)}
    staff.parts.desk.conversation.write(second.id, "Wait.", by="staff:stf_x", visible=False)
    done = staff.post(
        "/staff/cases", {"outcome": "approved", "reason": "Fine.", "case": [first.id, second.id], **versions}
    )
    assert done.headers["Location"] == "/staff?many=1&late=1"
    clock.advance(UNDO_FOR.total_seconds())
    staff.parts.desk.deciding.settle()
    assert (status(waiting), status(other)) == ("approved", "under_review")


def test_what_was_decided_by_mistake_is_undone_at_once_and_by_its_owner_alone(
    staff: Visitor, waiting: Visitor, app: Flask, clock: FrozenClock
) -> None:
    more = Visitor(app)
    more.join(name="Example Later", purposes=["fundraising"])
    cases = [case_of(waiting), case_of(more)]
    staff.get("/staff")
    staff.post("/staff/cases", {"case": [one.id for one in cases], "outcome": "declined", "reason": "A slip."})
    colleague = Visitor(app)
    staff.parts.participants.staff.add("other@example.org", by="staff:cli")
    colleague.sign_in_as_staff("other@example.org")
    colleague.post("/staff/undo", {"case": [one.id for one in cases]})
    assert all(case_of(one).pending for one in (waiting, more))
    staff.get("/staff")
    assert "Undo all of them" in [button.text for button in staff.html.all("button")]
    staff.post("/staff/undo", {"case": [one.id for one in cases]})
    clock.advance(UNDO_FOR.total_seconds())
    assert staff.parts.desk.deciding.settle() == 0
    assert {status(waiting), status(more)} == {"under_review"}


def test_only_some_of_the_purposes_are_approved(staff: Visitor, app: Flask, clock: FrozenClock) -> None:
    asking = Visitor(app)
    asking.join(name="Example Asking", purposes=["information", "commercial"])
    case = case_of(asking)
    page = f"/staff/cases/{case.id}"
    staff.get(page)
    assert [one.attributes["value"] for one in staff.html.all("input", name="purposes")] == list(case.purposes)
    given = {"outcome": "approved", "reason": "Not for sale.", "narrows": "yes"}
    staff.post(f"{page}/decision", given, status=422)
    assert "Tick at least one purpose" in staff.html.all("div", id="errors")[0].text
    staff.post(f"{page}/decision", {**given, "purposes": ["information"]})
    clock.advance(UNDO_FOR.total_seconds())
    staff.parts.desk.deciding.settle()
    found = staff.parts.participants.listing.get(str(case.participant))
    assert (found.status, found.purposes) == ("approved", ("information",))
    staff.get(f"/staff/participants/{case.participant}")
    assert page in staff.html.links(), "a participant's page leads to its cases"


def test_a_question_is_answered_on_the_account_page(staff: Visitor, waiting: Visitor) -> None:
    case = case_of(waiting)
    page = f"/staff/cases/{case.id}"
    staff.get(page)
    staff.post(f"{page}/messages", {"to": "staff", "note": "Looks odd."})
    staff.get(page)
    staff.post(f"{page}/messages", {"to": "applicant", "question": ""}, status=422)
    staff.get(page)
    staff.post(f"{page}/messages", {"to": "applicant", "question": "What is sold?"})
    assert status(waiting) == "returned"
    text = waiting.get("account").text
    assert "What is sold?" in text
    assert "Looks odd." not in text
    mine = f"account/cases/{case.id}"
    assert "Looks odd." not in waiting.get(mine).text
    waiting.post(f"{mine}/messages", answers(waiting, text=""), status=422)
    waiting.get(mine)
    changed = answers(waiting, text="Mugs.") | {"answers.plan": PLAN + " On mugs.", "purposes": "commercial"}
    waiting.post(f"{mine}/messages", changed)
    assert status(waiting) == "under_review"
    assert [change.name for change in case_of(waiting).changes] == ["answers.plan"]
    assert "On mugs." in staff.get(page).text


def test_the_account_shows_what_was_written_and_by_when_it_is_decided(waiting: Visitor) -> None:
    shown = waiting.get("/ar/account").text
    assert all(part in shown for part in (PLAN, "ما كتبتموه", "الاستخدام التجاري"))
    shown = waiting.get("/en/account").text
    assert "A person looks at it, and decides by" in shown
    assert "Decided on" not in shown, "a rule left it to a person"
    case = case_of(waiting)
    waiting.parts.desk.deciding.decide(case.id, "approved", reason="A fair sale.", by="staff:stf_x")
    shown = waiting.get("/en/account").text
    assert PLAN in shown
    assert "Decided on" in shown
    assert "decides by" not in shown


def test_another_purpose_is_asked_for_and_withdrawn(app: Flask) -> None:
    partner = Visitor(app)
    partner.join()
    assert "Ask for another purpose" in partner.get("account").text
    partner.get("account/requests/change")
    sent = answers(partner, message="A run.")
    partner.post("account/requests/change", sent, status=422)
    partner.get("account/requests/change")
    made = partner.post("account/requests/change", {**sent, "purposes": ["information", "fundraising"]})
    case = case_of(partner)
    assert made.headers["Location"] == f"/en/account/cases/{case.id}"
    assert (case.kind, case.status, case.messages[0].text) == ("change", "open", "A run.")
    mine = f"account/cases/{case.id}"
    partner.get(mine)
    partner.post(f"{mine}/withdrawal", {}, status=422)
    partner.get(mine)
    partner.post(f"{mine}/withdrawal", {"sure": "yes"})
    assert (case_of(partner).status, status(partner)) == ("closed", "approved")


def test_cases_are_their_owners_and_staffs(waiting: Visitor, app: Flask) -> None:
    case = case_of(waiting)
    stranger = Visitor(app)
    stranger.get(f"account/cases/{case.id}", status=401)
    stranger.join()
    stranger.get(f"account/cases/{case.id}", status=404)
    stranger.get(f"/staff/cases/{case.id}", status=403)
    auditor = Visitor(app)
    auditor.sign_in_as_staff("auditor@example.org")
    auditor.get(f"/staff/cases/{case.id}", status=403)


def test_anybody_reports_misuse(app: Flask, staff: Visitor) -> None:
    visitor = Visitor(app)
    visitor.get("report")
    visitor.post("report", {"url": "mugs", "description": "", "email": "x"}, status=422)
    assert len(visitor.html.all("a", href="#f-url")) == 1
    visitor.get("report")
    done = visitor.post("report", {"url": "https://shop.example.org/", "description": "Mugs.", "email": ""})
    (case,) = staff.parts.desk.reading.list(Filter()).items
    assert case.id in visitor.get(done.headers["Location"]).text
    text = staff.get(f"/staff/cases/{case.id}").text
    assert "https://shop.example.org/" in text
    sent = {"outcome": "upheld", "reason": "Ended.", "version": str(case.version)}
    staff.post(f"/staff/cases/{case.id}/decision", sent)


def test_the_mail_is_previewed_and_nothing_decided(staff: Visitor, waiting: Visitor) -> None:
    case = case_of(waiting)
    page = f"/staff/cases/{case.id}"
    staff.get(page)
    for path, sent in (
        ("decision", {"preview": "declined", "reason": "Quillmarsh is another cause."}),
        ("messages", {"preview": "return", "question": "Quillmarsh or not?", "to": "applicant"}),
    ):
        text = staff.post(f"{page}/{path}", sent, status=200).text
        assert text.count("Quillmarsh") == 2  # where it was typed, and in the mail
        assert "Nothing has been decided yet" in text
    assert case_of(waiting).version == case.version


def test_what_somebody_else_did_meanwhile_is_told_wherever_staff_decide(staff: Visitor, waiting: Visitor) -> None:
    case = case_of(waiting)
    staff.get(f"/staff/participants/{case.participant}")
    seen = dict(staff.html.hidden)
    staff.get(f"/staff/cases/{case.id}")
    staff.parts.desk.deciding.decide(case.id, "approved", reason="Fine.", by="staff:stf_x")
    stale = {"version": str(case.version)}
    for path, sent in (
        (f"/staff/cases/{case.id}/assignment", stale | {"to": "me"}),
        (f"/staff/participants/{case.participant}", seen | {"outcome": "declined", "reason": "No."}),
    ):
        assert staff.client.post(path, data=sent, headers={"Accept": "text/html"}).status_code in (409, 412)
    assert status(waiting) == "approved"


def test_a_report_of_misuse_finds_its_participant_who_gets_a_letter_with_a_day(
    staff: Visitor, waiting: Visitor, app: Flask
) -> None:
    witness = Visitor(app)
    witness.get("report")
    witness.post("report", {"url": "https://shop.example.org/", "description": "Mugs."})
    (case,) = staff.parts.desk.reading.list(Filter(kind="misuse")).items
    page = f"/staff/cases/{case.id}"
    staff.get(page)
    staff.post(f"{page}/participant", {"participant": "par_nobody"}, status=422)
    other = Visitor(app)
    other.join(name="Example Other")
    staff.post(f"{page}/participant", {"participant": "nobody at all"}, status=422)
    staff.post(f"{page}/participant", {"participant": "example"}, status=422)
    mine = str(case_of(waiting).participant)
    assert staff.html.all("button", name="participant", value=mine), "of several that are found one is chosen"
    staff.post(f"{page}/participant", {"participant": "Example Waiting"})
    assert staff.parts.desk.reading.get(case.id, staff=True).participant == mine
    staff.get(page)
    staff.post(f"{page}/letter", {"letter": "Please take them down.", "days": "0"}, status=422)
    staff.post(f"{page}/letter", {"letter": "Please take them down.", "days": "2"})
    text = text_of(waiting.letters()[-1])
    assert "Please take them down." in text
    assert "27 November 2026" in text
    assert staff.parts.desk.reading.get(case.id, staff=True).due_at.day == 27
    assert "There is no answer yet." in staff.get(page).text
    letter = re.findall(r"/en/(letter/\S+)", text)[0]
    reader = Visitor(app)  # without an account
    told = reader.get(letter).text
    assert "Please take them down." in told
    assert "Mugs." not in told
    reader.post(letter, {"text": ""}, status=422)
    reader.post(letter, {"text": "Quillmarsh has taken them down."})
    assert "Quillmarsh has taken them down." in reader.get(letter).text
    assert "Quillmarsh has taken them down." in staff.get(page).text
    staff.parts.desk.deciding.decide(case.id, "upheld", reason="Taken down.", by="staff:stf_x")
    assert letter in text_of(waiting.letters()[-1])
    assert "was against the rules" in reader.get(letter).text
    reader.post(letter, {"text": "And again."}, status=422)
    assert "Taken down." in staff.get("/staff?kind=misuse&status=decided").text
    assert "Mugs." not in waiting.get("account").text


def test_a_letter_is_shown_to_those_alone_whom_the_case_is_about(staff: Visitor, waiting: Visitor, app: Flask) -> None:
    misuse, participant = staff.parts.desk.misuse, str(case_of(waiting).participant)
    case = misuse.report({"url": "https://shop.example.org/", "description": "Mugs."})
    misuse.name(case, participant, by="staff:stf_x")
    misuse.write(case, "Yours?", days=2, by="staff:stf_x")
    staff.parts.desk.conversation.write(case, "A quillnote.", by="staff:stf_x")
    letter = re.findall(r"/en/(letter/\S+)", text_of(waiting.letters()[-1]))[0]
    assert "quillnote" not in waiting.get(letter).text
    other = Visitor(app)
    other.join(name="Example Other", purposes=["commercial"])
    misuse.name(case, str(case_of(other).participant), by="staff:stf_x")
    for wrong in (letter, letter[:-1], letter + "x"):
        assert waiting.client.get(f"/en/{wrong}").status_code == 404
    misuse.write(case, "Yours, then.", days=2, by="staff:stf_x")
    text = other.get(re.findall(r"/en/(letter/\S+)", text_of(other.letters()[-1]))[0]).text
    assert "Yours, then." in text
    assert "Yours?" not in text
