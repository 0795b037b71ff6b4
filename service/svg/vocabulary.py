"""The elements of SVG: those that are drawn, those that only wait to be referred to, and why the others are refused."""

from __future__ import annotations

from xml.etree import ElementTree

SHAPES = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"})
GRADIENTS = frozenset({"linearGradient", "radialGradient"})
#: Elements that draw nothing where they stand. What is never referred to is left out with all that is in it.
SILENT = frozenset(
    {
        *GRADIENTS,
        "clipPath",
        "color-profile",
        "cursor",
        "defs",
        "desc",
        "filter",
        "font",
        "font-face",
        "hatch",
        "marker",
        "mask",
        "meshgradient",
        "metadata",
        "pattern",
        "solidcolor",
        "stop",
        "style",
        "symbol",
        "title",
        "view",
    }
)
#: Elements that change a drawing wherever they stand.
MOVING = frozenset({"animate", "animateColor", "animateMotion", "animateTransform", "discard", "set"})
USABLE = SHAPES | {"g", "svg", "symbol", "use"}
#: Attributes by which it depends on the viewer whether something is drawn.
CONDITIONS = ("requiredExtensions", "requiredFeatures", "systemLanguage")

_OUTLINES = "Convert the text to paths (outlines)"
_TEXT = ("text that needs a font", _OUTLINES)
_OTHERS = {
    "script": ("a script", "Remove it; a logo does nothing"),
    "text": _TEXT,
    "tspan": _TEXT,
    "tref": _TEXT,
    "textPath": _TEXT,
    "flowRoot": _TEXT,
    "image": ("a picture", "Draw it as shapes, or leave it out"),
    "foreignObject": ("foreign content", "Remove it; only shapes are shown everywhere"),
    "switch": ("a choice by the viewer (<switch>)", "Keep what is to be seen, and remove the rest with the <switch>"),
    "filter": ("a filter", "Remove the effect with everything that refers to it; the logo is flat"),
    "pattern": ("a pattern", "Expand it to shapes"),
    "marker": ("a marker", "Expand it to shapes"),
    "meshgradient": ("a mesh gradient", "Draw it with linear and radial gradients"),
    "hatch": ("a hatch", "Expand it to shapes"),
    "a": ("a link", "Remove it and keep what is in it"),
}


def reason(name: str) -> tuple[str, str]:
    """Return what an element is that no drawing may hold, and the fix."""
    return _OTHERS.get(name, (f"<{name[:40]}>", "Remove it; masters hold shapes and paint only"))


def is_empty_text(element: ElementTree.Element) -> bool:
    """Tell whether an element is text in which nothing is written; what refers to text elsewhere is none."""
    names = {part.tag.rpartition("}")[2] for part in element.iter()}
    return names <= {"text", "tspan", "flowRoot", "flowPara"} and not "".join(element.itertext()).strip()
