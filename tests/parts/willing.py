"""A willing answer to whatever a kind of participant is asked, so that the shipped rules approve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from service.answers.catalogue import EligibilityField
from service.campaign import Campaign

#: The kinds of participants of the shipped campaign.
KINDS = (
    "individual",
    "civil_society",
    "private_sector",
    "intergovernmental_organization",
    "government",
    "regional_economic_integration_organization",
)
PLAN = "We show the Blue Heart at our events, in line with the Protocol, and for no other cause."
_BY_TYPE = {
    "boolean": True,
    "country": "AT",
    "date": "2024-05-17",
    "url": "https://www.example.org/statement",
}


def answers_to(fields: Iterable[Mapping[str, Any]], *, required_only: bool = False) -> dict[str, Any]:
    """An answer to every question, given as ``/api/v1/eligibility`` gives it."""
    return {
        field["name"]: field["options"][0]["value"] if field["type"] == "choice" else _BY_TYPE.get(field["type"], PLAN)
        for field in fields
        if field["required"] or not required_only
    }


def answers(campaign: Campaign, kind: str, *, required_only: bool = False) -> dict[str, Any]:
    """The same for a kind of a campaign that was read from its files."""
    found = campaign.eligibility.find(kind)
    assert found is not None, kind
    return answers_to(
        (EligibilityField.of(field, "en").as_json() for field in found.fields), required_only=required_only
    )
