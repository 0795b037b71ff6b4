"""The catalogue: published once, never changed, withdrawn when need be, whole after a crash at any point."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service import ledger
from service.answers.catalogue import PackageAnswer, Viewpoint
from service.campaign import Campaign, CampaignError
from service.campaign.terms import Terms
from service.packages.building import build
from service.problems import PackageWithdrawn, Unavailable, UnknownPackage, UnknownVersion
from service.storage import Content, Storage, open_storage
from service.storage.directory import DirectoryStorage
from service.store import Database
from service.store.tables import LedgerEntry, PackageVersion

from ..conftest import FrozenClock
from .conftest import Assets, Drafted

Open = Callable[..., Drafted]


def entries(database: Database, kind: str) -> list[dict[str, Any]]:
    """The entries of a kind, in the order of writing."""
    with database.read() as session:
        bodies = session.scalars(select(LedgerEntry.body).where(LedgerEntry.kind == kind).order_by(LedgerEntry.seq))
        return [json.loads(body) for body in bodies]


def rows(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        return [(row.package, row.version) for row in session.scalars(select(PackageVersion))]


@pytest.fixture
def built_packages(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each package was built."""
    counted: Counter[str] = Counter()

    def counting(manifest: Any, *rest: Any) -> Any:
        counted[manifest.id] += 1
        return build(manifest, *rest)

    monkeypatch.setattr("service.packages.publishing.build", counting)
    return counted


def test_publishing_writes_one_row_and_one_entry(open_catalogue: Open, database: Database, clock: FrozenClock) -> None:
    catalogue = open_catalogue()
    (facts,) = catalogue.publish()
    assert rows(database) == [("kit", "1.0.0")]
    (entry,) = entries(database, "package.published")
    assert {name: entry[name] for name in ("package", "version", "sha256", "bytes", "terms")} == {
        "package": "kit",
        "version": "1.0.0",
        "sha256": facts.sha256,
        "bytes": facts.bytes,
        "terms": "logo-terms",
    }
    assert facts.published_at == clock.now
    stored = catalogue.storage.read(facts.storage_key)
    assert (hashlib.sha256(stored).hexdigest(), len(stored)) == (facts.sha256, facts.bytes)
    assert hashlib.sha256(catalogue.preview(facts)).hexdigest() == facts.preview_sha256


def test_publishing_again_builds_and_writes_nothing(
    open_catalogue: Open, database: Database, built_packages: Counter[str]
) -> None:
    open_catalogue().publish()
    assert open_catalogue().publish() == []
    assert built_packages == {"kit": 1}
    assert len(entries(database, "package.published")) == 1


def test_policies_and_terms_are_entered_once_for_each_digest_and_version(
    open_catalogue: Open, database: Database, campaign: Campaign
) -> None:
    for _ in range(2):
        open_catalogue().publish()
    assert [entry["digest"] for entry in entries(database, "policy.published")] == [campaign.digest]
    told = {(entry["terms"], entry["version"]): entry["digests"] for entry in entries(database, "terms.published")}
    assert told == {
        (terms, version.version): {lang: version.digest(lang) for lang in version.languages}
        for terms in campaign.terms.ids()
        for version in campaign.terms.versions(terms)
    }
    open_catalogue(digest="ab" * 32).publish()
    assert [entry["digest"] for entry in entries(database, "policy.published")] == [campaign.digest, "ab" * 32]
    assert len(entries(database, "terms.published")) == len(told)


