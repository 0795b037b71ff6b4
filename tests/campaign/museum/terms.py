"""Defects of ``terms/logo-terms/terms.yaml``."""

from __future__ import annotations

from .defect import Defect

DEFECTS = (
    Defect("instant_without_zone", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00", "time zone", "Z", "T00:00:00\n"),
    Defect("instant_as_number", "2026-03-01T00:00:00Z", "20260301", "time zone", "Z", "20260301"),
    Defect("version_that_is_no_date", '"2026-03-01"', '"2026-13-01"', "no version", "quotes", "2026-13-01"),
    Defect("version_without_quotes", '"2026-03-01"', "2026-03-01", "no version", "quotes", "version: 2026"),
    Defect("version_with_correction_zero", '"2026-03-01"', '"2026-03-01.0"', "no version", "quotes", "03-01.0"),
    Defect("instants_in_the_wrong_order", "2026-03-01T", "2020-03-01T", "wrong order", "later", "effective: 2024"),
    Defect("language_unknown", "[ar, en, es, fr, ru, zh]", "[en, de]", "", "ar, en", "[en, de]"),
)
