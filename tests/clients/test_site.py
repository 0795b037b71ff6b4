"""Which site asked: the one form of it, whatever the headers hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.clients import origin_of


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_header_makes_trouble(origin: str, referer: str) -> None:
    found = origin_of(origin, referer)
    assert found is None or found == "null" or (found.isascii() and len(found) <= 300)


@pytest.mark.parametrize(
    ("origin", "referer", "found"),
    [
        (None, None, None),
        ("", "", None),
        (None, "https://a.example/page", "https://a.example"),
        (None, "https://a.example:443/page", "https://a.example"),
        (None, "https://user:secret@a.example/page@b.example", "https://a.example"),
        (None, "http://a.example:80", "http://a.example"),
        (None, "https://a.example?x", "https://a.example"),
        (None, "https://B\u00dcCHER.example/x", "https://xn--bcher-kva.example"),
        (None, "https://xn--.example/x", None),
        (None, "https://xn--99999999.example/x", None),
        (None, "about:blank", None),
        (None, "android-app://org.example.app/", None),
        (None, "a.example/page", None),
        (None, "https:///page", None),
        (None, "https://a.example:99999/", None),
        (None, "https://" + "a" * 5000, None),
        ("https://a.example", "https://b.example/", "https://a.example"),
        ("HTTPS://A.example:443", None, "https://a.example"),
        ("https://a.example/path", None, "null"),
        ("https://a.example https://b.example", None, "null"),
        ("null", None, "null"),
        ("null", "https://a.example/framed", "https://a.example"),
        ("file://", None, "null"),
        ("chrome-extension://abcdef", None, "null"),
        ("https://" + "a" * 5000, None, "null"),
    ],
)
def test_what_asks_is_told_by_origin_and_else_by_referer(
    origin: str | None, referer: str | None, found: str | None
) -> None:
    assert origin_of(origin, referer) == found
