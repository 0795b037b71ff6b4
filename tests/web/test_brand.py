"""The brand for machines: brand.json by its schema, rules with their digest, and /mcp by the official SDK's client."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
import rfc8785
from flask import Flask
from jsonschema import Draft7Validator
from mcp.client import Client
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from service.answers.brand import brand_document
from service.app import create_app
from service.campaign import LANGUAGES, Campaign
from service.settings import Settings
from tests.conftest import FrozenClock
from tests.parts.served import served

VERSION = "3.2"
BASE = f"https://adcontextprotocol.org/schemas/{VERSION}.4/"


@pytest.fixture(scope="module")
def schema() -> Draft7Validator:
    """The schema of brand.json, as the official Python package of AdCP brings it along."""
    folder = Path(str(importlib.resources.files("adcp") / "_schemas" / VERSION))

    def retrieve(uri: str) -> Resource[Any]:
        assert uri.startswith(BASE), uri
        return DRAFT7.create_resource(json.loads((folder / uri.removeprefix(BASE)).read_text(encoding="utf-8")))

    whole = json.loads((folder / "brand.json").read_text(encoding="utf-8"))
    registry: Registry[Any] = Registry(retrieve=retrieve)  # type: ignore[call-arg]
    return Draft7Validator(whole, registry=registry.with_resource(BASE + "brand.json", DRAFT7.create_resource(whole)))


def test_brand_json_is_by_its_schema(app: Flask, campaign: Campaign, schema: Draft7Validator) -> None:
    response = app.test_client().get("/.well-known/brand.json")
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    found = response.get_json()
    for document in (found, brand_document(campaign, "https://emblem.example.org", LANGUAGES)):
        assert [error.message for error in schema.iter_errors(document)] == []
    assert {next(iter(name)) for name in found["names"]} == set(LANGUAGES)
    assert document["agents"][0]["url"] == "https://emblem.example.org/mcp"
    # The schema does refuse: what was checked above could fail.
    assert list(schema.iter_errors({**found, "id": "With Spaces"}))
    for logo in found["logos"]:
        picture = app.test_client().get(logo["url"].removeprefix("http://127.0.0.1:8000"))
        assert (picture.status_code, picture.mimetype) == (200, "image/png")
        break  # each is rendered anew; one shows that the addresses are those of pictures


def test_rules_have_the_digest_of_what_they_say(app: Flask, campaign: Campaign) -> None:
    client = app.test_client()
    found = {lang: client.get("/api/v1/rules", query_string={"lang": lang}).get_json() for lang in ("en", "ar")}
    for lang, rules in found.items():
        assert rules["language"] == lang
        assert rules["policies"] == campaign.digest
        assert rules["digest"] == hashlib.sha256(rfc8785.dumps(rules["logos"])).hexdigest()
    assert found["en"]["digest"] != found["ar"]["digest"]
    assert [logo["id"] for logo in found["en"]["logos"]] == list(campaign.logos)


def test_llms_txt_leads_to_all_of_it(app: Flask) -> None:
    client = app.test_client()
    text = client.get("/llms.txt").get_data(as_text=True)
    assert text.startswith("# Blue Heart Campaign\n\n> ")
    for path in ("/.well-known/brand.json", "/api/v1/rules", "/api/v1/openapi.json", "/en/join", "/en/check"):
        assert f"http://127.0.0.1:8000{path})" in text
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_agent_uses_the_four_tools(app: Flask, mode: Any) -> None:
    heart = app.test_client().get("/brand/heart/blue/256.png").data

    async def talk(address: str) -> dict[str, Any]:
        async with Client(f"{address}/mcp", mode=mode) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert set(tools) == {"rules", "logo_address", "check_artwork", "how_to_join"}
            assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools.values())
            calls: list[tuple[str, dict[str, Any]]] = [
                ("rules", {"language": "fr"}),
                ("logo_address", {"logo": "heart", "width": 240, "background": "0a325e", "embed": "ebd_x"}),
                ("logo_address", {"logo": "heart", "width": 3}),
                ("logo_address", {"logo": "liver", "width": 240}),
                ("check_artwork", {"picture": base64.b64encode(heart).decode()}),
                ("check_artwork", {"picture": "%%%"}),
                ("how_to_join", {"kind": "individual"}),
                ("how_to_join", {"kind": "dragon"}),
            ]
            return {json.dumps(call): await client.call_tool(*call) for call in calls}

    # In a thread of its own: the browser of other tests may keep a loop running in this one.
    with served(app) as address, ThreadPoolExecutor(1) as apart:
        answers = list(apart.submit(anyio.run, talk, address).result().values())
    rules, address_, small, liver, checked, nonsense, kind, dragon = answers
    assert rules.structured_content["language"] == "fr"
    assert address_.structured_content["url"].endswith("/logos/ebd_x/heart/white/240.auto?on=0a325e")
    assert checked.structured_content["verdict"] in ("compliant", "needs_review")
    assert checked.structured_content["logos"][0]["logo"] == "heart"
    assert [one["kind"] for one in kind.structured_content["kinds"]] == ["individual"]
    told = {"rules allow": small, "no logo liver": liver, "base64": nonsense, "no kind dragon": dragon}
    for words, answer in told.items():
        assert answer.is_error
        assert words in answer.content[0].text
    emblem = app.extensions["emblem"]
    assert emblem.verdicts.list(participant=None, cursor=None, limit=1).items == ()  # nothing of a check is kept


def test_agents_have_limits(settings: Settings, clock: FrozenClock) -> None:
    app = create_app(settings=replace(settings, rate_limits=True), clock=clock)
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "check_artwork", "arguments": {}}}
    headers = {"Accept": "application/json, text/event-stream"}
    with served(app) as address:
        answers = [httpx2.post(f"{address}/mcp", json=call, headers=headers, timeout=60).status_code for _ in range(61)]
        assert (set(answers[:-1]), answers[-1]) == ({200}, 429)
        assert httpx2.get(f"{address}/mcp", headers=headers, timeout=60).status_code == 405
    large = app.test_client().post("/mcp", data=b" " * (9 * 1024 * 1024), headers=headers)
    assert large.status_code == 413
    app.extensions["emblem"].close()
