"""The artwork check: whether a campaign's logos in a picture follow its brand rules.

Knows logos and brand rules, no participant and no web. ``ArtworkChecks`` is the way in; what it needs beyond the
service (OpenCV, a PDF reader) comes with the extra ``artwork`` and is loaded at the first check.
"""

from __future__ import annotations

from .checks import ArtworkChecks
from .report import ArtworkReport, Checked, Finding, LogoReport, Right, Verdict
from .upload import FORMATS, KINDS, MOST_BYTES, missing_packages

__all__ = [
    "FORMATS",
    "KINDS",
    "MOST_BYTES",
    "ArtworkChecks",
    "ArtworkReport",
    "Checked",
    "Finding",
    "LogoReport",
    "Right",
    "Verdict",
    "missing_packages",
]
