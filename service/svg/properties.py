"""The properties of CSS that a drawing may set: how each is read, and what is dropped or refused instead.

Three lists decide. ``PARSERS`` holds what is drawn, with the values that browsers, librsvg and typst draw
alike; ``NEUTRAL`` holds properties that they do not, with the values under which nothing happens; ``DROPPED``
holds those that say nothing about a drawing of shapes. A property on no list is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from tinycss2 import color4

from . import matrix
from .faults import Refused
from .matrix import Transform, css_length
from .numbers import WHOLE, ZERO, Length, finite

Tokens = Sequence[Any]  # component values of tinycss2, without blanks and comments


@dataclass(frozen=True)
class Colour:
    """A colour in sRGB: ``hex`` as ``#rrggbb``, and its opacity from 0 to 1."""

    hex: str
    alpha: float = 1.0


@dataclass(frozen=True)
class Reference:
    """A reference to an element of the file by its id, and the line on which it stands."""

    id: str
    line: int = field(default=0, compare=False)


class CurrentColour:
    """The keyword ``currentColor``, which inherits as such."""


CURRENT = CurrentColour()
BLACK = Colour("#000000")


class WideGamut(Refused):
    """Refuses a colour that only some renderers know; where one in sRGB stands before it, that one is meant."""


def colour(tokens: Tokens) -> Colour | CurrentColour:
    """A colour; Refused where it is none, or depends on who looks."""
    if len(tokens) != 1:
        raise Refused(f"{_text(tokens)!r} is no colour", "Write it as #rrggbb")
    found = color4.parse_color(tokens[0])
    if found == "currentcolor":
        return CURRENT
    name = getattr(tokens[0], "lower_name", "")
    wide = name in ("color", "lab", "lch", "oklab", "oklch", "color-mix")
    if wide or (found is not None and found.space not in ("srgb", "hsl", "hwb")):
        message = f"The colour {_text(tokens)!r} is not drawn alike everywhere"
        raise WideGamut(message, "Write it as #rrggbb, or put such a colour before it")
    if found is None:
        fix = "Write it as #rrggbb" if name not in ("var", "env") else "Write what it stands for, as #rrggbb"
        raise Refused(f"{_text(tokens)!r} is no colour that is drawn alike everywhere", fix)
    channels = [round(255 * min(1.0, max(0.0, channel or 0.0))) for channel in found.to("srgb").coordinates]
    return Colour("#" + "".join(f"{channel:02x}" for channel in channels), found.alpha)


def _paint(tokens: Tokens) -> Colour | CurrentColour | Reference | None:
    if _keyword(tokens) == "none":
        return None
    if _is_url(tokens[0]):
        reference = url(tokens[0])
        rest = tokens[1:]
        if rest and _keyword(rest) != "none":
            colour(rest)
        return reference
    return colour(tokens)


def url(token: Any) -> Reference:
    """The id that a ``url()`` names; Refused where it names anything but an element of this file."""
    if token.type == "url":
        value = token.value
    else:
        strings = [part for part in token.arguments if part.type not in ("whitespace", "comment")]
        value = strings[0].value if len(strings) == 1 and strings[0].type == "string" else ""
    return fragment(value)


def fragment(address: str) -> Reference:
    """The id that an address names; Refused where it names anything but an element of this file."""
    if not address.startswith("#") or len(address) == 1:
        message = f"{address[:60]!r} refers to something outside the file"
        raise Refused(message, "Refer to an #id in the file, or remove it")
    return Reference(address[1:])


def _is_url(token: Any) -> bool:
    return "url" in (token.type, getattr(token, "lower_name", ""))


def _url_or_none(tokens: Tokens) -> Reference | None:
    if _keyword(tokens) == "none":
        return None
    if len(tokens) == 1 and _is_url(tokens[0]):
        return url(tokens[0])
    raise Refused(f"{_text(tokens)!r} is not drawn alike everywhere", "Refer to an element of the file: url(#id)")


def _opacity(tokens: Tokens) -> float:
    if len(tokens) == 1 and tokens[0].type in ("number", "percentage"):
        value = finite(tokens[0].representation) / (100 if tokens[0].type == "percentage" else 1)
        return min(1.0, max(0.0, value))
    raise Refused(f"{_text(tokens)!r} is no opacity", "Write a number from 0 to 1")


