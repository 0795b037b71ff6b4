from __future__ import annotations

import hashlib
import string
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.links import Claim, Tokens
from service.links.tokens import LONGEST
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


def test_a_token_longer_than_any_that_is_issued_is_refused_though_its_signature_is_good() -> None:
    text = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(10))  # which cannot be packed well
    tokens = [TOKENS.sign(Claim(CLAIM.link, text[:size], "1.0.0", CLAIM.expires_at), ISSUED) for size in range(600)]
    longest = max((token for token in tokens if len(token) <= LONGEST), key=len)
    assert len(longest) > LONGEST - 4
    assert TOKENS.verify(longest).link == CLAIM.link
    for token in tokens:
        if len(token) > LONGEST:
            with pytest.raises(InvalidLink):
                TOKENS.verify(token)


def test_a_token_of_an_earlier_deployment_says_no_package() -> None:
    older = Claim(CLAIM.link, None, CLAIM.version, CLAIM.expires_at)
    assert TOKENS.verify(TOKENS.sign(older, ISSUED)) == older


def test_a_token_of_one_file_says_its_path() -> None:
    single = Claim(CLAIM.link, "logo", CLAIM.version, CLAIM.expires_at, "svg/heart-blue.svg")
    assert TOKENS.verify(TOKENS.sign(single, ISSUED)) == single


def test_a_token_of_several_packages_says_their_bundle() -> None:
    several = Claim(CLAIM.link, "", "", CLAIM.expires_at, bundle="0" * 40)
    assert TOKENS.verify(TOKENS.sign(several, ISSUED)) == several


@pytest.mark.parametrize("value", [["lnk_x", 1], ["lnk_x", "a", "b", "c", "d", 1], [], {"link": "lnk_x"}, "lnk_x"])
def test_a_signed_text_of_another_form_is_refused(value: object) -> None:
    from itsdangerous import URLSafeTimedSerializer

    signed = URLSafeTimedSerializer(NEW, salt="emblem.download.1").dumps(value)
    with pytest.raises(InvalidLink):
        TOKENS.verify(str(signed))


def test_a_token_made_for_another_purpose_is_refused() -> None:
    from itsdangerous import URLSafeTimedSerializer

    foreign = URLSafeTimedSerializer(NEW, salt="emblem.form.1").dumps([CLAIM.link, CLAIM.version, 1])
    with pytest.raises(InvalidLink):
        TOKENS.verify(str(foreign))
