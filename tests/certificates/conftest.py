"""The application's client of the web tests."""

from __future__ import annotations

from ..web.conftest import api

__all__ = ["api"]
