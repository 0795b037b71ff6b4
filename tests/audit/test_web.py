"""The log, reports, proofs and the staff page as the web shows them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from service import ledger
from service.audit.dimensions import MEASURES
from service.store.tables import Embed, LogoUse
from service.verification.signed_note import parse_vkey
from service.verification.verifier import LogVerdict, verify_log, verify_receipt
from tests.web.conftest import Api

from .conftest import download, entry_of, use

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.conftest import FrozenClock


@pytest.fixture
def api(app: Flask, clock: FrozenClock) -> Api:
    """An app with sealed downloads and logo uses of known facts."""
    made = Api(app)

    def work(session: Any) -> None:
        now = clock()
        for number in range(5):
            facts = download(now - timedelta(days=number), package="posters", country="FR", bytes=1000)
            ledger.append(session, entry_of(facts), facts["at"])
        facts = download(now, package="logo", counted=False)
        ledger.append(session, entry_of(facts), facts["at"])
        for site in ("https://new.example", "=cmd|calc"):
            facts = use(now, now.replace(minute=0), origin=site, views=7)
            ledger.append(session, entry_of(facts), facts["at"])

    made.parts.database.write(work)
    made.parts.sealer.seal()
    return made


def signed_in(api: Api, email: str) -> FlaskClient:
    people = api.parts.participants
    secret = people.sign_in.issue_url(email).rpartition("/")[2]
    client = api.app.test_client()
    client.set_cookie("emblem_session", str(people.sign_in.confirm(secret).session))
    return client


class AppSource:
    """The log as the app serves it, for the verifier."""

    def __init__(self, api: Api, key: str = "") -> None:
        self.api, self.key = api, key

    def read(self, path: str) -> bytes | None:
        from service.verification.log_reader import NotAllowedError

        answer = self.api.ask("GET", f"/log/{path}", key=self.key)
        if answer.status_code in (401, 403):
            raise NotAllowedError(path)
        return None if answer.status_code == 404 else bytes(answer.data)


# --- the log


def test_the_log_as_it_is_served_verifies(api: Api) -> None:
    keys = [parse_vkey(line) for line in api.ask("GET", "/log/key").text.splitlines()]
    verdict = verify_log(AppSource(api, "auditor"), keys)
    assert (verdict.ok, verdict.entries_read) == (True, True)
    verdict = verify_log(AppSource(api), keys)
    assert (verdict.ok, verdict.entries_read) == (True, False)


def test_headers_of_the_log(api: Api) -> None:
    checkpoint = api.ask("GET", "/log/checkpoint")
    assert checkpoint.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert checkpoint.headers["Cache-Control"] == "no-cache"
    again = api.ask("GET", "/log/checkpoint", headers={"If-None-Match": checkpoint.headers["ETag"]})
    assert again.status_code == 304
    size = int(checkpoint.text.split("\n")[1])
    tile = api.ask("GET", f"/log/tile/0/000.p/{size}")
    assert (tile.status_code, len(tile.data)) == (200, 32 * size)
    assert tile.headers["Content-Type"] == "application/octet-stream"
    assert "immutable" in tile.headers["Cache-Control"]
    assert tile.headers["Access-Control-Allow-Origin"] == "*"
    bundle = api.ask("GET", f"/log/tile/entries/000.p/{size}", key="auditor")
    assert bundle.status_code == 200
    assert "private" in bundle.headers["Cache-Control"]


def test_entries_are_for_auditors_and_staff_by_key_or_signed_in(api: Api) -> None:
    size = api.ask("GET", "/log/checkpoint").text.split("\n")[1]
    path = f"/log/tile/entries/000.p/{size}"
    assert {key: api.ask("GET", path, key=key).status_code for key in ("", "portal", "auditor", "staff")} == {
        "": 401,
        "portal": 403,
        "auditor": 200,
        "staff": 200,
    }
    assert signed_in(api, "auditor@example.org").get(path).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["0/000", "0/0", "64/000", "00/000", "0/000.p/0", "0/000.p/256", "0/000.p/007", "0/x000", "1/000.p/1", "0/000.p/",
     "-1/000", "0/../../key", "entries/000.p/999", "0/٣٣٣", "data/000"],
)  # fmt: skip
def test_there_is_no_other_tile(api: Api, name: str) -> None:
    assert api.ask("GET", f"/log/tile/{name}", key="auditor").status_code == 404


def test_an_unfinished_tile_is_still_served_when_the_full_one_is_there(api: Api) -> None:
    size = int(api.ask("GET", "/log/checkpoint").text.split("\n")[1])
    tile, bundle = f"/log/tile/0/000.p/{size}", f"/log/tile/entries/000.p/{size}"
    before = [api.ask("GET", path, key="auditor").data for path in (tile, bundle)]
    now = api.parts.clock()
    some = [entry_of(download(now)) for _ in range(300)]
    api.parts.database.write(lambda session: ledger.append_many(session, some, now))
    api.parts.sealer.seal()
    assert api.parts.storage.size(tile[1:]) is None
    assert [api.ask("GET", path, key="auditor").data for path in (tile, bundle)] == before


# --- reports


def test_a_report_has_the_shape_of_the_contract(api: Api) -> None:
    answer = api.ask("GET", "/api/v1/audit/report?by=package&by=country", key="auditor")
    assert answer.headers["Content-Type"] == "application/json"
    document = answer.json
    assert list(document) == ["by", "from", "to", "checkpoint", "rows", "totals"]
    assert list(document["checkpoint"]) == ["origin", "size", "root"]
    assert document["by"] == ["package", "country"]
    assert document["rows"] == [
        {"package": "logo", "country": "AT", "downloads": 0, "requests": 1, "bytes": 1000, "participants": 0,
         "logo_views": 0},
        {"package": "posters", "country": "FR", "downloads": 5, "requests": 5, "bytes": 5000, "participants": 1,
         "logo_views": 0},
        {"package": None, "country": "AT", "downloads": 0, "requests": 0, "bytes": 0, "participants": 0,
         "logo_views": 14},
    ]  # fmt: skip
    assert set(document["totals"]) == set(MEASURES)


def test_reports_are_for_auditors_and_staff(api: Api) -> None:
    path = "/api/v1/audit/report"
    codes = {key: api.ask("GET", path, key=key).status_code for key in ("", "portal", "auditor", "staff")}
    assert codes == {"": 401, "portal": 403, "auditor": 200, "staff": 200}


@pytest.mark.parametrize("form", ["csv", "parquet", "html"])
def test_the_other_formats(api: Api, form: str) -> None:
    answer = api.ask("GET", f"/api/v1/audit/report?by=origin&format={form}", key="auditor")
    assert answer.status_code == 200
    if form == "csv":
        assert answer.text.startswith(
            "origin,downloads,requests,bytes,participants,logo_views\r\n'=cmd|calc,0,0,0,0,7\r\n"
        )
    elif form == "parquet":
        assert answer.data.startswith(b"PAR1")
    else:
        style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        assert style is not None
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
        assert "<script" not in answer.text
        assert not re.search(r'\sstyle="|https?://(?!new\.example)', answer.text.replace("http://www.w3.org", ""))
        assert "=cmd|calc" in answer.text


@pytest.mark.parametrize("form", ["json", "csv", "parquet", "html"])
def test_a_range_that_is_not_sealed_yet_is_said_in_every_format(api: Api, form: str) -> None:
    """A report for a range that is not sealed yet says so; of one that is sealed, nothing is said."""

    def told(day: str) -> bool:
        answer = api.ask("GET", f"/api/v1/audit/report?by=day&to={day}&format={form}", key="auditor")
        assert answer.status_code == 200
        said = answer.headers.get("Report-Note", "") if form in ("csv", "parquet") else answer.text
        return "beyond what is sealed" in said

    assert told("2999-01-01")
    assert not told("2020-01-01")


def test_a_bad_parameter_is_named_by_pointer(api: Api) -> None:
    answer = api.ask("GET", "/api/v1/audit/report?by=weekday&from=x", key="auditor")
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json["errors"]} == {"?by", "?from"}
    late = api.ask("GET", "/api/v1/audit/report?checkpoint=99999", key="auditor")
    assert (late.status_code, late.json["type"]) == (404, "/problems/not-sealed")


# --- proofs


def test_a_participants_receipt_verifies_offline(api: Api) -> None:
    person = api.join()
    accepted = api.accept(person).json
    path = accepted["receipt_url"].partition("/api")
    path = path[1] + path[2]
    waiting = api.ask("GET", path, key="portal")
    assert (waiting.status_code, waiting.json["type"]) == (404, "/problems/not-sealed")
    assert "Retry-After" in waiting.headers
    api.parts.sealer.seal()
    answer = api.ask("GET", path, key="portal")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    keys = [parse_vkey(vkey) for vkey in api.parts.sealer.vkeys()]
    verdict, entry = verify_receipt(answer.data, keys)
    assert verdict.ok
    said = json.loads(entry)
    assert (said["kind"], said["id"], said["participant"]) == ("terms.accepted", accepted["id"], person)


def test_proofs_of_everything_are_for_auditors(api: Api) -> None:
    assert api.ask("GET", "/api/v1/audit/proofs/0", key="auditor").status_code == 200
    assert signed_in(api, "auditor@example.org").get("/api/v1/audit/proofs/0").status_code == 200
    assert api.ask("GET", "/api/v1/audit/proofs/0", key="portal").status_code == 403
    assert api.ask("GET", "/api/v1/audit/proofs/0").status_code == 401
    assert api.ask("GET", "/api/v1/audit/proofs/acc_not_there_at_all", key="portal").status_code == 404
    assert api.ask("GET", "/api/v1/audit/proofs/acc_not_there_at_all", key="auditor").status_code == 404


# --- erasure and retention


def test_the_log_verifies_after_an_erasure_and_after_retention_and_never_held_the_person(
    api: Api, clock: FrozenClock
) -> None:
    """Participants erased on request, clients forgotten after their days: the log still verifies after both."""
    person = api.join(name="Quillmarsh Society", email="quill@quillmarsh.example.org")
    accepted = api.accept(person).json
    path = api.path(api.link(person))
    assert api.ask("GET", path).status_code == 200
    api.parts.sealer.seal()
    kept = api.ask("GET", "/log/checkpoint").data
    before = api.ask("GET", "/api/v1/audit/report?by=participant", key="auditor").json
    proof = api.ask("GET", f"/api/v1/audit/proofs/{accepted['id']}", key="auditor").data

    def verdict() -> LogVerdict:
        keys = [parse_vkey(line) for line in api.ask("GET", "/log/key").text.splitlines()]
        assert verify_receipt(proof, keys, keys)[0].ok
        return verify_log(AppSource(api, "auditor"), keys, kept)

    def again() -> Any:
        size = before["checkpoint"]["size"]
        return api.ask("GET", f"/api/v1/audit/report?by=participant&checkpoint={size}", key="auditor").json

    body = {"reason": "They asked for it."}
    erased = api.ask("POST", f"/api/v1/participants/{person}/erasure", key="staff", json=body).json
    told = {what: count for what, count in erased["removed"].items() if count}
    assert (erased["status"], told) == (
        "erased",
        {"links": 1, "members": 1, "acceptances": 1, "downloads": 1} | _mails(told),
    )
    api.parts.sealer.seal()
    assert verdict().ok
    assert again() == before
    # What is dropped is that of another participant, who is not erased.
    other = api.path(api.link(api.ready()))
    assert api.ask("GET", other).status_code == 200
    clock.advance(400 * 86_400)
    dropped = api.parts.retention.run()
    assert (dropped.client_hashes, dropped.client_prefixes, dropped.link_clients) == (1, 1, 1)
    api.parts.sealer.seal()
    found = verdict()
    assert (found.ok, found.entries_read) == (True, True)
    assert again() == before
    bundle = api.ask("GET", f"/log/tile/entries/000.p/{found.size}", key="auditor").data.lower()
    assert person.lower().encode() in bundle
    for personal in (b"quillmarsh", b"example person", b"secretary", b"127.0.0", b"they asked"):
        assert personal not in bundle


def _mails(told: dict[str, int]) -> dict[str, int]:
    """Mails in the folder are removed too; how many there were is not the matter here."""
    return {"mails": told["mails"]} if "mails" in told else {}


# --- the page


def test_a_long_table_says_how_many_rows_more_the_file_has(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.web.staff.audit._ROWS", 1)
    answer = signed_in(api, "staff@example.org").get("/staff/audit")
    assert answer.status_code == 200
    assert "more row is in the file." in answer.text or "more rows are in the file." in answer.text


def test_the_staff_page_shows_plots_with_tables_and_ways_deeper(api: Api) -> None:
    client = signed_in(api, "staff@example.org")
    answer = client.get("/staff/audit")
    assert answer.status_code == 200
    page = answer.text
    for shape in ("wide", "narrow"):
        assert page.count(f'<svg class="plot-svg plot-{shape}"') == 6
    assert "<title>France: 5</title>" in page
    assert re.search("Sealed until <time[^>]*>25 November 2026", page)
    assert page.count('<details class="more">') == 6
    assert "country=FR" in page
    assert "format=csv" in page
    assert not re.search(r'\sstyle="', page)
    assert "<style" not in page
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    narrowed = client.get("/staff/audit?country=FR&from=2026-11-24&to=2026-11-25").text
    assert "Country: <bdi>FR</bdi>" in narrowed
    assert "new.example" not in narrowed
    assert client.get("/staff/audit/plots.css").headers["Content-Type"] == "text/css; charset=utf-8"
    report = client.get("/staff/audit/report?by=day&format=csv")
    assert report.headers["Content-Disposition"].startswith("attachment")


def test_the_staff_page_calls_out_unlisted_sites(api: Api) -> None:
    person = api.join()
    now = api.parts.clock()

    def work(session: Any) -> None:
        session.add(Embed(key="ebd_x", participant=person, logo="heart", origins=[], unlisted="report", created_at=now))
        session.flush()
        session.add(LogoUse(hour=now, embed="ebd_x", variant="blue/64.png", origin="https://new.example", views=7))

    api.parts.database.write(work)
    page = signed_in(api, "staff@example.org").get("/staff/audit").text
    assert "not listed" in page
    assert "ebd_x" in page


def partner_embed(api: Api, *origins: str, who: str = "") -> dict[str, Any]:
    """A new embed of the heart for these sites."""
    body = {"participant": who or api.ready(), "logo": "heart", "origins": origins}
    answer = api.ask("POST", "/api/v1/embeds", key="portal", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json
    return made


def seen_on(api: Api, embed: dict[str, Any], origin: str, times: int = 1) -> None:
    """The logo of an embed, asked for by a page of a site."""
    headers = {"Origin": origin} if origin else {}
    for _ in range(times):
        answer = api.ask("GET", f"/logos/{embed['key']}/heart/blue/64.svg", headers=headers)
        assert answer.status_code == 200
    api.parts.embeds.flush()


def table(api: Api, section: str, email: str = "staff@example.org") -> list[list[str]] | None:
    """The texts of the cells of a section's table on the audit page; None where the page has no such section."""
    page = signed_in(api, email).get("/staff/audit").text
    found = re.search(rf'<section aria-labelledby="{section}">(.*?)</section>', page, re.DOTALL)
    if found is None:
        return None
    rows = re.findall(r"<tr>(.*?)</tr>", found[1].partition("<tbody>")[2], re.DOTALL)
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def test_staff_see_each_site_with_the_embed_that_does_not_list_it(api: Api, clock: FrozenClock) -> None:
    mine, shop, new = "https://www.example.org", "https://shop.example.org", "https://new.example"
    one = partner_embed(api, mine)
    two = partner_embed(api, shop, who=one["participant"])
    seen_on(api, one, mine, 9)
    seen_on(api, one, shop, 3)
    seen_on(api, two, shop, 9)
    seen_on(api, two, new, 2)
    for unnamed in ("", "null"):
        seen_on(api, one, unnamed, 9)
    person = one["participant"]
    assert table(api, "unlisted") == [[shop, one["key"], person, "3"], [new, two["key"], person, "2"]]
    assert table(api, "unlisted", "auditor@example.org") == table(api, "unlisted")
    clock.advance(3600)
    api.parts.embeds.enter_uses()
    seen_on(api, two, new, 2)
    assert table(api, "unlisted") == [[new, two["key"], person, "4"], [shop, one["key"], person, "3"]]
    change = {"origins": [shop, new]}
    assert api.ask("PATCH", f"/api/v1/embeds/{two['key']}", key="portal", json=change).status_code == 200
    assert table(api, "unlisted") == [[shop, one["key"], person, "3"]]
    clock.advance(366 * 24 * 3600)
    assert table(api, "unlisted") == [], "what was seen long ago is no news"


