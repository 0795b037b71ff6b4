"""Ten stories of real life, told to their end on the service's own pages.

Each ends as its people want it without anybody having to write an e-mail outside the service: whoever waits for
somebody finds on a page, or in a mail of the service, what to do next, and does it there.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service import settings as settings_room
from service.desk import UNDO_FOR, CaseView
from tests.conftest import FrozenClock, environment
from tests.parts.mails import text_of
from tests.web.visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask

    from service.deployment import Deployment
    from service.settings import Settings

DESK = """
teams:
  - {id: alps, title: {en: Alps}, countries: [AT, CH]}
permissions:
  - {days: 365, kinds: [civil_society], purposes: [fundraising]}
"""


@pytest.fixture(scope="module")
def _with_desk(tmp_path_factory: pytest.TempPathFactory, _published: Path) -> Path:
    """A deployment with a team and permissions that end, beside its policies: made once, copied for each story."""
    from service.deployment import open_publisher

    folder = tmp_path_factory.mktemp("stories")
    shutil.copytree(_published, folder / "deployment")
    shutil.copytree(settings_room.shipped("policies"), folder / "policies")
    desk = folder / "policies" / "desk.yaml"
    written = desk.read_text(encoding="utf-8").replace("\nteams: []\n", "\n").replace("\npermissions: []\n", "\n")
    desk.write_text(written + DESK, encoding="utf-8")
    with open_publisher(_settings(folder), FrozenClock()) as publisher:
        publisher.publish_rules(by="staff:cli")
    return folder


@pytest.fixture
def policies(_with_desk: Path, tmp_path: Path) -> Path:
    """The policies of the story's deployment, as a draft of one's own."""
    shutil.copytree(_with_desk, tmp_path / "story")
    return tmp_path / "story" / "policies"


@pytest.fixture
def app(clock: FrozenClock, policies: Path) -> Iterator[Flask]:
    """The application over those policies."""
    from service.app import create_app

    made = create_app(settings=_settings(policies.parent), clock=clock)
    yield made
    made.extensions["emblem"].close()


def _settings(folder: Path) -> Settings:
    found = settings_room.load(environment(folder / "deployment"))
    return dataclasses.replace(found, policies_dir=folder / "policies")


@dataclasses.dataclass
class Desk:
    """A person of the staff at the console, and the clock of the day."""

    browser: Visitor
    clock: FrozenClock

    @property
    def parts(self) -> Deployment:
        """What the application is made of."""
        return self.browser.parts

    def decide(self, case: str, outcome: str, reason: str) -> None:
        """Decides a case on its page, and lets the time to undo it pass."""
        self.browser.get(f"/staff/cases/{case}")
        sent = {"outcome": outcome, "reason": reason, "version": str(self.case(case).version)}
        boxes = self.browser.html.all("input", type="checkbox", name="purposes")
        ticked = [box.attributes["value"] for box in boxes if "checked" in box.attributes]
        self.browser.post(f"/staff/cases/{case}/decision", {**sent, "purposes": ticked} if boxes else sent)
        self.clock.advance(UNDO_FOR.total_seconds())
        assert self.parts.desk.deciding.settle() == 1

    def case(self, case: str) -> CaseView:
        """A case as staff see it."""
        return self.parts.desk.reading.get(case, staff=True)

    def first(self) -> str:
        """The id of the case that the queue shows first."""
        self.browser.get("/staff")
        link = next(one for one in self.browser.html.all("a") if "data-case" in one.attributes)
        return link.attributes["href"].partition("?")[0].rpartition("/")[2]


@pytest.fixture
def desk(app: Flask, clock: FrozenClock) -> Desk:
    browser = Visitor(app)
    browser.sign_in_as_staff()
    return Desk(browser, clock)


@pytest.fixture
def society(app: Flask) -> Visitor:
    """The press officer of a society, who has not joined yet."""
    return Visitor(app)


def told(visitor: Visitor) -> str:
    """The newest mail to somebody; the page that it leads to is one of the service's."""
    mail = visitor.letters()[-1]
    assert re.search(r"https?://\S+/[a-z]{2}/\S+", text_of(mail)), text_of(mail)
    return text_of(mail)


