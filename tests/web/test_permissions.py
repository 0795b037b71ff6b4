"""What links and embeds answer while a permission has ended."""

from __future__ import annotations

from sqlalchemy import update

from service.store import tables

from .conftest import Api, problem


def test_links_and_embeds_stop_and_go_on_after_a_renewal(api: Api) -> None:
    mine = api.ready()
    link = api.link(mine)
    body = {"participant": mine, "logo": "heart", "origins": []}
    embed = api.ask("POST", "/api/v1/embeds", key="portal", json=body).json
    shown = f"/logos/{embed['key']}/heart/blue/240.svg"
    assert api.ask("GET", shown).status_code == 200

    def status(value: str) -> None:
        table = tables.Participant
        change = update(table).where(table.id == mine).values(status=value, outcome=value)
        api.parts.database.write(lambda session: session.execute(change))
        api.parts.embeds.refresh()

    status("lapsed")
    ways = {
        "page": f"{api.parts.settings.base_url}/en/account",
        "requests": f"{api.parts.settings.base_url}/api/v1/participants/{mine}/requests",
    }
    for answer in (
        api.ask("GET", api.path(link)),
        api.ask("GET", shown),
        api.ask("POST", "/api/v1/links", key="portal", json={"participant": mine, "package": "logo"}),
        api.ask("POST", "/api/v1/embeds", key="portal", json=body),
    ):
        assert problem(answer, 403, "permission-lapsed")["renewal"] == ways
    assert api.ask("GET", f"/api/v1/links/{link['id']}", key="portal").json["status"] == "lapsed"
    assert api.ask("GET", f"/api/v1/embeds/{embed['key']}", key="portal").json["status"] == "lapsed"
    for role in ("portal", "staff", "auditor"):
        shown_as = api.ask("GET", f"/api/v1/participants/{mine}", key=role).json
        assert (shown_as["status"], shown_as["decision"]["outcome"]) == ("lapsed", "approved")
        assert shown_as in api.ask("GET", "/api/v1/participants?status=lapsed", key=role).json["participants"]
    status("approved")
    assert api.ask("GET", api.path(link)).status_code == 200
    assert api.ask("GET", shown).status_code == 200
