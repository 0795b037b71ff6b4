"""View that tells a caller about its own key."""

from __future__ import annotations

from flask import Response

from ...answers.participants import LimitsAnswer, MeAnswer
from ...limits import LIMITS
from ..auth import need, require
from . import answer, blueprint

api = blueprint("me", "The calling key")


@api.get("/me", responses={200: MeAnswer})
@need("portal", "partner", "staff", "auditor", narrow=("package", "origin"))
def me() -> Response:
    """Show the key's role, participant and limits."""
    key = require("portal", "partner", "staff", "auditor")
    limits = LimitsAnswer(requests_per_minute=LIMITS["key"].amount)
    return answer(
        MeAnswer(
            id=key.id,
            role=key.role,
            name=key.name,
            participant=key.participant,
            staff=key.staff,
            read_only=key.scope.read_only,
            package=key.scope.package,
            origin=key.scope.origin,
            expires_at=key.expires_at,
            limits=limits,
        )
    )
