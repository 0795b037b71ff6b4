"""What a key is."""

from __future__ import annotations

from flask import Response

from ...limits import LIMITS
from ..auth import need, require
from . import answer, blueprint
from .models import MeAnswer

api = blueprint("me", "The calling key")


@api.get("/me", responses={200: MeAnswer})
@need("portal", "partner", "staff", "auditor")
def me() -> Response:
    """The key's role, participant and limits."""
    key = require("portal", "partner", "staff", "auditor")
    limits = {"requests_per_minute": LIMITS["key"].amount}
    return answer({"id": key.id, "role": key.role, "name": key.name, "participant": key.participant, "limits": limits})
