from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.campaign import Text
from service.campaign.terms import TermsVersion
from service.embeds.terms_status import NEVER, embed_status, good_until

GRACE = timedelta(days=30)
START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def terms(*days: int) -> list[TermsVersion]:
    """Versions ``v<day>`` in force from these days, newest first as ``Terms.versions`` gives them."""
    words = Text.of("Terms")
    return [TermsVersion("t", f"v{at}", day(at), words, words, {"en": b"# T"}) for at in sorted(days, reverse=True)]


@pytest.mark.parametrize(
    ("accepted", "now", "until"),
    [
        ({"v0"}, 5, 130),  # in force; what comes on day 100 is known already
        ({"v0"}, 100, 130),
        ({"v0"}, 129, 130),
        ({"v0"}, 150, 130),
        ({"v0"}, 210, 130),  # the version of day 200 opens no second period
        ({"v0", "v100"}, 5, 230),  # a coming version may be accepted before
        ({"v0", "v100"}, 150, 230),
        ({"v100"}, 150, 230),
        ({"v0", "v200"}, 150, 130),
        ({"v0", "v200"}, 250, None),
        ({"v0", "v100", "v200"}, 5, None),
        ({"v200"}, 250, None),
    ],
)
def test_an_embed_goes_on_for_the_grace_period_after_the_first_version_that_was_not_accepted(
    accepted: set[str], now: int, until: int | None
) -> None:
    found = good_until(terms(0, 100, 200), accepted, day(now), GRACE)
    assert found == (None if until is None else day(until))


def test_who_accepted_nothing_that_has_come_has_no_grace() -> None:
    assert good_until(terms(0, 100), set(), day(50), GRACE) == NEVER
    assert good_until(terms(0, 100), {"v100"}, day(50), GRACE) == NEVER


@given(
    st.sets(st.integers(0, 300), min_size=1, max_size=5),
    st.sets(st.integers(0, 300), max_size=5),
    st.integers(0, 400),
)
def test_who_accepted_the_current_version_is_never_stopped(days: set[int], more: set[int], now: int) -> None:
    versions = terms(*days)
    come = [version for version in versions if version.effective <= day(now)]
    if not come:
        return
    accepted = {come[0].version} | {f"v{number}" for number in more}
    until = good_until(versions, accepted, day(now), GRACE)
    assert until is None or until > day(now)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "active"),
        ({"until": day(1)}, "active"),
        ({"current_accepted": False, "until": day(1)}, "grace"),
        ({"current_accepted": False, "until": day(0)}, "terms_required"),
        ({"participant_status": "suspended"}, "suspended"),
        ({"participant_status": "declined", "current_accepted": False, "until": day(0)}, "suspended"),
        ({"revoked": True, "participant_status": "suspended"}, "revoked"),
    ],
)
def test_the_first_refusal_is_the_status(changes: dict[str, object], status: str) -> None:
    facts: dict[str, object] = {
        "revoked": False,
        "participant_status": "approved",
        "current_accepted": True,
        "until": None,
        "now": day(0),
    }
    assert embed_status(**(facts | changes)) == status  # type: ignore[arg-type]
