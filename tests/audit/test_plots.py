"""Plots name each line of their scale once."""

from __future__ import annotations

import re

import pytest

from service.audit.plots import plot


@pytest.mark.parametrize("name", ["day", "country"])
@pytest.mark.parametrize("most", [0, 1, 3, 8, 9, 25, 1000])
def test_no_two_lines_of_a_scale_have_the_same_number(name: str, most: int) -> None:
    rows = [{name: "first", "downloads": most}, {name: "second", "downloads": min(most, 1)}]
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", plot(rows, name, "downloads", label="Downloads"))
    numbers = [text for text in texts if text not in ("first", "second")]
    assert len(numbers) > 1
    assert len(set(numbers)) == len(numbers), numbers
