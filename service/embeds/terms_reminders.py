"""Reminders of new terms: partners whose embeds will stop are mailed in time, once for each version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from .. import paths
from ..campaign import Campaign, TermsVersion
from ..campaign.dates import written_date
from ..mail import Mailer
from ..participants.emails import Letters
from ..participants.uptake import holders, of_those
from ..store import Database
from ..store.derived_tables import TermsStanding
from ..store.tables import Embed, Participant, TermsNotice
from ..store.upsert import insert_new
from .terms_status import NEVER, good_until


@dataclass(frozen=True)
class _Notice:
    participant: str
    email: str
    language: str
    terms: TermsVersion
    until: datetime


def notify(database: Database, campaign: Campaign, mailer: Mailer, base_url: str, now: datetime) -> int:
    """Mail each approved partner with an embed whose logo has new terms in force; return how many mails.

    What is mailed is marked first, so that of many processes one sends it; one that dies in between sends none.
    """
    with database.read() as session:
        due = list(_due(session, campaign, now))
    letters = Letters(campaign.info.name)
    sent = 0
    for notice in due:
        if not database.write(partial(_mark, notice=notice, now=now)):
            continue
        letter = letters.new_terms(
            notice.language,
            notice.terms.title,
            partial(_date, notice.until),
            base_url + paths.account(notice.language),
        )
        mailer.send(notice.email, letter.subject, letter.text, language=letter.language)
        sent += 1
    return sent


def _mark(session: Session, notice: _Notice, now: datetime) -> bool:
    """True where this call is the first to mark the notice as sent."""
    return insert_new(
        session,
        TermsNotice,
        participant=notice.participant,
        terms=notice.terms.id,
        version=notice.terms.version,
        at=now,
    )


def _date(at: datetime, language: str) -> str:
    return written_date(at, language)


def _due(session: Session, campaign: Campaign, now: datetime) -> Iterator[_Notice]:
    """Give those who hold an earlier version alone: nobody is read where everybody has accepted."""
    grace = timedelta(days=campaign.info.terms_grace_days)
    for terms in sorted({logo.terms for logo in campaign.logos.values()}):
        current = campaign.terms.find_current(terms, now)
        if current is None:
            continue
        behind = [versions for versions, _ in holders(session, terms) if current.version not in versions.split()]
        if not behind:
            continue
        told = exists().where(
            TermsNotice.participant == Participant.id,
            TermsNotice.terms == terms,
            TermsNotice.version == current.version,
        )
        rows = session.execute(
            select(Participant.id, Participant.email, Participant.language, TermsStanding.versions)
            .join(TermsStanding, TermsStanding.participant == Participant.id)
            .join(Embed, Embed.participant == Participant.id)
            .where(*of_those(terms, behind), Participant.email.is_not(None), ~told, Embed.revoked_at.is_(None))
            .where(Embed.logo.in_([name for name, logo in campaign.logos.items() if logo.terms == terms]))
            .distinct()  # two logos under the same terms are one mail
        )
        for participant, email, language, versions in rows:
            until = good_until(campaign.terms.versions(terms), versions.split(), now, grace)
            if email is not None and until is not None and until != NEVER:
                yield _Notice(participant, email, language, current, until)
