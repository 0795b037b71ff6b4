"""The brand for machines: rules as JSON with their digest, and the campaign's ``brand.json``.

``brand.json`` follows the schema of the Ad Context Protocol (AdCP), version 3.2.4: the "Brand Canonical Document",
which a brand publishes of itself below ``/.well-known/``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Self

import rfc8785

from .. import paths
from ..campaign import Campaign, Logo
from .base import Answer
from .catalogue import RulesAnswer

_SIZE = 1024  # pixels: the width at which brand.json names each logo
_WHITE, _BLACK = "ffffff", "000000"


class LogoRulesAnswer(Answer):
    """One logo with its rules."""

    id: str
    title: str
    aspect_ratio: float
    rules: RulesAnswer


class BrandRulesAnswer(Answer):
    """The rules of all logos in one language.

    ``digest`` is the SHA-256 of the RFC 8785 form of ``logos``; ``policies`` is the digest of all policies in force,
    which decisions in the public log name.
    """

    language: str
    about: str
    policies: str
    digest: str
    logos: list[LogoRulesAnswer]

    @classmethod
    def of(cls, campaign: Campaign, language: str) -> Self:
        """Return the rules in a language."""
        logos = [
            LogoRulesAnswer(
                id=logo.id,
                title=logo.title.get(language),
                aspect_ratio=round(logo.aspect_ratio, 6),
                rules=RulesAnswer.of(campaign.brand, logo.id, language),
            )
            for logo in campaign.logos.values()
        ]
        canonical = rfc8785.dumps([logo.as_json() for logo in logos])
        return cls(
            language=language,
            about=campaign.brand.about.get(language),
            policies=campaign.digest,
            digest=hashlib.sha256(canonical).hexdigest(),
            logos=logos,
        )


def brand_document(campaign: Campaign, base_url: str, languages: Iterable[str]) -> dict[str, Any]:
    """The campaign's ``brand.json``. The agent is named where it is reached by HTTPS, as the schema asks."""
    info = campaign.info
    document: dict[str, Any] = {
        "version": "1.0",
        "id": info.id.replace("-", "_"),
        "url": base_url + "/",
        "names": [{language: info.name.get(language)} for language in languages],
        "tagline": [{language: info.tagline.get(language)} for language in languages],
        "description": info.summary.get("en"),
        "logos": [entry for logo in campaign.logos.values() for entry in _logo_entries(campaign, logo, base_url)],
        "colors": {"primary": f"#{next(iter(campaign.brand.colourways.values())).hex}"},
        "visual_guidelines": {
            "colorways": _pairings(campaign),
            "logo_usage_rules": [_usage_rule(campaign, logo) for logo in campaign.logos],
            "restrictions": [f"{change.title.get('en')} {change.why.get('en')}" for change in campaign.brand.forbidden],
        },
        "disclaimers": [{"text": f"Use is subject to the terms at {base_url}{paths.home('en')}", "required": False}],
        "privacy_policy_url": f"{base_url}/en/privacy",
        "contact": {"email": info.contact_email},
        "rules_url": f"{base_url}{paths.rules()}",
    }
    if base_url.startswith("https://"):
        agent = {"type": "brand", "url": f"{base_url}/mcp", "id": document["id"]}
        document["agents"] = [agent | {"description": "Rules, addresses of logos, artwork checks, how to join."}]
    return document


def _logo_entries(campaign: Campaign, logo: Logo, base_url: str) -> list[dict[str, Any]]:
    ratio = logo.aspect_ratio
    orientation = "square" if 0.8 <= ratio <= 1.25 else "horizontal" if ratio > 1 else "vertical"
    found = []
    for name in campaign.brand.logo(logo.id).colourways:
        colourway = campaign.brand.colourways[name]
        found.append(
            {
                "id": f"{logo.id}-{name}",
                "url": base_url + paths.shown_variant(logo.id, name, _SIZE),
                "orientation": orientation,
                "background": "light-bg" if campaign.brand.colourway_allowed(name, _WHITE) else "dark-bg",
                "variant": "primary" if logo.id == next(iter(campaign.logos)) else "secondary",
                "tags": [logo.id, name],
                "usage": colourway.use.get("en"),
                "width": _SIZE,
                "height": round(_SIZE / ratio),
            }
        )
    return found


def _pairings(campaign: Campaign) -> list[dict[str, str]]:
    """Each colourway on white or black, whichever it may stand on."""
    brand, found = campaign.brand, []
    for name, colourway in brand.colourways.items():
        for ground in (_WHITE, _BLACK):
            if brand.colourway_allowed(name, ground):
                found.append({"name": name, "foreground": f"#{colourway.hex}", "background": f"#{ground}"})
                break
    return found


def _usage_rule(campaign: Campaign, logo: str) -> dict[str, Any]:
    rules = campaign.brand.logo(logo)
    return {
        "logo_tags": [logo],
        "minimum_size": {"width": f"{rules.minimum.px}px"},
        "clear_space": f"{rules.clear_space.fraction:g} of the logo's {rules.clear_space.of}, on every side",
        "description": rules.use.get("en"),
    }
