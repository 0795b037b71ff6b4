"""Cases over the API: what applicants and staff do with them, who sees what, and what is on record."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from sqlalchemy import select

from service.desk.files import MOST_FILES
from service.store import tables
from tests.conftest import FrozenClock
from tests.parts.willing import PLAN

from .conftest import Api, problem

PDF = b"%PDF-1.7\n" + b"x" * 100
WHY = "Looked at by Quillmarsh."


def held(api: Api, **changes: Any) -> tuple[str, dict[str, Any]]:
    """An application that waits for a person: the participant and its case."""
    participant = api.join(purposes=["fundraising"], **changes)
    (case,) = ask(api, "GET", f"?participant={participant}", key="portal").json["cases"]
    return participant, case


def ask(api: Api, method: str, path: str = "", *, key: str = "staff", json: Any = None, **more: Any) -> Any:
    """One request about cases."""
    return api.ask(method, f"/api/v1/cases{path}", key=key, json=json, **more)


def decide(api: Api, case: str, outcome: str = "approved", tag: str | None = None, **more: Any) -> Any:
    """A decision, as it was read where ``tag`` is given."""
    headers = {"If-Match": tag} if tag else {}
    return ask(api, "POST", f"/{case}/decisions", json={"outcome": outcome, "reason": WHY, **more}, headers=headers)


def write(api: Api, case: str, text: str = "What for?", key: str = "staff", **more: Any) -> Any:
    """A message."""
    return ask(api, "POST", f"/{case}/messages", key=key, json={"text": text, **more})


def ask_back(api: Api, case: str) -> Any:
    """A question to the applicant."""
    return ask(api, "POST", f"/{case}/messages", json={"text": "What for?", "return": True})


def person(api: Api, participant: str) -> dict[str, Any]:
    """The participant as staff see it."""
    found: dict[str, Any] = api.ask("GET", f"/api/v1/participants/{participant}", key="staff").json
    return found


def entries(api: Api, *kinds: str) -> list[dict[str, Any]]:
    """The entries of these kinds, oldest first."""
    table = tables.LedgerEntry
    with api.parts.database.read() as session:
        rows = session.scalars(select(table.body).where(table.kind.in_(kinds)).order_by(table.seq))
        return [json.loads(row) for row in rows]


def partner(api: Api, participant: str) -> None:
    """Makes ``partner`` the key of a participant."""
    _, api.keys["partner"] = api.parts.participants.api_keys.create(
        "partner", participant=participant, name="own", by="staff:cli"
    )


def test_an_application_that_is_held_is_a_case(api: Api, clock: FrozenClock) -> None:
    participant, case = held(api)
    assert case["id"].startswith("cas_")
    assert (case["kind"], case["status"], case["participant"]) == ("joining", "open", participant)
    assert (case["purposes"], case["needs_second"], case["assignee"]) == (["fundraising"], False, None)
    assert (case["messages"], case["files"], case["changes"], case["decision"]) == ([], [], [], None)
    assert case["opened_at"] == "2026-11-25T12:00:00.000000Z"  # a Wednesday
    assert case["due_at"] == "2026-12-02T12:00:00.000000Z"
    seen = ask(api, "GET", f"/{case['id']}")
    assert seen.json == case
    assert seen.headers["ETag"].startswith('"')
    assert ask(api, "GET", f"/{case['id']}", headers={"If-None-Match": seen.headers["ETag"]}).status_code == 304
    (opened,) = entries(api, "case.opened")
    assert (opened["case"], opened["participant"]) == (case["id"], participant)
    assert "Example Society" not in json.dumps(opened)


def test_who_is_approved_at_once_has_no_case(api: Api) -> None:
    api.join()
    assert ask(api, "GET").json == {"cases": [], "next_cursor": None}


def test_the_soonest_due_comes_first_page_by_page(api: Api, clock: FrozenClock) -> None:
    made = []
    for days in (0, 1, 5, 5):
        clock.advance(days * 86400)
        made.append(held(api)[1]["id"])
    found, cursor = [], None
    while True:
        page = ask(api, "GET", "?limit=1" + (f"&cursor={cursor}" if cursor else "")).json
        found += [one["due_at"] for one in page["cases"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(found) == len(made)
    assert found == sorted(found)


def test_filters_and_search(api: Api) -> None:
    one, case = held(api, name="Meadow Lark Society", country="FR")
    _, other = held(api, kind="individual")
    write(api, other["id"], "Which tombola exactly?", visible=False)
    for query, wanted in (
        (f"participant={one}", [case]),
        ("participant_kind=individual", [other]),
        ("country=FR", [case]),
        ("kind=change", []),
        ("status=returned", []),
        ("status=open&kind=joining", [case, other]),
        ("purpose=fundraising&country=FR", [case]),
        ("purpose=commercial", []),
        ("assignee=stf_nobody", []),
        ("q=meadow+lark", [case]),
        ("q=TOMBOLA", [other]),
        (f"q={other['id']}", [other]),
        ("q=%25", []),
    ):
        found = ask(api, "GET", f"?{query}").json["cases"]
        assert sorted(x["id"] for x in found) == sorted(x["id"] for x in wanted), query
    for query in ("kind=x", "status=x", "participant_kind=x", "purpose=x", "cursor=x", "limit=0"):
        told = problem(ask(api, "GET", f"?{query}"), 422, "invalid-request")
        assert told["errors"][0]["pointer"] == f"?{query.partition('=')[0]}"


def test_a_question_returns_the_case_and_the_answer_opens_it_again(api: Api, clock: FrozenClock) -> None:
    participant, case = held(api)
    clock.advance(86400)  # Thursday: four working days are left
    asked = ask_back(api, case["id"])
    assert asked.status_code == 201
    assert asked.json["visible"]
    assert asked.json["id"].startswith("msg_")
    back = ask(api, "GET", f"/{case['id']}").json
    assert (back["status"], back["due_at"], person(api, participant)["status"]) == (
        "returned",
        case["due_at"],
        "returned",
    )
    clock.advance(20 * 86400)
    answers = {**person(api, participant)["answers"], "plan": PLAN + " And a tombola for victims."}
    given = write(api, case["id"], "A tombola.", "portal", answers=answers, purposes=["information", "fundraising"])
    assert given.status_code == 201
    again = ask(api, "GET", f"/{case['id']}").json
    assert (again["status"], person(api, participant)["status"]) == ("open", "under_review")
    assert again["due_at"] == "2026-12-22T12:00:00.000000Z"  # four working days after Wednesday the 16th
    assert [change["field"] for change in again["changes"]] == ["purposes", "answers.plan"]
    assert again["changes"][0]["before"] == ["fundraising"]
    assert again["changes"][0]["after"] == ["information", "fundraising"]
    assert [message["text"] for message in again["messages"]] == ["What for?", "A tombola."]
    (entry,) = entries(api, "case.returned")
    assert entry["case"] == case["id"]
    assert "What for" not in json.dumps(entry)


def test_what_is_not_visible_is_for_staff_alone(api: Api) -> None:
    _, case = held(api)
    write(api, case["id"], "Looks odd.", visible=False)
    write(api, case["id"], "Thank you, we look at it.")
    assert len(ask(api, "GET", f"/{case['id']}").json["messages"]) == 2
    told = ask(api, "GET", f"/{case['id']}", key="portal").json
    assert [message["text"] for message in told["messages"]] == ["Thank you, we look at it."]


def test_a_decision_is_in_force_and_on_record_at_once(api: Api) -> None:
    participant, case = held(api)
    decided = decide(api, case["id"])
    assert decided.status_code == 200, decided.text
    assert decided.json["status"] == "decided"
    assert {**decided.json["decision"], "at": ""} == {
        "outcome": "approved",
        "reason": WHY,
        "by": decided.json["decision"]["by"],
        "at": "",
    }
    assert decided.json["decision"]["by"].startswith("staff:")
    assert person(api, participant)["status"] == "approved"
    (entry,) = entries(api, "case.decided")
    assert (entry["case"], entry["outcome"], entry["participant"]) == (case["id"], "approved", participant)
    last = entries(api, "participant.decided")[-1]
    assert (last["outcome"], last["purposes"], last["by"]) == ("approved", ["fundraising"], entry["by"])
    assert WHY not in json.dumps([entry, last])


def test_an_approval_may_name_fewer_purposes(api: Api) -> None:
    participant = api.join(purposes=["information", "fundraising"])
    (case,) = ask(api, "GET", f"?participant={participant}").json["cases"]
    for purposes, pointer in ((["fun"], "/purposes/0"), ([], "/purposes"), ("x", "/purposes")):
        told = problem(decide(api, case["id"], purposes=purposes), 422, "invalid-request")
        assert told["errors"][0]["pointer"] == pointer
    assert decide(api, case["id"], purposes=["information"]).status_code == 200
    assert person(api, participant)["purposes"] == ["information"]


def test_of_two_who_read_the_same_the_second_hears_who_was_quicker(api: Api) -> None:
    _, case = held(api)
    tag = ask(api, "GET", f"/{case['id']}").headers["ETag"]
    assert write(api, case["id"], "A note", visible=False).status_code == 201
    told = problem(decide(api, case["id"], tag=tag), 412, "changed-meanwhile")
    assert told["changed"]["what"] == "note"
    assert told["changed"]["by"].startswith("staff:")
    tag = ask(api, "GET", f"/{case['id']}").headers["ETag"]
    assert decide(api, case["id"], tag=tag).status_code == 200
    for late in (decide(api, case["id"], tag=tag), decide(api, case["id"], "declined")):
        told = problem(late, 412, "changed-meanwhile")
        assert (told["case_status"], told["changed"]["what"]) == ("decided", "decided")
        assert told["changed"]["by"] in told["detail"]
    for late in (ask_back(api, case["id"]), write(api, case["id"], "Too late", "portal")):
        told = problem(late, 409, "case-decided")
        assert told["changed"]["what"] == "decided"
        assert told["changed"]["by"] in told["detail"]
    assert len(entries(api, "case.decided")) == 1


@pytest.mark.parametrize("tag", ['W/"1-staff"', '"1-applicant"', '"x"', '"999-staff"'])
def test_a_tag_that_is_not_the_cases_own_matches_nothing(api: Api, tag: str) -> None:
    _, case = held(api)
    problem(decide(api, case["id"], tag=tag), 412, "changed-meanwhile")
    assert decide(api, case["id"], tag="*").status_code == 200


def test_the_decision_on_a_participant_decides_its_case(api: Api) -> None:
    participant, case = held(api)
    body = {"outcome": "declined", "reason": WHY}
    told = api.ask("POST", f"/api/v1/participants/{participant}/decisions", key="staff", json=body)
    assert told.json["status"] == "declined"
    seen = ask(api, "GET", f"/{case['id']}").json
    assert (seen["status"], seen["decision"]["outcome"]) == ("decided", "declined")
    assert [entry["outcome"] for entry in entries(api, "participant.decided")] == ["review", "declined"]


def test_withdrawing_closes_the_case_and_lets_one_ask_anew(api: Api) -> None:
    participant, case = held(api)
    problem(ask(api, "POST", f"/{case['id']}/withdrawal", json={}), 403, "forbidden")
    closed = ask(api, "POST", f"/{case['id']}/withdrawal", key="portal", json={})
    assert (closed.status_code, closed.json["status"]) == (200, "closed")
    assert person(api, participant)["status"] == "declined"
    problem(decide(api, case["id"]), 412, "changed-meanwhile")
    anew = api.ask("POST", f"/api/v1/participants/{participant}/requests", key="portal", json={"kind": "joining"})
    assert (anew.status_code, anew.json["status"]) == (201, "open")
    assert person(api, participant)["status"] == "under_review"


def test_assigning(api: Api) -> None:
    _, case = held(api)
    me = api.ask("GET", "/api/v1/me", key="staff").json["staff"]
    mine = ask(api, "POST", f"/{case['id']}/assignments", json={"assignee": me})
    assert mine.json["assignee"] == me
    assert [one["id"] for one in ask(api, "GET", f"?assignee={me}").json["cases"]] == [case["id"]]
    told = problem(ask(api, "POST", f"/{case['id']}/assignments", json={"assignee": "stf_one"}), 422, "invalid-request")
    assert told["errors"][0]["pointer"] == "/assignee"
    assert ask(api, "POST", f"/{case['id']}/assignments", json={"assignee": None}).json["assignee"] is None


# ---- requests


def request(api: Api, participant: str, kind: str = "change", key: str = "portal", **more: Any) -> Any:
    """Something that a participant asks for."""
    return api.ask("POST", f"/api/v1/participants/{participant}/requests", key=key, json={"kind": kind, **more})


def test_another_purpose_is_looked_at_and_then_in_force(api: Api) -> None:
    participant = api.join()
    made = request(api, participant, purposes=["information", "commercial"], message="Mugs with the heart.")
    assert made.status_code == 201, made.text
    assert (made.json["kind"], made.json["status"]) == ("change", "open")
    assert made.headers["Location"] == f"/api/v1/cases/{made.json['id']}"
    assert person(api, participant)["status"] == "approved"
    told = problem(request(api, participant, "renewal"), 409, "case-open")
    assert told["case"] == made.json["id"]
    assert decide(api, made.json["id"]).json["status"] == "decided"
    assert person(api, participant)["purposes"] == ["information", "commercial"]
    last = entries(api, "participant.decided")[-1]
    assert (last["outcome"], last["purposes"]) == ("approved", ["information", "commercial"])


def test_a_change_that_is_declined_leaves_what_was(api: Api) -> None:
    participant = api.join()
    made = request(api, participant, purposes=["fundraising"]).json
    assert decide(api, made["id"], "declined").json["decision"]["outcome"] == "declined"
    found = person(api, participant)
    assert (found["status"], found["purposes"]) == ("approved", ["information"])
    assert len(entries(api, "participant.decided")) == 1


def test_rules_decide_many_requests_at_once(api: Api) -> None:
    participant = api.join()
    plan = request(api, participant, answers={"plan": PLAN + " More."})
    assert (plan.status_code, plan.json["status"], plan.json["decision"]["by"]) == (201, "decided", "rule")
    assert person(api, participant)["answers"]["plan"] == PLAN + " More."
    refused = request(api, participant, answers={"pledge": False})
    assert (refused.json["status"], refused.json["decision"]["outcome"]) == ("decided", "declined")
    assert person(api, participant)["status"] == "approved"
    declined = api.join(answers={**person(api, participant)["answers"], "pledge": False})
    assert person(api, declined)["status"] == "declined"
    anew = request(api, declined, "joining", answers={"pledge": True})
    assert (anew.json["decision"]["outcome"], person(api, declined)["status"]) == ("approved", "approved")


def test_what_cannot_be_asked_for(api: Api) -> None:
    participant = api.join()
    problem(request(api, participant, "joining"), 409, "conflict")
    for body, pointer in (
        ({"kind": "change"}, ""),
        ({"kind": "change", "answers": {"nothing": "x"}}, "/answers/nothing"),
        ({"kind": "change", "purposes": ["fun"]}, "/purposes/0"),
        ({"kind": "change", "message": ""}, "/message"),
        ({"kind": "change", "answers": []}, "/answers"),
    ):
        told = problem(request(api, participant, **body), 422, "invalid-request")
        assert told["errors"][0]["pointer"] == pointer
    problem(request(api, "par_nobody"), 404, "not-found")


# ---- files


def send(api: Api, case: str, data: bytes = PDF, name: str = "plan.pdf", key: str = "portal") -> Any:
    """A file for a case."""
    return ask(api, "POST", f"/{case}/files", key=key, data={"file": (io.BytesIO(data), name)})


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are taken as where the extra of artwork checks is not installed."""
    monkeypatch.setattr("service.verdicts.Verdicts.available", lambda _: False)


