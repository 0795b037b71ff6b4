"""Snippets for one variant that was chosen: as an address, and for wherever a logo is put."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import dataclass

from .snippets import escaped_markdown

#: The address of a variant: how many times the chosen width, and its format; None where that is not offered.
Address = Callable[[int, str], str | None]

_PICTURES = ("avif", "webp")  # beside PNG, which every browser shows
_DENSITIES = (1, 2, 3)


@dataclass(frozen=True)
class ChosenVariant:
    """Chosen variant: ``width`` and ``height`` of the whole picture in CSS pixels, ``format`` or ``auto``."""

    logo: str
    width: int
    height: int
    format: str
    alt: str
    address: Address

    def url(self, scale: int = 1, form: str = "") -> str:
        """Return the address at so many times the width; at the width itself where that is not offered."""
        return self.address(scale, form or self.format) or self.address(1, form or self.format) or ""

    def srcset(self, form: str = "") -> str:
        """Return the addresses for screens of each density that is offered."""
        found = {scale: self.address(scale, form or self.format) for scale in _DENSITIES}
        return ", ".join(f"{url} {scale}x" for scale, url in found.items() if url)


def variant_snippets(chosen: ChosenVariant, formats: tuple[str, ...], home: str, page: str) -> dict[str, str]:
    """Return the texts to paste, by where they go.

    ``formats`` can be made here, ``home`` is where a signature's logo leads, ``page`` is the embed's own, for editors
    that turn an address into what it shows (oEmbed).
    """
    return {
        "url": chosen.url(),
        "picture": _picture(chosen, formats),
        "markdown": f"![{escaped_markdown(chosen.alt)}]({chosen.url()})",
        "css": _css(chosen),
        "react": _react(chosen),
        "signature": _signature(chosen, home),
        "oembed": page,
    }


def _attributes(chosen: ChosenVariant, form: str) -> dict[str, str]:
    return {
        "src": chosen.url(1, form),
        "srcset": chosen.srcset(form),
        "width": str(chosen.width),
        "height": str(chosen.height),
        "alt": chosen.alt,
        # The site's address and no more, also from pages that send none: so that the count by site is right.
        "referrerpolicy": "strict-origin",
        "decoding": "async",
    }


def _tag(name: str, attributes: dict[str, str]) -> str:
    return f"<{name} " + " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes.items()) + ">"


def _picture(chosen: ChosenVariant, formats: tuple[str, ...]) -> str:
    if chosen.format not in ("auto", "png"):
        return _tag("img", _attributes(chosen, chosen.format))
    lines = [
        "  " + _tag("source", {"type": f"image/{form}", "srcset": chosen.srcset(form)})
        for form in _PICTURES
        if form in formats
    ]
    return "\n".join(["<picture>", *lines, "  " + _tag("img", _attributes(chosen, "png")), "</picture>"])


def _css(chosen: ChosenVariant) -> str:
    images = ", ".join(
        f'url("{url}") {scale}x' for scale in _DENSITIES if (url := chosen.address(scale, chosen.format))
    )
    return (
        f".logo-{chosen.logo} {{\n"
        f"  width: {chosen.width}px;\n"
        f"  height: {chosen.height}px;\n"
        f'  background: url("{chosen.url()}") center / contain no-repeat;\n'
        f"  background-image: image-set({images});\n"
        "}"
    )


def _react(chosen: ChosenVariant) -> str:
    names = {"srcset": "srcSet", "referrerpolicy": "referrerPolicy"}
    written = {
        # A string as JavaScript writes it, so that no quote of an alternative text ends it.
        names.get(key, key): value if key in ("width", "height") else json.dumps(value, ensure_ascii=False)
        for key, value in _attributes(chosen, chosen.format).items()
    }
    lines = "\n".join(f"      {name}={{{value}}}" for name, value in written.items())
    return f"export function CampaignLogo() {{\n  return (\n    <img\n{lines}\n    />\n  );\n}}"


def _signature(chosen: ChosenVariant, home: str) -> str:
    # Mail programs know neither other formats nor densities: a PNG of twice the size, shown at the size.
    picture = _tag(
        "img",
        {
            "src": chosen.url(2, "png"),
            "width": str(chosen.width),
            "height": str(chosen.height),
            "alt": chosen.alt,
            "border": "0",
        },
    )
    return f'<a href="{html.escape(home)}">{picture}</a>'
