"""The reference pages say what the code says."""

from __future__ import annotations

import pytest

from .campaign.policies_page import FILES
from .reference import FOLDER, PAGES, text


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_reference_page_is_as_the_code_makes_it(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == text(name), "run `python -m tests.reference`"


def test_every_reference_page_is_made() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == set(PAGES)


def test_every_file_of_policies_is_described() -> None:
    policies = FOLDER.parent.parent / "policies"
    assert {path.name for path in policies.rglob("*.yaml")} == {name.rpartition("/")[2] for name in FILES}
    guide = (FOLDER.parent / "policies.md").read_text(encoding="utf-8")
    for path in [*policies.glob("[!.]*.*"), policies / "terms"]:
        assert f"`{path.name}`" in guide or f"`{path.name}/`" in guide, path.name