def _miter(tokens: Tokens) -> float:
    if len(tokens) == 1 and tokens[0].type == "number" and tokens[0].value >= 1:
        return finite(tokens[0].representation)
    raise Refused(f"{_text(tokens)!r} is no miter limit", "Write a number of 1 or more")


def one_length(tokens: Tokens, *, unitless: bool = False) -> Length:
    """A single length or percentage."""
    if len(tokens) != 1:
        raise Refused(f"{_text(tokens)!r} is no length", "Write a number, in the units of the viewBox")
    return css_length(tokens[0], unitless=unitless)


def _stroke_width(tokens: Tokens) -> Length:
    found = one_length(tokens, unitless=True)
    if found.value < 0:
        raise Refused("A stroke cannot have a width below zero", "Correct it, or remove it")
    return found


def _stroke_length(tokens: Tokens) -> Length:
    return one_length(tokens, unitless=True)


def _dashes(tokens: Tokens) -> tuple[Length, ...]:
    if _keyword(tokens) == "none":
        return ()
    parts = [token for token in tokens if not (token.type == "literal" and token.value == ",")]
    found = tuple(css_length(token, unitless=True) for token in parts)
    if any(dash.value < 0 for dash in found):
        raise Refused("A dash cannot be shorter than zero", "Correct stroke-dasharray, or remove it")
    if len(found) % 2:
        found += found
    return found if any(dash.value for dash in found) else ()


def _font_size(tokens: Tokens, *, unitless: bool = False) -> Length | None:
    # Needed for lengths in em alone; a keyword makes those unknown.
    try:
        return one_length(tokens, unitless=unitless)
    except Refused:
        return None


def _geometry(tokens: Tokens) -> Length | None:
    """A length, or None for ``auto``."""
    return None if _keyword(tokens) == "auto" else one_length(tokens)


def _path_data(tokens: Tokens) -> str:
    if _keyword(tokens) == "none":
        return ""
    if len(tokens) == 1 and tokens[0].type == "function" and tokens[0].lower_name == "path":
        strings = [part for part in tokens[0].arguments if part.type == "string"]
        if len(strings) == 1 and all(part.type in ("string", "whitespace") for part in tokens[0].arguments):
            return cast(str, strings[0].value)
    raise Refused(f"{_text(tokens)!r} is no path", 'Write it as the attribute d="…"')


def _transform(tokens: Tokens) -> Transform:
    return Transform(()) if _keyword(tokens) == "none" else matrix.from_css(tokens)


def _origin(tokens: Tokens, *, unitless: bool = False) -> tuple[Length, Length]:
    """``transform-origin``: across and down (css-transforms-1, 6)."""
    if len(tokens) == 3 and tokens[2].type in ("number", "dimension") and not tokens[2].value:
        tokens = tokens[:2]
    if len(tokens) not in (1, 2):
        raise Refused(f"{_text(tokens)!r} is no origin of a transform", "Write two lengths")
    words = [getattr(token, "lower_value", "") if token.type == "ident" else "" for token in tokens]
    if len(tokens) == 2 and (words[0] in ("top", "bottom") or words[1] in ("left", "right")):
        tokens, words = tokens[::-1], words[::-1]
    if len(tokens) == 1 and words[0] in ("top", "bottom"):
        return Length(50, "%"), _SIDES[words[0]]
    across = _SIDES[words[0]] if words[0] in ("left", "center", "right") else css_length(tokens[0], unitless=unitless)
    if len(tokens) == 1:
        return across, Length(50, "%")
    down = _SIDES[words[1]] if words[1] in ("top", "center", "bottom") else css_length(tokens[1], unitless=unitless)
    return across, down


_SIDES = {"left": ZERO, "top": ZERO, "center": Length(50, "%"), "right": WHOLE, "bottom": WHOLE}


def _one_of(*words: str) -> Callable[[Tokens], str]:
    def read(tokens: Tokens) -> str:
        word = _keyword(tokens)
        if word not in words:
            raise Refused(f"{_text(tokens)!r} is not drawn alike everywhere", f"Write one of {', '.join(words)}")
        return word

    return read


@dataclass(frozen=True)
class Property:
    """Definition of a property: its reading from CSS, its initial value, whether elements take it from their parent."""

    read: Callable[[Tokens], Any]
    initial: Any
    inherited: bool = False
    attribute: Callable[[Tokens], Any] | None = None  # how it is read from an attribute, where that differs