@pytest.mark.usefixtures("unchecked")
def test_files_of_a_case(api: Api) -> None:
    _, case = held(api)
    sent = send(api, case["id"], name="Pläne 1.pdf")
    assert sent.status_code == 201, sent.text
    assert sent.json["id"].startswith("fil_")
    assert (sent.json["name"], sent.json["media_type"], sent.json["bytes"]) == (
        "Pläne 1.pdf",
        "application/pdf",
        len(PDF),
    )
    got = api.ask("GET", sent.headers["Location"], key="staff")
    assert (got.data, got.mimetype) == (PDF, "application/pdf")
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in got.headers["Content-Security-Policy"]
    mine = send(api, case["id"], name="draft.pdf", key="staff").json["id"]
    assert [one["name"] for one in ask(api, "GET", f"/{case['id']}", key="portal").json["files"]] == ["Pläne 1.pdf"]
    problem(ask(api, "GET", f"/{case['id']}/files/{mine}", key="portal"), 404, "not-found")
    assert write(api, case["id"], "See this.", files=[mine]).json["files"] == [mine]
    assert ask(api, "GET", f"/{case['id']}/files/{mine}", key="portal").status_code == 200
    problem(write(api, case["id"], "And?", files=["fil_other"]), 422, "invalid-request")


@pytest.mark.usefixtures("unchecked")
def test_files_that_are_refused(api: Api) -> None:
    _, case = held(api)
    problem(send(api, case["id"], b"MZ\x90\x00 a program"), 415, "unsupported-media-type")
    problem(send(api, case["id"], b"<html>no drawing</html>"), 415, "unsupported-media-type")
    problem(send(api, case["id"], b""), 422, "invalid-request")
    problem(send(api, case["id"], PDF + bytes(10_000_000)), 413, "too-large")
    for _ in range(MOST_FILES):
        assert send(api, case["id"]).status_code == 201
    problem(send(api, case["id"]), 409, "too-many-files")
    decide(api, case["id"])
    problem(send(api, case["id"]), 409, "case-decided")


