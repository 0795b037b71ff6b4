"""The sealed log of the audit's tests, with downloads and logo uses of known facts."""

from __future__ import annotations

from ..audit.conftest import deployment, make

__all__ = ["deployment", "make"]
