"""Countries by ISO 3166-1 alpha-2 code, and ``EU``, with their names from CLDR."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from babel import Locale

from .languages import LANGUAGES

# CLDR also names regions that ISO 3166-1 does not list: reserved, test and user-assigned codes.
_NOT_ISO = frozenset({"AC", "CP", "CQ", "DG", "EA", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"})


@lru_cache(maxsize=len(LANGUAGES))
def _names(lang: str) -> dict[str, str]:
    territories = Locale(lang).territories
    return {code: name for code, name in territories.items() if re.fullmatch("[A-Z]{2}", code) and code not in _NOT_ISO}


def is_country(code: object) -> bool:
    """Tell whether this is a country's code in upper case, or ``EU``."""
    return isinstance(code, str) and code in _names("en")


def country_name(code: str, lang: str) -> str:
    """The country's name in a language of the service (English for others); the code itself if it is none."""
    names = _names(lang if lang in LANGUAGES else "en")
    return names.get(code) or _names("en").get(code, code)


@lru_cache(maxsize=len(LANGUAGES))
def choices(lang: str) -> tuple[tuple[str, str], ...]:
    """All countries as (code, name), sorted by name as a reader of the language looks for them."""
    named = [(code, country_name(code, lang)) for code in _names("en")]
    return tuple(sorted(named, key=lambda pair: (_sort_key(pair[1]), pair[0])))


def _sort_key(name: str) -> str:
    # Accents and case do not matter in an alphabetical list: Åland stands by A, Émirats by E.
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(char for char in folded if not unicodedata.combining(char))
