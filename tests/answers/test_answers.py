"""What the API answers: typed models that are their own schema."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from service import answers
from service.answers.base import Answer
from service.answers.catalogue import TermsAnswer, TermsVersionAnswer, Viewpoint
from service.answers.participants import KeyAnswer, ParticipantAnswer
from service.campaign import Campaign
from service.participants import ApiKeyView, ParticipantView

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def every_answer() -> Iterator[type[Answer]]:
    for module in pkgutil.iter_modules(answers.__path__):
        for found in vars(importlib.import_module(f"{answers.__name__}.{module.name}")).values():
            if isinstance(found, type) and issubclass(found, Answer):
                yield found


def participant(**changes: object) -> ParticipantView:
    values = {
        "id": "par_one",
        "kind": "civil_society",
        "name": "Example Society",
        "email": "office@example.org",
        "country": "AT",
        "language": "fr",
        "website": None,
        "answers": {"pledge": True},
        "purposes": ("information",),
        "status": "approved",
        "outcome": "approved",
        "rule": "staff",
        "reasons": ("Typed by somebody",),
        "policy": "0" * 64,
        "joined_via": "page",
        "suspended_reason": None,
        "created_at": NOON,
        "decided_at": NOON,
        "decided_by": "staff:stf_one",
        "erased_at": None,
    }
    return ParticipantView(**values | changes)  # type: ignore[arg-type]


def test_no_answer_has_a_field_that_its_schema_lacks() -> None:
    found = set(every_answer())
    assert len(found) > 30
    for model in found:
        assert model.model_json_schema(by_alias=True)["additionalProperties"] is False, model.__name__
        assert model.__doc__, model.__name__


def test_what_was_not_given_is_left_out_and_null_is_said() -> None:
    key = KeyAnswer.of(ApiKeyView("key_one", "portal", None, "page", NOON)).as_json()
    assert (key["participant"], key["revoked_at"]) == (None, None)
    seen = ParticipantAnswer.of(participant(), "staff").as_json()
    assert seen["website"] is None
    assert not {"suspension", "erased_at"} & set(seen)
    with pytest.raises(ValidationError):
        ParticipantAnswer.of(participant(), "staff", surprise=1)


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (NOON, "2026-11-25T12:00:00.000000Z"),
        (NOON.replace(microsecond=7), "2026-11-25T12:00:00.000007Z"),
        (NOON.astimezone(timezone(timedelta(hours=5, minutes=30))), "2026-11-25T12:00:00.000000Z"),
    ],
)
def test_times_are_utc_with_six_decimals(at: datetime, written: str) -> None:
    """Times are RFC 3339 UTC with six decimals and ``Z``."""
    assert ParticipantAnswer.of(participant(created_at=at), "staff").as_json()["created_at"] == written


def test_who_sees_what_of_a_participant() -> None:
    """Auditors see participants without name and address; nobody sees an erased one's, and nothing that staff typed."""
    personal = {"name", "email", "language", "website", "purposes", "answers"}
    for role in ("portal", "partner", "staff"):
        assert personal <= set(ParticipantAnswer.of(participant(), role).as_json())
    audited = ParticipantAnswer.of(participant(suspended_reason="Typed too"), "auditor").as_json()
    assert not personal & set(audited)
    assert audited["decision"]["reasons"] == []
    assert "suspension" not in audited
    gone = participant(status="erased", erased_at=NOON, name=None, email=None, answers=None)
    for role in ("portal", "staff", "auditor"):
        erased = ParticipantAnswer.of(gone, role).as_json()
        assert not personal & set(erased)
        assert erased["erased_at"] == "2026-11-25T12:00:00.000000Z"
    by_rule = ParticipantAnswer.of(participant(rule="all-given", reasons=("The campaign's words",)), "auditor")
    assert by_rule.decision.reasons == ["The campaign's words"]


def test_terms_that_are_not_in_force_have_no_version_and_still_a_page(campaign: Campaign) -> None:
    place = Viewpoint("https://emblem.example.org", "ru", datetime(2001, 1, 1, tzinfo=UTC), campaign.terms)
    expected = {"id": "logo-terms", "version": None, "url": "https://emblem.example.org/ru/terms/logo-terms"}
    assert place.terms("logo-terms").as_json() == expected
    assert place.terms("no-terms").version is None
    current = campaign.terms.current("logo-terms", NOON).version
    there = Viewpoint("https://emblem.example.org", "ru", NOON, campaign.terms).terms("logo-terms")
    assert (there.version, there.url.rpartition("/")[2]) == (current, current)


def test_a_version_of_terms_has_the_digest_of_the_language_that_is_given(campaign: Campaign) -> None:
    version = campaign.terms.current("logo-terms", NOON)
    assert TermsVersionAnswer.of(version).digest == version.digest("en")
    french = TermsAnswer.in_language(version, "fr")
    assert (french.language, french.digest, french.text) == ("fr", version.digest("fr"), version.text("fr"))
