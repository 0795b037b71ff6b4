"""The shipped campaign, and copies of its files to break."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.campaign import Campaign, CampaignError, Mistake, load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped logos without the tools, which have tests of their own."""
    folder = tmp_path_factory.mktemp("assets")
    shutil.copytree(ROOT / "assets" / "logos", folder / "logos")
    (folder / "tools").mkdir()
    return folder


@pytest.fixture(scope="session")
def campaign(assets: Path) -> Campaign:
    """The shipped policies, loaded."""
    return load(ROOT / "policies", assets)


@dataclass
class Copy:
    """A copy of the shipped policies that a test may break."""

    policies: Path
    assets: Path

    def edit(self, file: str, old: str, new: str) -> None:
        """Replaces the first occurrence, which must exist."""
        path = self.policies / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def load(self) -> Campaign:
        """The campaign of the copy."""
        return load(self.policies, self.assets)

    def mistakes(self) -> tuple[Mistake, ...]:
        """What is wrong with the copy."""
        with pytest.raises(CampaignError) as caught:
            self.load()
        return caught.value.mistakes


@pytest.fixture
def copy(tmp_path: Path, assets: Path) -> Copy:
    """A fresh copy of the shipped policies."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    return Copy(tmp_path / "policies", assets)
