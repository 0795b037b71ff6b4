"""Days as people write them in each language."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from service.campaign.dates import written_date
from service.campaign.languages import LANGUAGES

WRITTEN = {
    "ar": "30 يوليو 2026",
    "en": "30 July 2026",
    "es": "30 de julio de 2026",
    "fr": "30 juillet 2026",
    "ru": "30 июля 2026\u202fгода",
    "zh": "2026年7月30日",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_day_is_written_out_in_every_language(language: str) -> None:
    day = written_date(date(2026, 7, 30), language)
    assert day.replace("\u200f", "").replace("\xa0", "\u202f") == WRITTEN[language]
    assert written_date(datetime(2026, 7, 30, 23, 59, tzinfo=UTC), language) == day