def status(visitor: Visitor) -> str:
    """What somebody's account says of where they stand."""
    visitor.get("account")
    return next(one.attributes["class"] for one in visitor.html.all("span", class_="badge")).rpartition("badge-")[2]


def questions(visitor: Visitor) -> dict[str, Any]:
    """What the form that is open would send as it stands."""
    form: dict[str, Any] = {
        one.attributes["name"]: one.attributes.get("value", "")
        for one in visitor.html.all("input")
        if one.attributes.get("name", "").startswith("answers.")
        and (one.attributes.get("type") != "radio" or "checked" in one.attributes)
    }
    form |= {
        area.attributes["name"]: area.text
        for area in visitor.html.all("textarea")
        if area.attributes["name"].startswith("answers.")
    }
    form["purposes"] = [one.attributes["value"] for one in visitor.html.all("input", name="purposes", checked="")]
    return form


def test_missing_evidence(desk: Desk, society: Visitor) -> None:
    """Staff ask back instead of declining; the answer comes with a file, and the application is approved."""
    society.join("civil_society", name="Quillmarsh", purposes=["commercial"])
    case = desk.first()
    desk.browser.get(f"/staff/cases/{case}?answer=more-evidence")
    (question,) = desk.browser.html.all("textarea", name="question")
    desk.browser.post(f"/staff/cases/{case}/messages", {"question": question.text, "to": "applicant"})
    assert question.text.strip() in told(society)
    assert status(society) == "returned"
    society.get(f"account/cases/{case}")
    answer = questions(society) | {"text": "It is in our statutes, article 3."}
    society.post(f"account/cases/{case}/messages", answer)
    desk.decide(case, "approved", "Article 3 says it.")
    assert "Article 3 says it." in told(society)
    assert status(society) == "approved"


def test_the_wrong_kind_was_chosen(desk: Desk, society: Visitor) -> None:
    """Somebody joins as a person for a company: staff say so, the application is withdrawn, and made anew."""
    society.join("individual", name="Quillmarsh", purposes=["commercial"])
    case = desk.first()
    desk.browser.get(f"/staff/cases/{case}")
    desk.browser.post(f"/staff/cases/{case}/messages", {"question": "Is this for a company?", "to": "applicant"})
    society.get(f"account/cases/{case}")
    society.post(f"account/cases/{case}/messages", questions(society) | {"text": "Yes. Please let me join as one."})
    person = desk.case(case).participant
    desk.browser.get(f"/staff/participants/{person}")
    erased = {"outcome": "erased", "reason": "You may join anew as a company.", "sure": "yes"}
    desk.browser.post(f"/staff/participants/{person}", erased)
    society.join("private_sector", name="Quillmarsh Ltd", purposes=["information"])
    kinds = {one.kind for one in desk.parts.participants.listing.list().items if one.status != "erased"}
    assert kinds == {"private_sector"}


def test_a_colleague_leaves(desk: Desk, society: Visitor, app: Flask) -> None:
    """Who leaves invites who comes; the successor signs in by the own mailbox and takes the leaver out."""
    society.join("civil_society", name="Quillmarsh")
    society.accept()
    successor = Visitor(app)
    society.get("account/members")
    society.post("account/members", {"name": "Kim Example", "email": successor.address, "capacity": "Press officer"})
    path = successor.mailed()
    successor.get(path)
    successor.post(path, {})
    successor.get("account/members")
    (leaver,) = (
        one
        for one in desk.parts.participants.members.of(desk.parts.participants.listing.list().items[0].id)
        if one.email == society.address
    )
    successor.post(f"account/members/{leaver.id}/removal", {})
    successor.get("tools/logo")
    successor.post("download", {"package": "logo"})
    assert society.client.get("/en/account").headers["Location"] == "/en/sign-in"


def test_the_purpose_is_widened(desk: Desk, society: Visitor) -> None:
    """An approved society asks for fundraising where its account offers it; what it has goes on meanwhile."""
    society.join("civil_society", name="Quillmarsh")
    society.get("account")
    assert "/en/account/requests/change" in society.html.links()
    society.get("account/requests/change?purpose=fundraising")
    form = questions(society)
    assert "fundraising" in form["purposes"]
    society.post("account/requests/change", form | {"message": "We run a charity race."})
    assert status(society) == "approved"
    desk.decide(desk.first(), "approved", "A good cause.")
    assert "A good cause." in told(society)
    (one,) = desk.parts.participants.listing.list().items
    assert "fundraising" in one.purposes


