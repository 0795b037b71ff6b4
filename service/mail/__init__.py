"""Mail: messages, where they leave to, and the mailer that keeps them until they have left."""

from __future__ import annotations

from .mailer import Mailer
from .message import compose
from .transport import FolderTransport

__all__ = ["FolderTransport", "Mailer", "compose"]
