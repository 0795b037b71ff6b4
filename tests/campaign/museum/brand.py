"""Defects of ``brand.yaml``."""

from __future__ import annotations

from .defect import Defect

DEFECTS = (
    Defect("logo_unknown", "  heart:", "  star:", "no logo star", "heart, lockup", "  star:"),
    Defect("colourway_unknown", "[blue, white, black]", "[blue, white, red]", "no colourway red", "Add", "white, red]"),
    Defect(
        "colourway_without_rule", "[blue, white, black]", "[blue, white]", "black that no rule", "Add", "[blue, white]"
    ),
    Defect("colour_in_capitals", "hex: 0b5cad", "hex: 0B5CAD", "right form", "small letters", "0B5CAD"),
    Defect("colour_read_as_number", 'hex: "000000"', "hex: 000000", "text is needed", "quotes", "hex: 000000"),
    Defect("ink_of_three_values", "[94, 47, 0, 32]", "[94, 47, 0]", "four values", "cyan", "[94, 47, 0]"),
    Defect("width_zero", "px: 24", "px: 0", "greater than or equal", "", "px: 0"),
    Defect("artwork_rule_missing", "  - id: flipped", "  - id: effect", "flipped is missing", "Add", "forbidden:"),
    Defect("artwork_rule_unknown", "id: flipped", "id: ugly", "", "'stretched'", "id: ugly"),
    Defect("limit_without_unit", "    unit: degrees\n", "", "without a unit", "both", "id: rotated"),
    Defect(
        "lightness_crossed",
        "least_lightness: 85",
        "least_lightness: 85\n      most_lightness: 9",
        "above",
        "Exchange",
        "backgrounds:",
    ),
    Defect(
        "colour_listed_without_contrast",
        "most_chroma: 12",
        'most_chroma: 12\n      also: ["336699"]',
        "contrast",
        "Remove",
        "also: [",
    ),
)
