"""Embeds over the API: made, looked at, listed, changed and ended, by who may, and explained where not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from .conftest import Api, problem

SITE = "https://www.example.org"
EMBEDS = "/api/v1/embeds"
ROLES = ("portal", "staff", "auditor")


def wish(participant: str, **changes: Any) -> dict[str, Any]:
    """The body that asks for an embed of the heart."""
    return {"participant": participant, "logo": "heart", "origins": [SITE], "unlisted": "report"} | changes


def make(api: Api, participant: str, **changes: Any) -> dict[str, Any]:
    """A new embed, as the API answers it."""
    answer = api.ask("POST", EMBEDS, key="portal", json=wish(participant, **changes))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json
    return made


def logo(api: Api, embed: dict[str, Any], origin: str = "") -> Any:
    """What a browser gets that asks for the embed's logo."""
    path = f"/logos/{embed['key']}/{embed['logo']}/blue/64.svg"
    return api.ask("GET", path, headers={"Origin": origin} if origin else {})


def decide(api: Api, participant: str, outcome: str) -> None:
    """Decides on a participant, as staff."""
    body = {"outcome": outcome, "reason": "A test."}
    assert api.ask("POST", f"/api/v1/participants/{participant}/decisions", key="staff", json=body).status_code == 200


def pointers(told: dict[str, Any]) -> set[str]:
    return {error["pointer"] for error in told["errors"]}


# ---- making


@pytest.mark.parametrize("role", ["portal", "partner", "staff"])
def test_a_new_embed_has_the_shape_of_the_contract_and_works_at_once(api: Api, role: str) -> None:
    who = api.ready()
    _, api.keys["partner"] = api.parts.participants.api_keys.create(
        "partner", participant=who, name="site", by="staff:cli"
    )
    answer = api.ask("POST", EMBEDS, key=role, json=wish(who))
    assert answer.status_code == 201
    made = answer.json
    assert answer.headers["Location"] == f"{EMBEDS}/{made['key']}"
    assert set(made) == {
        *("id", "key", "participant", "logo", "origins", "unlisted"),
        *("status", "created_at", "base_url", "html", "snippets"),
    }
    assert re.fullmatch(r"ebd_[A-Za-z0-9_-]{22}", made["key"])
    assert made["id"] == made["key"]
    given = wish(who)
    assert {name: made[name] for name in given} == given
    assert made["status"] == "active"
    assert re.fullmatch(r"2026-11-25T12:00:00\.000000Z", made["created_at"])
    assert made["base_url"] == f"{api.parts.settings.base_url}/logos/{made['key']}/heart"
    assert set(made["snippets"]) == {"html", "markdown", "css"}
    assert made["html"] == made["snippets"]["html"]
    assert all(made["base_url"] in text for text in made["snippets"].values())
    shown = logo(api, made, SITE)
    assert (shown.status_code, shown.mimetype) == (200, "image/svg+xml")


def test_every_address_in_the_snippets_answers(api: Api) -> None:
    made = make(api, api.ready())
    base = api.parts.settings.base_url
    found = {
        url for text in made["snippets"].values() for url in re.findall(rf"{re.escape(base)}(/logos/[^\s\"')]+)", text)
    }
    assert len(found) >= 5
    for path in found:
        assert api.ask("GET", path, headers={"Accept": "image/png"}).status_code == 200, path


def test_the_words_of_the_snippets_are_those_of_the_participants_language(api: Api) -> None:
    who = api.join(language="fr")
    assert api.accept(who).status_code == 201
    title = api.parts.campaign.logos["heart"].title
    assert f'alt="{title.get("fr")}"' in make(api, who)["html"]


def test_without_origins_and_a_wish_for_others_it_reports_them(api: Api) -> None:
    who = api.ready()
    answer = api.ask("POST", EMBEDS, key="portal", json={"participant": who, "logo": "heart"})
    assert (answer.status_code, answer.json["origins"], answer.json["unlisted"]) == (201, [], "report")
    assert logo(api, answer.json, "https://anywhere.example").status_code == 200


def test_sites_are_answered_in_the_form_that_browsers_send(api: Api) -> None:
    written = ["HTTPS://Bücher.Example:443", "https://a.example:8443", "http://localhost:5000"]
    made = make(api, api.ready(), origins=written, unlisted="refuse")
    assert made["origins"] == ["https://xn--bcher-kva.example", "https://a.example:8443", "http://localhost:5000"]
    assert logo(api, made, "https://xn--bcher-kva.example").status_code == 200
    problem(logo(api, made, "https://a.example"), 403, "origin-not-allowed")


