"""A stored file that is not the published one is noticed before a byte of it leaves, and read once a process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from service.campaign import Text
from service.packages import PublishedPackage, StoredPackages
from service.problems import PackageDamaged
from service.storage import Pieces, Storage

CONTENT = bytes(range(256)) * 4


def published(name: str, content: bytes = CONTENT) -> PublishedPackage:
    """A published version whose archive is ``content``."""
    text = Text.of(name)
    digest = sha256(content).hexdigest()
    key = f"packages/{name}/1.0.0/{digest[:16]}.zip"
    return PublishedPackage(
        id=name,
        kind="tool",
        version="1.0.0",
        title=text,
        description=text,
        licence=text,
        languages=("en",),
        terms="logo-terms",
        bytes=len(content),
        sha256=digest,
        media_type="application/zip",
        filename=f"{name}-1.0.0.zip",
        files=(),
        storage_key=key,
        preview_key=f"packages/{name}/1.0.0/preview.png",
        preview_sha256="0" * 64,
        published_at=datetime(2026, 11, 25, tzinfo=UTC),
    )


KIT = published("kit")

DAMAGES: dict[str, Callable[[Storage, str], object]] = {
    "flipped": lambda storage, key: storage.replace(key, CONTENT[:-1] + b"\0"),
    "replaced": lambda storage, key: storage.replace(key, b"another file"),
    "truncated": lambda storage, key: storage.replace(key, CONTENT[:-1]),
    "emptied": lambda storage, key: storage.replace(key, b""),
    "lost": lambda storage, key: storage.delete(key),
}


@pytest.fixture
def stored(storage: Storage) -> StoredPackages:
    storage.put_new(KIT.storage_key, CONTENT)
    return StoredPackages(storage)


@pytest.mark.parametrize("used", [False, True], ids=["before its first use", "after it"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_no_byte_of_a_damaged_file_is_given(storage: Storage, stored: StoredPackages, damage: str, used: bool) -> None:
    if used:
        assert b"".join(stored.stream(KIT, 0, KIT.bytes)) == CONTENT
        stored.require(KIT)
    DAMAGES[damage](storage, KIT.storage_key)
    for _ in range(2):
        with pytest.raises(PackageDamaged) as told:
            stored.stream(KIT, 3, 5)
        assert "Retry-After" in told.value.headers
        assert KIT.storage_key in told.value.private
        assert KIT.storage_key not in told.value.detail
        with pytest.raises(PackageDamaged):
            stored.require(KIT)
    (found,) = stored.examine([KIT])
    assert (found.package, found.version, found.storage_key) == ("kit", "1.0.0", KIT.storage_key)


def test_a_file_that_was_put_back_is_given_again(storage: Storage, stored: StoredPackages) -> None:
    storage.replace(KIT.storage_key, b"another file")
    with pytest.raises(PackageDamaged):
        stored.stream(KIT, 0, 1)
    storage.replace(KIT.storage_key, CONTENT)
    assert b"".join(stored.stream(KIT, 255, 3)) == CONTENT[255:258]
    stored.require(KIT)
    assert stored.examine([KIT]) == []


@pytest.fixture
def reads(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the objects that were opened, in their order."""
    opened: list[str] = []
    stream = storage.stream

    def counting(key: str, start: int, length: int, *, version: str = "") -> Pieces:
        opened.append(key)
        return stream(key, start, length, version=version)

    monkeypatch.setattr(storage, "stream", counting)
    return opened


def test_a_file_is_read_whole_once_a_process(stored: StoredPackages, reads: list[str]) -> None:
    for _ in range(3):
        stored.stream(KIT, 0, 1).close()
        stored.require(KIT)
        assert stored.examine([KIT]) == []
    assert len(reads) == 1 + 3


def test_a_damaged_file_is_read_whole_once(storage: Storage, stored: StoredPackages, reads: list[str]) -> None:
    DAMAGES["flipped"](storage, KIT.storage_key)
    for _ in range(3):
        with pytest.raises(PackageDamaged):
            stored.stream(KIT, 0, 1)
        assert len(stored.examine([KIT])) == 1
    assert len(reads) == 1


@pytest.mark.parametrize("damage", DAMAGES)
def test_all_packages_are_examined(storage: Storage, stored: StoredPackages, damage: str) -> None:
    others = [published(name) for name in ("one", "two", "three")]
    for package in others:
        storage.put_new(package.storage_key, CONTENT)
    DAMAGES[damage](storage, others[1].storage_key)
    assert [found.package for found in stored.examine([KIT, *others])] == ["two"]


def test_examining_reads_at_most_so_many_bytes_a_call_and_goes_on(
    storage: Storage, stored: StoredPackages, reads: list[str]
) -> None:
    packages = [published(f"kit{number}") for number in range(5)]
    for package in packages:
        storage.put_new(package.storage_key, CONTENT)
    DAMAGES["flipped"](storage, packages[4].storage_key)
    found = [len(stored.examine(packages, most=2 * len(CONTENT))) for _ in range(4)]
    assert found == [0, 0, 1, 1]
    assert reads == [package.storage_key for package in packages]


def test_a_file_larger_than_a_call_may_read_is_read_all_the_same(stored: StoredPackages, reads: list[str]) -> None:
    assert stored.examine([KIT], most=1) == []
    assert reads == [KIT.storage_key]
