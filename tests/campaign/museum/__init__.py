"""A museum of bad policies: a room for each file, each piece named after its defect."""

from __future__ import annotations

from . import actions, brand, campaign, clients, eligibility, parties, terms
from .defect import Defect

MUSEUM: dict[str, tuple[Defect, ...]] = {
    "campaign.yaml": campaign.DEFECTS,
    "eligibility.yaml": eligibility.DEFECTS,
    "parties.csv": parties.DEFECTS,
    "terms/logo-terms/terms.yaml": terms.DEFECTS,
    "brand.yaml": brand.DEFECTS,
    "clients.yaml": clients.DEFECTS,
    "actions.yaml": actions.DEFECTS,
}

__all__ = ["MUSEUM", "Defect"]