def changed_terms(campaign: Campaign, change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> Terms:
    """The campaign's terms with the texts of the oldest version of the first terms changed."""
    versions = {name: list(campaign.terms.versions(name)) for name in campaign.terms.ids()}
    first = versions[campaign.terms.ids()[0]]
    raw = {lang: first[-1].raw(lang) for lang in first[-1].languages}
    first[-1] = dataclasses.replace(first[-1], _raw=change(raw))
    return Terms({name: tuple(found) for name, found in versions.items()})


def test_a_changed_text_of_published_terms_is_told(open_catalogue: Open, campaign: Campaign) -> None:
    open_catalogue().publish()
    terms = changed_terms(campaign, lambda raw: raw | {"fr": raw["fr"] + b"!"})
    with pytest.raises(CampaignError, match=r"fr\.md:1: This text was published and has changed since\. Bring it back"):
        open_catalogue(terms=terms).publish()


def test_a_removed_text_of_published_terms_is_told(open_catalogue: Open, campaign: Campaign) -> None:
    open_catalogue().publish()
    terms = changed_terms(campaign, lambda raw: {"en": raw["en"]})
    with pytest.raises(CampaignError, match=r"fr\.md:1"):
        open_catalogue(terms=terms).publish()


def test_a_language_added_to_published_terms_is_entered(
    open_catalogue: Open, database: Database, campaign: Campaign
) -> None:
    terms = changed_terms(campaign, lambda raw: {lang: raw[lang] for lang in ("en", "fr")})
    open_catalogue(terms=terms).publish()
    before = entries(database, "terms.published")
    for _ in range(2):
        open_catalogue().publish()
    (added,) = entries(database, "terms.published")[len(before) :]
    assert sorted(added["digests"]) == ["ar", "en", "es", "fr", "ru", "zh"]
    (first,) = [entry for entry in before if (entry["terms"], entry["version"]) == (added["terms"], added["version"])]
    assert first["digests"].items() <= added["digests"].items(), "what was published stays as it was"


def test_changed_sources_under_a_published_version_are_told_and_change_nothing(
    open_catalogue: Open, assets: Assets, database: Database
) -> None:
    open_catalogue().publish()
    assets.edit("tools/kit/README.txt", "Cœur", "Coeur")
    assets.write("tools/new/manifest.yaml", (assets.path / "tools/kit/manifest.yaml").read_text().replace("kit", "new"))
    for name in ("README.txt", "sheet.typ", "page.typ"):
        assets.write(f"tools/new/{name}", (assets.path / "tools/kit" / name).read_text())
    with pytest.raises(CampaignError) as caught:
        open_catalogue().publish()
    (mistake,) = caught.value.mistakes
    assert mistake.file.endswith("tools/kit/manifest.yaml")
    assert mistake.line == 3
    assert "Raise version" in mistake.fix
    assert rows(database) == [("kit", "1.0.0")]


def test_a_raised_version_is_published_beside_the_old_one(open_catalogue: Open, assets: Assets) -> None:
    open_catalogue().publish()
    for version in ("1.9.0", "1.10.0"):
        assets.edit("tools/kit/README.txt", "C", "CC")
        assets.edit("tools/kit/manifest.yaml", "version: 1.", f"version: {version} # 1.")
        catalogue = open_catalogue()
        assert [facts.version for facts in catalogue.publish()] == [version]
    assert catalogue.current_version("kit").version == "1.10.0"
    assert [shown.package.version for shown in catalogue.versions("kit")] == ["1.10.0", "1.9.0", "1.0.0"]
    assert len({catalogue.version("kit", version).sha256 for version in ("1.0.0", "1.9.0", "1.10.0")}) == 3


def test_a_package_that_cannot_be_built_leaves_the_catalogue_as_it_was(
    open_catalogue: Open, assets: Assets, database: Database, tmp_path: Path
) -> None:
    open_catalogue().publish()
    assets.edit("tools/kit/manifest.yaml", "version: 1.0.0", "version: 1.1.0")
    assets.edit("tools/kit/sheet.typ", "#text(font", "#unknown(font")
    with pytest.raises(CampaignError, match=r"sheet\.typ:4: sheet-en\.pdf of kit cannot be made"):
        open_catalogue().publish()
    assert rows(database) == [("kit", "1.0.0")]
    assert len(list((tmp_path / "storage").rglob("*.zip"))) == 1


class Failing(DirectoryStorage):
    """A storage whose n-th ``put_new`` fails: before it stored, or after it stored."""

    def __init__(self, root: Path, fails_at: int, persisted: bool) -> None:
        super().__init__(root)
        self.left = fails_at
        self.persisted = persisted

    def put_new(
        self, key: str, content: Content, media_type: str = "application/octet-stream", *, durable: bool = True
    ) -> bool:
        """Stores, unless it is this call's turn to fail."""
        self.left -= 1
        if self.left == 0 and not self.persisted:
            raise Unavailable("The storage is full; nothing was changed.")
        stored = super().put_new(key, content, media_type, durable=durable)
        if self.left == 0:
            raise Unavailable(private="timed out after it was stored")
        return stored


@pytest.mark.parametrize("fails_at", [1, 2])
@pytest.mark.parametrize("persisted", [False, True], ids=["not_stored", "stored_but_reported_failed"])
def test_after_a_failure_of_the_storage_the_same_call_finishes_the_work(
    open_catalogue: Open, database: Database, tmp_path: Path, fails_at: int, persisted: bool
) -> None:
    with pytest.raises(Unavailable):
        open_catalogue(Failing(tmp_path / "storage", fails_at, persisted)).publish()
    assert rows(database) == []
    assert entries(database, "package.published") == []
    catalogue = open_catalogue()
    (facts,) = catalogue.publish()
    assert hashlib.sha256(catalogue.storage.read(facts.storage_key)).hexdigest() == facts.sha256
    assert len(entries(database, "package.published")) == 1


def test_after_a_failure_of_the_database_the_same_call_finishes_the_work(
    open_catalogue: Open, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = ledger.append

    def failing(session: Any, entry: ledger.Entry, *rest: Any) -> Any:
        if isinstance(entry, ledger.PackagePublishedEntry):
            raise Unavailable()
        return append(session, entry, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append", failing)
        with pytest.raises(Unavailable):
            open_catalogue().publish()
    assert rows(database) == []
    assert [facts.id for facts in open_catalogue().publish()] == ["kit"]
    assert len(entries(database, "package.published")) == 1


def test_a_full_disk_publishes_nothing_and_says_so(
    open_catalogue: Open, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("service.packages.building.write_archive", full)
        with pytest.raises(Unavailable, match="has room"):
            open_catalogue().publish()
    assert rows(database) == []
    assert entries(database, "policy.published") == []
    assert len(open_catalogue().publish()) == 1


def test_two_processes_that_publish_at_once_make_one_row_and_one_entry(
    open_catalogue: Open, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2, timeout=30)

    def meeting(*arguments: Any) -> Any:
        built = build(*arguments)
        together.wait()
        return built

    monkeypatch.setattr("service.packages.publishing.build", meeting)
    other = Database(database_url)
    catalogues = [open_catalogue(), open_catalogue(database=other)]
    with ThreadPoolExecutor(2) as pool:
        published = list(pool.map(lambda catalogue: catalogue.publish(), catalogues))
    other.close()
    assert sorted(len(new) for new in published) == [0, 1]
    assert rows(database) == [("kit", "1.0.0")]
    assert len(entries(database, "package.published")) == 1
    assert len(entries(database, "policy.published")) == 1


def test_packages_are_kept_on_every_storage(open_catalogue: Open, storage: Storage) -> None:
    catalogue = open_catalogue(storage)
    (facts,) = catalogue.publish()
    assert storage.size(facts.storage_key) == facts.bytes
    assert catalogue.preview(facts).startswith(b"\x89PNG")


def test_a_withdrawn_version_is_no_longer_current(
    open_catalogue: Open, assets: Assets, database: Database, clock: FrozenClock
) -> None:
    open_catalogue().publish()
    assets.edit("tools/kit/manifest.yaml", "version: 1.0.0", "version: 1.1.0")
    catalogue = open_catalogue()
    catalogue.publish()
    at = clock.advance(60)
    catalogue.withdraw("kit", "1.1.0", "A mistake in the French text", by="staff:cli")
    clock.advance(60)
    catalogue.withdraw("kit", "1.1.0", "Once more", by="staff:cli")
    assert catalogue.current_version("kit").version == "1.0.0"
    newest, oldest = catalogue.versions("kit")
    assert (newest.withdrawn_at, newest.withdrawn_reason) == (at, "A mistake in the French text")
    assert oldest.withdrawn_at is None
    (entry,) = entries(database, "package.withdrawn")
    assert (entry["package"], entry["version"]) == ("kit", "1.1.0")
    assert "reason" not in entry
    assert open_catalogue().publish() == []
    catalogue.withdraw("kit", "1.0.0", "All of it", by="staff:cli")
    assert catalogue.current() == []
    with pytest.raises(PackageWithdrawn):
        catalogue.current_version("kit")


def test_unknown_packages_and_versions_are_told_apart(open_catalogue: Open) -> None:
    catalogue = open_catalogue()
    catalogue.publish()
    with pytest.raises(UnknownVersion):
        catalogue.version("kit", "9.9.9")
    with pytest.raises(UnknownPackage):
        catalogue.version("none", "1.0.0")
    with pytest.raises(UnknownVersion):
        catalogue.withdraw("kit", "9.9.9", "It never was", by="staff:cli")
    with pytest.raises(UnknownPackage):
        catalogue.withdraw("none", "1.0.0", "It never was", by="staff:cli")
    for ask in (catalogue.current_version, catalogue.versions):
        with pytest.raises(UnknownPackage):
            ask("none")


def test_a_version_is_not_shown_before_its_date(open_catalogue: Open, assets: Assets, clock: FrozenClock) -> None:
    """A manifest may hold a date before which a version is not shown."""
    open_catalogue().publish()
    day = datetime(2026, 12, 1, tzinfo=UTC)
    assets.edit("tools/kit/manifest.yaml", "version: 1.0.0", "version: 2.0.0\nvisible_from: 2026-12-01")
    catalogue = open_catalogue()
    catalogue.publish()
    clock.now = day.replace(year=2025)
    assert [shown.package.version for shown in catalogue.versions("kit")] == ["1.0.0"]
    assert catalogue.current_version("kit").version == "1.0.0"
    clock.now = day
    assert [package.version for package in catalogue.current()] == ["2.0.0"]
    clock.now = datetime(2026, 11, 25, tzinfo=UTC)
    assets.edit("tools/kit/manifest.yaml", "2026-12-01", "2026-11-20T08:00:00+01:00")
    assert open_catalogue().publish() == []
    assert catalogue.current_version("kit").version == "2.0.0"


def test_a_package_of_which_nothing_is_shown_is_unknown(open_catalogue: Open, assets: Assets) -> None:
    assets.edit("tools/kit/manifest.yaml", "version: 1.0.0", "version: 1.0.0\nvisible_from: 2099-01-01")
    catalogue = open_catalogue()
    catalogue.publish()
    for ask in (catalogue.current_version, catalogue.versions):
        with pytest.raises(UnknownPackage):
            ask("kit")


def test_the_package_object_is_that_of_the_interface(
    open_catalogue: Open, campaign: Campaign, clock: FrozenClock
) -> None:
    catalogue = open_catalogue()
    (facts,) = catalogue.publish()
    assert catalogue.current() == [catalogue.current_version("kit")]
    place = Viewpoint("https://emblem.example.org", "fr", clock.now, campaign.terms)
    package = PackageAnswer.of(catalogue.current_version("kit"), place).as_json()
    files = package.pop("files")
    version = campaign.terms.current("logo-terms", clock.now).version
    assert package == {
        "id": "kit",
        "kind": "tool",
        "title": "Trousse",
        "description": "Some files",
        "version": "1.0.0",
        "bytes": facts.bytes,
        "sha256": facts.sha256,
        "media_type": "application/zip",
        "filename": "kit-1.0.0.zip",
        "languages": ["en", "fr"],
        "terms": {
            "id": "logo-terms",
            "version": version,
            "url": f"https://emblem.example.org/fr/terms/logo-terms/{version}",
        },
        "preview_url": "https://emblem.example.org/api/v1/packages/kit/versions/1.0.0/preview.png",
    }
    assert {"path", "bytes", "sha256", "media_type"} == set(files[0])
    assert facts.formats == ("PDF", "PNG", "SVG")


def test_packages_are_listed_by_kind(open_catalogue: Open, assets: Assets) -> None:
    assets.edit("tools/kit/manifest.yaml", "kind: tool", "kind: logo")
    catalogue = open_catalogue()
    catalogue.publish()
    assert [package.id for package in catalogue.current("logo")] == ["kit"]
    assert catalogue.current("tool") == []


def test_check_tells_what_publish_would_do_and_does_nothing(
    open_catalogue: Open, assets: Assets, database: Database, tmp_path: Path
) -> None:
    assert [manifest.id for manifest in open_catalogue().check()] == ["kit"]
    assert rows(database) == []
    assert entries(database, "policy.published") == []
    assert not list((tmp_path / "storage").rglob("*.zip"))
    open_catalogue().publish()
    assert open_catalogue().check() == ()
    assets.edit("tools/kit/sheet.typ", "4mm", "5mm")
    with pytest.raises(CampaignError, match="Raise version"):
        open_catalogue().check()


def test_progress_counts_every_file_that_is_made(open_catalogue: Open) -> None:
    said: list[tuple[int, int]] = []
    (kit,) = open_catalogue().publish(lambda made, of: said.append((made, of)))
    open_catalogue().publish(lambda made, of: said.append((made, of)))
    total = 1 + len(kit.files)  # and the preview
    assert sorted(said) == [(made, total) for made in range(1, total + 1)]


def test_the_facts_of_a_version_are_read_once(open_catalogue: Open, database: Database) -> None:
    open_catalogue().publish()
    catalogue = open_catalogue()
    first = catalogue.version("kit", "1.0.0")
    assert catalogue.version("kit", "1.0.0") is first


def test_a_preview_is_read_from_the_storage_once(open_catalogue: Open, tmp_path: Path) -> None:
    open_catalogue().publish()
    catalogue = open_catalogue(open_storage((tmp_path / "storage").as_uri()))
    facts = catalogue.version("kit", "1.0.0")
    first = catalogue.preview(facts)
    catalogue.storage.delete(facts.preview_key)
    assert catalogue.preview(facts) == first
