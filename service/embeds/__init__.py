"""Embeds: a partner's permission to show one logo on their sites, and the count of how it is shown."""

from __future__ import annotations

from .embeds import Embeds
from .live import Live, allowed
from .origins import check_origins, origin_of
from .snippets import Picture, picture
from .usage import SiteUse
from .view import UNLISTED, Embed

__all__ = [
    "UNLISTED",
    "Embed",
    "Embeds",
    "Live",
    "Picture",
    "SiteUse",
    "allowed",
    "check_origins",
    "origin_of",
    "picture",
]
