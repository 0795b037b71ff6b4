"""The application's client of the web tests."""

from __future__ import annotations

from ..web.conftest import _kits, api, one_kit

__all__ = ["_kits", "api", "one_kit"]
