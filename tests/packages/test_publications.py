"""Policies and logos come into force by publishing alone, and stay whole whatever happens to the drafts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from service.campaign import CampaignError, load
from service.packages import Publications
from service.packages.publications import pack
from service.packages.publishing import Publisher
from service.settings import shipped
from service.storage import open_storage
from service.store import Database

from ..conftest import FrozenClock
from .test_catalogue import entries

Folders = tuple[Path, Path]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """A copy of the shipped policies, and assets with the shipped logos and one package."""
    policies, assets = tmp_path / "policies", tmp_path / "assets"
    shutil.copytree(shipped("policies"), policies)
    shutil.copytree(shipped("assets") / "logos", assets / "logos")
    for name in ("_shared", "social-media-kit"):
        shutil.copytree(shipped("assets") / "tools" / name, assets / "tools" / name)
    return policies, assets


@pytest.fixture
def publisher(database: Database, clock: FrozenClock, tmp_path: Path, folders: Folders) -> Callable[[], Publisher]:
    """Reads the folders as they stand."""
    storage = open_storage((tmp_path / "storage").as_uri())
    return lambda: Publisher.of(database, storage, clock, *folders)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_was_published_is_read_again_as_it_was(
    database: Database, publisher: Callable[[], Publisher], folders: Folders
) -> None:
    draft = load(*folders)
    published = publisher().publish_rules()
    assert published.policies == draft.digest
    newest = Publications(database).newest()
    assert newest is not None
    assert newest.policies == draft.digest
    shutil.rmtree(folders[0])
    with Publications(database).opened(newest) as (policies, assets):
        again = load(policies, assets, packages=False)
        assert pack(policies, assets).sha256 == newest.sha256
    assert again.digest == draft.digest
    assert again.terms.get("logo-terms", "2026-03-01").digest("fr") == draft.terms.get(
        "logo-terms", "2026-03-01"
    ).digest("fr")
    assert {name: logo.view_box for name, logo in again.logos.items()} == {
        name: logo.view_box for name, logo in draft.logos.items()
    }
    assert again.packages == {}


def test_publishing_the_same_again_changes_nothing(database: Database, publisher: Callable[[], Publisher]) -> None:
    assert publisher().publish_rules()
    newest = Publications(database).newest()
    assert not publisher().publish_rules()
    assert Publications(database).newest() == newest
    assert len(entries(database, "policy.published")) == 1


def test_whatever_changes_is_another_publication_and_the_log_names_each_digest_that_comes_into_force(
    database: Database, publisher: Callable[[], Publisher], folders: Folders
) -> None:
    policies, assets = folders
    first = publisher().publish_rules().policies
    file = policies / "campaign.yaml"
    before = file.read_text(encoding="utf-8")
    edit(file, "terms_grace_days: 30", "terms_grace_days: 20")
    second = publisher().publish_rules().policies
    edit(assets / "logos/heart/manifest.yaml", "en: ", "en: The ")
    assert publisher().publish_rules().policies == second, "the logos are another, the policies are not"
    file.write_text(before, encoding="utf-8")
    assert publisher().publish_rules().policies == first
    assert [entry["digest"] for entry in entries(database, "policy.published")] == [first, second, first]
    newest = Publications(database).newest()
    assert newest is not None
    assert (newest.number, newest.policies) == (4, first)


def test_what_is_hidden_or_an_editors_copy_is_not_published(
    publisher: Callable[[], Publisher], folders: Folders
) -> None:
    publisher().publish_rules()
    (folders[0] / ".campaign.yaml.swp").write_text("x")
    (folders[0] / "campaign.yaml~").write_text("x")
    assert not publisher().publish_rules()


def test_a_mistake_in_the_drafts_leaves_in_force_what_is(
    database: Database, publisher: Callable[[], Publisher], folders: Folders
) -> None:
    publisher().publish_rules()
    newest = Publications(database).newest()
    (folders[0] / "brand.yaml").write_text("about: [\n")
    with pytest.raises(CampaignError, match=r"brand\.yaml:"):
        publisher()
    assert Publications(database).newest() == newest


def test_a_changed_text_of_published_terms_is_no_publication(
    database: Database, publisher: Callable[[], Publisher], folders: Folders
) -> None:
    publisher().publish_rules()
    newest = Publications(database).newest()
    edit(folders[0] / "terms/logo-terms/2026-03-01/en.md", ".", "!")
    with pytest.raises(CampaignError, match="published and has changed"):
        publisher().publish_rules()
    assert Publications(database).newest() == newest


def test_publishing_all_tells_policies_terms_and_packages(publisher: Callable[[], Publisher], folders: Folders) -> None:
    assert publisher().check() == (True, tuple(load(*folders).packages.values()))
    published = publisher().publish()
    assert published.policies == load(*folders).digest
    assert ("logo-terms", "2026-03-01") in published.terms
    assert [package.id for package in published.packages] == ["social-media-kit"]
    assert publisher().check() == (False, ())
    assert not publisher().publish()
