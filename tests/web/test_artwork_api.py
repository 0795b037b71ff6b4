"""Artwork checks over the API: what is answered, recorded, kept and forgotten, and who may see it."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from sqlalchemy import select

from service.artwork import MOST_BYTES
from service.logos import VariantRequest
from service.store import tables
from tests.conftest import FrozenClock
from tests.parts.posters import poster

from .conftest import Api, problem

pytestmark = pytest.mark.usefixtures("one_kit")
_PATH = "/api/v1/artwork-checks"


def heart(api: Api) -> bytes:
    """The logo as the service makes it."""
    return api.parts.variants.get(VariantRequest("heart", "blue", 240, "png")).bytes


def send(api: Api, data: bytes, key: str = "staff", headers: dict[str, str] | None = None, **fields: str) -> Any:
    """Sends a file for a check."""
    form = {"file": (io.BytesIO(data), "poster.png"), **fields}
    return api.ask("POST", _PATH, key=key, data=form, headers=headers or {})


def entries(api: Api, kind: str) -> list[dict[str, Any]]:
    """The entries of a kind, oldest first."""
    table = tables.LedgerEntry
    with api.parts.database.read() as session:
        rows = session.scalars(select(table.body).where(table.kind == kind).order_by(table.seq))
        return [json.loads(row) for row in rows]


def stored(api: Api) -> list[str]:
    """What the storage holds of checks."""
    return [found.key for found in api.parts.storage.list("artwork/")]


def partner(api: Api) -> str:
    """A participant whose key is ``partner``."""
    mine = api.ready()
    _, api.keys["partner"] = api.parts.participants.api_keys.create(
        "partner", participant=mine, name="site", by="staff:cli"
    )
    return mine


def test_a_stretched_logo_is_told_recorded_and_shown(api: Api, clock: FrozenClock) -> None:
    mine, data = partner(api), poster(heart(api), stretched=1.25)
    answer = send(api, data, "partner", logo="heart", purpose="information")
    assert answer.status_code == 201, answer.text
    told = answer.json
    assert told["id"].startswith("chk_")
    assert answer.headers["Location"] == f"{_PATH}/{told['id']}"
    assert (told["verdict"], told["width"], told["height"]) == ("not_compliant", 900, 600)
    (logo,) = told["logos"]
    assert (logo["logo"], logo["colourway"]) == ("heart", "blue")
    assert [found["rule"] for found in logo["violations"]] == ["stretched"]
    assert {"severity", "measured", "required", "detail"} <= set(logo["violations"][0])
    assert told["participant"] == mine
    shown = api.ask("GET", urlsplit(told["annotated_url"]).path)
    assert shown.status_code == 200
    with Image.open(io.BytesIO(shown.data)) as picture:
        assert picture.size == (900, 600)
    right = api.ask("GET", urlsplit(logo["right"]["url"]).path)
    assert (right.status_code, right.mimetype) == (200, "image/png")
    (entry,) = entries(api, "artwork.checked")
    assert {name: entry[name] for name in ("id", "participant", "sha256", "verdict", "logos", "rules")} == {
        "id": told["id"],
        "participant": mine,
        "sha256": hashlib.sha256(data).hexdigest(),
        "verdict": "not_compliant",
        "logos": ["heart"],
        "rules": ["stretched"],
    }
    assert not any(key.endswith("upload") for key in stored(api)), "the file is gone after the check"
    clock.advance(3600)
    problem(api.ask("GET", urlsplit(told["annotated_url"]).path), 404, "not-found")
    api.parts.verdicts.drop()
    assert stored(api) == []
    later = api.ask("GET", f"{_PATH}/{told['id']}", key="partner").json
    assert (later["annotated_url"], later["verdict"]) == (None, "not_compliant")


def test_the_logo_as_it_should_be_and_none_at_all(api: Api) -> None:
    right = send(api, poster(heart(api)), "portal").json
    assert (right["verdict"], right["logos"][0]["violations"]) == ("compliant", [])
    nothing = send(api, poster(None), "portal").json
    assert (nothing["verdict"], nothing["logos"]) == ("logo_not_found", [])
    assert api.ask("GET", urlsplit(nothing["annotated_url"]).path).mimetype == "image/png"
    assert [entry["participant"] for entry in entries(api, "artwork.checked")] == [None, None]


def test_findings_are_in_the_language_that_is_accepted(api: Api) -> None:
    said = send(api, poster(heart(api), stretched=1.25), headers={"Accept-Language": "fr"}).json
    english = send(api, poster(heart(api), stretched=1.25)).json
    assert said["logos"][0]["violations"][0]["detail"] != english["logos"][0]["violations"][0]["detail"]
    assert said["logos"][0]["box"] == english["logos"][0]["box"]


def test_what_is_refused_says_why(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    problem(send(api, b"\x00" * (MOST_BYTES + 1)), 413, "too-large")
    problem(send(api, b"\x00" * (MOST_BYTES + 200_000)), 413, "too-large")
    problem(send(api, b"no picture at all"), 415, "unsupported-media-type")
    problem(api.ask("POST", _PATH, key="staff", json={"file": "poster.png"}), 415, "unsupported-media-type")
    problem(send(api, poster(None)[:200]), 422, "invalid-request")
    assert _pointers(api.ask("POST", _PATH, key="staff", data={"a": (io.BytesIO(b"x"), "a")})) >= {"/file", "/a"}
    assert _pointers(api.ask("POST", _PATH, key="staff", data={"file": "text", "b": (io.BytesIO(b""), "b")})) >= {"/b"}
    problem(send(api, poster(None), logo="no-logo"), 404, "unknown-logo")
    problem(send(api, poster(None), participant="par_none"), 404, "not-found")
    assert _pointers(send(api, poster(None), keep="perhaps")) == {"/keep"}
    assert entries(api, "artwork.checked") == []
    monkeypatch.setattr("service.verdicts.verdicts.missing_packages", lambda: ("numpy",))
    problem(send(api, poster(None)), 503, "unavailable")


def test_too_many_at_once_are_told_when_to_come_again(api: Api) -> None:
    places = api.parts.verdicts._places
    held = 0
    while places._held.acquire(blocking=False):
        held += 1
    answer = send(api, poster(None))
    problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    for _ in range(held):
        places._held.release()
    assert send(api, poster(None)).status_code == 201


def test_the_same_key_and_file_get_the_first_answer(api: Api) -> None:
    again = {"Idempotency-Key": "once"}
    first = send(api, poster(None), headers=again)
    second = send(api, poster(None), headers=again)
    assert (second.status_code, second.json["id"]) == (201, first.json["id"])
    problem(send(api, poster(heart(api)), headers=again), 422, "idempotency-key-reused")
    assert len(entries(api, "artwork.checked")) == 1


def test_a_file_that_is_to_be_kept_is_kept_until_its_time_or_an_erasure(api: Api, clock: FrozenClock) -> None:
    mine, data = partner(api), poster(heart(api))
    made = send(api, data, "partner", keep="true").json
    assert made["kept_until"] is not None
    clock.advance(30 * 86400)
    api.parts.verdicts.drop()
    found = api.parts.verdicts.get(made["id"])
    assert api.parts.verdicts.upload(found) == data
    api.parts.verdicts.overrule(made["id"], "not_compliant", reason="Kim Example said so", by="staff")
    api.parts.erasure.erase(mine, reason="asked for it", by="staff")
    with pytest.raises(Exception, match="not kept"):
        api.parts.verdicts.upload(api.parts.verdicts.get(made["id"]))
    problem(send(api, data, participant=mine), 404, "not-found")
    api.parts.verdicts.drop()
    assert stored(api) == []
    left = api.ask("GET", f"{_PATH}/{made['id']}", key="staff").json
    assert (left["overruled"]["reason"], left["overruled"]["verdict"]) == (None, "not_compliant")
    clock.advance(api.parts.campaign.info.retention.artwork_days * 86400)
    api.parts.verdicts.drop()
    problem(api.ask("GET", f"{_PATH}/{made['id']}", key="staff"), 404, "not-found")


def test_who_may_see_which_check(api: Api) -> None:
    mine = partner(api)
    own = send(api, poster(None), "partner").json["id"]
    for_them = send(api, poster(None), "portal", participant=mine).json["id"]
    of_portal = send(api, poster(None), "portal").json["id"]
    of_staff = send(api, poster(None), "staff").json["id"]
    seen = {
        key: {one["id"] for one in api.ask("GET", _PATH, key=key).json["artwork_checks"]}
        for key in ("partner", "portal", "staff", "auditor")
    }
    everything = {own, for_them, of_portal, of_staff}
    assert seen == {
        "partner": {own, for_them},
        "portal": {own, for_them, of_portal},
        "staff": everything,
        "auditor": everything,
    }
    for key, ids in seen.items():
        for check in everything:
            answer = api.ask("GET", f"{_PATH}/{check}", key=key)
            assert answer.status_code == (200 if check in ids else 404), (key, check)
    problem(send(api, poster(None), "partner", participant=api.ready()), 404, "not-found")
    listed = api.ask("GET", f"{_PATH}?participant={mine}&verdict=compliant", key="staff").json
    assert listed == {"artwork_checks": [], "next_cursor": None}


def test_staff_overrule_with_a_reason_and_it_is_on_record(api: Api) -> None:
    mine = partner(api)
    check = send(api, poster(None), "partner").json["id"]
    body = {"verdict": "compliant", "reason": "It is our old poster; fine."}
    problem(api.ask("POST", f"{_PATH}/{check}/overruling", key="partner", json=body), 403, "forbidden")
    said = api.ask("POST", f"{_PATH}/{check}/overruling", key="staff", json=body).json
    assert (said["verdict"], said["overruled"]["verdict"]) == ("logo_not_found", "compliant")
    assert said["overruled"]["reason"] == body["reason"]
    assert _pointers(api.ask("POST", f"{_PATH}/{check}/overruling", key="staff", json=body)) == {"/verdict"}
    empty = api.ask("POST", f"{_PATH}/{check}/overruling", key="staff", json={"verdict": "needs_review", "reason": " "})
    assert _pointers(empty) == {"/reason"}
    (entry,) = entries(api, "artwork.overruled")
    assert (entry["check"], entry["participant"], entry["before"], entry["verdict"]) == (
        check,
        mine,
        "logo_not_found",
        "compliant",
    )
    assert body["reason"] not in json.dumps(entry)
    assert "reason" not in api.ask("GET", f"{_PATH}/{check}", key="auditor").json["overruled"]


def test_the_right_logo_is_the_partners_own_embed_where_there_is_one(api: Api) -> None:
    mine = partner(api)
    wish = {"participant": mine, "logo": "heart", "origins": []}
    embed = api.ask("POST", "/api/v1/embeds", key="partner", json=wish).json
    made = send(api, poster(heart(api)), "partner").json
    assert made["logos"][0]["right"]["url"] == f"{embed['base_url']}/blue/240.auto"
    assert api.ask("GET", urlsplit(made["logos"][0]["right"]["url"]).path).status_code == 200


def _pointers(answer: Any) -> set[str]:
    return {error["pointer"] for error in problem(answer, 422, "invalid-request")["errors"]}
