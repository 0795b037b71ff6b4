"""Reminders of new terms: partners whose embeds will stop are mailed in time, once for each version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import paths
from ..campaign import Campaign, TermsVersion
from ..campaign.dates import written_date
from ..mail import Mailer
from ..participants.emails import Letters
from ..store import Database
from ..store.tables import Embed, Participant, TermsNotice
from ..store.upsert import insert_new
from .terms_status import NEVER, AcceptedTerms


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
    rows = session.execute(
        select(Participant.id, Participant.email, Participant.language, Embed.logo)
        .join(Embed, Embed.participant == Participant.id)
        .where(Embed.revoked_at.is_(None), Participant.status == "approved", Participant.email.is_not(None))
        .distinct()
    ).all()
    accepted = AcceptedTerms.of_embeds(session, campaign)
    marked = session.execute(select(TermsNotice.participant, TermsNotice.terms, TermsNotice.version))
    told = {(participant, terms, version) for participant, terms, version in marked}
    for participant, email, language, logo in rows:
        if email is None or logo not in campaign.logos or accepted.current(participant, logo, now):
            continue
        terms = campaign.terms.current(campaign.logos[logo].terms, now)
        until = accepted.until(participant, logo, now)
        mark = participant, terms.id, terms.version
        if until is None or until == NEVER or mark in told:
            continue
        told.add(mark)  # two logos under the same terms are one mail
        yield _Notice(participant, email, language, terms, until)
