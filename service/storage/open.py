"""From ``EMBLEM_STORAGE_URL`` to a storage."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from ..problems import ConfigurationError, Unavailable
from .base import Storage


def open_storage(url: str, *, shared: bool = False) -> Storage:
    """The storage of ``file:///dir`` or ``s3://bucket/prefix?endpoint_url=…&region=…``; else ConfigurationError.

    ``shared`` lets the group of a directory read its files, for a web server that sends them (X-Accel).
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path:
        from .directory import DirectoryStorage

        folder = Path(unquote(parts.path))
        try:
            return DirectoryStorage(folder, shared=shared)
        except Unavailable as error:
            raise ConfigurationError(
                [f"EMBLEM_STORAGE_URL: {folder} cannot be written: correct the path or its permissions."]
            ) from error
    if parts.scheme == "s3" and parts.netloc:
        from botocore.exceptions import BotoCoreError

        from .s3 import S3Storage  # here, because boto3 takes a third of a second to import

        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if unknown := options.keys() - {"endpoint_url", "region"}:
            raise ConfigurationError([f"EMBLEM_STORAGE_URL has an unknown option {min(unknown)!r}."])
        endpoint = options.get("endpoint_url")
        if endpoint is not None and not endpoint.startswith(("http://", "https://")):
            raise ConfigurationError(["EMBLEM_STORAGE_URL: endpoint_url has to begin with http:// or https://."])
        try:
            return S3Storage(parts.netloc, parts.path, options.get("endpoint_url"), options.get("region"))
        except (BotoCoreError, ValueError) as error:  # an endpoint that is none, a profile that is not there
            raise ConfigurationError(
                [f"EMBLEM_STORAGE_URL or AWS_PROFILE: S3 cannot be used as they say ({str(error).rstrip('.')})."]
            ) from error
    raise ConfigurationError(["EMBLEM_STORAGE_URL: write file:///dir or s3://bucket/prefix?endpoint_url=…&region=…."])
