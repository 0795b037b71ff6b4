"""Logo variants: SVG masters rendered at exact widths, within the brand rules, encoded small, made once.

Pure: nothing here knows of participants, embeds or the web.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .formats import FORMATS, RASTERS
    from .render import RenderFailed
    from .variant_request import VariantRequest
    from .variants import Variant, Variants

__all__ = ["FORMATS", "RASTERS", "RenderFailed", "Variant", "VariantRequest", "Variants"]
_HOMES = {
    "FORMATS": "formats",
    "RASTERS": "formats",
    "RenderFailed": "render",
    "VariantRequest": "variant_request",
}


def __getattr__(name: str) -> Any:
    """The public names, imported when they are asked for: a process that draws one picture starts without them."""
    if name in __all__:
        return getattr(import_module(f".{_HOMES.get(name, 'variants')}", __name__), name)
    raise AttributeError(name)
