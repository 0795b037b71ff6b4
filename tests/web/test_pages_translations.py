"""The catalogues: every language stays complete, what is compiled is what is written, and no placeholder is lost."""

from __future__ import annotations

import io
import re

import pytest
from babel.messages.mofile import read_mo

from service.web import translations

_NAMES = re.compile(r"%\((\w+)\)s")


@pytest.mark.parametrize("lang", translations.TRANSLATED)
def test_every_text_is_translated(lang: str) -> None:
    assert translations.missing(translations.read(lang), translations.template()) == []


@pytest.mark.parametrize("lang", translations.TRANSLATED)
def test_the_compiled_catalogue_is_that_of_the_texts(lang: str) -> None:
    """Held together text by text: the headers name the version of the compiler, which does not matter."""
    with translations.po_file(lang).with_suffix(".mo").open("rb") as file:
        shipped = read_mo(file)
    compiled = read_mo(io.BytesIO(translations.compiled(translations.read(lang))))
    assert [(one.id, one.string) for one in shipped if one.id] == [(one.id, one.string) for one in compiled if one.id]
    assert shipped.plural_forms == compiled.plural_forms


@pytest.mark.parametrize("lang", translations.TRANSLATED)
def test_translations_keep_the_names_of_their_values(lang: str) -> None:
    checked = 0
    for message in translations.read(lang):
        texts = message.string if isinstance(message.string, tuple | list) else [message.string]
        ids = message.id if isinstance(message.id, tuple | list) else [message.id]
        for text in texts:
            if message.id and text:
                assert set(_NAMES.findall(text)) == set(_NAMES.findall(ids[-1])), ids[0]
                checked += 1
    assert checked > 100


@pytest.mark.parametrize("lang", translations.TRANSLATED)
def test_the_navigation_is_translated(lang: str) -> None:
    from service.web.pages.shared import NAVIGATION

    catalogue = translations.read(lang)
    for _, words in NAVIGATION:
        message = catalogue.get(words)
        assert message is not None
        assert message.string, words


def test_days_in_arabic_keep_their_order() -> None:
    """After Arabic letters 2026-03-01 is shown as 01-03-2026, unless a left-to-right mark stands before it."""
    texts = [text for message in translations.read("ar") for text in ([message.string] if message.id else ())]
    days = [found for text in texts for found in re.findall(r".%\(version\)s|.\d{4}-\d\d-\d\d", str(text))]
    assert len(days) > 2
    assert {found[0] for found in days} == {"\u200e"}, days
