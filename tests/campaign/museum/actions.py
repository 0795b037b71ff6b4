"""Defects of ``actions.yaml``."""

from __future__ import annotations

from .defect import Defect

DEFECTS = (
    Defect(
        "action_twice",
        "id: learn-the-signs",
        "id: profile-picture",
        "stands here twice",
        "of its own",
        "*id: profile-picture",
    ),
    Defect(
        "effort_unknown", "effort: minutes\n", "effort: years\n", "'years' is not known", "'minutes'", "effort: years"
    ),
)