@pytest.mark.usefixtures("one_kit")
def test_the_verdict_of_the_artwork_check_stands_beside_a_picture(api: Api) -> None:
    from service.logos import VariantRequest

    _, case = held(api)
    logo = api.parts.variants.get(VariantRequest("heart", "blue", 240, "png")).bytes
    told = send(api, case["id"], logo, "heart.png").json
    assert told["check"] == "compliant"
    assert ask(api, "GET", f"/{case['id']}").json["files"][0]["check"] == "compliant"
    problem(send(api, case["id"], logo[:100], "cut.png"), 422, "invalid-request")


# ---- who may


def test_another_sees_nothing_of_a_case(api: Api) -> None:
    participant, case = held(api)
    _, other = api.parts.participants.api_keys.create("portal", name="other", by="staff:cli")
    api.keys["stranger"] = other
    for method, path in (("GET", ""), ("POST", "/messages"), ("POST", "/withdrawal")):
        body = {"text": "x"} if path == "/messages" else {} if method == "POST" else None
        problem(ask(api, method, f"/{case['id']}{path}", key="stranger", json=body), 404, "not-found")
    assert ask(api, "GET", key="stranger").json["cases"] == []
    problem(ask(api, "GET", f"?participant={participant}", key="stranger"), 404, "not-found")
    for path in ("", f"/{case['id']}"):
        problem(ask(api, "GET", path, key="auditor"), 403, "forbidden")
        problem(ask(api, "GET", path, key=""), 401, "unauthorized")


