"""The contract of ``service.storage.Storage``, on a directory and on a real S3 server."""

from __future__ import annotations

import hashlib
import os
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from service.problems import ConfigurationError, Unavailable
from service.storage import ObjectChanged, ObjectMissing, Storage, open_storage
from service.storage.base import CHUNK
from tests.parts.disk import small_disk
from tests.parts.s3 import S3Server

BIG = bytes(range(256)) * (3 * CHUNK // 256) + b"tail"


def test_what_was_put_is_read_whole(storage: Storage) -> None:
    assert storage.put_new("packages/logo/1.0.0.zip", BIG, "application/zip")
    assert storage.read("packages/logo/1.0.0.zip") == BIG
    assert storage.size("packages/logo/1.0.0.zip") == len(BIG)


def test_content_may_be_a_file(storage: Storage, tmp_path: Path) -> None:
    source = tmp_path / "source.bin"
    source.write_bytes(BIG)
    assert storage.put_new("one.bin", source)
    storage.replace("two.bin", source)
    assert storage.read("one.bin") == storage.read("two.bin") == BIG
    assert source.read_bytes() == BIG


def test_an_empty_object_is_an_object(storage: Storage) -> None:
    assert storage.put_new("empty", b"")
    assert storage.size("empty") == 0
    assert storage.read("empty") == b""
    assert b"".join(storage.stream("empty", 0, 0)) == b""


def test_put_new_leaves_what_exists(storage: Storage) -> None:
    """What exists is not touched."""
    assert storage.put_new("once", b"first")
    assert not storage.put_new("once", b"second")
    assert storage.read("once") == b"first"


def test_what_need_not_survive_a_power_cut_is_stored_alike(storage: Storage) -> None:
    assert storage.put_new("once", BIG, durable=False)
    assert not storage.put_new("once", b"second", durable=False)
    assert storage.read("once") == BIG


def test_only_what_has_to_survive_a_power_cut_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    storage = open_storage(tmp_path.as_uri())
    storage.put_new("again", b"made", durable=False)
    assert flushed == []
    storage.put_new("kept", b"for ever")
    assert len(flushed) == 2, "the file, and the folder that names it"


def test_of_several_callers_at_once_exactly_one_stores(storage: Storage) -> None:
    """Of several callers at once exactly one gets True."""
    for turn in range(5):
        key, gate = f"race/{turn}", threading.Barrier(8)

        def put(number: int, key: str = key, gate: threading.Barrier = gate) -> bool:
            gate.wait()
            return storage.put_new(key, str(number).encode() * 50_000)

        with ThreadPoolExecutor(8) as pool:
            stored = list(pool.map(put, range(8)))
        assert stored.count(True) == 1
        assert storage.read(key) == str(stored.index(True)).encode() * 50_000


def test_replace_swaps_the_whole_object(storage: Storage) -> None:
    storage.replace("log/checkpoint", b"older and longer")
    storage.replace("log/checkpoint", b"newer")
    assert storage.read("log/checkpoint") == b"newer"


def test_a_reader_sees_the_old_object_or_the_new_one(storage: Storage) -> None:
    """No reader ever sees a part of it."""
    versions = [bytes([65 + n]) * 300_000 for n in range(8)]
    storage.replace("swapped", versions[0])
    seen: list[bytes] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            seen.append(storage.read("swapped"))

    reader = threading.Thread(target=read)
    reader.start()
    for version in versions:
        storage.replace("swapped", version)
    ended.set()
    reader.join()
    assert seen
    assert {hashlib.sha256(found).digest() for found in seen} <= {hashlib.sha256(v).digest() for v in versions}


@pytest.mark.parametrize(
    ("start", "length"), [(0, 1), (10, 10), (CHUNK - 1, 2), (0, len(BIG)), (len(BIG) - 1, 1), (7, 2 * CHUNK)]
)
def test_stream_gives_exactly_the_range(storage: Storage, start: int, length: int) -> None:
    storage.put_new("big", BIG)
    pieces = list(storage.stream("big", start, length))
    assert b"".join(pieces) == BIG[start : start + length]
    assert max(map(len, pieces)) <= CHUNK


def test_what_is_missing_is_said_before_the_first_piece(storage: Storage) -> None:
    with pytest.raises(ObjectMissing):
        storage.read("nowhere")
    with pytest.raises(ObjectMissing):
        storage.stream("nowhere", 0, 1)
    assert storage.stat("nowhere") is None
    assert storage.size("nowhere") is None


def test_an_object_that_changed_has_another_version(storage: Storage) -> None:
    storage.replace("swapped", b"as it was")
    before = storage.stat("swapped")
    assert before == storage.stat("swapped")
    assert before in list(storage.list("swap"))
    storage.replace("swapped", b"not as it")
    after = storage.stat("swapped")
    assert before is not None
    assert after is not None
    assert (after.size, after.version != before.version) == (before.size, True)
    assert b"".join(storage.stream("swapped", 4, 5, version=after.version)) == b"as it"


@pytest.mark.parametrize("content", [b"not as it", b"short", b""])
def test_another_version_than_the_one_meant_is_not_read(storage: Storage, content: bytes) -> None:
    storage.replace("swapped", b"as it was")
    before = storage.stat("swapped")
    assert before is not None
    storage.replace("swapped", content)
    with pytest.raises(ObjectChanged):
        storage.stream("swapped", 6, 3, version=before.version)
    storage.delete("swapped")
    with pytest.raises(ObjectMissing):
        storage.stream("swapped", 6, 3, version=before.version)


def test_delete_removes_and_is_content_with_nothing(storage: Storage) -> None:
    storage.put_new("gone", b"x")
    storage.delete("gone")
    storage.delete("gone")
    assert storage.size("gone") is None
    assert storage.put_new("gone", b"again")


def test_list_is_in_the_order_of_bytes_below_the_prefix(storage: Storage) -> None:
    keys = ["log/tile/0/x001/067", "log/tile/0/000", "log/tile/1/000", "log/checkpoint", "other", "log/tile/0/000.p/7"]
    for key in keys:
        storage.put_new(key, key.encode())
    assert [item.key for item in storage.list("log/tile/0/")] == [
        "log/tile/0/000",
        "log/tile/0/000.p/7",
        "log/tile/0/x001/067",
    ]
    assert [(item.key, item.size) for item in storage.list("oth")] == [("other", 5)]
    assert len(list(storage.list(""))) == len(keys)
    assert list(storage.list("nothing/here/")) == []


def test_check_passes_and_leaves_nothing_that_matters(storage: Storage) -> None:
    storage.check()
    assert list(storage.list("packages/")) == []


def test_a_signed_url_serves_an_attachment_until_it_expires(storage: Storage) -> None:
    storage.put_new("packages/logo.zip", BIG)
    url = storage.signed_url("packages/logo.zip", 60, "Coeur bleu é.zip", "application/zip")
    if storage.local_path("packages/logo.zip") is not None:
        assert url is None
        return
    assert url is not None
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == BIG
        assert answer.headers["Content-Type"] == "application/zip"
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''Coeur%20bleu%20%C3%A9.zip"
        assert answer.headers["Cache-Control"] == "private, no-store"
    altered = url.replace("logo.zip", "log0.zip")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(altered)


def test_two_prefixes_of_a_bucket_do_not_see_each_other(s3_server: S3Server) -> None:
    storage, other = open_storage(s3_server.url("prefix")), open_storage(s3_server.url("prefix-other"))
    storage.put_new("same", b"one")
    assert other.size("same") is None
    assert other.put_new("same", b"two")
    assert storage.read("same") == b"one"


def test_an_s3_server_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials that it found first
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    storage = open_storage("s3://emblem/x?endpoint_url=http://127.0.0.1:9&region=us-east-1")
    with pytest.raises(Unavailable) as caught:
        storage.read("any")
    assert caught.value.headers["Retry-After"]
    assert "127.0.0.1" not in caught.value.detail


def test_wrong_credentials_are_unavailable(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials that it found first
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    with pytest.raises(Unavailable):
        open_storage(s3_server.url("any")).check()


@pytest.mark.parametrize("key", ["", "/absolute", "../up", "a/../b", "a//b", "a/", "./a", ".staging/x", "nul\0"])
def test_a_directory_takes_no_key_that_leads_elsewhere(tmp_path: Path, key: str) -> None:
    storage = open_storage((tmp_path / "storage").as_uri())
    with pytest.raises(ValueError, match="not a storage key"):
        storage.put_new(key, b"x")
    with pytest.raises(ValueError, match="not a storage key"):
        storage.read(key)


def test_a_full_disk_is_unavailable_and_keeps_what_was_there(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        storage = open_storage((disk.path / "storage").as_uri())
        storage.replace("checkpoint", b"before")
        disk.fill()
        for attempt in (storage.put_new, storage.replace):
            with pytest.raises(Unavailable, match="full"):
                attempt("checkpoint" if attempt == storage.replace else "new", BIG)
        assert storage.read("checkpoint") == b"before"
        assert storage.size("new") is None
        disk.free()
        assert storage.put_new("new", BIG)
        assert [item.key for item in storage.list("")] == ["checkpoint", "new"]


@pytest.mark.parametrize("url", ["", "file://", "ftp://x/y", "s3:///no-bucket", "s3://b/p?acl=public", "relative/path"])
def test_a_bad_storage_url_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="EMBLEM_STORAGE_URL"):
        open_storage(url)