def test_staff_see_logos_that_are_still_shown_after_a_suspension(api: Api, clock: FrozenClock) -> None:
    embed, other = partner_embed(api), partner_embed(api)
    person = embed["participant"]
    seen_on(api, embed, "", 5)
    assert table(api, "suspended") is None
    clock.advance(1800)
    stale = api.parts.embeds.permission(embed["key"])  # as a cache, or a process that has not read anew, knows it

    def decide(outcome: str) -> None:
        body = {"outcome": outcome, "reason": "A test."}
        answer = api.ask("POST", f"/api/v1/participants/{person}/decisions", key="staff", json=body)
        assert answer.status_code == 200

    decide("suspended")
    api.parts.embeds.refresh()
    answer = api.ask("GET", f"/logos/{embed['key']}/heart/blue/64.svg")
    assert answer.status_code == 403
    assert table(api, "suspended") is None, "the hour of the suspension began before it"
    clock.advance(3600)
    for _ in range(4):
        api.parts.embeds.count(stale, "blue/64.svg", "https://late.example")
    seen_on(api, other, "", 5)
    found = table(api, "suspended")
    assert found is not None
    ((who, key, since, views),) = found
    assert (who, key, views) == (person, embed["key"], "4")
    assert "2026" in since
    assert "12:30" in since
    assert table(api, "suspended", "auditor@example.org") == found
    decide("approved")
    assert table(api, "suspended") is None


