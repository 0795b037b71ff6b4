"""Every mail of the service, in every language: what it says as text and as HTML, and its preview in the outbox."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from service.campaign import LANGUAGES
from service.desk import letters as desk_letters
from service.mail import compose
from service.participants import emails
from service.participants.emails import LetterTexts
from tests.parts.mails import html_of, text_of

from .visitor import Html, Visitor

if TYPE_CHECKING:
    from flask import Flask

SECRET = "Kq3f-a-secret-of-a-link-0123456789"
TYPED = 'What <b>somebody</b> & "someone" typed.'
_SAMPLES = {"url": f"https://emblem.example.org/ar/sign-in/{SECRET}", "text": TYPED, "off": "https://x.example.org/y"}


def letters() -> Iterator[tuple[str, LetterTexts]]:
    """Every kind of mail by its name."""
    for texts in (emails.texts(), desk_letters.texts()):
        assert isinstance(texts, BaseModel)
        for name in type(texts).model_fields:
            value = getattr(texts, name)
            if isinstance(value, LetterTexts):
                yield name, value
    yield from emails.texts().decisions.items()


def filled(text: str) -> str:
    """A text with something in each of its places."""
    names = {name for _, name, _, _ in Formatter().parse(text) if name}
    return text.format_map({name: _SAMPLES.get(name, f"Some {name}") for name in names})


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_text_and_html_say_the_same_and_load_nothing(language: str) -> None:
    for name, letter in letters():
        subject, said = (filled(text.get(language)) for text in (letter.subject, letter.text))
        mail = compose("campaign@example.org", "kim@example.org", subject, said, language, thread="cas_1")
        page = Html(html_of(mail))
        assert not page.mistakes, (name, page.mistakes)
        (html,) = page.all("html")
        assert (html.attributes["lang"], html.attributes["dir"]) == (language, "rtl" if language == "ar" else "ltr")
        assert not page.all("b"), name
        assert {one.tag for one in page.elements} <= {
            *("html", "head", "meta", "title", "style", "body", "p", "br", "a", "ul", "li", "hr", "footer", "pre")
        }
        words = re.sub(r"\s+", "", "".join(one.text for one in page.all("body")))
        assert words == re.sub(r"\s+|^-(?=\s)", "", text_of(mail)), name
        assert (mail["Auto-Submitted"], mail["References"]) == ("auto-generated", "<cas_1@example.org>")


def test_every_mail_is_previewed_without_its_secret(app: Flask) -> None:
    staff = Visitor(app)
    staff.sign_in_as_staff()
    mailer = staff.parts.mailer
    for _, letter in letters():
        subject, text = (filled(one.get("ar")) for one in (letter.subject, letter.text))
        mailer.send("kim@example.org", subject, text, language="ar")
    staff.get("/staff/outbox?lang=ar")
    pages = [link for link in staff.html.links() if link.partition("?")[0].endswith(".eml")]
    assert len(pages) == len(list(letters()))
    for page in pages:
        text = staff.get(page).text
        assert not staff.html.mistakes
        (frame,) = staff.html.all("iframe")
        shown = staff.get(frame.attributes["src"])
        assert "sandbox" in shown.headers["Content-Security-Policy"]
        assert 'dir="rtl"' in shown.text
        assert SECRET not in text + shown.text
    staff.get("/staff/outbox/20261125T120000000000-000000000000.eml", status=404)
    staff.get("/staff/outbox/..%2femblem.env", status=404)
    auditor = Visitor(app)
    auditor.sign_in_as_staff("auditor@example.org")
    auditor.get("/staff/outbox", status=403)
