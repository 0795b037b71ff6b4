"""Defects of ``campaign.yaml``."""

from __future__ import annotations

from .defect import Defect

DEFECTS = (
    Defect("tab_as_indentation", "  client_hash_days", "\tclient_hash_days", "valid YAML", "spaces", "\tclient_hash"),
    Defect("colon_in_a_text", "en: Why it matters", "en: Why: it matters", "valid YAML", "quotes", "Why: it matters"),
    Defect("quote_not_closed", "id: blue-heart", 'id: "blue-heart', "valid YAML", "quotes", ""),
    Defect("key_twice", "sample: yes", "sample: yes\nsample: no", "stands here twice", "Keep one", "sample: no"),
    Defect("key_that_yaml_reads_as_yes", "sample: yes", "sample: yes\non: 1", "is not text", "quotes", "on: 1"),
    Defect("date_that_is_none", "sample: yes", "sample: 2026-02-30", "cannot be read", "quotes", "2026-02-30"),
    Defect("object_of_the_program", "sample: yes", "sample: !!python/name:os.system", "cannot be read", "", "!!python"),
    Defect("contains_itself", "sample: yes", "sample: &a [*a]", "contains itself", "alias", "sample: &a"),
    Defect("two_documents", "sample: yes", "sample: yes\n---\nx: 1", "valid YAML", "", "---"),
    Defect("key_missing", "sample: yes\n", "", "sample is missing", "Add sample", "id: blue-heart"),
    Defect("key_misspelt", "tagline:", "taglin:", "not known", "spelling to tagline", "taglin:"),
    Defect(
        "key_misspelt_deep", "client_hash_days: ", "client_hash_day: ", "not known", "client_hash_days", "hash_day:"
    ),
    Defect("key_unknown", "sample: yes", "sample: yes\nzebra: 1", "zebra is not known", "what is known", "zebra: 1"),
    Defect("number_as_text", "terms_grace_days: 30", "terms_grace_days: soon", "whole number", "", "soon"),
    Defect("number_too_large", "terms_grace_days: 30", "terms_grace_days: 9999", "less than or equal", "", "9999"),
    Defect("text_as_number", "id: blue-heart", "id: 7", "text is needed", "quotes", "id: 7"),
    Defect("list_where_values_belong", "retention:\n", "retention: [1]\nx_:\n", "named values", "", "retention: [1]"),
    Defect("id_with_spaces", "id: blue-heart", "id: Blue Heart", "right form", "small letters", "id: Blue"),
    Defect("address_that_is_none", "blueheart@campaign", "blueheart at campaign", "email", "", "blueheart at"),
    Defect("steps_empty", "  steps:\n", "  steps: []\n  steps_:\n", "at least one item", "Add", "steps: []"),
    Defect(
        "text_without_language",
        "title:\n  en:",
        "title: Blue\nrest:\n  en:",
        "without its",
        "en:",
        "title: Blue",
    ),
    Defect(
        "text_without_english",
        "name:\n  en: Blue Heart Campaign\n",
        "name:\n",
        "English text is missing",
        "en:",
        "name:",
    ),
    Defect(
        "text_in_unknown_language", "  fr: Campagne Cœur bleu\n", "  de: Kampagne\n", "'de' is no", "ar, en", "de: K"
    ),
    Defect("text_empty", "  fr: Campagne Cœur bleu\n", '  fr: " "\n', "empty", "Write it", 'fr: " "'),
)
