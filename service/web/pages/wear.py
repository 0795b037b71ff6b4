"""Wear the logo: a profile picture made in the visitor's browser, from a photo that never leaves it."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from flask import Response, make_response, request

from ...problems import NotFound
from ..context import deployment
from .blueprint import pages, root
from .downloads import uses_offered
from .render import public
from .shared import symbol

_SIDE = 1024  # pixels of the picture that is made
_RIBBON = 256  # pixels of it that a ribbon is high
_SHOWN = 160  # pixels in which a network shows it: the logo is not below its smallest size there
_HOLE = (512, 404, 372)  # of the frame: centre and radius
_FRAMES = ("frame", "ribbon")
_WHITE = "ffffff"


@dataclass(frozen=True)
class Wearing:
    """Rules about a logo on a picture: lengths are shares of the picture's side."""

    logo: str
    aspect_ratio: float
    clear: float  # clear space around the logo, as a share of its width
    smallest: float
    on_white: str  # the colourway that may stand on white


@pages.get("/wear")
def wear() -> Response:
    """Show the workshop; without JavaScript, ready frames to lay over a photo."""
    profile = next((use for use in uses_offered() if use.id == "profile"), None)
    return public("wear.html", wearing=_wearing(), side=_SIDE, ribbon=_RIBBON, profile=profile)


@root.get("/brand/wear/<name>.svg")
def wear_frame(name: str) -> Response:
    """Show a frame or a ribbon with the logo on it, to be laid over a photo."""
    if name not in _FRAMES:
        raise NotFound
    response = make_response(_frame() if name == "frame" else _ribbon())
    response.headers["Content-Type"] = "image/svg+xml"
    response.headers["Content-Security-Policy"] = "default-src 'none'; img-src data:; sandbox"
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.add_etag()
    response.make_conditional(request)
    return response


def _wearing() -> Wearing:
    brand, logo = deployment().campaign.brand, deployment().campaign.logos[symbol()]
    rules = brand.logo(logo.id)
    allowed = brand.allowed_on(logo.id, _WHITE)
    return Wearing(
        logo=logo.id,
        aspect_ratio=logo.aspect_ratio,
        clear=rules.clear_space.around(1000, 1000 / logo.aspect_ratio) / 1000,
        smallest=min(0.5, rules.minimum.px / _SHOWN),
        on_white=allowed[0] if allowed else logo.colourways[0],
    )


def _frame() -> str:
    """A ground with a round hole for the photo, and the logo below it."""
    x, y, radius = _HOLE
    hole = f"M{x - radius} {y}a{radius} {radius} 0 1 0 {2 * radius} 0a{radius} {radius} 0 1 0 {-2 * radius} 0z"
    return _drawing(_SIDE, f"M0 0H{_SIDE}V{_SIDE}H0z{hole}", y + radius)


def _ribbon() -> str:
    """A band across the picture, with the logo in its middle."""
    return _drawing(_RIBBON, f"M0 0H{_SIDE}V{_RIBBON}H0z", 0)


def _drawing(height: int, ground: str, top: int) -> str:
    """Return a drawing of the campaign's first colour, with the logo in the middle of what is left below ``top``."""
    campaign, logo = deployment().campaign, deployment().campaign.logos[symbol()]
    colour = campaign.brand.colourways[logo.colourways[0]].hex
    allowed = campaign.brand.allowed_on(logo.id, colour.removeprefix("#").lower())
    wearing = _wearing()
    room = height - top
    # As large as the clear space around it lets it be.
    width = min(0.6 * _SIDE, room / (1 / wearing.aspect_ratio + 2 * wearing.clear))
    tall = width / wearing.aspect_ratio
    master = base64.b64encode(logo.drawing(allowed[0] if allowed else logo.colourways[0]).plain()).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SIDE}" height="{height}" viewBox="0 0 {_SIDE} {height}">'
        f'<path fill="#{colour.removeprefix("#")}" fill-rule="evenodd" d="{ground}"/>'
        f'<image x="{(_SIDE - width) / 2:.2f}" y="{top + (room - tall) / 2:.2f}" width="{width:.2f}"'
        f' height="{tall:.2f}" href="data:image/svg+xml;base64,{master}"/></svg>'
    )
