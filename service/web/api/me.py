"""What a key is."""

from __future__ import annotations

from flask import Response

from ...answers.participants import LimitsAnswer, MeAnswer
from ...limits import LIMITS
from ..auth import need, require
from . import answer, blueprint

api = blueprint("me", "The calling key")


@api.get("/me", responses={200: MeAnswer})
@need("portal", "partner", "staff", "auditor")
def me() -> Response:
    """Show the key's role, participant and limits."""
    key = require("portal", "partner", "staff", "auditor")
    limits = LimitsAnswer(requests_per_minute=LIMITS["key"].amount)
    return answer(
        MeAnswer(id=key.id, role=key.role, name=key.name, participant=key.participant, staff=key.staff, limits=limits)
    )
