"""Media types of the files that the program hands out, takes in and keeps: a list of ours, as systems differ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

#: File name's ending without its full stop -> media type.
MEDIA_TYPES: Mapping[str, str] = {
    "avif": "image/avif",
    "css": "text/css; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "eps": "application/postscript",
    "html": "text/html; charset=utf-8",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "jxl": "image/jxl",
    "md": "text/markdown; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "png": "image/png",
    "rtf": "application/rtf",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "typ": "text/plain; charset=utf-8",
    "webp": "image/webp",
    "zip": "application/zip",
}


def ending(name: str) -> str:
    """The ending of a file's name or path, without its full stop; empty where it has none."""
    return PurePosixPath(name).suffix.removeprefix(".")


def media_type_of(name: str) -> str:
    """The media type of a file by its name, ``application/octet-stream`` for an ending that is not listed."""
    return MEDIA_TYPES.get(ending(name), "application/octet-stream")


def recognised(data: bytes) -> str | None:
    """Return the ending of a picture or document by its first bytes, whatever its name says.

    One of png, jpeg, webp, avif, svg and pdf; None for anything else.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and any(brand in data[8:64] for brand in (b"avif", b"avis")):
        return "avif"
    if b"%PDF-" in data[:1024]:
        return "pdf"
    return "svg" if _looks_like_svg(data) else None


def _looks_like_svg(data: bytes) -> bool:
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"<") and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    return b"<svg" in data[:65536] or b"<\x00s\x00v\x00g" in data[:65536] or b"\x00<\x00s\x00v\x00g" in data[:65536]
