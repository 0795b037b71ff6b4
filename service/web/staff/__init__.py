"""The staff pages: the review queue, participants, and everything that was handed out."""

from __future__ import annotations

from . import (
    artwork,
    audit,
    cases,
    catalogue,
    embeds,
    keys,
    links,
    outbox,
    participants,
    passkeys,
    publishing,
    webhooks,
)
from .blueprint import staff

#: What the web entrance registers.
blueprints = (staff,)

__all__ = [
    "artwork",
    "audit",
    "blueprints",
    "cases",
    "catalogue",
    "embeds",
    "keys",
    "links",
    "outbox",
    "participants",
    "passkeys",
    "publishing",
    "staff",
    "webhooks",
]