# ---- what is refused


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"participant": None}, "/participant", ""),
        ({"logo": 7}, "/logo", ""),
        ({"unlisted": "ignore"}, "/unlisted", "refuse"),
        ({"origins": SITE}, "/origins", "list"),
        ({"origins": [SITE, 7]}, "/origins/1", ""),
        ({"origins": [""]}, "/origins/0", ""),
        ({"origins": ["www.example.org"]}, "/origins/0", "Write the site as https://www.example.org"),
        ({"origins": [SITE, f"{SITE}/page"]}, "/origins/1", f"such as {SITE}: without path"),
        ({"origins": [f"{SITE}/"]}, "/origins/0", "without path"),
        ({"origins": [f"{SITE}?a=b"]}, "/origins/0", "without path, ?"),
        ({"origins": ["https://*.example.org"]}, "/origins/0", "A wildcard is not taken"),
        ({"origins": ["http://www.example.org"]}, "/origins/0", "Only https:// is taken"),
        ({"origins": ["https://user@www.example.org"]}, "/origins/0", "Leave out what stands before @"),
        ({"origins": ["https://www.example.org:99999"]}, "/origins/0", "between 1 and 65535"),
        ({"origins": ["https://-www.example.org"]}, "/origins/0", "host name is not valid"),
        ({"origins": [SITE, "https://WWW.example.org"]}, "/origins/1", "stands in the list already"),
        ({"origins": [f"https://site{at}.example" for at in range(51)]}, "/origins", "At most 50"),
        ({"surprise": 1}, "/surprise", ""),
    ],
)
def test_each_mistake_is_pointed_at_and_told_what_to_do(
    api: Api, changes: dict[str, Any], pointer: str, said: str
) -> None:
    who = api.ready()
    told = problem(api.ask("POST", EMBEDS, key="portal", json=wish(who) | changes), 422, "invalid-request")
    assert pointers(told) == {pointer}
    assert said in told["errors"][0]["detail"]
    if "origins" in changes:
        made = make(api, who)
        answer = api.ask("PATCH", f"{EMBEDS}/{made['key']}", key="portal", json={"origins": changes["origins"]})
        assert pointers(problem(answer, 422, "invalid-request")) == {pointer}
        assert api.ask("GET", f"{EMBEDS}/{made['key']}", key="portal").json == made
    else:
        assert api.ask("GET", EMBEDS, key="staff").json["embeds"] == []


def test_all_mistakes_of_a_list_are_told_at_once(api: Api) -> None:
    body = wish(api.ready(), origins=["nonsense", SITE, "http://b.example", f"{SITE}:443"])
    told = problem(api.ask("POST", EMBEDS, key="portal", json=body), 422, "invalid-request")
    assert pointers(told) == {"/origins/0", "/origins/2", "/origins/3"}


def test_a_logo_that_there_is_not_is_refused_with_those_that_there_are(api: Api) -> None:
    told = problem(api.ask("POST", EMBEDS, key="portal", json=wish(api.ready(), logo="star")), 404, "unknown-logo")
    assert "heart" in told["detail"]


def test_it_needs_an_approved_participant(api: Api) -> None:
    waiting = api.join(purposes=["commercial"])
    told = problem(api.ask("POST", EMBEDS, key="portal", json=wish(waiting)), 403, "participant-not-approved")
    assert told["participant_status"] == "under_review"
    suspended = api.ready()
    decide(api, suspended, "suspended")
    told = problem(api.ask("POST", EMBEDS, key="portal", json=wish(suspended)), 403, "participant-not-approved")
    assert told["participant_status"] == "suspended"


def test_it_needs_the_accepted_terms_and_says_which(api: Api) -> None:
    who = api.join()
    told = problem(api.ask("POST", EMBEDS, key="portal", json=wish(who)), 403, "terms-not-accepted")
    current = api.parts.campaign.terms.current("logo-terms", api.parts.clock())
    url = f"{api.parts.settings.base_url}/en/terms/logo-terms"
    assert told["terms"] == {"id": "logo-terms", "version": current.version, "url": url}
    assert api.ask("GET", url.removeprefix(api.parts.settings.base_url)).status_code == 200
    assert api.accept(who).status_code == 201
    make(api, who)


# ---- who may


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", EMBEDS, ("portal", "staff")),
        ("GET", EMBEDS, ROLES),
        ("GET", f"{EMBEDS}/ebd_x", ROLES),
        ("PATCH", f"{EMBEDS}/ebd_x", ("portal", "staff")),
        ("DELETE", f"{EMBEDS}/ebd_x", ("portal", "staff")),
    ],
)
def test_roles(api: Api, method: str, path: str, allowed: tuple[str, ...]) -> None:
    body: dict[str, str] | None = {} if method in ("POST", "PATCH") else None
    problem(api.ask(method, path, json=body), 401, "unauthorized")
    for role in ROLES:
        answer = api.ask(method, path, key=role, json=body)
        if role in allowed:
            assert answer.status_code == (422 if method == "POST" else 200 if path == EMBEDS else 404), role
        else:
            problem(answer, 403, "forbidden")


