"""oEmbed 1.0: editors that know it turn the address of an embed's page into the logo, of another page into a link."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from flask import Blueprint, Response, make_response, request

from .. import paths
from ..campaign import LANGUAGES
from ..embeds import ShownLogo, shown_logo
from ..problems import BelowMinimumSize, FieldError, InvalidRequest, NotFound, OembedFormat, UnknownLogo
from ..sharing import SIZE
from . import limits, sharing
from .context import client, deployment

blueprint = Blueprint("oembed", __name__)

_WIDTH = 512  # pixels: the picture where the editor names no limit
_OTHER = "Send the address of an embed's page, such as {}/en/embeds/ebd_…."
_STEP = 16  # pixels: every multiple of it is on the ladder
_LONGEST = 2000  # characters of an address
_AGE = 300  # seconds, like the logo itself
_TYPES = {"json": "application/json", "xml": "text/xml; charset=utf-8"}


@blueprint.get("/oembed")
def oembed() -> Response:
    """Show the logo of an embed's page as a photo, another page as a link; within ``maxwidth`` and ``maxheight``."""
    kind = request.args.get("format", "json")
    if kind not in _TYPES:
        raise OembedFormat
    largest = _limit("maxwidth"), _limit("maxheight")
    lang, path = _page(request.args.get("url", ""))
    if match := re.fullmatch(r"embeds/([^/]+)", path):
        value = _photo(lang, unquote(match[1]), *largest)
    elif (page := sharing.find(lang, path)) is not None:
        value = _link(page, *largest)
    else:
        raise NotFound(_OTHER.format(deployment().settings.base_url))
    response = make_response(json.dumps(value, ensure_ascii=False) if kind == "json" else _xml(value))
    response.headers["Content-Type"] = _TYPES[kind]
    response.headers["Cache-Control"] = f"public, max-age={_AGE}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _about(lang: str, kind: str, title: str) -> dict[str, Any]:
    known = deployment()
    return {
        "version": "1.0",
        "type": kind,
        "title": title,
        "provider_name": known.campaign.info.name.get(lang),
        "provider_url": known.settings.base_url + paths.home(lang),
        "cache_age": _AGE,
    }


def _link(page: sharing.SharedPage, widest: int | None, highest: int | None) -> dict[str, Any]:
    """Return a page as a link, with the picture that stands for it where that is within the limits."""
    width, height = SIZE
    value = _about(page.language, "link", page.title)
    if width <= (widest or width) and height <= (highest or height):
        value["thumbnail_url"] = deployment().settings.base_url + page.picture()
        value |= {"thumbnail_width": width, "thumbnail_height": height}
    return value


def _photo(lang: str, key: str, *largest: int | None) -> dict[str, Any]:
    """Return the logo of an embed; refused as the logo itself would be."""
    known = deployment()
    live = known.embeds.permission(key, lambda: limits.hit("embed-lookup", client().network))
    if live.logo not in known.campaign.logos:
        raise UnknownLogo
    base = known.settings.base_url + paths.variants(live.key, live.logo)
    shown = _fitting(live.logo, lang, *largest)
    return _about(lang, "photo", shown.alt) | {
        "url": shown.url(base, extension="png"),
        "width": shown.width,
        "height": shown.height,
    }


def _page(url: str) -> tuple[str, str]:
    """Return the language of a page of ours and its path after that; NotFound for an address that is not ours."""
    if not url:
        raise InvalidRequest(errors=[FieldError("?url", "Send the address of an embed's page.")])
    base = deployment().settings.base_url
    address = url[:_LONGEST].partition("#")[0].partition("?")[0]
    match = re.fullmatch(r"/([a-z]{2})/(.*)", address.removeprefix(base), re.DOTALL)
    if not address.startswith(f"{base}/") or match is None or match[1] not in LANGUAGES:
        raise NotFound(_OTHER.format(base))
    return match[1], match[2]


def _limit(name: str) -> int | None:
    text = request.args.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or int(text) == 0:
        raise InvalidRequest(errors=[FieldError(f"?{name}", "Give a whole number of pixels.")])
    return int(text)


def _fitting(logo: str, lang: str, widest: int | None, highest: int | None) -> ShownLogo:
    """Return the widest picture within the limits, of at most 512 pixels unless the rules ask for more."""
    campaign = deployment().campaign
    smallest = campaign.brand.logo(logo).minimum.px
    width = max(_WIDTH, smallest + -smallest % _STEP)
    shown = shown_logo(campaign, logo, lang, width)
    shown = shown.at(min(width, widest or width), campaign.logos[logo].aspect_ratio)
    while highest is not None and shown.height > highest and shown.width > smallest:
        shown = shown.at(shown.width - 1, campaign.logos[logo].aspect_ratio)
    if shown.width < smallest or (highest is not None and shown.height > highest):
        raise BelowMinimumSize(f"The smallest width of this logo is {smallest} pixels.", extra={"minimum": smallest})
    return shown


def _xml(value: dict[str, Any]) -> str:
    fields = "".join(f"<{name}>{escape(str(item))}</{name}>" for name, item in value.items())
    return f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<oembed>{fields}</oembed>'
