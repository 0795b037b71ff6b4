"""The campaign as data: ``policies/`` and ``assets/`` read and checked into typed objects."""

from __future__ import annotations

from .brand import BrandRules
from .client_names import ClientNames
from .countries import country_name, is_country
from .eligibility import Applicant, Eligibility, Verdict
from .kinds import Field, Kind
from .languages import LANGUAGES, WITHOUT_BLANKS, direction
from .loader import Campaign, load
from .manifests import Logo, PackageManifest
from .mistakes import CampaignError, Mistake, Mistakes
from .terms import Terms, TermsInForce, TermsVersion
from .text import Text
from .untranslated import Untranslated, untranslated

__all__ = [
    "LANGUAGES",
    "WITHOUT_BLANKS",
    "Applicant",
    "BrandRules",
    "Campaign",
    "CampaignError",
    "ClientNames",
    "Eligibility",
    "Field",
    "Kind",
    "Logo",
    "Mistake",
    "Mistakes",
    "PackageManifest",
    "Terms",
    "TermsInForce",
    "TermsVersion",
    "Text",
    "Untranslated",
    "Verdict",
    "country_name",
    "direction",
    "is_country",
    "load",
    "untranslated",
]
