"""Countries and their names."""

from __future__ import annotations

import pytest

from service.campaign import LANGUAGES, country_name, is_country
from service.campaign.countries import choices


def test_there_are_the_249_countries_of_iso_3166_and_the_european_union() -> None:
    codes = [code for code, _ in choices("en")]
    assert len(codes) == len(set(codes)) == 250
    assert "EU" in codes


@pytest.mark.parametrize(
    "code", ["ZZ", "XX", "XK", "UN", "EZ", "QO", "at", "A", "AUT", "150", "", " AT", None, 7, ["AT"]]
)
def test_what_is_no_country(code: object) -> None:
    assert not is_country(code)


def test_every_country_has_a_name_in_every_language() -> None:
    for lang in LANGUAGES:
        for code, name in choices(lang):
            assert name
            assert name != code, (lang, code)
    assert country_name("EU", "fr") == "Union européenne"
    assert country_name("AT", "de") == "Austria"
    assert country_name("nowhere", "en") == "nowhere"


def test_names_are_sorted_without_regard_to_accents() -> None:
    french = [name for _, name in choices("fr")]
    assert french.index("Égypte") < french.index("Espagne") < french.index("Finlande")
