"""Days written out in the languages of the service, the same on pages, in mails and letters."""

from __future__ import annotations

from datetime import date

import babel.dates

#: Where CLDR's plain locale writes otherwise than the United Nations do: English has the day first, "30 July 2026".
_LOCALES = {"en": "en_001"}


def written_date(day: date, language: str) -> str:
    """Return a day, written out in a language; of an instant, the day that it has in its own time zone."""
    written = str(babel.dates.format_date(day, "long", locale=_LOCALES.get(language, language)))
    # An abbreviation's point at the end would stand beside the sentence's own.
    return written.removesuffix("г.") + "года" if written.endswith("г.") else written
