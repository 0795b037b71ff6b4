"""The API's page: contents, an example and the problems of each call, and examples that are as the document says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from service.web.api.docs import document, operations
from service.web.api.examples import Examples

from .conftest import Api, problem
from .visitor import Html


@pytest.fixture
def described(api: Api) -> dict[str, Any]:
    with api.app.app_context():
        return document()


@pytest.fixture
def examples(api: Api, described: dict[str, Any]) -> Examples:
    return Examples(described, api.parts.campaign, package="logo", base_url="https://emblem.example.org")


def test_examples_are_as_the_document_says(described: dict[str, Any], examples: Examples) -> None:
    for path, method, operation in operations(described):
        made = [(examples.answer(operation), one) for one in _schemas(operation["responses"])[:1]]
        made += [(examples.request(operation), one) for one in _schemas({"200": operation.get("requestBody", {})})]
        for value, schema in made:
            whole = {**schema, "components": described["components"]}
            assert not list(Draft202012Validator(whole).iter_errors(value)), (method, path, value)


def _schemas(responses: dict[str, Any]) -> list[dict[str, Any]]:
    found = [
        response.get("content", {}).get("application/json")
        for status, response in sorted(responses.items())
        if status < "3"
    ]
    return [media["schema"] for media in found if media]


def test_the_api_takes_every_example_of_a_body(api: Api, described: dict[str, Any], examples: Examples) -> None:
    """What an example names is not there, or not in force; but nothing is wrong with its form."""
    for path, method, operation in operations(described):
        if (body := examples.request(operation)) is None:
            continue
        role = "staff" if "staff" in operation["x-roles"] else "portal"
        address = path.replace("{id}", "of_nobody").replace("{key}", "of_nobody")
        answer = api.ask(method.upper(), address, key=role, json=body)
        assert answer.status_code in (200, 201, 202, 403, 404, 409), (method, path, body, answer.text)
        if path in ("/api/v1/participants", "/api/v1/misuse-reports"):
            assert answer.status_code in (201, 202), answer.text


def test_the_page_has_every_call_with_its_roles_problems_and_an_example(api: Api, described: dict[str, Any]) -> None:
    answer = api.ask("GET", "/api/v1/docs", headers={"Accept": "text/html"})
    html = Html(answer.text)
    assert not html.mistakes, html.mistakes[:3]
    ids = [one.attributes["id"] for one in html.elements if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    assert [one for one in html.links() if one.startswith("#") and one[1:] not in ids] == []
    calls = list(operations(described))
    assert {operation["operationId"] for _, _, operation in calls} <= set(ids)
    assert answer.text.count("curl -sS") == len(calls)
    links = set(html.links())
    for _, _, operation in calls:
        for response in operation["responses"].values():
            assert {f"/problems/{slug}" for slug in response.get("x-problems", ())} <= links
    for route in ("/d/{address}", "/logos/{rest}", "/log/checkpoint", "/healthz", "/oembed"):
        assert f"<code>{route}</code>" in answer.text
    for script in html.all("script"):
        assert script.attributes["src"].startswith("/static/")
    tag = answer.headers["ETag"]
    assert api.ask("GET", "/api/v1/docs", headers={"Accept": "text/html", "If-None-Match": tag}).status_code == 304


def test_the_command_of_a_call_is_one_to_paste(described: dict[str, Any], examples: Examples) -> None:
    command = examples.command("/api/v1/links", "post", described["paths"]["/api/v1/links"]["post"])
    first, *_, last = command.split(" \\\n  ")
    assert first == "curl -sS -X POST https://emblem.example.org/api/v1/links"
    body = json.loads(last.removeprefix("-d '").removesuffix("'"))
    assert body == {"participant": body["participant"], "package": "logo", "max_downloads": 1}


def test_what_is_not_json_is_never_said_to_be_null(described: dict[str, Any]) -> None:
    """Neither a query nor a form can write null: whoever sends the word would be told that it is no id."""
    asked = 0
    for path, method, operation in operations(described):
        form = operation.get("requestBody", {}).get("content", {}).get("multipart/form-data")
        fields = [one["schema"] for one in operation.get("parameters", ())]
        if form is not None:
            name = form["schema"]["$ref"].rpartition("/")[2]
            fields += described["components"]["schemas"][name]["properties"].values()
        for field in fields:
            assert "null" not in json.dumps(field), (method, path, field)
            asked += 1
    assert asked > 60


def test_every_parameter_says_what_it_may_be(described: dict[str, Any]) -> None:
    """Text has a pattern or is one of some values, a number has bounds, a list ends: in queries, paths and headers."""
    for path, method, operation in operations(described):
        for parameter in operation.get("parameters", ()):
            where = f"{method} {path} {parameter['name']}"
            for schema in [parameter["schema"], *parameter["schema"].get("anyOf", ())]:
                items = schema.get("items", schema)
                if schema.get("type") == "array":
                    assert "maxItems" in schema, where
                if items.get("type") == "string":
                    assert {"pattern", "enum"} & set(items), where
                elif items.get("type") in ("integer", "number"):
                    assert {"minimum", "maximum"} <= set(items), where


@pytest.mark.parametrize(
    "path",
    [
        "participants?q=a%00b",
        "cases?q=%00",
        "cases?team=%00",
        "cases?country=at",
        "links?cursor=a%2Bb",
        "terms/logo-terms?version=%00",
        "audit/report?origin=%00",
        "audit/report?country=" + "x" * 301,
        "audit/report?by=" + "day," * 51,
        "audit/report?checkpoint=1000000000000000000",
        "downloads?from=2026-02-30",
    ],
)
def test_what_a_parameter_may_not_be_is_refused_in_words(api: Api, path: str) -> None:
    answer = api.ask("GET", f"/api/v1/{path}", key="staff")
    (error,) = problem(answer, 422, "invalid-request")["errors"]
    assert error["pointer"] == f"?{path.partition('?')[2].partition('=')[0]}"
    assert error["detail"].endswith(".")
