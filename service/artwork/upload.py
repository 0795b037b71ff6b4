"""What may be sent to a check, and what the check needs to be installed: known without loading what it needs."""

from __future__ import annotations

from importlib.util import find_spec

MOST_BYTES = 25_000_000
FORMATS = "PNG, JPEG, WebP, AVIF, SVG or PDF"
_NEEDED = {"cv2": "opencv-python-headless", "numpy": "numpy", "pypdfium2": "pypdfium2"}


def missing_packages() -> tuple[str, ...]:
    """The packages of the extra ``artwork`` that are not installed; none where checks work."""
    return tuple(package for module, package in _NEEDED.items() if find_spec(module) is None)
