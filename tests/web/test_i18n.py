"""Days, times and sizes are written as each language writes them."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from service.web.i18n import format_bytes, format_instant

_APP = Flask(__name__)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("ar", "28 نوفمبر 2026، 08:05 UTC"),
        ("en", "28 November 2026, 08:05 UTC"),
        ("es", "28 de noviembre de 2026, 08:05 UTC"),
        ("fr", "28 novembre 2026, 08:05 UTC"),
        ("ru", "28 ноября 2026\u202fг., 08:05 UTC"),
        ("zh", "2026年11月28日 08:05 UTC"),
    ],
)
def test_day_and_time_are_in_the_order_of_the_language(lang: str, words: str) -> None:
    with _APP.test_request_context(f"/{lang}/"):
        element = format_instant("2026-11-28T08:05:09.000001Z")
    assert re.sub(r"<[^>]+>", "", element) == words
    assert 'datetime="2026-11-28T08:05:09.000001+00:00"' in element


@pytest.mark.parametrize(
    ("lang", "small", "large"),
    [
        ("ar", "999 بايت", "1.2 ميغابايت"),
        ("en", "999 B", "1.2 MB"),
        ("fr", "999 o", "1,2 Mo"),
        ("ru", "999 Б", "1,2 МБ"),
        ("zh", "999 B", "1.2 MB"),
    ],
)
def test_sizes_have_the_units_of_the_language(lang: str, small: str, large: str) -> None:
    with _APP.test_request_context(f"/{lang}/"):
        written = [format_bytes(999), format_bytes(1_234_567), format_bytes(2_000_000_000_000)]
    assert [text.replace("\u00a0", " ") for text in written[:2]] == [small, large]
    assert re.sub(r"\D", "", written[2]) == "2000", "there is no unit above the gigabyte"
