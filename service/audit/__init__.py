"""The audit: reports, exports, imports, alerts, and the verification that trusts nobody."""

from __future__ import annotations

from .maintenance import Maintenance

__all__ = ["Maintenance"]
