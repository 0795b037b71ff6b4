"""Privacy: each room forgets its own rows; this one knows them all, for an erasure and for retention."""

from __future__ import annotations

from .erasure import Erasure
from .export import Export
from .retention import DataRetention

__all__ = ["DataRetention", "Erasure", "Export"]
