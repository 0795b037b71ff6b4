"""The campaign as data: ``policies/`` and ``assets/`` read and checked into typed objects."""

from __future__ import annotations

from .mistakes import CampaignError, Mistake, Mistakes
from .text import LANGUAGES, Text

__all__ = ["LANGUAGES", "CampaignError", "Mistake", "Mistakes", "Text"]
