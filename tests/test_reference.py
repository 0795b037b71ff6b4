"""The reference pages say what the code says."""

from __future__ import annotations

import pytest

from .reference import FOLDER, PAGES, text


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_reference_page_is_as_the_code_makes_it(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == text(name), "run `python -m tests.reference`"


def test_every_reference_page_is_made() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == set(PAGES)
