"""The form of answers: what is a mistake, and where it is pointed at."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.campaign import Campaign
from service.campaign.answers import is_url, missing
from service.problems import FieldError

from ..parts import willing

GOOD: dict[str, Any] = {"commitment": True, "pledge": True, "plan": "Posters in our library."}
CITED: dict[str, Any] = {
    "support": True,
    "support_url": "https://www.example.org/resolution",
    "pledge": True,
    "organ": "Secretariat",
    "plan": "Show it at the assembly.",
}


def pointers(errors: list[FieldError]) -> list[str]:
    for error in errors:
        assert error.detail.endswith(".")
        assert error.detail == (error.template % error.values if error.values else error.template)
    return [error.pointer for error in errors]


def mistakes_of_all(campaign: Campaign, kind: Any, country: Any, answers: Any, purposes: Any) -> list[FieldError]:
    errors: list[FieldError] = []
    campaign.eligibility.read(kind, country, answers, purposes, errors)
    return errors


def mistakes(campaign: Campaign, kind: str, answers: Any) -> list[FieldError]:
    return mistakes_of_all(campaign, kind, None, answers, ["information"])


def test_complete_answers_have_no_mistake(campaign: Campaign) -> None:
    assert mistakes(campaign, "individual", GOOD) == []
    assert mistakes(campaign, "individual", GOOD | {"place": "x" * 200, "plan": "é" * 4000}) == []
    assert mistakes(campaign, "individual", GOOD | {"place": None}) == []
    assert mistakes(campaign, "individual", GOOD | {"place": "  "}) == []


def test_a_refused_statement_is_an_answer(campaign: Campaign) -> None:
    assert mistakes(campaign, "individual", GOOD | {"pledge": False}) == []


@pytest.mark.parametrize(
    "change",
    [
        {"plan": "x" * 4001},
        {"plan": ""},
        {"plan": " \t\n\u00a0\u200b\ufeff"},
        {"plan": None},
        {"plan": 7},
        {"plan": ["text"]},
        {"plan": {"en": "text"}},
        {"plan": True},
        {"plan": "zero \x00 byte"},
        {"plan": "escape \x1b[31m"},
        {"plan": "half \ud800 character"},
        {"place": "x" * 201},
        {"place": 7},
        {"pledge": "true"},
        {"pledge": 1},
        {"pledge": 0},
        {"pledge": "on"},
        {"pledge": []},
        {"pledge": None},
        {"pledge": ""},
    ],
    ids=lambda change: next(f"{name}={value!r}"[:40] for name, value in change.items()),
)
def test_a_wrong_answer_is_pointed_at(campaign: Campaign, change: dict[str, Any]) -> None:
    errors = mistakes(campaign, "individual", GOOD | change)
    assert pointers(errors) == [f"/answers/{next(iter(change))}"]


def test_a_line_end_counts_as_one_character_however_it_is_sent(campaign: Campaign) -> None:
    plan = "\r\n".join(["x"] * 2000)
    assert mistakes(campaign, "individual", GOOD | {"plan": plan}) == []


@pytest.mark.parametrize(
    "url",
    [
        "www.example.org",
        "ftp://example.org/file",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://.",
        "https://example..org",
        "http://user:pass@example.org/",
        "https://example.org/a b",
        "https://example.org:99999/",
        "https://[::1",
        "https://example.org/" + "x" * 2000,
        'https://example.org/"><script>',
    ],
)
def test_what_is_no_web_address(campaign: Campaign, url: str) -> None:
    errors = mistakes(campaign, "intergovernmental_organization", CITED | {"support_url": url})
    assert pointers(errors) == ["/answers/support_url"]


@pytest.mark.parametrize("url", ["https://example.org", "HTTP://example.org:8080/a?b=c#d", "https://bücher.example/é"])
def test_web_addresses(url: str) -> None:
    assert is_url(url)


@pytest.mark.parametrize(
    "day", ["2024-02-30", "20240229", "2024-2-9", "2024-W09-4", "29.02.2024", "२०२४-०२-२९", "yesterday"]
)
def test_what_is_no_date(campaign: Campaign, day: str) -> None:
    errors = mistakes(campaign, "intergovernmental_organization", CITED | {"support_date": day})
    assert pointers(errors) == ["/answers/support_date"]
    good = CITED | {"support_date": "2024-02-29"}
    assert mistakes(campaign, "intergovernmental_organization", good) == []


def test_a_choice_is_one_of_its_options(campaign: Campaign) -> None:
    assert mistakes(campaign, "civil_society", GOOD | {"organization_type": "faith"}) == []
    errors = mistakes(campaign, "civil_society", GOOD | {"organization_type": "club"})
    assert pointers(errors) == ["/answers/organization_type"]
    assert "foundation" in errors[0].detail


def test_unknown_questions_are_pointed_at_as_json_pointers(campaign: Campaign) -> None:
    errors = mistakes(campaign, "individual", GOOD | {"a/b~c": 1})
    assert pointers(errors) == ["/answers/a~1b~0c"]


@pytest.mark.parametrize("answers", [None, [], "text", 7, True])
def test_answers_that_are_no_object(campaign: Campaign, answers: Any) -> None:
    assert pointers(mistakes(campaign, "individual", answers)) == ["/answers"]


def test_every_mistake_is_told_at_once(campaign: Campaign) -> None:
    errors = mistakes_of_all(campaign, "government", None, {"pledge": "yes", "x": 1}, ["theft", 7])
    assert sorted(pointers(errors)) == [
        "/answers/authority",
        "/answers/plan",
        "/answers/pledge",
        "/answers/x",
        "/country",
        "/purposes/0",
        "/purposes/1",
    ]


@pytest.mark.parametrize("kind", ["government", "regional_economic_integration_organization"])
def test_these_kinds_need_a_country(campaign: Campaign, kind: str) -> None:
    answers = {"pledge": True, "authority": "Office", "organ": "Office", "plan": "Posters."}
    asked = {field.name for field in campaign.eligibility.kind(kind).fields}
    answers = {name: value for name, value in answers.items() if name in asked}
    check = partial(mistakes_of_all, campaign)
    assert check(kind, "EU", answers, ["information"]) == []
    for country in (None, "", "ZZ", "at", 7):
        assert pointers(check(kind, country, answers, ["information"])) == ["/country"]


def test_other_kinds_need_none_but_a_real_one(campaign: Campaign) -> None:
    check = partial(mistakes_of_all, campaign)
    assert check("individual", None, GOOD, ["information"]) == []
    assert pointers(check("individual", "ZZ", GOOD, ["information"])) == ["/country"]


@pytest.mark.parametrize("purposes", [None, [], "information", {"information": True}, 7])
def test_purposes_are_a_list_of_at_least_one(campaign: Campaign, purposes: Any) -> None:
    assert pointers(mistakes_of_all(campaign, "individual", None, GOOD, purposes)) == ["/purposes"]


@pytest.mark.parametrize("kind", ["", "Individual", "robot", None, 7, ["individual"]])
def test_an_unknown_kind_is_pointed_at(campaign: Campaign, kind: Any) -> None:
    assert pointers(mistakes_of_all(campaign, kind, None, GOOD, ["information"])) == ["/kind"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(kind=json_values, country=json_values, answers=json_values, purposes=json_values)
def test_no_input_breaks_the_check(campaign: Campaign, kind: Any, country: Any, answers: Any, purposes: Any) -> None:
    errors = mistakes_of_all(campaign, kind, country, answers, purposes)
    assert "/kind" in pointers(errors) or kind in [known.id for known in campaign.eligibility.kinds]


@given(value=st.text())
def test_missing_is_what_shows_nothing(value: str) -> None:
    assert missing(value) == (not any(char.isprintable() and not char.isspace() for char in value) or missing(value))
    assert missing(None)
    assert not missing(value + "a")


def test_a_purpose_named_twice_is_told_in_words(campaign: Campaign) -> None:
    answers = willing.answers(campaign, "individual")
    found = mistakes_of_all(campaign, "individual", None, answers, ["information", "information"])
    assert [(error.pointer, str(error.detail)) for error in found] == [("/purposes", "Name each purpose once.")]
