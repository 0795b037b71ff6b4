"""Participants: joining, decisions, acceptances, API keys, sign-in."""

from __future__ import annotations

from ..campaign import Campaign
from ..clock import Clock
from ..mail import Mailer
from ..store import Database
from .acceptances import Acceptances
from .access import Access, Caller, Portal, granted
from .api_keys import ROLES, ApiKeys, ApiKeyView, Scope
from .application import Application, Signatory
from .correspondence import Correspondence
from .decisions import OUTCOMES, Decisions
from .joining import Held, Joining
from .listing import Listing
from .members import Members, MemberView
from .permissions import Permissions
from .revocation import Revocation
from .rows import accepted_current
from .sign_in import Confirmed, PendingLink, Session, SignIn
from .staff import Staff, StaffMemberView
from .uptake import TermsUptake
from .views import STATUSES, AcceptanceView, DecisionView, ParticipantView


class Participants:
    """The parts of this room over one store, each with one job. Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        campaign: Campaign,
        clock: Clock,
        mailer: Mailer,
        base_url: str,
        *,
        staff: tuple[str, ...] = (),
        auditors: tuple[str, ...] = (),
        held: Held | None = None,
    ) -> None:
        """``staff`` (the first of them) and ``auditors`` are the addresses, in lower case, that may sign in as such.

        ``held`` takes whoever joins and is held for a person's decision.
        """
        self.correspondence = correspondence = Correspondence(campaign, mailer, base_url)
        self.listing = Listing(database, campaign)
        self.access = Access(database)
        self.staff = Staff(database, clock, staff)
        self.api_keys = ApiKeys(database, clock, self.staff)
        self.joining = Joining(database, campaign, clock, correspondence, held)
        self.decisions = Decisions(database, campaign, clock, correspondence)
        self.members = Members(database, campaign, clock, correspondence)
        self.permissions = Permissions(database, campaign, clock, correspondence)
        self.uptake = TermsUptake(database, campaign, clock, correspondence)
        self.acceptances = Acceptances(database, campaign, clock, base_url)
        self.sign_in = SignIn(database, clock, self.joining, correspondence, self.staff, auditors=auditors)


__all__ = [
    "OUTCOMES",
    "ROLES",
    "STATUSES",
    "AcceptanceView",
    "Access",
    "ApiKeyView",
    "ApiKeys",
    "Application",
    "Caller",
    "Confirmed",
    "DecisionView",
    "Decisions",
    "Held",
    "Joining",
    "Listing",
    "MemberView",
    "Members",
    "ParticipantView",
    "Participants",
    "PendingLink",
    "Permissions",
    "Portal",
    "Revocation",
    "Scope",
    "Session",
    "Signatory",
    "Staff",
    "StaffMemberView",
    "TermsUptake",
    "accepted_current",
    "granted",
]
