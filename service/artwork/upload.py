"""Files that may be sent to a check, and what it needs to be installed, known without loading that."""

from __future__ import annotations

from importlib.util import find_spec

MOST_BYTES = 25_000_000
FORMATS = "PNG, JPEG, WebP, AVIF, SVG or PDF"
MEDIA_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
}
_NEEDED = {"cv2": "opencv-python-headless", "numpy": "numpy", "pypdfium2": "pypdfium2"}


def missing_packages() -> tuple[str, ...]:
    """The packages of the extra ``artwork`` that are not installed; none where checks work."""
    return tuple(package for module, package in _NEEDED.items() if find_spec(module) is None)


def recognised(data: bytes) -> str | None:
    """Return which of ``MEDIA_TYPES`` a file is by its first bytes, whatever its name says; None for anything else."""
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