PARSERS: dict[str, Property] = {
    "fill": Property(_paint, BLACK, inherited=True),
    "fill-opacity": Property(_opacity, 1.0, inherited=True),
    "fill-rule": Property(_one_of("nonzero", "evenodd"), "nonzero", inherited=True),
    "clip-rule": Property(_one_of("nonzero", "evenodd"), "nonzero", inherited=True),
    "stroke": Property(_paint, None, inherited=True),
    "stroke-opacity": Property(_opacity, 1.0, inherited=True),
    "stroke-width": Property(_stroke_width, Length(1.0), inherited=True),
    "stroke-linecap": Property(_one_of("butt", "round", "square"), "butt", inherited=True),
    "stroke-linejoin": Property(_one_of("miter", "round", "bevel"), "miter", inherited=True),
    "stroke-miterlimit": Property(_miter, 4.0, inherited=True),
    "stroke-dasharray": Property(_dashes, (), inherited=True),
    "stroke-dashoffset": Property(_stroke_length, ZERO, inherited=True),
    "visibility": Property(_one_of("visible", "hidden", "collapse"), "visible", inherited=True),
    "color": Property(colour, BLACK, inherited=True),
    "font-size": Property(_font_size, Length(16.0), inherited=True, attribute=partial(_font_size, unitless=True)),
    "opacity": Property(_opacity, 1.0),
    "display": Property(lambda tokens: "none" if _keyword(tokens) == "none" else "inline", "inline"),
    "overflow": Property(lambda tokens: _text(tokens).lower(), ""),
    "clip-path": Property(_url_or_none, None),
    "mask": Property(_url_or_none, None),
    "mask-type": Property(_one_of("luminance", "alpha"), "luminance"),
    "stop-color": Property(colour, BLACK),
    "stop-opacity": Property(_opacity, 1.0),
    "transform": Property(_transform, Transform(())),
    "transform-origin": Property(_origin, (ZERO, ZERO), attribute=partial(_origin, unitless=True)),
    "transform-box": Property(_one_of("view-box", "fill-box", "content-box"), "view-box"),
    "d": Property(_path_data, ""),
    **{name: Property(_geometry, None) for name in ("x", "y", "cx", "cy", "r", "rx", "ry", "width", "height")},
}
#: Properties that are also geometry: the elements that have them, beside which they mean nothing.
GEOMETRY = {
    "d": ("path",),
    "x": ("svg", "rect", "use"),
    "y": ("svg", "rect", "use"),
    "width": ("svg", "rect", "use"),
    "height": ("svg", "rect", "use"),
    "cx": ("circle", "ellipse"),
    "cy": ("circle", "ellipse"),
    "r": ("circle",),
    "rx": ("rect", "ellipse"),
    "ry": ("rect", "ellipse"),
}
#: Properties under which renderers draw different things, unless their value is one of these.
NEUTRAL: dict[str, tuple[str, ...]] = {
    "animation": ("none",),
    "animation-name": ("none",),
    "backdrop-filter": ("none",),
    "clip": ("auto",),
    "color-interpolation": ("auto", "srgb"),
    "filter": ("none",),
    "marker": ("none",),
    "marker-end": ("none",),
    "marker-mid": ("none",),
    "marker-start": ("none",),
    "mask-border": ("none",),
    "mask-border-source": ("none",),
    "mask-clip": ("border-box",),
    "mask-composite": ("add",),
    "mask-image": ("none",),
    "mask-mode": ("match-source",),
    "mask-origin": ("border-box",),
    "mask-position": ("0% 0%", "0 0"),
    "mask-repeat": ("repeat",),
    "mask-size": ("auto",),
    "mix-blend-mode": ("normal",),
    "offset": ("none",),
    "offset-path": ("none",),
    "paint-order": ("normal", "fill", "fill stroke", "fill stroke markers", "fill markers", "fill markers stroke"),
    "perspective": ("none",),
    "rotate": ("none",),
    "scale": ("none",),
    "translate": ("none",),
    "vector-effect": ("none",),
    "zoom": ("1", "normal", "100%"),
}
#: Properties of CSS alone; an attribute of such a name is another thing, or nothing.
NO_ATTRIBUTES = frozenset(
    {"animation", "offset", "perspective", "rotate", "scale", "transform-box", "translate", "zoom"}
)
_FIXES = {
    "filter": "Remove the effect with everything that refers to it; the logo is flat",
    "backdrop-filter": "Remove the effect; the logo is flat",
    "mix-blend-mode": "Choose the blend mode Normal, and draw the colour that is seen",
    "vector-effect": "Remove it; a stroke grows with the logo",
    "paint-order": "Convert the stroke to a path (outline stroke), or remove it",
    "marker": "Convert the markers to paths (expand the object)",
}
#: Properties that say nothing about a drawing of shapes: text, boxes of pages, hints, and what happens over time.
DROPPED = re.compile(
    r"--.*|-inkscape-.*|font(-.*)?|text(-.*)?|letter-spacing|word-.*|line-.*|white-space(-.*)?|writing-mode|direction"
    r"|unicode-bidi|block-progression|glyph-orientation-.*|kerning|vertical-align|.*baseline(-.*)?|inline-size|shape-(inside|subtract|margin|padding|outside)"
    r"|quotes|hyphens|tab-size|overflow-wrap|user-select|-moz-osx-font-smoothing|-webkit-font-smoothing"
    r"|-webkit-text-.*|-webkit-tap-highlight-color|-webkit-user-.*|-moz-user-.*|-ms-user-.*"
    r"|background(-.*)?|border(-.*)?|outline(-.*)?|margin(-.*)?|padding(-.*)?|box-(shadow|sizing|decoration-break)"
    r"|(min|max)-(width|height|inline-size|block-size)|block-size|aspect-ratio|object-(fit|position)"
    r"|position|top|right|bottom|left|inset(-.*)?|float|clear|z-index|flex(-.*)?|grid(-.*)?|align-.*|justify-.*|place-.*|gap"
    r"|order|overflow-(x|y)|resize|columns?(-.*)?|page(-.*)?|break-.*"
    r"|shape-rendering|text-rendering|image-rendering|color-rendering|color-profile|print-color-adjust|color-adjust"
    r"|enable-background|isolation|color-interpolation-filters|flood-.*|lighting-color|solid-.*|buffered-rendering"
    r"|pointer-events|cursor|touch-action|transition(-.*)?|will-change|animation-.*|backface-visibility"
    r"|perspective-origin|transform-style|scroll-.*|content|speak(-.*)?|audio-level|viewport-fill(-opacity)?|display-align"
    r"|caption-side|empty-cells|table-layout|orphans|widows|ruby-.*|counter-.*|row-gap|hyphenate-.*|initial-letter|math-.*"
    r"|scrollbar-.*|overscroll-behavior(-.*)?|contain-intrinsic-.*|field-sizing|image-orientation|rtl-ordering|locale"
    r"|box-(align|direction|flex|ordinal-group|orient|pack)|offset-(anchor|distance|position|rotate)"
    r"|view-(timeline|transition)-.*|timeline-.*|overflow-anchor|caret-color|accent-color|color-scheme|forced-color-adjust|appearance|list-style(-.*)?"
)
_VENDOR = re.compile(r"-(webkit|moz|ms|o)-(.*)")