@pytest.mark.parametrize(
    "query", ["from=x", "by=day&colour=1", "checkpoint=3", "from=2027-01-01&to=2027-01-02", "origin=~"]
)
def test_the_staff_page_takes_any_question(api: Api, query: str) -> None:
    answer = signed_in(api, "staff@example.org").get(f"/staff/audit?{query}")
    assert answer.status_code in (200, 422)


def test_the_staff_page_is_for_staff_and_auditors(api: Api) -> None:
    assert api.app.test_client().get("/staff/audit").status_code == 401
    assert signed_in(api, "auditor@example.org").get("/staff/audit").status_code == 200


def test_refused_downloads_are_counted(api: Api) -> None:
    counted: list[tuple[str, str]] = []
    api.parts.refusals.note = lambda subject, slug: counted.append((subject, slug))  # type: ignore[method-assign]
    person = api.join()
    api.accept(person)
    link = api.ask("POST", "/api/v1/links", key="portal", json={"participant": person, "package": "logo"})
    if link.status_code == 404:
        package = api.ask("GET", "/api/v1/packages").json["packages"][0]
        api.accept(person, package["terms"]["id"])
        link = api.ask("POST", "/api/v1/links", key="portal", json={"participant": person, "package": package["id"]})
    path = "/d/" + link.json["url"].partition("/d/")[2]
    assert api.ask("GET", path).status_code == 200
    assert counted == []
    api.ask("DELETE", f"/api/v1/links/{link.json['id']}", key="portal")
    assert api.ask("GET", path).status_code == 410
    assert counted == [(link.json["id"], "link-revoked")]