def test_anothers_embed_is_as_if_it_were_not_there(api: Api) -> None:
    who = api.ready()
    key = make(api, who)["key"]
    _, api.keys["stranger"] = api.parts.participants.api_keys.create("portal", name="other", by="staff:cli")
    other = api.ready()
    keys = api.parts.participants.api_keys.create("partner", participant=other, name="site", by="staff:cli")
    api.keys["partner"] = keys[1]
    for role in ("stranger", "partner"):
        for method, body in (("GET", None), ("PATCH", {"unlisted": "refuse"}), ("DELETE", None)):
            told = problem(api.ask(method, f"{EMBEDS}/{key}", key=role, json=body), 404, "unknown-embed")
            none = problem(api.ask(method, f"{EMBEDS}/ebd_none", key=role, json=body), 404, "unknown-embed")
            assert {**told, "instance": ""} == {**none, "instance": ""}
        problem(api.ask("POST", EMBEDS, key=role, json=wish(who)), 404, "not-found")
        problem(api.ask("GET", f"{EMBEDS}?participant={who}", key=role), 404, "not-found")
        assert api.ask("GET", EMBEDS, key=role).json == {"embeds": [], "next_cursor": None}
    assert api.ask("GET", f"{EMBEDS}/{key}", key="portal").json["status"] == "active"


def test_a_partner_sees_and_changes_its_own(api: Api) -> None:
    who, other = api.ready(), api.ready()
    mine = make(api, who)
    make(api, other)
    _, api.keys["partner"] = api.parts.participants.api_keys.create(
        "partner", participant=who, name="site", by="staff:cli"
    )
    for query in ("", f"?participant={who}"):
        assert api.ask("GET", EMBEDS + query, key="partner").json == {"embeds": [mine], "next_cursor": None}
    address = f"{EMBEDS}/{mine['key']}"
    assert api.ask("GET", address, key="partner").json == mine
    assert api.ask("PATCH", address, key="partner", json={"unlisted": "refuse"}).json["unlisted"] == "refuse"
    assert api.ask("DELETE", address, key="partner").status_code == 204


def test_the_list_is_newest_first_page_by_page_and_of_one_participant_where_asked(api: Api) -> None:
    one, two = api.ready(), api.ready()
    made = []
    for who in (one, two, one, one):
        made.append(make(api, who)["key"])
        api.parts.clock.advance(1)  # type: ignore[attr-defined]
    for role in ("portal", "staff", "auditor"):
        found, cursor = [], ""
        while True:
            page = api.ask("GET", f"{EMBEDS}?limit=3{cursor}", key=role).json
            found += [embed["key"] for embed in page["embeds"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert found == made[::-1]
        mine = api.ask("GET", f"{EMBEDS}?participant={one}", key=role).json["embeds"]
        assert [embed["key"] for embed in mine] == [made[3], made[2], made[0]]


# ---- changing and ending


def test_what_is_left_out_of_a_change_stays(api: Api) -> None:
    made = make(api, api.ready())
    address, new = f"{EMBEDS}/{made['key']}", "https://new.example"
    changed = api.ask("PATCH", address, key="portal", json={"unlisted": "refuse"})
    assert (changed.status_code, changed.json) == (200, made | {"unlisted": "refuse"})
    problem(logo(api, made, new), 403, "origin-not-allowed")
    changed = api.ask("PATCH", address, key="portal", json={"origins": [new]})
    assert changed.json == made | {"unlisted": "refuse", "origins": [new]}
    assert logo(api, made, new).status_code == 200
    problem(logo(api, made, SITE), 403, "origin-not-allowed")
    assert api.ask("PATCH", address, key="portal", json={}).json == changed.json
    assert api.ask("GET", address, key="auditor").json == changed.json


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"logo": "lockup"}, "/logo"),
        ({"participant": "par_x"}, "/participant"),
        ({"origins": None}, "/origins"),
        ({"unlisted": None}, "/unlisted"),
        ({"status": "active"}, "/status"),
    ],
)
def test_nothing_else_of_an_embed_can_be_changed(api: Api, change: dict[str, Any], pointer: str) -> None:
    made = make(api, api.ready())
    told = problem(api.ask("PATCH", f"{EMBEDS}/{made['key']}", key="portal", json=change), 422, "invalid-request")
    assert pointers(told) == {pointer}
    assert api.ask("GET", f"{EMBEDS}/{made['key']}", key="portal").json == made


