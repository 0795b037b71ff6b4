"""Links: signed, expiring permission to download, and the record of each download."""

from __future__ import annotations

from .links import DownloadView, IssuedLink, Links
from .recording import Asked, Recorded, Recorder
from .tokens import Claim, Tokens

__all__ = ["Asked", "Claim", "DownloadView", "IssuedLink", "Links", "Recorded", "Recorder", "Tokens"]
