"""Embeds: a partner's permission to show one logo on their sites, and the count of how it is shown."""

from __future__ import annotations

from .embeds import Embeds
from .origins import check_origins
from .presentation import UNLISTED, Embed
from .site_statistics import SiteUse
from .snapshot import Live, allowed
from .snippets import Picture, picture

__all__ = [
    "UNLISTED",
    "Embed",
    "Embeds",
    "Live",
    "Picture",
    "SiteUse",
    "allowed",
    "check_origins",
    "picture",
]
