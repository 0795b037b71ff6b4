"""Verdicts on artwork: whose file was checked, what came out, what is kept of it, and where staff judged otherwise.

The check itself is ``service.artwork``, which knows no participant.
"""

from __future__ import annotations

from .verdicts import UPLOAD, VERDICTS, KeptCheck, Overruled, Verdicts

__all__ = ["UPLOAD", "VERDICTS", "KeptCheck", "Overruled", "Verdicts"]
