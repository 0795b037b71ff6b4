"""The variant builder: a logo as it is wanted, within the rules; everyone sees it, who may embed it gets the texts."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, request, url_for
from markupsafe import Markup

from ...embeds import EmbedDetails
from ...embeds.variant_snippets import ChosenVariant, variant_snippets
from ...logos import FORMATS, VariantRequest
from ...logos.formats import AUTO
from ...problems import (
    BelowMinimumSize,
    ColourwayNotAllowedOnBackground,
    InvalidBackground,
    Problem,
    Unavailable,
    WidthNotOffered,
)
from .. import limits, negotiation
from ..context import client, deployment
from ..i18n import localized, translate
from ..security import current_session
from .blueprint import pages, query
from .render import private, public
from .shared import symbol

_WIDTH = 256
_LONGEST_WIDTH = 6  # digits
_WHITE = "ffffff"


@dataclass(frozen=True)
class Choice:
    """Content of the form; ``on`` are six hexadecimal digits, or whatever was typed in their place."""

    logo: str
    colourway: str
    width: int
    on: str
    format: str
    space: bool

    def query(self, **changes: Any) -> dict[str, Any]:
        """Return the query that asks for it, with changes."""
        values = {"logo": self.logo, "colourway": self.colourway, "width": self.width, "on": self.on}
        return {**values, "format": self.format, "space": int(self.space), **changes}


@dataclass(frozen=True)
class RefusedChoice:
    """Why the rules refuse a choice, in words, and the nearest choice that they allow."""

    words: Markup
    nearest: dict[str, Any] | None


@pages.get("/build")
def build() -> Response:
    """Show the form and what was chosen in it: the picture, its sizes in bytes, and the texts to paste."""
    choice = _choice()
    context: dict[str, Any] = {
        "choice": choice,
        "formats": (AUTO, *FORMATS),
        "refusal": None,
        "built": None,
        "embeds": (),
        "chosen_embed": None,
        "snippets": {},
        "participant": None,
        "minimum": deployment().variants.minimum(choice.logo),
        "largest": deployment().variants.largest(choice.logo),
    }
    try:
        wanted = deployment().variants.check(
            choice.logo, choice.colourway, choice.width, choice.format, choice.on, choice.space
        )
    except Problem as problem:
        context["refusal"] = _refusal(choice, problem)
    else:
        context["built"] = _built(choice, wanted)
        _offer_embeds(context, choice, wanted)
    if current_session() is None and not request.cookies:
        response = public("build.html", **context)
        response.vary.update(("Cookie", "Accept-Encoding"))
        return response
    return private("build.html", **context)


def _choice() -> Choice:
    """Read the query; what is not given is the campaign's own first choice."""
    logos = deployment().campaign.logos
    logo = query("logo") if query("logo") in logos else symbol()
    given, colourways = query("colourway"), logos[logo].colourways
    width = query("width", _LONGEST_WIDTH)
    form = query("format")
    return Choice(
        logo=logo,
        colourway=given if given in colourways else colourways[0],
        width=int(width) if re.fullmatch(r"[0-9]+", width, re.ASCII) else _WIDTH,
        on=query("on", 20).strip().removeprefix("#").lower() or _WHITE,
        format=form if form in FORMATS else AUTO,
        space=query("space") == "1",
    )


def _refusal(choice: Choice, problem: Problem) -> RefusedChoice:
    use = problem.extra.get("use", ())
    match problem:
        case BelowMinimumSize():
            words = translate("The rules allow this logo from %(min)s pixels of width.", min=problem.extra["minimum"])
        case WidthNotOffered():
            below, above = problem.extra["nearest"]
            words = translate(
                "This width is not offered. The nearest are %(below)s and %(above)s.", below=below, above=above
            )
        case ColourwayNotAllowedOnBackground() if use:
            names = Markup(", ").join(_colourway(name) for name in use)
            words = translate("The rules do not allow this colourway on that background. Use: %(names)s.", names=names)
        case ColourwayNotAllowedOnBackground():
            words = translate("The rules allow no colourway of this logo on that background. Choose another one.")
        case InvalidBackground():
            words = translate("Give the background as six hexadecimal digits, such as 0b5cad.")
        case _:
            raise problem
    if isinstance(problem, InvalidBackground):
        return RefusedChoice(words, choice.query(on=_WHITE))
    right = re.match(r"[^/]+/([^/]+)/([0-9]+)\.", problem.extra.get("try", ""))
    return RefusedChoice(words, choice.query(colourway=right[1], width=int(right[2])) if right else None)


def _colourway(name: str) -> Markup:
    return localized(deployment().campaign.brand.colourways[name].label)


def _built(choice: Choice, wanted: VariantRequest) -> dict[str, Any]:
    """Return what the picture is: its size, how it stands on its background, and the bytes of each format."""
    variants = deployment().variants
    limits.hit("build", client().network)
    width, height = variants.size(wanted)
    padding = variants.padding(choice.logo, choice.width) if choice.space else 0
    coding = negotiation.coding(request.headers.get("Accept-Encoding", ""))  # in which a drawing would be sent
    sizes: dict[str, int | None] = {}
    for form in FORMATS:
        try:
            sizes[form] = len(variants.get(replace(wanted, format=form, coding=coding * (form == "svg"))).bytes)
        except Unavailable:  # too much is made at this moment; the next look will tell
            sizes[form] = None
    return {
        "width": width,
        "height": height,
        "inner": (padding, padding, width - 2 * padding, height - 2 * padding),
        "sizes": sizes,
        "smallest": min((size for size in sizes.values() if size is not None), default=None),
    }


def _offer_embeds(context: dict[str, Any], choice: Choice, wanted: VariantRequest) -> None:
    """Give a participant who is signed in the texts for one of their embeds of this logo."""
    session, found = current_session(), deployment()
    if session is None or not session.participant:
        return
    context["participant"] = found.participants.listing.get(session.participant)
    embeds = [
        one
        for one in found.embeds.list(participant=session.participant).items
        if one.logo == choice.logo and one.status in ("active", "grace")
    ]
    context["embeds"] = embeds
    if embeds:
        embed = next((one for one in embeds if one.key == query("embed")), embeds[0])
        context["chosen_embed"] = embed
        context["snippets"] = _snippets(embed, choice, wanted)


def _snippets(embed: EmbedDetails, choice: Choice, wanted: VariantRequest) -> dict[str, str]:
    variants, base = deployment().variants, deployment().settings.base_url
    parts = ([f"on={choice.on}"] if choice.on != _WHITE else []) + (["space=1"] if choice.space else [])
    asked = "?" + "&".join(parts) if parts else ""

    def address(scale: int, form: str) -> str | None:
        try:
            variants.check(choice.logo, choice.colourway, choice.width * scale, form, choice.on, choice.space)
        except Problem:
            return None
        return f"{embed.base_url}/{choice.colourway}/{choice.width * scale}.{form}{asked}"

    width, height = variants.size(wanted)
    alt = deployment().campaign.logos[choice.logo].title.get(embed.language)
    chosen = ChosenVariant(choice.logo, width, height, choice.format, alt, address)
    page = base + url_for("pages.embed", key=embed.key)
    return variant_snippets(chosen, tuple(FORMATS), base + url_for("pages.home"), page)
