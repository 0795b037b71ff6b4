"""Participants: joining, decisions, acceptances, API keys, sign-in, erasure."""

from __future__ import annotations

from .acceptances import Acceptances, accepted_current
from .application import KINDS, PURPOSES, Application, Signatory
from .decisions import OUTCOMES, Decisions
from .erasure import Erasure
from .keys import ROLES, Key
from .listing import Listing, Viewer
from .sign_in import Confirmed, MailedLink, Session, SignIn
from .views import STATUSES, Acceptance, Decision, Participant


class Participants(SignIn, Decisions, Acceptances, Erasure, Listing):
    """Everybody who joined, and their keys and sessions. Safe to share between threads.

    Each base is one file with one idea; ``Office`` is what they share.
    """


__all__ = [
    "KINDS",
    "OUTCOMES",
    "PURPOSES",
    "ROLES",
    "STATUSES",
    "Acceptance",
    "Application",
    "Confirmed",
    "Decision",
    "Key",
    "MailedLink",
    "Participant",
    "Participants",
    "Session",
    "Signatory",
    "Viewer",
    "accepted_current",
]
