"""How staff prove who they are: passkeys and the way back for whoever has lost theirs; an OpenID Connect provider."""

from __future__ import annotations

from .openid import Departure, OpenId, OpenIdSettings
from .passkeys import Passkeys, PasskeyView
from .relying_party import RelyingParty

__all__ = ["Departure", "OpenId", "OpenIdSettings", "PasskeyView", "Passkeys", "RelyingParty"]
