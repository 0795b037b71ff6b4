"""S3: what was damaged on its way or at rest is noticed, and a refusal says what an operator has to do."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError

from service.problems import Unavailable
from service.storage import open_storage, s3
from service.storage.s3 import S3Storage
from tests.parts.relay import Relay
from tests.parts.s3 import S3Server


@pytest.fixture
def storage(s3_server: S3Server, tmp_path: Path) -> S3Storage:
    opened = open_storage(s3_server.url(tmp_path.name))
    assert isinstance(opened, S3Storage)
    return opened


def test_a_body_that_changes_on_its_way_is_not_stored(
    storage: S3Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "object"
    path.write_bytes(b"right")
    found = s3._sums(path)
    assert found["Metadata"]["sha256"] == hashlib.sha256(b"right").hexdigest()
    assert found == s3._sums(b"right")
    monkeypatch.setattr(s3, "_sums", lambda _content: found)
    with pytest.raises(Unavailable):
        storage.put_new("a", b"wrong")
    with pytest.raises(Unavailable):
        storage.replace("a", b"wrong")
    assert storage.find("a") is None
    assert storage.put_new("a", b"right")


def test_an_object_that_is_not_what_was_written_is_not_read(storage: S3Storage) -> None:
    storage.put_new("a", b"right")
    kept = storage.client.head_object(Bucket=storage.bucket, Key=storage._key("a"))["Metadata"]
    storage.client.put_object(Bucket=storage.bucket, Key=storage._key("a"), Body=b"wrong", Metadata=kept)
    with pytest.raises(Unavailable) as caught:
        storage.read("a")
    assert "otherwise than it was written" in caught.value.private
    with pytest.raises(Unavailable):
        b"".join(storage.stream("a", 0, 5))
    assert b"".join(storage.stream("a", 1, 3)) == b"ron"  # a part has no digest of its own
    storage.client.put_object(Bucket=storage.bucket, Key=storage._key("b"), Body=b"of others")
    assert storage.read("b") == b"".join(storage.stream("b", 0, 9)) == b"of others"


def reason(storage: S3Storage) -> str:
    with pytest.raises(Unavailable) as caught:
        storage.check()
    return caught.value.private


def test_refusals_say_what_to_do(storage: S3Storage, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    there = s3_server.url("x")
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=3)):
        assert "synchronise this machine's clock" in reason(storage)
    missing = open_storage(there.replace("s3://emblem/", "s3://no-such-bucket/"))
    assert isinstance(missing, S3Storage)
    assert "there is no bucket no-such-bucket" in reason(missing)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it has read the right one already
    other = open_storage(there)
    assert isinstance(other, S3Storage)
    assert "AWS_SECRET_ACCESS_KEY" in reason(other)


@pytest.mark.parametrize("there", [True, False])
def test_a_bucket_that_cannot_be_asked_for_is_asked_for_again(s3_server: S3Server, *, there: bool) -> None:
    relay = Relay(s3_server.port)
    url = s3_server.url("asked-again").replace(str(s3_server.port), str(relay.port))
    storage = open_storage(url if there else url.replace("s3://emblem/", "s3://no-such-bucket/"))
    assert isinstance(storage, S3Storage)

    def cut(**_: object) -> None:
        relay.refusing = True

    for client in (storage._first, storage._later):
        client.meta.events.register("before-call.s3.HeadBucket", cut, unique_id="outage")
    with pytest.raises(Unavailable) as caught:
        storage.stat("nothing")  # that there is no such object is still told, and then nobody answers
    assert "start the S3 server" in caught.value.private
    relay.refusing = False
    for client in (storage._first, storage._later):
        client.meta.events.unregister("before-call.s3.HeadBucket", unique_id="outage")
    if there:
        assert storage.stat("nothing") is None
    else:
        with pytest.raises(Unavailable) as caught:
            storage.stat("nothing")
        assert "there is no bucket" in caught.value.private
    relay.close()


def test_a_bucket_that_may_not_be_seen_is_taken_for_being_there(s3_server: S3Server) -> None:
    storage = open_storage(s3_server.url("unseen").replace("s3://emblem/", "s3://unseen/"))
    assert isinstance(storage, S3Storage)
    storage.client.create_bucket(Bucket="unseen")
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::unseen"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    storage.client.put_bucket_policy(Bucket="unseen", Policy=policy)
    with pytest.raises(ClientError, match="403"):
        storage.client.head_bucket(Bucket="unseen")
    assert storage.stat("nothing") is None
