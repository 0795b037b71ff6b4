"""Rate limits: one table of how often who may ask, counted per process or for all machines together."""

from __future__ import annotations

from .limiter import LIMITS, Limiter

__all__ = ["LIMITS", "Limiter"]
