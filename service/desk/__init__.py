"""The desk: cases that people decide, from what is asked for to what is in force."""

from __future__ import annotations

from ..campaign import Campaign
from ..clock import Clock
from ..participants import Participants
from ..storage import Storage
from ..store import Database
from ..verdicts import Verdicts
from .conversation import Conversation, Wish
from .deadlines import Deadlines
from .deciding import MISUSE_OUTCOMES, OUTCOMES, UNDO_FOR, Deciding
from .digest import Digest
from .endings import Endings
from .files import MOST_BYTES, CaseFiles, StoredFile
from .letters import DeskMail
from .misuse import Misuse
from .reading import Counts, Filter, Reading
from .replies import LetterView, Replies
from .requests import KINDS, Requests
from .rows import Openings
from .signed_links import SignedLinks
from .states import STATUSES, Status
from .teams import Teams
from .views import CaseView, ChangeView, FileView, MessageView


class Desk:
    """The parts of this room over one store, each with one job. Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        campaign: Campaign,
        clock: Clock,
        mail: DeskMail,
        participants: Participants,
        verdicts: Verdicts,
        signed_links: SignedLinks,
    ) -> None:
        openings = Openings(campaign)
        staff, decisions = participants.staff, participants.decisions
        self.teams = Teams(campaign, staff)
        self.reading = Reading(database, campaign, clock, self.teams)
        self.conversation = Conversation(database, campaign, clock, mail, staff)
        self.deciding = Deciding(database, campaign, clock, mail, decisions, signed_links)
        self.requests = Requests(database, campaign, clock, mail, openings)
        self.files = CaseFiles(database, storage, clock, verdicts)
        self.misuse = Misuse(database, campaign.desk, clock, mail, openings, signed_links)
        self.replies = Replies(database, campaign.desk, clock, mail, staff, signed_links)
        self.deadlines = Deadlines(database, clock, mail, self.teams)
        self.digest = Digest(database, campaign, clock, mail, staff, self.teams, signed_links)


__all__ = [
    "KINDS",
    "MISUSE_OUTCOMES",
    "MOST_BYTES",
    "OUTCOMES",
    "STATUSES",
    "UNDO_FOR",
    "CaseView",
    "ChangeView",
    "Counts",
    "Desk",
    "DeskMail",
    "Endings",
    "FileView",
    "Filter",
    "LetterView",
    "MessageView",
    "Openings",
    "SignedLinks",
    "Status",
    "StoredFile",
    "Wish",
]
