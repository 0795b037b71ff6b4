"""Logo variants: SVG masters rendered at exact widths, within the brand rules, encoded small, made once.

Pure: nothing here knows of participants, embeds or the web.
"""

from __future__ import annotations

from .plan import FORMATS, RASTERS, Plan
from .variants import Variant, Variants

__all__ = ["FORMATS", "RASTERS", "Plan", "Variant", "Variants"]
