"""Files that may be sent to a check, and what it needs to be installed, known without loading that."""

from __future__ import annotations

from importlib.util import find_spec

MOST_BYTES = 25_000_000
FORMATS = "PNG, JPEG, WebP, AVIF, SVG or PDF"
#: The endings of those formats, of which there are media types.
KINDS = ("png", "jpeg", "webp", "avif", "svg", "pdf")
_NEEDED = {"cv2": "opencv-python-headless", "numpy": "numpy", "pypdfium2": "pypdfium2"}


def missing_packages() -> tuple[str, ...]:
    """The packages of the extra ``artwork`` that are not installed; none where checks work."""
    return tuple(package for module, package in _NEEDED.items() if find_spec(module) is None)
