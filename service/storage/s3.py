"""Objects in an S3 bucket, through boto3."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypedDict
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from ..problems import Unavailable
from .base import CHUNK, Content, ObjectChanged, ObjectMissing, Pieces, Storage, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class _Condition(TypedDict, total=False):
    IfMatch: str


class _Sums(TypedDict):
    ContentMD5: str
    Metadata: dict[str, str]


class _Patience(NamedTuple):
    """How often a request is tried, and the seconds to connect and for an answer to begin, of each try."""

    attempts: int
    connect: float
    read: float


#: Until the server has answered this process, and from then on, when a hiccup is worth waiting for.
_FIRST, _LATER = _Patience(2, 2, 4), _Patience(3, 3, 10)
_DIGEST = "sha256"  # of the metadata
_CREDENTIALS = "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile or role in their place"
_UNKNOWN = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired"}
_REFUSED = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "Forbidden"}
_ELSEWHERE = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"}
_SKEW = 15 * 60  # seconds
_MISSING = {"NoSuchKey", "404", "NotFound"}
_EXISTS = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


class S3Storage(Storage):
    """Objects ``prefix/key`` of a bucket. Credentials come from boto3's own chain (environment, profile, role).

    ``put_new`` is a conditional write (``If-None-Match: *``, S3 API of August 2024), so it is atomic also
    between machines. Multipart uploads cannot be conditional in every server, so objects go up in one part: those
    whose completion ignores the condition would let a second writer replace what never changes.

    Every write carries ``Content-MD5``, which all servers compare with what arrived (the newer checksum headers are
    ignored by some), and the object's SHA-256 as metadata, with which every reading of a whole object is compared.
    """

    remote = True

    def __init__(
        self, bucket: str, prefix: str = "", endpoint_url: str | None = None, region: str | None = None
    ) -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self._endpoint_url, self._region = endpoint_url, region or "us-east-1"
        # Both at once and here: boto3 makes no clients in several threads.
        self._first, self._later = self._client(_FIRST), self._client(_LATER)
        self._answered = False
        self._bucket_is_there = False

    @property
    def client(self) -> S3Client:
        """The client, impatient until the server has answered once: one that is away is told within ten seconds."""
        return self._later if self._answered else self._first

    def _client(self, patience: _Patience) -> S3Client:
        return boto3.client(
            "s3",
            endpoint_url=self._endpoint_url,
            region_name=self._region,
            config=Config(
                signature_version="s3v4",
                retries={"mode": "standard", "total_max_attempts": patience.attempts},
                connect_timeout=patience.connect,
                read_timeout=patience.read,
                max_pool_connections=64,
                s3={"addressing_style": "path" if self._endpoint_url else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put_new(
        self, key: str, content: Content, media_type: str = "application/octet-stream", *, durable: bool = True
    ) -> bool:
        """See ``Storage.put_new``: durable in any case."""
        try:
            with self._problems(key), _opened(content) as body:
                self.client.put_object(
                    Bucket=self.bucket,
                    Key=self._key(key),
                    Body=body,
                    ContentType=media_type,
                    IfNoneMatch="*",
                    **_sums(content),
                )
        except FileExistsError:
            return False
        return True

    def replace(self, key: str, content: Content, media_type: str = "application/octet-stream") -> None:
        """See ``Storage.replace``."""
        with self._problems(key), _opened(content) as body:
            self.client.put_object(
                Bucket=self.bucket, Key=self._key(key), Body=body, ContentType=media_type, **_sums(content)
            )

    def read(self, key: str) -> bytes:
        """See ``Storage.read``."""
        with self._problems(key):
            got = self.client.get_object(Bucket=self.bucket, Key=self._key(key))
            data = got["Body"].read()
        _compare(key, hashlib.sha256(data), got["Metadata"])
        return data

    def stream(self, key: str, start: int, length: int, *, version: str = "") -> Pieces:
        """See ``Storage.stream``: the version is the object's ETag, which the server compares.

        The first piece has arrived when this returns, so that a server that sends a head and no body is told of while
        another answer can still be given.
        """
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
        whole = start == 0 and got.get("ContentRange", "").endswith(f"/{length}")

        def pieces() -> Iterator[bytes]:
            sums = hashlib.sha256()
            with self._problems(key):
                for piece in body.iter_chunks(CHUNK):
                    sums.update(piece)
                    yield piece
            if whole:
                _compare(key, sums, got["Metadata"])

        arriving = pieces()
        try:
            first = next(arriving, b"")
            if len(first) < min(length, CHUNK):
                first += next(arriving, b"")  # raises: the body ended early
        except BaseException:
            body.close()
            raise
        return Pieces(chain((first,), arriving), body.close)

    def stat(self, key: str) -> StoredObject | None:
        """See ``Storage.stat``."""
        try:
            with self._problems(key):
                found = self.client.head_object(Bucket=self.bucket, Key=self._key(key))
        except ObjectMissing:
            self._look_for_bucket()
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

    def _look_for_bucket(self) -> None:
        """Raise Unavailable where the bucket is missing, which a HEAD of an object cannot tell from a missing key.

        So it does where nobody answers: what was not found may be there, and the next caller asks again.
        """
        if self._bucket_is_there:
            return
        try:
            with self._problems("bucket"):
                self.client.head_bucket(Bucket=self.bucket)
        except ObjectMissing as error:
            raise Unavailable(headers={"Retry-After": "5"}, private=self._no_bucket()) from error.__cause__
        except Unavailable as error:
            if not _refused(error.__cause__):
                raise
            self._bucket_is_there = True  # whoever may not see a bucket is told so only of one that is there

    def _key(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    @contextmanager
    def _problems(self, key: str) -> Iterator[None]:
        try:
            yield
            self._answered = self._bucket_is_there = True
        except ClientError as error:
            self._answered = True
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _MISSING:
                raise ObjectMissing(key) from error
            if code in _EXISTS:
                raise FileExistsError(key) from error
            raise Unavailable(headers={"Retry-After": "5"}, private=self._reason(code, error)) from error
        except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
            private = f"there are no credentials for {self.bucket}: {_CREDENTIALS}"
            raise Unavailable(headers={"Retry-After": "5"}, private=private) from error
        except ParamValidationError as error:  # the library itself sees that no bucket has such a name
            raise Unavailable(headers={"Retry-After": "5"}, private=self._no_bucket()) from error
        except BotoCoreError as error:
            private = f"{str(error).rstrip('.')}: start the S3 server, or correct EMBLEM_STORAGE_URL"
            raise Unavailable(headers={"Retry-After": "5"}, private=private) from error

    def _no_bucket(self) -> str:
        return f"there is no bucket {self.bucket}: create it, or correct EMBLEM_STORAGE_URL"

    def _reason(self, code: str, error: ClientError) -> str:
        """Return what an operator has to do about a refusal of the server; nothing of its own text but its code."""
        if code in ("NoSuchBucket", "InvalidBucketName"):
            return self._no_bucket()
        theirs = error.response["ResponseMetadata"].get("HTTPHeaders", {}).get("date", "")
        if code == "RequestTimeTooSkewed" or (code in _REFUSED and _apart(theirs)):  # a refused HEAD says no more
            said = theirs or "another time"
            return f"the clocks are too far apart, the S3 server says {said}: synchronise this machine's clock"
        if code in _UNKNOWN:
            return f"the S3 server does not take the credentials ({code}): {_CREDENTIALS}"
        if code in _REFUSED:
            return f"the credentials may not do this in {self.bucket} ({code}): {_CREDENTIALS}, or the bucket's policy"
        if code in _ELSEWHERE:
            return f"{self.bucket} is not in the region {self._region} ({code}): correct region in EMBLEM_STORAGE_URL"
        return f"the S3 server refuses ({code}): look at its log, or correct EMBLEM_STORAGE_URL"


def _refused(error: BaseException | None) -> bool:
    """Tell whether the server knows what it was asked for, and does not let these credentials have it."""
    return isinstance(error, ClientError) and str(error.response.get("Error", {}).get("Code", "")) in _REFUSED


def _apart(date: str) -> bool:
    """Tell whether the ``Date`` of an answer is so far from this machine's clock that signatures do not hold."""
    try:
        return abs((parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()) > _SKEW
    except (ValueError, TypeError):
        return False


def _sums(content: Content) -> _Sums:
    """Return what the server compares, and what is compared when the object is read."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with _opened(content) as body:
        for piece in (body,) if isinstance(body, bytes) else iter(lambda: body.read(CHUNK), b""):
            md5.update(piece)
            sha256.update(piece)
    return {"ContentMD5": base64.b64encode(md5.digest()).decode(), "Metadata": {_DIGEST: sha256.hexdigest()}}


def _compare(key: str, sums: hashlib._Hash, metadata: Mapping[str, str]) -> None:
    """Raise Unavailable where an object is not what was written; one that others wrote says nothing of itself."""
    if metadata.get(_DIGEST, sums.hexdigest()) != sums.hexdigest():
        raise Unavailable(headers={"Retry-After": "5"}, private=f"{key} comes from S3 otherwise than it was written")


@contextmanager
def _opened(content: Content) -> Iterator[bytes | BinaryIO]:
    if isinstance(content, bytes):
        yield content
    else:
        with content.open("rb") as file:
            yield file