def test_an_applicant_says_nothing_that_only_staff_can(api: Api) -> None:
    participant, case = held(api)
    partner(api, participant)
    for more, pointer in (({"visible": False}, "/visible"), ({"return": True}, "/return")):
        told = problem(write(api, case["id"], "x", "partner", **more), 422, "invalid-request")
        assert told["errors"][0]["pointer"] == pointer
    told = problem(write(api, case["id"], "x", "staff", purposes=["information"]), 422, "invalid-request")
    assert told["errors"][0]["pointer"] == "/purposes"
    told = problem(write(api, case["id"], " ", "partner"), 422, "invalid-request")
    assert told["errors"][0]["pointer"] == "/text"
    assert write(api, case["id"], "More about it.", "partner").status_code == 201
    problem(decide(api, "cas_nothing"), 404, "not-found")


# ---- misuse


def test_a_report_of_misuse_is_a_case_for_staff(api: Api) -> None:
    body = {"url": "https://shop.example.org/mugs", "description": "The heart on mugs.", "email": "me@example.org"}
    sent = api.ask("POST", "/api/v1/misuse-reports", json=body)
    assert sent.status_code == 202, sent.text
    case = ask(api, "GET", f"/{sent.json['id']}").json
    assert (case["kind"], case["participant"], case["report"]["url"]) == ("misuse", None, body["url"])
    assert case["messages"][0]["text"] == "The heart on mugs."
    assert [one["id"] for one in ask(api, "GET", "?q=shop.example.org").json["cases"]] == [case["id"]]
    told = problem(decide(api, case["id"], "approved"), 422, "invalid-request")
    assert told["errors"][0]["pointer"] == "/outcome"
    assert decide(api, case["id"], "upheld").json["decision"]["outcome"] == "upheld"
    assert "example.org" not in json.dumps(entries(api, "case.opened", "case.decided"))
    told = problem(api.ask("POST", "/api/v1/misuse-reports", json={"url": "mugs"}), 422, "invalid-request")
    assert [error["pointer"] for error in told["errors"]] == ["/url", "/description"]


def test_erasing_empties_the_cases(api: Api) -> None:
    participant, case = held(api)
    write(api, case["id"], "Call Quillmarsh.", visible=False)
    erased = api.ask("POST", f"/api/v1/participants/{participant}/erasure", key="staff", json={"reason": "Asked."})
    assert erased.json["removed"]["cases"] == 1
    seen = ask(api, "GET", f"/{case['id']}").json
    assert (seen["status"], seen["messages"][0]["text"], seen["changes"]) == ("closed", "", [])
