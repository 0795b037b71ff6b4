"""Who is approved, reviewed or declined, and by which rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.answers.catalogue import EligibilityAnswer
from service.campaign import Applicant, Campaign, Verdict
from service.problems import FieldError

from ..parts import willing

STEPS = {"steps": "A bill is before parliament."}
REGION = "regional_economic_integration_organization"


def decide(
    campaign: Campaign,
    kind: str,
    country: str | None = None,
    purposes: tuple[str, ...] = ("information",),
    **answers: Any,
) -> Verdict:
    given = willing.answers(campaign, kind, required_only=True) | answers
    errors: list[FieldError] = []
    applicant = campaign.eligibility.read(kind, country, given, list(purposes), errors)
    assert errors == []
    return campaign.eligibility.decide(applicant)


@pytest.mark.parametrize(
    ("kind", "country", "answers", "outcome", "rule"),
    [
        ("individual", None, {}, "approved", "commitment-given"),
        ("civil_society", "KP", {}, "approved", "commitment-given"),
        ("private_sector", "US", {}, "approved", "commitment-given"),
        ("intergovernmental_organization", None, {}, "review", "organization-support-cited"),
        ("intergovernmental_organization", "EU", {}, "review", "organization-support-cited"),
        ("government", "AT", {}, "approved", "government-of-state-party"),
        ("government", "AT", STEPS, "approved", "government-of-state-party"),
        ("government", "EU", {}, "approved", "government-of-state-party"),
        ("government", "CG", {}, "declined", "government-not-party"),
        ("government", "CG", STEPS, "review", "government-steps-shown"),
        ("government", "CG", {"steps_url": "https://parliament.example.org/bill"}, "review", "government-steps-shown"),
        ("government", "CG", {"steps": " \n\u200b", "steps_url": ""}, "declined", "government-not-party"),
        ("government", "TO", {}, "declined", "government-not-party"),
        ("government", "TO", STEPS, "review", "government-steps-shown"),
        ("government", "IR", {}, "review", "government-status-unsure"),
        ("government", "SD", {}, "review", "government-status-unsure"),
        ("government", "AQ", {}, "review", "government-status-unsure"),
        (REGION, "EU", {}, "approved", "regional-organization-party-to-convention"),
        (REGION, "AT", {}, "review", "regional-organization-status-unsure"),
        (REGION, "VA", {}, "review", "regional-organization-status-unsure"),
        (REGION, "AQ", {}, "review", "regional-organization-status-unsure"),
        (REGION, "CG", {}, "declined", "regional-organization-not-party"),
        (REGION, "CG", STEPS, "review", "regional-organization-steps-shown"),
    ],
)
def test_the_shipped_campaign_decides(
    campaign: Campaign, kind: str, country: str | None, answers: dict[str, Any], outcome: str, rule: str
) -> None:
    verdict = decide(campaign, kind, country, **answers)
    assert (verdict.outcome, verdict.rule) == (outcome, rule)
    assert verdict.reasons
    for reason in verdict.reasons:
        for text in reason.root.values():
            assert "{" not in text


@pytest.mark.parametrize("purposes", [("fundraising",), ("information", "commercial"), ("commercial", "fundraising")])
@pytest.mark.parametrize(
    ("kind", "country"),
    [("individual", None), ("civil_society", "FR"), ("private_sector", "JP"), ("government", "AT"), (REGION, "EU")],
)
def test_whoever_would_be_approved_is_reviewed_for_fundraising_or_commercial_use(
    campaign: Campaign, kind: str, country: str | None, purposes: tuple[str, ...]
) -> None:
    verdict = decide(campaign, kind, country, purposes)
    assert (verdict.outcome, verdict.rule) == ("review", "purpose-looked-at")
    assert len(verdict.reasons) == len(set(purposes) - {"information"})


def test_a_purpose_does_not_save_who_would_be_declined(campaign: Campaign) -> None:
    assert decide(campaign, "government", "CG", ("commercial",)).outcome == "declined"


@pytest.mark.parametrize("kind", willing.KINDS)
def test_every_statement_that_is_refused_declines_with_its_own_reason(campaign: Campaign, kind: str) -> None:
    """A pledge or statement not given (false) declines, before anything else is looked at."""
    statements = [field for field in campaign.eligibility.kind(kind).fields if field.type == "boolean"]
    assert statements
    for field in statements:
        answers: dict[str, Any] = {field.name: False}
        verdict = decide(campaign, kind, "EU", **answers)
        assert (verdict.outcome, verdict.rule) == ("declined", "statement-refused")
        assert verdict.reasons == (field.declines,)
    verdict = decide(
        campaign, kind, "EU", ("commercial",), **dict.fromkeys([field.name for field in statements], False)
    )
    assert verdict.reasons == tuple(field.declines for field in statements)


def test_reasons_name_the_country_in_each_language(campaign: Campaign) -> None:
    (reason,) = decide(campaign, "government", "AT").reasons
    assert "Austria" in reason.get("en")
    assert "Autriche" in reason.get("fr")


def test_a_statement_that_is_not_given_declines_like_one_that_is_refused(campaign: Campaign) -> None:
    """Only a statement that was given, as ``true``, is one: an applicant who says nothing of it is declined."""
    given = willing.answers(campaign, "individual")
    for said in ({}, {"pledge": None}, {"pledge": "true"}):
        left = {name: answer for name, answer in given.items() if name != "pledge"} | said
        verdict = campaign.eligibility.decide(Applicant("individual", "AT", left, ("information",)))
        assert (verdict.outcome, verdict.rule) == ("declined", "statement-refused")


@given(
    kind=st.sampled_from(willing.KINDS),
    country=st.sampled_from(["AT", "CG", "TO", "IR", "SD", "EU", "AQ"]),
    purposes=st.sets(st.sampled_from(["information", "fundraising", "commercial"]), min_size=1),
    evidence=st.booleans(),
    refused=st.booleans(),
)
def test_nobody_is_approved_against_the_contract(
    campaign: Campaign, kind: str, country: str, purposes: set[str], evidence: bool, refused: bool
) -> None:
    """Approved is only who gave every statement, named information alone, and whose status decides."""
    answers = willing.answers(campaign, kind, required_only=True) | (STEPS if evidence else {})
    if refused:
        answers["pledge"] = False
    verdict = campaign.eligibility.decide(Applicant(kind, country, answers, tuple(purposes)))
    if verdict.outcome == "approved":
        assert not refused
        assert purposes == {"information"}
        assert kind != "intergovernmental_organization"
        assert kind != "government" or country in ("AT", "EU")
        assert kind != REGION or country == "EU"
    assert (verdict.outcome == "declined") == (
        refused or (kind in ("government", REGION) and country in ("CG", "TO") and not evidence)
    )


def test_the_interface_lists_every_constraint(campaign: Campaign) -> None:
    value = EligibilityAnswer.of(campaign.eligibility, "fr").as_json()
    assert [kind["kind"] for kind in value["kinds"]] == list(willing.KINDS)
    assert [purpose["purpose"] for purpose in value["purposes"]] == ["information", "fundraising", "commercial"]
    for kind in value["kinds"]:
        assert {"kind", "label", "fields", "decided"} <= kind.keys()
        assert any(field["type"] == "boolean" and field["required"] for field in kind["fields"])
        for field in kind["fields"]:
            assert {"name", "type", "required", "label"} <= field.keys()
            assert ("options" in field) == (field["type"] == "choice")
            if field["type"] in ("text", "long_text"):
                assert field["max"] == {"text": 200, "long_text": 4000}[field["type"]]
                assert field.get("min") == (1 if field["required"] else None)
    first = value["kinds"][0]
    assert first["label"] == "Particulier"
    assert EligibilityAnswer.of(campaign.eligibility, "en").kinds[0].label == "Individual"
