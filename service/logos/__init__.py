"""Logo variants: SVG masters rendered at exact widths, within the brand rules, encoded small, made once.

Pure: nothing here knows of participants, embeds or the web.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .render import RenderFailed
    from .variant_request import FORMATS, RASTERS, Plan
    from .variants import Variant, Variants

__all__ = ["FORMATS", "RASTERS", "Plan", "RenderFailed", "Variant", "Variants"]


def __getattr__(name: str) -> Any:
    """The public names, imported when they are asked for: a process that draws one picture starts without them."""
    if name in __all__:
        from . import render, variant_request, variants

        homes = {"RenderFailed": render, "Variant": variants, "Variants": variants}
        return getattr(homes.get(name, variant_request), name)
    raise AttributeError(name)
