from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.links import Claim, Tokens
from service.problems import InvalidLink

OLD, NEW = "an-older-secret-of-32-characters-", "a-newer-secret-of-32-characters--"
CLAIM = Claim("lnk_dGhpcyBpcyBub3QgYSBs", "logo", "1.0.0", datetime(2026, 12, 2, 12, tzinfo=UTC))
ISSUED = datetime(2026, 11, 25, 12, tzinfo=UTC)
TOKENS = Tokens([NEW, OLD])
TOKEN = TOKENS.sign(CLAIM, ISSUED)


def test_a_token_says_what_was_claimed() -> None:
    assert TOKENS.verify(TOKEN) == CLAIM


def test_signing_the_same_claim_again_gives_the_same_text() -> None:
    assert Tokens([NEW, OLD]).sign(CLAIM, ISSUED) == TOKEN


def test_the_first_key_signs_and_all_verify() -> None:
    assert Tokens([OLD]).sign(CLAIM, ISSUED) != TOKEN
    assert TOKENS.verify(Tokens([OLD]).sign(CLAIM, ISSUED)) == CLAIM
    with pytest.raises(InvalidLink):
        Tokens([OLD]).verify(TOKEN)


@given(st.data())
@settings(max_examples=600, deadline=None)
def test_altered_anywhere_it_is_never_accepted(data: st.DataObject) -> None:
    """A token counts as unaltered only if it is exactly the text that was issued (lenient base64 included)."""
    place = data.draw(st.integers(0, len(TOKEN) - 1))
    how = data.draw(st.sampled_from(["swap", "insert", "delete", "append", "cut"]))
    mark = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_=.~+/ \n%é\0"))
    altered = {
        "swap": TOKEN[:place] + mark + TOKEN[place + 1 :],
        "insert": TOKEN[:place] + mark + TOKEN[place:],
        "delete": TOKEN[:place] + TOKEN[place + 1 :],
        "append": TOKEN + mark,
        "cut": TOKEN[:place],
    }[how]
    if altered == TOKEN:
        return
    with pytest.raises(InvalidLink):
        TOKENS.verify(altered)


@pytest.mark.parametrize("place", range(len(TOKEN)))
def test_no_single_character_can_be_changed(place: int) -> None:
    for mark in string.ascii_letters + string.digits + "-_":
        if mark != TOKEN[place]:
            with pytest.raises(InvalidLink):
                TOKENS.verify(TOKEN[:place] + mark + TOKEN[place + 1 :])


@given(st.text(max_size=600))
@settings(max_examples=300, deadline=None)
def test_no_text_of_somebody_else_is_accepted(text: str) -> None:
    with pytest.raises(InvalidLink):
        TOKENS.verify(text)


def test_a_token_made_for_another_purpose_is_refused() -> None:
    from itsdangerous import URLSafeTimedSerializer

    foreign = URLSafeTimedSerializer(NEW, salt="emblem.form.1").dumps([CLAIM.link, CLAIM.version, 1])
    with pytest.raises(InvalidLink):
        TOKENS.verify(str(foreign))
