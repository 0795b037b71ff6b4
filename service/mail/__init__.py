"""Mail: messages, where they leave to, and the mailer that keeps them until they have left."""

from __future__ import annotations

from .mailer import Mailer
from .message import compose

__all__ = ["Mailer", "compose"]