def test_an_embed_that_has_ended_is_gone_for_good(api: Api) -> None:
    made = make(api, api.ready())
    address = f"{EMBEDS}/{made['key']}"
    for _ in range(2):  # again changes nothing
        answer = api.ask("DELETE", address, key="portal")
        assert (answer.status_code, answer.data) == (204, b"")
    for origin in ("", SITE):
        problem(logo(api, made, origin), 410, "embed-revoked")
    problem(api.ask("PATCH", address, key="portal", json={"unlisted": "refuse"}), 410, "embed-revoked")
    seen = api.ask("GET", address, key="portal").json
    assert seen == made | {"status": "revoked", "revoked": seen["revoked"]}
    assert [entry["status"] for entry in api.ask("GET", EMBEDS, key="portal").json["embeds"]] == ["revoked"]


def test_a_suspension_pauses_and_lifting_it_goes_on(api: Api) -> None:
    who = api.ready()
    made = make(api, who)
    address = f"{EMBEDS}/{made['key']}"
    decide(api, who, "suspended")
    api.parts.embeds.refresh()
    problem(logo(api, made), 403, "participant-suspended")
    assert api.ask("GET", address, key="portal").json["status"] == "suspended"
    decide(api, who, "approved")
    api.parts.embeds.refresh()
    assert logo(api, made).status_code == 200
    assert api.ask("GET", address, key="portal").json["status"] == "active"


def test_an_erasure_ends_the_embeds(api: Api) -> None:
    who = api.ready()
    made = make(api, who)
    answer = api.ask("POST", f"/api/v1/participants/{who}/erasure", key="staff", json={"reason": "They asked for it."})
    assert answer.status_code == 200, answer.text
    api.parts.embeds.refresh()
    problem(logo(api, made), 410, "embed-revoked")


def test_the_same_wish_with_the_same_idempotency_key_makes_one_embed(api: Api) -> None:
    who = api.ready()
    sent: dict[str, Any] = {"key": "portal", "json": wish(who), "headers": {"Idempotency-Key": "once"}}
    first, again = api.ask("POST", EMBEDS, **sent), api.ask("POST", EMBEDS, **sent)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert len(api.ask("GET", EMBEDS, key="portal").json["embeds"]) == 1


# ---- what serving asks of the database


@contextmanager
def statements(api: Api) -> Iterator[list[str]]:
    """Every statement that reaches the database meanwhile, whoever sends it."""
    seen: list[str] = []

    def notice(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = api.parts.database.engine
    event.listen(engine, "before_cursor_execute", notice)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", notice)


@pytest.fixture
def long_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known stays fresh, and what is unknown stays so, however slowly the machine runs.

    In a running service a thread reads all embeds anew; without it, a request does when they are old.
    """
    for name in ("_UNSTARTED_AGE", "_UNKNOWN_FOR"):
        monkeypatch.setattr(f"service.embeds.snapshot.{name}", 3600.0)


@pytest.mark.usefixtures("long_moment")
@pytest.mark.parametrize("unlisted", ["report", "refuse"])
def test_a_warm_variant_sends_no_statement_to_the_database(api: Api, unlisted: str) -> None:
    """ "A warm variant runs no database query, no template, no session; limits, counting and headers stay"."""
    made = make(api, api.ready(), unlisted=unlisted)
    tag = logo(api, made, SITE).headers["ETag"]
    path = f"/logos/{made['key']}/heart/blue/64.svg"
    with statements(api) as seen:
        for _ in range(50):
            assert logo(api, made, SITE).status_code == 200
        assert logo(api, made).status_code == 200
        assert api.ask("HEAD", path).status_code == 200
        assert api.ask("GET", path, headers={"If-None-Match": tag}).status_code == 304
        if unlisted == "refuse":
            assert logo(api, made, "https://new.example").status_code == 403
        assert api.ask("GET", f"/logos/{made['key']}/heart/blue/1.svg").status_code == 422
        assert seen == []
        assert api.parts.embeds.flush() == 2
        assert seen, "the counts are written, and this test would have seen a statement"
    assert {use.origin: use.uses for use in api.parts.embeds.usage(made["participant"])[made["key"]]} == {
        SITE: 51,
        None: 1,
    }


@pytest.mark.usefixtures("long_moment")
def test_a_key_that_is_not_known_yet_is_looked_up_once(api: Api) -> None:
    made = make(api, api.ready())
    api.parts.embeds.refresh()
    unknown = f"/logos/ebd_{'A' * 22}/heart/blue/64.svg"
    problem(api.ask("GET", unknown), 404, "unknown-embed")
    with statements(api) as seen:
        problem(api.ask("GET", unknown), 404, "unknown-embed")
        assert logo(api, made).status_code == 200
        assert seen == []