def judge(name: str, tokens: Tokens) -> None:
    """Refused for a property that is not drawn and may not be dropped."""
    if name in NEUTRAL:
        value = " ".join(token.serialize() for token in tokens).lower()
        if value in (*NEUTRAL[name], "initial", "unset") and not (value == "unset" and name.startswith("marker")):
            return
        family = "marker" if name.startswith("marker") else name
        fix = _FIXES.get(family, "Remove it, and draw what is seen as shapes")
        raise Refused(f"{name}: {value[:60]} is not drawn alike everywhere", fix)
    if DROPPED.fullmatch(name):
        return
    vendor = _VENDOR.fullmatch(name)
    if vendor is not None and vendor[2] not in PARSERS and vendor[2] not in NEUTRAL and DROPPED.fullmatch(vendor[2]):
        return
    raise Refused(
        f"The property {name[:60]} is not drawn alike everywhere", "Remove it, or write it as an attribute of SVG"
    )


def _keyword(tokens: Tokens) -> str:
    """The single keyword, in lower case; empty where it is anything else."""
    return cast(str, tokens[0].lower_value) if len(tokens) == 1 and tokens[0].type == "ident" else ""


def _text(tokens: Tokens) -> str:
    return " ".join("".join(token.serialize() for token in tokens).split())[:60] if tokens else ""
