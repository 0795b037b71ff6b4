"""A participant kind is data: one that is added to the policies can join, is asked, decided and reported."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service import settings as settings_room
from service.deployment import open_publisher
from tests.conftest import FrozenClock, environment

from .conftest import Api
from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask

    from service.settings import Settings

KIND = "academic_institution"
ELIGIBILITY = f"""  {KIND}:
    label: {{en: Academic institution, fr: Établissement universitaire}}
    help: {{en: "Universities, and institutes that do research."}}
    ask: [commitment, pledge, plan, faculty]
    decided: {{en: "Your institution gives its statements, and names the faculty. That is decided at once."}}
"""
FIELD = """  faculty:
    type: text
    required: yes
    label: {en: Faculty or institute, fr: Faculté ou institut}
"""
ACTIONS = f"""  {KIND}:
    lead: {{en: "What universities can do."}}
    actions:
      - id: hold-a-lecture
        title: {{en: Hold a lecture}}
        text: {{en: "Invite somebody who knows."}}
        effort: days
"""


def insert(path: Path, after: str, text: str) -> None:
    """Puts a text behind the one line of a file that is ``after``."""
    written = path.read_text(encoding="utf-8")
    assert written.count(f"\n{after}\n") == 1
    path.write_text(written.replace(f"\n{after}\n", f"\n{after}\n{text}"), encoding="utf-8")


@pytest.fixture
def settings(tmp_path: Path, _published: Path) -> Settings:
    """A deployment whose policies name one kind more, and nothing else of it is another."""
    folder, policies = tmp_path / "deployment", tmp_path / "policies"
    shutil.copytree(_published, folder)
    shutil.copytree(settings_room.shipped("policies"), policies)
    insert(policies / "eligibility.yaml", "fields:", FIELD)
    insert(policies / "eligibility.yaml", "kinds:", ELIGIBILITY)
    insert(policies / "actions.yaml", "kinds:", ACTIONS)
    rules = policies / "eligibility.yaml"
    text = rules.read_text(encoding="utf-8")
    approved = "kind: [individual, civil_society, private_sector]"
    assert text.count(approved) == 1
    rules.write_text(text.replace(approved, f"{approved[:-1]}, {KIND}]"), encoding="utf-8")
    made = settings_room.load(environment(folder) | {"EMBLEM_POLICIES_DIR": str(policies)})
    with open_publisher(made, FrozenClock()) as publisher:
        publisher.publish()
    return made


def test_it_joins_over_the_api_and_is_reported(api: Api) -> None:
    document = api.ask("GET", "/api/v1/openapi.json").json
    assert KIND in document["components"]["schemas"]["JoinBody"]["properties"]["kind"]["enum"]
    (asked,) = [one for one in api.ask("GET", "/api/v1/eligibility?lang=fr").json["kinds"] if one["kind"] == KIND]
    assert (asked["label"], asked["fields"][-1]["name"]) == ("Établissement universitaire", "faculty")
    participant = api.join(kind=KIND)
    assert api.accept(participant).status_code == 201
    told = api.ask("GET", f"/api/v1/participants?kind={KIND}", key="staff").json["participants"]
    assert [(one["id"], one["status"]) for one in told] == [(participant, "approved")]
    assert api.ask("GET", api.path(api.link(participant))).status_code == 200
    api.parts.sealer.seal()
    report = api.ask("GET", "/api/v1/audit/report?by=participant_kind", key="auditor").json
    assert [(row["participant_kind"], row["downloads"]) for row in report["rows"]] == [(KIND, 1)]


def test_it_joins_on_the_page_and_staff_see_it(app: Flask) -> None:
    visitor = Visitor(app, lang="fr")
    assert "Établissement universitaire" in visitor.get("join").text
    visitor.join(KIND)
    assert "Établissement universitaire" in visitor.get("account").text
    assert "Hold a lecture" in visitor.get("actions").text
    staff = Visitor(app)
    staff.sign_in_as_staff()
    assert "Academic institution" in staff.get("/staff/participants").text
    (joined,) = app.extensions["emblem"].participants.listing.list(kind=KIND).items
    assert "Faculty or institute" in staff.get(f"/staff/participants/{joined.id}").text


def test_who_joined_as_a_kind_that_is_named_no_more_is_still_seen(api: Api) -> None:
    participant = api.join(kind=KIND)
    eligibility = api.parts.campaign.eligibility
    eligibility._by_id.pop(KIND)
    staff = Visitor(api.app)
    staff.sign_in_as_staff()
    assert KIND in staff.get(f"/staff/participants/{participant}").text
    assert api.ask("GET", f"/api/v1/participants/{participant}", key="staff").json["kind"] == KIND
