"""Links: signed, expiring permission to download, and the record of each download."""

from __future__ import annotations

from .decisions import Asked
from .links import DownloadView, IssuedLink, Links
from .recording import Recorder
from .records import Recorded
from .shared_recording import SharedRecording
from .tokens import Claim, Tokens

__all__ = ["Asked", "Claim", "DownloadView", "IssuedLink", "Links", "Recorded", "Recorder", "SharedRecording", "Tokens"]
