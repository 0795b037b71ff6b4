"""Policies that nobody thought of: a value is another one, or is gone, and the loader takes it or says where it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import settings as settings_room
from service.campaign import CampaignError, Mistake, load

_EXAMPLES = int(os.environ.get("EMBLEM_POLICIES", "10"))  # EMBLEM_POLICIES=2000 tries as many
_ODD: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 400) | st.floats() | st.dates() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(settings_room.shipped("policies"), tmp_path_factory.mktemp("draft") / "policies")


@settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_file_is_taken_or_told_with_its_line(data: st.DataObject, draft: Path) -> None:
    """One value of a policy file is another one, or is gone."""
    name = data.draw(st.sampled_from(sorted(file.name for file in draft.glob("*.yaml"))))
    whole = (draft / name).read_text(encoding="utf-8")
    written = yaml.safe_load(whole)
    place, key = data.draw(st.sampled_from(list(_places(written))))
    if data.draw(st.booleans()):
        place[key] = data.draw(_ODD)
    else:
        del place[key]
    text = yaml.safe_dump(written, allow_unicode=True)
    (draft / name).write_text(text, encoding="utf-8")
    try:
        told = _mistakes(draft)
    finally:
        (draft / name).write_text(whole, encoding="utf-8")
    for mistake in told:
        lines = len(text.splitlines()) if Path(mistake.file).name == name else 1_000
        assert 0 <= mistake.line <= lines, mistake
        assert mistake.message
        assert mistake.fix


def _mistakes(draft: Path) -> Sequence[Mistake]:
    try:
        load(draft, settings_room.shipped("assets"), packages=False)
    except CampaignError as error:
        return error.mistakes
    return ()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a document: the list or mapping and the key in it."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield value, key
        yield from _places(inner)
