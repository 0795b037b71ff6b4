"""The texts of the mails: complete in every language, with the same values in each, and really in that language."""

from __future__ import annotations

import string
from collections.abc import Iterator
from email import policy
from email.parser import BytesParser

import pytest

from service.campaign import LANGUAGES, Text
from service.mail import compose
from service.participants.emails import Letter, Letters, texts

from ..conftest import NOON

URL = "https://emblem.example.org/en/sign-in/secret"
NAME = Text.of(
    "Lantern Campaign",
    ar="حملة الفانوس",
    es="Campaña Farol",
    fr="Campagne Lanterne",
    ru="Кампания «Фонарь»",
    zh="灯笼运动",
)


def written(value: object) -> Iterator[Text]:
    """Every text below a value."""
    if isinstance(value, Text):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from written(item)
    else:
        for _, item in value:  # type: ignore[attr-defined]  # a model gives its fields
            yield from written(item)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_is_written_in_every_language_with_the_same_values() -> None:
    found = list(written(texts()))
    assert len(found) > 20
    for text in found:
        assert text.languages == tuple(sorted(LANGUAGES)), text
        assert {lang: fields(text.get(lang)) for lang in LANGUAGES} == dict.fromkeys(LANGUAGES, fields(text.get("en")))


def letters(lang: str) -> list[Letter]:
    """One mail of each kind."""
    made = Letters(NAME)
    return [
        made.sign_in(lang, URL, 15),
        made.confirm_joining(lang, URL),
        made.already_joined(lang, URL, 15),
        made.grant(lang, URL, "portal.example.org"),
        made.invitation(lang, URL, "Quillmarsh"),
        made.permission_ends(lang, NOON, URL),
        made.permission_lapsed(lang, URL),
        made.new_terms(lang, lambda language: f"T-{language}", lambda language: f"D-{language}", URL),
        *(made.decision(lang, outcome, ["R"], URL) for outcome in ("approved", "review", "declined", "suspended")),
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_mails_are_in_the_language_of_their_reader(lang: str) -> None:
    for letter in letters(lang):
        assert letter.language == lang
        assert NAME.get(lang) in letter.subject
        assert "\n" not in letter.subject
        assert URL in letter.text.splitlines(), "the address stands on a line of its own"
        assert "{" not in letter.text + letter.subject
    assert len({letter.subject for letter in letters(lang)}) == 12


@pytest.mark.parametrize("lang", LANGUAGES)
def test_subjects_arrive_as_they_were_written(lang: str) -> None:
    """Also at a server that takes ASCII alone, however long the subject and wherever its lines are broken."""
    for letter in letters(lang):
        for length in range(len(letter.subject), len(letter.subject) + 20):
            subject = (letter.subject + " " + letter.subject)[: length + 1].strip()
            raw = compose("campaign@example.org", "quill@example.org", subject, "T", lang).as_bytes()
            head = raw.partition(b"\r\n\r\n")[0]
            assert head.isascii()
            assert max(map(len, head.split(b"\r\n"))) <= 78
            assert BytesParser(policy=policy.default).parsebytes(raw)["Subject"] == subject


def test_an_unknown_language_gets_english() -> None:
    assert Letters(NAME).sign_in("tlh", URL, 15).language == "en"
