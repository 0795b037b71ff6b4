"""Embeds: a partner's permission to show one logo on their sites, and the count of how it is shown."""

from __future__ import annotations

from .embeds import Embeds
from .origins import check_origins
from .presentation import UNLISTED, EmbedDetails
from .served import ServedEmbed, allowed
from .site_statistics import SiteUse
from .snippets import ShownLogo, shown_logo

__all__ = [
    "UNLISTED",
    "EmbedDetails",
    "Embeds",
    "ServedEmbed",
    "ShownLogo",
    "SiteUse",
    "allowed",
    "check_origins",
    "shown_logo",
]
