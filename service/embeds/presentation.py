"""An embed as its owner sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from .. import paths
from ..campaign import Campaign
from ..participants import Revocation
from ..store import tables
from .snippets import shown_logo, snippets
from .terms_status import AcceptedTerms, embed_status

UNLISTED = ("report", "refuse")  # what happens on a site that is not on the list


@dataclass(frozen=True)
class EmbedDetails:
    """An embed with its status; ``language`` is its participant's."""

    key: str
    participant: str
    logo: str
    origins: tuple[str, ...]
    unlisted: str
    status: str
    revocation: Revocation | None
    created_at: datetime
    language: str
    base_url: str
    campaign: Campaign

    @property
    def id(self) -> str:
        """The embed's id, which is its key: it stands in public pages, so there is nothing to hide in it."""
        return self.key

    def snippets(self, language: str | None = None) -> dict[str, str]:
        """Return what to paste, by where it goes; in the participant's language unless another is named."""
        if self.logo not in self.campaign.logos:
            return {"html": "", "markdown": "", "css": ""}
        return snippets(shown_logo(self.campaign, self.logo, language or self.language), self.base_url, self.logo)


class Describer:
    """Describes embeds to their owners, from rows."""

    def __init__(self, campaign: Campaign, base_url: str) -> None:
        self._campaign = campaign
        self._base_url = base_url

    def of(self, session: Session, rows: Sequence[Any], now: datetime) -> list[EmbedDetails]:
        """Return the embeds of rows of an embed and its participant, with their status at ``now``."""
        accepted = AcceptedTerms.read(session, self._campaign, {row.participant for row, _ in rows})
        return [self._one(row, owner, accepted, now) for row, owner in rows]

    def _one(
        self, row: tables.Embed, owner: tables.Participant, accepted: AcceptedTerms, now: datetime
    ) -> EmbedDetails:
        return EmbedDetails(
            key=row.key,
            participant=row.participant,
            logo=row.logo,
            origins=tuple(row.origins),
            unlisted=row.unlisted,
            status=embed_status(
                revoked=row.revoked_at is not None,
                participant_status=owner.status,
                current_accepted=accepted.current(row.participant, row.logo, now),
                until=accepted.until(row.participant, row.logo, now),
                now=now,
            ),
            revocation=Revocation.of(row),
            created_at=row.created_at,
            language=owner.language,
            base_url=self._base_url + paths.variants(row.key, row.logo),
            campaign=self._campaign,
        )
