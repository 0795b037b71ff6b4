"""Media types by a file's name, and kinds of files by their first bytes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from service.media_types import MEDIA_TYPES, media_type_of, recognised


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("packages/logo/1.0.0.zip", "application/zip"),
        ("a.b/poster.pdf", "application/pdf"),
        ("README.txt", "text/plain; charset=utf-8"),
        ("log/tile/0/000", "application/octet-stream"),
        (".png", "application/octet-stream"),
        ("README", "application/octet-stream"),
    ],
)
def test_a_name_has_the_type_of_its_ending(name: str, expected: str) -> None:
    assert media_type_of(name) == expected


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "avif"])
def test_pictures_are_recognised_by_their_bytes(kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, kind)
    assert recognised(out.getvalue()) == kind
    assert MEDIA_TYPES[kind] == f"image/{kind}"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\n%PDF-1.7", "pdf"),
        (b'\xef\xbb\xbf <svg xmlns="http://www.w3.org/2000/svg"/>', "svg"),
        ('<?xml version="1.0" encoding="UTF-16"?><svg/>'.encode("utf-16"), "svg"),
        (b"<html><p>no drawing", None),
        (b"PK\x03\x04", None),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"", None),
    ],
)
def test_documents_are_recognised_and_others_are_not(data: bytes, expected: str | None) -> None:
    assert recognised(data) == expected
