"""Plots name each line of their scale once, and leave room for their bars, in windows of every width."""

from __future__ import annotations

import re

import pytest

from service.audit.plots import plot

SHAPES = ("wide", "narrow")


def drawn(shape: str, rows: list[dict[str, object]], name: str) -> str:
    """The plot for windows of one shape."""
    both = plot(rows, name, "downloads", label="Downloads")
    (found,) = re.findall(rf'<svg class="plot-svg plot-{shape}".*?</svg>', both, re.DOTALL)
    return str(found)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["day", "country"])
@pytest.mark.parametrize("most", [0, 1, 3, 8, 9, 25, 1000, 12_345, 999_999, 1_250_000, 87_654_321, 5 * 10**9])
def test_no_two_lines_of_a_scale_have_the_same_number(shape: str, name: str, most: int) -> None:
    rows: list[dict[str, object]] = [{name: "first", "downloads": most}, {name: "second", "downloads": min(most, 1)}]
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn(shape, rows, name))
    numbers = [text for text in texts if text not in ("first", "second")]
    assert len(numbers) > 1
    assert len(set(numbers)) == len(numbers), numbers


@pytest.mark.parametrize("shape", SHAPES)
def test_a_long_name_is_cut_beside_its_bar_and_whole_in_its_title(shape: str) -> None:
    site = "https://a-very-long-name-of-a-partner-organisation.press.example.org:8443"
    figure = drawn(shape, [{"origin": site, "downloads": 7}, {"origin": "https://b.example", "downloads": 3}], "origin")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", figure)
    assert [text for text in texts if text.endswith("…")] == [text for text in texts if text.startswith("a-very-long")]
    assert "https://b.example" in texts
    assert f"<title>{site}: 7</title>" in figure
