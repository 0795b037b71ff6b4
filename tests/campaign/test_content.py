"""What the shipped campaign says: complete in English and French, for every kind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.campaign import LANGUAGES, Campaign, CampaignError, load

from .conftest import ROOT

FILES = sorted((ROOT / "policies").rglob("*.yaml"))


def texts(value: Any, place: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Every text by language in a file, with where it stands."""
    if isinstance(value, dict):
        if value and set(value) <= set(LANGUAGES):
            yield place, value
        for name, inner in value.items():
            yield from texts(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(inner, f"{place}.{index}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_text_is_in_english_and_french(path: Path) -> None:
    for place, text in texts(yaml.safe_load(path.read_text(encoding="utf-8"))):
        assert {"en", "fr"} <= text.keys(), place
        if len(text["en"].split()) > 2:
            assert text["en"] != text["fr"], place


def test_the_files_are_found() -> None:
    assert len(FILES) >= 8
    assert sum(len(list(texts(yaml.safe_load(path.read_text(encoding="utf-8"))))) for path in FILES) > 250


def test_every_kind_has_six_actions_of_different_effort(campaign: Campaign) -> None:
    assert list(campaign.actions) == [kind.id for kind in campaign.eligibility.kinds]
    for kind, group in campaign.actions.items():
        assert len(group.actions) >= 6, kind
        assert len({action.effort for action in group.actions}) >= 2, kind


def test_it_says_that_it_is_a_sample(campaign: Campaign) -> None:
    assert campaign.info.sample
    assert "not official" in campaign.info.sample_note.get("en")
    assert campaign.info.contact_email.endswith("example.org")
    for terms in campaign.terms.ids():
        for version in campaign.terms.versions(terms):
            assert "sample deployment" in version.text("en")
            assert "déploiement d\u2019exemple" in version.text("fr")


def test_the_privacy_notice_tells_the_days_of_retention(campaign: Campaign) -> None:
    retention = campaign.info.retention
    for lang in ("en", "fr"):
        said = " ".join(section.text.get(lang) for section in campaign.info.privacy)
        assert f"{retention.client_hash_days} " in said
        assert f"{retention.client_prefix_days} " in said
        assert "{" not in said


def test_grace_is_as_shipped(campaign: Campaign) -> None:
    assert campaign.info.terms_grace_days == 30


def test_each_use_names_a_file_of_its_package(campaign: Campaign, tmp_path: Path) -> None:
    assert [use.id for use in campaign.info.home.uses] == ["screen", "print", "profile"]
    whole = load(ROOT / "policies", ROOT / "assets")
    for use in whole.info.home.uses:
        assert use.path in {rule.path for rule in whole.packages[use.package].files}
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    written = tmp_path / "policies" / "campaign.yaml"
    written.write_text(written.read_text("utf-8").replace("png/heart-blue-1024.png", "png/heart-blue-9.png"), "utf-8")
    with pytest.raises(CampaignError, match=r"campaign\.yaml:\d+: logo has no file png/heart-blue-9\.png"):
        load(tmp_path / "policies", ROOT / "assets")
