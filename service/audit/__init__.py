"""The audit: reports, exports, imports, alerts, and the verification that trusts nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .maintenance import Maintenance

__all__ = ["Maintenance"]


def __getattr__(name: str) -> object:
    """``Maintenance``, imported when it is asked for: a report on the command line needs none of its parts."""
    if name == "Maintenance":
        from .maintenance import Maintenance

        return Maintenance
    raise AttributeError(name)
