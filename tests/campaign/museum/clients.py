"""Defects of ``clients.yaml``."""

from __future__ import annotations

from .defect import Defect

DEFECTS = (
    Defect("programs_empty", "programs:\n", "programs: {}\nprograms_:\n", "at least one item", "Add", "programs: {}"),
    Defect(
        "name_of_one_letter",
        "  curl: https://curl.se/docs/manpage.html\n",
        "  c: https://curl.se/docs/manpage.html\n",
        "at least 2 characters",
        "Write",
        "  c: https",
    ),
)