def test_a_renewal_that_is_late(desk: Desk, society: Visitor) -> None:
    """Reminded twice, lapsed, and renewed from the account: the same link works again."""
    society.join("civil_society", name="Quillmarsh", purposes=["fundraising"])
    desk.decide(desk.first(), "approved", "Fine.")
    society.accept()
    society.get("tools/logo")
    society.post("download", {"package": "logo"})
    (link,) = desk.parts.links.list().items[:1]
    for days in (340, 20, 10):
        desk.clock.advance(timedelta(days=days).total_seconds())
        desk.parts.participants.permissions.run()
    assert status_after_signing_in(society) == "lapsed"
    assert "/en/account/requests/renewal" in society.html.links()
    society.get("account/requests/renewal")
    society.post("account/requests/renewal", questions(society), status=422)  # a report of use is part of it
    society.post("account/requests/renewal", questions(society) | {"message": "Shown at two races."})
    desk.browser.sign_in_as_staff()
    desk.decide(desk.first(), "approved", "Thank you for the report.")
    assert status(society) == "approved"
    assert desk.parts.links.get(link.id).state.participant


def status_after_signing_in(visitor: Visitor) -> str:
    """Signs in anew, after a long while, and reads where one stands."""
    visitor.get("sign-in")
    visitor.post("sign-in", {"email": visitor.address})
    path = visitor.mailed()
    visitor.get(path)
    visitor.post(path, {})
    return status(visitor)


def test_the_focal_point_is_away(desk: Desk, society: Visitor, app: Flask) -> None:
    """The team's one member is away: the case grows late, who has no team hears of it, takes it and decides."""
    away = desk.parts.participants.staff.add("alps@example.org", teams=["alps"], by="staff:cli")
    society.join("civil_society", name="Quillmarsh", country="AT", purposes=["commercial"])
    case = desk.first()
    desk.clock.now = desk.case(case).due_at + timedelta(minutes=1)
    assert desk.parts.desk.deadlines.tell() == 1
    assert "takes longer" in str(society.letters()[-1]["Subject"])
    hearer = Visitor(app, address="staff@example.org")
    assert any(case in text_of(mail) for mail in hearer.letters())
    desk.browser.sign_in_as_staff()
    desk.browser.get(f"/staff/cases/{case}")
    desk.browser.post(f"/staff/cases/{case}/assignment", {"to": "me"})
    assert desk.case(case).assignee not in (None, away.id)
    desk.decide(case, "approved", "Decided for a colleague.")
    assert status_after_signing_in(society) == "approved"


def test_misuse_is_reported(desk: Desk, society: Visitor, app: Flask) -> None:
    """Anybody reports a site; staff end the embed that shows the logo there, and both sides hear of it."""
    society.join("civil_society", name="Quillmarsh")
    society.accept()
    (one,) = desk.parts.participants.listing.list().items
    embed = desk.parts.embeds.create(one.id, "heart", ["https://www.example.org"], "report", by="page")
    witness = Visitor(app)
    witness.get("report")
    report = {"url": "shop.example.org/mugs", "description": "Mugs for sale.", "email": witness.address}
    witness.post("report", report)
    case = desk.first()
    desk.browser.get(f"/staff/embeds/{embed.key}")
    desk.browser.post(f"/staff/embeds/{embed.key}/revocation", {"reason": "Mugs were sold with it."})
    assert "Mugs were sold with it." in told(society)
    desk.decide(case, "upheld", "The use has ended.")
    assert "The use has ended." in text_of(witness.letters()[-1])
    desk.browser.get(f"/staff/embeds/{embed.key}")
    desk.browser.post(f"/staff/embeds/{embed.key}/restoration", {"reason": "The shop is closed."})
    assert "The shop is closed." in told(society)


