"""The campaign as a whole: its digest, and all mistakes at once."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from service.campaign import Campaign, CampaignError, load

from .conftest import ROOT, Copy


def test_the_digest_is_what_standard_tools_compute(campaign: Campaign, copy: Copy) -> None:
    names = sorted(
        path.relative_to(copy.policies).as_posix()
        for path in copy.policies.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    )
    listed = subprocess.run(["sha256sum", *names], cwd=copy.policies, check=True, capture_output=True).stdout
    assert campaign.digest == hashlib.sha256(listed).hexdigest()


def test_the_digest_depends_on_names_and_bytes_and_on_nothing_else(copy: Copy) -> None:
    first = copy.load().digest
    (copy.policies / ".gitkeep").write_text("x")
    (copy.policies / "brand.yaml~").write_text("x")
    (copy.policies / "empty").mkdir()
    assert copy.load().digest == first
    copy.edit("clients.yaml", "curl", "curl")
    assert copy.load().digest == first
    (copy.policies / "note.txt").write_text("x")
    second = copy.load().digest
    (copy.policies / "note.txt").rename(copy.policies / "notes.txt")
    third = copy.load().digest
    copy.edit("brand.yaml", "px: 24", "px: 25")
    assert len({first, second, third, copy.load().digest}) == 4


def test_a_text_with_windows_line_ends_and_a_mark_is_read(copy: Copy) -> None:
    path = copy.policies / "campaign.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    path = copy.policies / "parties.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(copy.load().parties) == 198


def test_mistakes_in_all_files_are_told_at_once(copy: Copy) -> None:
    copy.edit("campaign.yaml", "sample: yes", "sample: perhaps")
    copy.edit("eligibility.yaml", "decision: decline", "decision: refuse")
    copy.edit("parties.csv", "AD,Andorra,party", "AD,Andorra,maybe")
    copy.edit("brand.yaml", "px: 24", "px: 0")
    copy.edit("clients.yaml", "previewers:", "previews:")
    copy.edit("actions.yaml", "effort: minutes\n", "effort: years\n")
    copy.edit("protocol.yaml", "id: prevent", "id: punish")
    (copy.policies / "terms/tool-terms/2026-03-01/fr.md").unlink()
    files = [Path(mistake.file).name for mistake in copy.mistakes()]
    assert sorted(files) == [
        "actions.yaml",
        "brand.yaml",
        "campaign.yaml",
        "clients.yaml",
        "clients.yaml",
        "eligibility.yaml",
        "fr.md",
        "parties.csv",
        "protocol.yaml",
    ]


def test_each_mistake_is_one_line_with_file_line_and_fix(copy: Copy) -> None:
    copy.edit("brand.yaml", "px: 24", "px: 0")
    with pytest.raises(CampaignError) as caught:
        copy.load()
    assert re.fullmatch(r"\S+/brand\.yaml:\d+: [^\n]+\. [^\n]+\.", str(caught.value))


def test_files_below_the_working_directory_are_named_from_there(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy.policies.parent)
    copy.edit("brand.yaml", "px: 24", "px: 0")
    assert [mistake.file for mistake in copy.mistakes()] == ["policies/brand.yaml"]


def test_a_folder_that_does_not_exist(tmp_path: Path, assets: Path) -> None:
    with pytest.raises(CampaignError, match="EMBLEM_POLICIES_DIR"):
        load(tmp_path / "nowhere", assets)


def test_an_empty_folder_tells_every_file_that_is_missing(tmp_path: Path, assets: Path) -> None:
    with pytest.raises(CampaignError) as caught:
        load(tmp_path, assets)
    names = {Path(mistake.file).name for mistake in caught.value.mistakes}
    shipped = {path.name for path in (ROOT / "policies").glob("*.*") if not path.name.startswith(".")}
    optional = {"alerts.yaml", "desk.yaml", "retention.yaml", "parties.csv"}
    assert names >= (shipped - optional) | {"terms"}


def test_the_table_of_states_is_needed_only_where_rules_decide_by_it(copy: Copy) -> None:
    (copy.policies / "parties.csv").unlink()
    assert [Path(mistake.file).name for mistake in copy.mistakes()] == ["parties.csv"]


def test_a_mistake_in_the_assets_is_told_with_those_in_the_policies(copy: Copy, tmp_path: Path) -> None:
    copy.edit("campaign.yaml", "sample: yes", "sample: perhaps")
    with pytest.raises(CampaignError) as caught:
        load(copy.policies, tmp_path / "no-assets")
    names = {Path(mistake.file).name for mistake in caught.value.mistakes}
    assert {"campaign.yaml", "logos", "tools"} <= names
