"""Colleagues over the API and on the account page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .conftest import Api, problem
from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask

KIM = {"name": "Kim Example", "email": "kim@example.net", "capacity": "Press officer"}


def test_over_the_api(api: Api) -> None:
    mine = api.ready()
    _, api.keys["partner"] = api.parts.participants.api_keys.create("partner", participant=mine, by="staff:cli")
    path = f"/api/v1/participants/{mine}/members"
    made = api.ask("POST", path, key="partner", json=KIM)
    assert made.status_code == 201
    assert {name: made.json[name] for name in ("name", "email", "capacity", "status")} == KIM | {"status": "invited"}
    assert made.json["id"].startswith("mem_")
    problem(api.ask("POST", path, key="staff", json=KIM), 409, "already-joined")
    told = problem(api.ask("POST", path, key="portal", json={"name": "", "email": 5}), 422, "invalid-request")
    assert {error["pointer"] for error in told["errors"]} == {"/name", "/email"}
    listed = api.ask("GET", path, key="portal").json
    assert listed["next_cursor"] is None
    assert [member["status"] for member in listed["members"]].count("invited") == 1
    for member in api.ask("GET", path, key="auditor").json["members"]:
        assert set(member) == {"id", "status", "created_at"}
    (first,) = (member["id"] for member in listed["members"] if member["status"] == "active")
    accepted = api.ask("GET", f"/api/v1/participants/{mine}/acceptances", key="partner").json["acceptances"]
    assert [acceptance["member"] for acceptance in accepted] == [first]
    problem(api.ask("DELETE", f"{path}/{first}", key="partner"), 409, "last-member")
    assert api.ask("DELETE", f"{path}/{made.json['id']}", key="partner").status_code == 204
    problem(api.ask("DELETE", f"{path}/{made.json['id']}", key="partner"), 404, "not-found")
    person = f"/api/v1/participants/{api.join(kind='individual')}/members"
    problem(api.ask("POST", person, key="portal", json=KIM), 409, "individual")
    problem(api.ask("GET", person, key="partner"), 404, "not-found")


def test_on_the_account_page(app: Flask) -> None:
    visitor = Visitor(app)
    visitor.join(kind="civil_society", name="Example Society")
    visitor.get("account")
    assert "/en/account/members" in visitor.html.links()
    visitor.get("account/members")
    visitor.post("account/members", {"name": "", "email": "nobody"}, status=422)
    visitor.post("account/members", {"name": "Kim", "email": "nobody"}, status=422)
    visitor.post("account/members", {"name": "Kim", "email": visitor.address}, status=422)
    visitor.post("account/members", KIM)
    assert "Kim Example" in visitor.get("account/members").text
    members = visitor.parts.participants.members
    participant = next(one.id for one in visitor.parts.participants.listing.list().items)
    kim, me = sorted(members.of(participant), key=lambda member: member.status, reverse=True)
    visitor.post(f"account/members/{me.id}/removal", {}, status=409)
    assert visitor.html.all("div", id="errors")
    for person, said in ((kim, "Whoever is removed"), (me, "This is you")):  # asked before it is done
        assert said in visitor.get(f"account/members/{person.id}/removal").text
    visitor.get("account/members/mem_x/removal", status=404)
    visitor.get(f"account/members/{kim.id}/removal")
    visitor.post(f"account/members/{kim.id}/removal", {})
    assert "Kim Example" not in visitor.get("account/members").text
    assert not visitor.html.mistakes
    stranger = Visitor(app)
    stranger.get("account/members", status=401)


def test_who_takes_oneself_out_is_signed_out_and_told_so(app: Flask) -> None:
    visitor, colleague = Visitor(app), Visitor(app)
    visitor.join(kind="civil_society", name="Example Society")
    visitor.post("account/members", KIM)
    sign_in = visitor.parts.participants.sign_in
    colleague.post(urlsplit(sign_in.issue_url(KIM["email"])).path, {})
    participant = next(one.id for one in visitor.parts.participants.listing.list().items)
    members = visitor.parts.participants.members.of(participant)
    me = next(member for member in members if member.email != KIM["email"])
    visitor.get(f"account/members/{me.id}/removal")
    assert "You act for" in visitor.post(f"account/members/{me.id}/removal", {}, status=200).text
    visitor.get("account/members", status=401)
    assert "Kim Example" in colleague.get("account/members").text


def test_all_that_is_kept_is_exported_to_whom_it_is_about(api: Api, app: Flask) -> None:
    mine = api.ready()
    _, api.keys["partner"] = api.parts.participants.api_keys.create("partner", participant=mine, by="staff:cli")
    path = f"/api/v1/participants/{mine}/export"
    for role in ("partner", "portal", "staff"):
        answer = api.ask("GET", path, key=role)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.json["participant"]["id"] == mine
        assert [row["participant"] for row in answer.json["records"]["acceptances"]] == [mine]
    problem(api.ask("GET", path, key="auditor"), 403, "forbidden")
    problem(api.ask("GET", f"/api/v1/participants/{api.join()}/export", key="partner"), 404, "not-found")
    visitor = Visitor(app)
    visitor.join(name="Example Reader")
    told = visitor.get("account/export")
    assert told.json is not None
    assert told.json["participant"]["name"] == "Example Reader"
    assert "attachment" in told.headers["Content-Disposition"]
    staff = Visitor(app)
    staff.sign_in_as_staff()
    of_staff = staff.get(f"/staff/participants/{mine}/export").json
    assert of_staff is not None
    assert of_staff["participant"]["id"] == mine
    auditor = Visitor(app)
    auditor.sign_in_as_staff("auditor@example.org")
    auditor.get(f"/staff/participants/{mine}/export", status=403)