def test_the_terms_change_twice(desk: Desk, society: Visitor, policies: Path) -> None:
    """Each version is published from the console, asked for by a reminder, and accepted with the download."""
    society.join("civil_society", name="Quillmarsh")
    society.accept()
    folder = policies / "terms" / "logo-terms"
    for version in ("2026-11-24", "2026-11-25"):
        file = folder / "terms.yaml"
        written = file.read_text(encoding="utf-8")
        new = (
            f'  - version: "{version}"\n    effective: {version}T00:00:00Z\n'
            "    languages: [ar, en, es, fr, ru, zh]\n    changes: {en: The number.}\n"
        )
        file.write_text(written.replace("versions:\n", "versions:\n" + new, 1), encoding="utf-8")
        shutil.copytree(folder / "2026-03-01", folder / version)
        desk.browser.get("/staff/publishing")
        desk.browser.post("/staff/publishing", {"reason": "As agreed."})
        desk.browser.get(f"/staff/terms/logo-terms/{version}")
        desk.browser.post(f"/staff/terms/logo-terms/{version}/reminder", {})
        assert "/en/account" in told(society)
        society.get("account")
        society.get("tools/logo")
        society.post("download", {"name": "Example Person", "capacity": "For myself", "package": "logo"})
        uptake = desk.parts.participants.uptake.of(desk.parts.campaign.terms.get("logo-terms", version))
        assert (uptake.accepted, uptake.outstanding) == (1, 0)


def test_suspended_by_mistake(desk: Desk, society: Visitor) -> None:
    """The wrong one of two was suspended: the page says so to both, and lifting it brings everything back."""
    society.join("civil_society", name="Quillmarsh")
    society.accept()
    society.get("tools/logo")
    society.post("download", {"package": "logo"})
    (one,) = desk.parts.participants.listing.list().items
    desk.browser.get(f"/staff/participants/{one.id}")
    desk.browser.post(f"/staff/participants/{one.id}", {"outcome": "suspended", "reason": "Another society's mugs."})
    assert "Another society's mugs." in told(society)
    assert status(society) == "suspended"
    assert "/en/account/requests/joining" in [link.attributes.get("href") for link in society.html.all("a")]
    society.get("account/requests/joining")
    society.post("account/requests/joining", {"message": ""}, status=422)
    society.post("account/requests/joining", {"message": "We sell no mugs."})
    objection = desk.first()
    assert "asks that this be lifted" in desk.browser.get(f"/staff/cases/{objection}").text
    desk.decide(objection, "declined", "Which society do you mean?")
    assert "Which society do you mean?" in told(society)
    assert status(society) == "suspended"
    society.get("account/requests/joining")
    society.post("account/requests/joining", {"message": "The mugs are of Quillmarsh, Ohio."})
    desk.decide(desk.first(), "approved", "It was another society.")
    assert "It was another society." in told(society)
    assert status(society) == "approved"


def test_an_organization_joins_twice(desk: Desk, society: Visitor, app: Flask) -> None:
    """The second application shows the first of its domain; its writer becomes a colleague of the first instead."""
    society.address = "press@quillmarsh.example.org"
    society.join("civil_society", name="Quillmarsh")
    second = Visitor(app, address="fundraising@quillmarsh.example.org")
    second.join("civil_society", name="Quillmarsh again", purposes=["commercial"])
    case = desk.first()
    page = desk.browser.get(f"/staff/cases/{case}").text
    assert "Quillmarsh again" in page
    double = str(desk.case(case).participant)
    desk.browser.get("/staff/participants?q=quillmarsh")
    assert "Quillmarsh" in " ".join(cell.text for cell in desk.browser.html.all("a"))
    desk.browser.get(f"/staff/cases/{case}")
    question = "Your organization has joined already. Shall your colleague invite you?"
    desk.browser.post(f"/staff/cases/{case}/messages", {"question": question, "to": "applicant"})
    second.get(f"account/cases/{case}")
    second.post(f"account/cases/{case}/messages", questions(second) | {"text": "Yes, please."})
    desk.browser.get(f"/staff/participants/{double}")
    erased = {"outcome": "erased", "reason": "One organization is one participant.", "sure": "yes"}
    desk.browser.post(f"/staff/participants/{double}", erased)
    society.get("account/members")
    society.post("account/members", {"name": "Kim", "email": second.address, "capacity": "Fundraising"})
    path = second.mailed()
    second.get(path)
    second.post(path, {})
    assert status(second) == "approved"
