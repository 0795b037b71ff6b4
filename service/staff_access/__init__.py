"""Proofs of who somebody of the staff is: passkeys and the way back where they are lost; an OpenID Connect provider."""

from __future__ import annotations

from .openid import Departure, OpenId, OpenIdSettings
from .passkeys import Passkeys, PasskeyView
from .relying_party import RelyingParty

__all__ = ["Departure", "OpenId", "OpenIdSettings", "PasskeyView", "Passkeys", "RelyingParty"]
