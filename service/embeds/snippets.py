"""Snippets: what a partner pastes to show the logo, sharp on every screen and with room kept for it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace

from ..campaign import Campaign

_SHOWN = 256  # CSS pixels: the width at which the snippets show a logo, where the rules allow it that small
_DENSITIES = (1, 1.5, 2, 3, 4)  # pixels of the screen for one CSS pixel


@dataclass(frozen=True)
class ShownLogo:
    """Presentation of a logo: its preferred colourway, and its width and height in CSS pixels."""

    colourway: str
    width: int
    height: int
    alt: str

    def at(self, width: int, aspect_ratio: float) -> ShownLogo:
        """Return the same at another width in pixels."""
        return replace(self, width=width, height=height_of(width, aspect_ratio))

    def url(self, base: str, scale: float = 1, extension: str = "auto") -> str:
        """Return the address of the variant that has ``scale`` times the width."""
        return f"{base}/{self.colourway}/{int(self.width * scale)}.{extension}"


def shown_logo(campaign: Campaign, logo: str, lang: str, width: int = _SHOWN) -> ShownLogo:
    """Return the logo at this width or the next that the ladder has at every density, in the words of a language.

    KeyError for an unknown logo.
    """
    found, rules = campaign.logos[logo], campaign.brand.logo(logo)
    shown = max(width, rules.minimum.px)
    shown += -shown % 32  # so that one and a half, and every other density, is a multiple of 16
    return ShownLogo(rules.colourways[0], shown, height_of(shown, found.aspect_ratio), found.title.get(lang))


def height_of(width: int, aspect_ratio: float) -> int:
    """Return the height in pixels of a logo so wide, rounded to the nearest."""
    return max(1, int(width / aspect_ratio + 0.5))


def snippets(shown: ShownLogo, base: str, logo: str) -> dict[str, str]:
    """Return the texts to paste, by where they go: ``html``, ``markdown``, ``css``."""
    return {
        "html": _html(shown, base),
        "markdown": f"![{escaped_markdown(shown.alt)}]({shown.url(base, 2)})",
        "css": _css(shown, base, logo),
    }


def _html(shown: ShownLogo, base: str) -> str:
    srcset = ", ".join(f"{shown.url(base, scale)} {int(shown.width * scale)}w" for scale in _DENSITIES)
    attributes = {
        "src": shown.url(base),
        "srcset": srcset,
        "sizes": f"{shown.width}px",
        "width": str(shown.width),
        "height": str(shown.height),
        "alt": shown.alt,
        # The site's address and no more, also from pages that send none: so that the count by site is right.
        "referrerpolicy": "strict-origin",
        "decoding": "async",
    }
    written = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<img {written}>"


def escaped_markdown(text: str) -> str:
    """Return a text as Markdown shows it, with nothing in it that Markdown would read."""
    return re.sub(r"([\\\[\]*_`<>!])", r"\\\1", text)


def _css(shown: ShownLogo, base: str, logo: str) -> str:
    images = ", ".join(f'url("{shown.url(base, scale)}") {scale}x' for scale in _DENSITIES)
    return (
        f".logo-{logo} {{\n"
        f"  width: {shown.width}px;\n"
        f"  height: {shown.height}px;\n"
        f'  background: url("{shown.url(base)}") center / contain no-repeat;\n'
        f"  background-image: image-set({images});\n"
        "}"
    )
