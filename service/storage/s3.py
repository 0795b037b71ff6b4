"""Objects in an S3 bucket, through boto3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypedDict
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..problems import Unavailable
from .base import CHUNK, Content, ObjectChanged, ObjectMissing, Pieces, Storage, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class _Condition(TypedDict, total=False):
    IfMatch: str


_MISSING = {"NoSuchKey", "404", "NotFound"}
_EXISTS = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


class S3Storage(Storage):
    """Objects ``prefix/key`` of a bucket. Credentials come from boto3's own chain (environment, profile, role).

    ``put_new`` is a conditional write (``If-None-Match: *``, S3 API of August 2024), so it is atomic also
    between machines. Multipart uploads cannot be conditional in every server, so objects go up in one part.
    """

    remote = True

    def __init__(
        self, bucket: str, prefix: str = "", endpoint_url: str | None = None, region: str | None = None
    ) -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.client: S3Client = boto3.client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=region or "us-east-1",
            config=Config(
                signature_version="s3v4",
                retries={"mode": "standard", "total_max_attempts": 3},
                connect_timeout=3,
                read_timeout=10,
                max_pool_connections=64,
                s3={"addressing_style": "path" if endpoint_url else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put_new(self, key: str, content: Content, media_type: str = "application/octet-stream") -> bool:
        """See ``Storage.put_new``."""
        try:
            with self._problems(key), _opened(content) as body:
                self.client.put_object(
                    Bucket=self.bucket, Key=self._key(key), Body=body, ContentType=media_type, IfNoneMatch="*"
                )
        except FileExistsError:
            return False
        return True

    def replace(self, key: str, content: Content, media_type: str = "application/octet-stream") -> None:
        """See ``Storage.replace``."""
        with self._problems(key), _opened(content) as body:
            self.client.put_object(Bucket=self.bucket, Key=self._key(key), Body=body, ContentType=media_type)

    def read(self, key: str) -> bytes:
        """See ``Storage.read``."""
        with self._problems(key):
            return self.client.get_object(Bucket=self.bucket, Key=self._key(key))["Body"].read()

    def stream(self, key: str, start: int, length: int, *, version: str = "") -> Pieces:
        """See ``Storage.stream``: the version is the object's ETag, which the server compares."""
        if length == 0:
            return Pieces(iter(()), lambda: None)
        span = f"bytes={start}-{start + length - 1}"
        condition: _Condition = {"IfMatch": f'"{version}"'} if version else {}
        try:
            with self._problems(key):
                got = self.client.get_object(Bucket=self.bucket, Key=self._key(key), Range=span, **condition)
        except FileExistsError as error:
            raise ObjectChanged(key) from error
        body = got["Body"]

        def pieces() -> Iterator[bytes]:
            with self._problems(key):
                yield from body.iter_chunks(CHUNK)

        return Pieces(pieces(), body.close)

    def stat(self, key: str) -> StoredObject | None:
        """See ``Storage.stat``."""
        try:
            with self._problems(key):
                found = self.client.head_object(Bucket=self.bucket, Key=self._key(key))
        except ObjectMissing:
            return None
        return StoredObject(key, found["ContentLength"], found["ETag"].strip('"'))

    def delete(self, key: str) -> None:
        """See ``Storage.delete``."""
        with self._problems(key):
            self.client.delete_object(Bucket=self.bucket, Key=self._key(key))

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """See ``Storage.list``."""
        with self._problems(prefix):
            for page in self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self._key(prefix)
            ):
                for item in page.get("Contents", []):
                    yield StoredObject(item["Key"][len(self._key("")) :], item["Size"], item["ETag"].strip('"'))

    def local_path(self, key: str) -> Path | None:
        """None: the bytes are elsewhere."""
        return None

    def signed_url(self, key: str, seconds: int, filename: str, media_type: str) -> str | None:
        """See ``Storage.signed_url``: a presigned GET."""
        disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        return self.client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": self._key(key),
                "ResponseContentDisposition": disposition,
                "ResponseContentType": media_type,
                "ResponseCacheControl": "private, no-store",
            },
            ExpiresIn=seconds,
        )

    def check(self) -> None:
        """See ``Storage.check``."""
        with self._problems("check"):
            self.client.put_object(Bucket=self.bucket, Key=self._key("check/writable"), Body=b"emblem")

    def _key(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    @contextmanager
    def _problems(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _MISSING:
                raise ObjectMissing(key) from error
            if code in _EXISTS:
                raise FileExistsError(key) from error
            raise Unavailable(headers={"Retry-After": "5"}, private=str(error)) from error
        except BotoCoreError as error:
            raise Unavailable(headers={"Retry-After": "5"}, private=str(error)) from error


@contextmanager
def _opened(content: Content) -> Iterator[bytes | BinaryIO]:
    if isinstance(content, bytes):
        yield content
    else:
        with content.open("rb") as file:
            yield file
