"""Alerts: the campaign's rules looked at every few minutes, each finding raised once."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import paths
from ..audit.query import ReportQuery
from ..audit.reports import Reports
from ..campaign.text import Text
from ..clock import Clock, timestamp
from ..ids import new_id
from ..mail import Mailer
from ..packages import Damage
from ..period import Period
from ..problems import NotSealed
from ..store.audit_tables import Alert, Refusal
from ..store.database import Database
from ..store.leadership import leadership
from ..store.tables import Decision, Embed, Link, LogoUse, OutboxMessage, Participant
from ..store.upsert import insert_new
from . import webhooks
from .alert_rules import AlertRules, AttemptsAfterSuspension, NewUnlistedOrigin, Rule, Spike, ViewsAfterSuspension

_LOOK_BACK = timedelta(days=2)


@dataclass(frozen=True)
class BuiltInRule:
    """A rule of the service itself, which no file can leave out."""

    id: str
    title: Text


PACKAGE_DAMAGED = BuiltInRule(
    "package-damaged",
    Text.of(
        "A stored package is damaged",
        ar="حزمة مخزّنة تالفة",
        es="Un paquete almacenado está dañado",
        fr="Un paquet stocké est endommagé",
        ru="Повреждён сохранённый пакет",
        zh="已存储的资料包损坏",
    ),
)


QUORUM_MISSED = BuiltInRule(
    "witness-quorum-missed",
    Text.of(
        "Too few witnesses cosign the log",
        ar="عدد الشهود الموقّعين على السجل قليل جدًا",
        es="Muy pocos testigos cofirman el registro",
        fr="Trop peu de témoins cosignent le registre",
        ru="Журнал подписывает слишком мало свидетелей",
        zh="共同签署日志的见证方过少",
    ),
)


@dataclass(frozen=True)
class AlertFinding:
    """Something that a rule tells of. ``fingerprint`` is the same as long as it is the same thing."""

    rule: Rule | BuiltInRule
    fingerprint: str
    summary: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class Suspicion:
    """Finding for a person of the desk: where to look, what the service noticed, whose it is if known, and by what."""

    url: str
    text: str
    participant: str | None
    source: str


class Alerts:
    """Looks for what the rules tell of, records it, mails staff, and queues it for the webhooks."""

    def __init__(
        self,
        database: Database,
        reports: Reports,
        clock: Clock,
        rules: AlertRules,
        *,
        mailer: Mailer,
        staff: Callable[[], Sequence[str]],
        base_url: str,
        data_dir: Path,
    ) -> None:
        self.database = database
        self.reports = reports
        self.clock = clock
        self.rules = rules
        self.mailer = mailer
        self.staff = staff
        self.base_url = base_url
        self.data_dir = data_dir

    def run(self) -> int:
        """Looks at every rule; gives how many alerts were raised. One process looks at a time."""
        with leadership(self.database, self.data_dir, name="alerts") as held:
            if held is None:
                return 0
            return sum(self._raise(finding) for rule in self.rules.rules for finding in self._look(rule))

    def suspicions(self) -> list[Suspicion]:
        """Return what lately raised alerts tell of that a person should decide, by the rules that make cases."""
        rules = {one.id: one for one in self.rules.rules if one.case and not isinstance(one, NewUnlistedOrigin)}
        lately = select(Alert).where(Alert.rule.in_(rules), Alert.at >= self.clock() - _LOOK_BACK)
        with self.database.read() as session:
            found = [
                Suspicion(self.base_url + _page(row.facts), row.summary, _participant(row.facts), "alert")
                for row in session.scalars(lately.order_by(Alert.at, Alert.id))
            ]
        for use in self.unlisted_sites():
            told = f"Embed {use['embed']} was shown there {use['views']:,} times, and does not list this site."
            found.append(Suspicion(use["origin"], told, use["participant"], "unlisted-site"))
        return found

    def unlisted_sites(self) -> list[dict[str, Any]]:
        """Return the sites that a rule tells of because their embed does not list them, each with its participant."""
        since = self.clock() - _LOOK_BACK
        least = [rule.at_least for rule in self.rules.rules if isinstance(rule, NewUnlistedOrigin) and rule.case]
        found = unlisted_origins(self.database, since, min(least)) if least else []
        return [use for use in found if use["origin"] != "other"]  # which is no site that anybody could look at

    def report_damage(self, damages: Iterable[Damage]) -> int:
        """Alert staff to stored files that are not as they were published, once a day each; return how many are new."""
        day = self.clock().date().isoformat()
        findings = [
            AlertFinding(
                PACKAGE_DAMAGED,
                f"{PACKAGE_DAMAGED.id}:{damage.package}:{damage.version}:{day}",
                f"{PACKAGE_DAMAGED.title.get('en')}: {damage}. Its links answer 503 until it is put back.",
                {"package": damage.package, "version": damage.version, "reason": damage.reason},
            )
            for damage in damages
        ]
        return sum(self._raise(finding) for finding in findings)

    def report_missed_quorum(self, size: int, outcomes: Mapping[str, str]) -> bool:
        """Alert staff, once a day, that a checkpoint lacks the quorum of its witnesses; True where it is new."""
        told = ", ".join(f"{name}: {outcome}" for name, outcome in sorted(outcomes.items()))
        return self._raise(
            AlertFinding(
                QUORUM_MISSED,
                f"{QUORUM_MISSED.id}:{self.clock().date().isoformat()}",
                f"{QUORUM_MISSED.title.get('en')}: the checkpoint of {size} entries lacks its quorum ({told}). "
                "Publishing goes on.",
                {"size": size, "witnesses": dict(outcomes)},
            )
        )

    def newest(self, limit: int = 50) -> list[dict[str, Any]]:
        """The alerts raised last, newest first, each with how it went with the webhooks."""
        with self.database.read() as session:
            rows = list(session.scalars(select(Alert).order_by(Alert.at.desc(), Alert.id).limit(limit)))
            raised = OutboxMessage.subject.in_([row.id for row in rows])
            sent: dict[str, list[dict[str, Any]]] = {}
            for item in session.scalars(select(OutboxMessage).where(OutboxMessage.channel == "webhook", raised)):
                state = {"url": item.recipient, "attempts": item.attempts, "outcome": item.outcome}
                sent.setdefault(item.subject or "", []).append(state)
            return [
                {
                    "id": row.id,
                    "rule": row.rule,
                    "summary": row.summary,
                    "facts": row.facts,
                    "at": timestamp(row.at),
                    "webhooks": sent.get(row.id, []),
                }
                for row in rows
            ]

    def title(self, rule: str) -> Text | None:
        """The title of a rule in force by its id; None where the rule is there no more."""
        return next((one.title for one in (*self.rules.rules, PACKAGE_DAMAGED, QUORUM_MISSED) if one.id == rule), None)

    def _raise(self, finding: AlertFinding) -> bool:
        now = self.clock()
        number, staff = new_id("alt"), self.staff()

        def work(session: Session) -> bool:
            values = {"rule": finding.rule.id, "fingerprint": finding.fingerprint[:300], "summary": finding.summary}
            if not insert_new(session, Alert, id=number, facts=finding.facts, at=now, **values):
                return False
            alert = session.get_one(Alert, number)
            for hook in self.rules.webhooks:
                if hook.alerts:
                    webhooks.add(session, alert, hook.url, now)
            if self.rules.mail:
                text = f"{finding.summary}\n\nSee {self.base_url}{paths.staff_audit()}\n"
                for address in staff:
                    self.mailer.add(session, address, finding.rule.title.get("en"), text)
            return True

        if not self.database.write(work):
            return False
        self.mailer.leave()
        return True

    def _look(self, rule: Rule) -> Iterator[AlertFinding]:
        match rule:
            case Spike():
                yield from self._spikes(rule)
            case NewUnlistedOrigin():
                yield from self._new_origins(rule)
            case AttemptsAfterSuspension():
                yield from self._attempts(rule)
            case ViewsAfterSuspension():
                yield from self._views(rule)

    def _spikes(self, rule: Spike) -> Iterator[AlertFinding]:
        """A day counts from its first entry on, so a spike is told of while it grows."""
        today = datetime.combine(self.clock().date(), time(tzinfo=self.clock().tzinfo))
        by = ("day", rule.by) if rule.by else ("day",)
        span = Period(today - timedelta(days=rule.days), today + timedelta(days=1))
        try:
            rows = self.reports.run(ReportQuery(by=by, period=span)).rows
        except NotSealed:
            return
        day = today.date().isoformat()
        figures: dict[str | None, dict[str, int]] = {}
        for row in rows:
            figures.setdefault(row[rule.by] if rule.by else "", {})[row["day"]] = row[rule.of]
        for value, days in figures.items():
            figure = days.pop(day, 0)
            before = [days.get((today - timedelta(days=n)).date().isoformat(), 0) for n in range(1, rule.days + 1)]
            usual = statistics.median(before)
            if value is None or figure < rule.at_least or figure < rule.times * usual:
                continue
            what = rule.of.replace("_", " ")
            of = f" of {rule.by.replace('_', ' ')} {value}" if rule.by else ""
            yield AlertFinding(
                rule,
                f"{rule.id}:{day}:{value}",
                f"{rule.title.get('en')}: {figure:,} {what}{of} on {day}, usually {usual:,.0f} a day.",
                {"day": day, "of": rule.of, "by": rule.by, "value": value, "figure": figure, "usual": usual},
            )

    def _new_origins(self, rule: NewUnlistedOrigin) -> Iterator[AlertFinding]:
        for use in unlisted_origins(self.database, self.clock() - _LOOK_BACK, rule.at_least):
            yield AlertFinding(
                rule,
                f"{rule.id}:{use['embed']}:{use['origin']}",
                f"{rule.title.get('en')}: {use['origin']}, embed {use['embed']} of {use['participant']}, "
                f"{use['views']:,} views.",
                use,
            )

    def _attempts(self, rule: AttemptsAfterSuspension) -> Iterator[AlertFinding]:
        total = func.sum(Refusal.attempts)
        statement = (
            select(Refusal.subject, Link.participant, total)
            .join(Link, Link.id == Refusal.subject)
            .where(Refusal.slug == "participant-suspended", Refusal.hour >= self.clock() - _LOOK_BACK)
            .group_by(Refusal.subject, Link.participant)
            .having(total >= rule.at_least)
        )
        with self.database.read() as session:
            rows = session.execute(statement).all()
        day = self.clock().date().isoformat()
        for link, participant, attempts in rows:
            facts = {"link": link, "participant": participant, "attempts": int(attempts)}
            summary = f"{rule.title.get('en')}: {int(attempts):,} on link {link} of {participant}."
            yield AlertFinding(rule, f"{rule.id}:{link}:{day}", summary, facts)

    def _views(self, rule: ViewsAfterSuspension) -> Iterator[AlertFinding]:
        for use in views_after_suspension(self.database, rule.at_least):
            yield AlertFinding(
                rule,
                f"{rule.id}:{use['embed']}:{use['suspended_at']}",
                f"{rule.title.get('en')}: {use['views']:,} of embed {use['embed']} of {use['participant']}.",
                use,
            )


def _page(facts: Mapping[str, Any]) -> str:
    """Return the path of the page where what an alert tells of is looked at: the same as long as it is the same."""
    if "link" in facts:
        return paths.staff_link(facts["link"])
    if "embed" in facts:
        return paths.staff_embed(facts["embed"])
    if participant := _participant(facts):
        return paths.staff_participant(participant)
    return f"{paths.staff_audit()}?{urlencode({'by': facts['by'] or 'day', 'value': facts['value'] or facts['of']})}"


def _participant(facts: Mapping[str, Any]) -> str | None:
    found: str | None = facts["value"] if facts.get("by") == "participant" else facts.get("participant")
    return found


def unlisted_origins(database: Database, since: datetime, at_least: int = 1) -> list[dict[str, Any]]:
    """Sites that showed an embed's logo since then and are not on its list, most views first.

    ``other`` among them stands for all that were too many to be named: a site can hide there, but not unseen.
    """
    views = func.sum(LogoUse.views)
    statement = (
        select(LogoUse.embed, LogoUse.origin, Embed.participant, Embed.logo, views)
        .join(Embed, Embed.key == LogoUse.embed)
        .where(LogoUse.hour >= since, LogoUse.origin != "")
        .group_by(LogoUse.embed, LogoUse.origin, Embed.participant, Embed.logo)
        .having(views >= at_least)
        .order_by(views.desc(), LogoUse.origin)
    )
    with database.read() as session:
        rows = session.execute(statement).all()
        keys = {row[0] for row in rows}
        listed = {embed.key: set(embed.origins) for embed in session.scalars(select(Embed).where(Embed.key.in_(keys)))}
    return [
        {"embed": embed, "origin": origin, "participant": participant, "logo": logo, "views": int(count)}
        for embed, origin, participant, logo, count in rows
        if origin not in listed[embed]
    ]


def views_after_suspension(database: Database, at_least: int = 1) -> list[dict[str, Any]]:
    """Embeds of suspended participants that were still seen in an hour that began after the suspension."""
    since = (
        select(Decision.participant, func.max(Decision.at).label("at"))
        .where(Decision.outcome == "suspended")
        .group_by(Decision.participant)
        .subquery()
    )
    views = func.sum(LogoUse.views)
    statement = (
        select(LogoUse.embed, Embed.participant, since.c.at, views)
        .join(Embed, Embed.key == LogoUse.embed)
        .join(Participant, Participant.id == Embed.participant)
        .join(since, since.c.participant == Embed.participant)
        .where(Participant.status == "suspended", LogoUse.hour >= since.c.at)
        .group_by(LogoUse.embed, Embed.participant, since.c.at)
        .having(views >= at_least)
        .order_by(views.desc())
    )
    with database.read() as session:
        return [
            {"embed": embed, "participant": participant, "suspended_at": timestamp(at), "views": int(count)}
            for embed, participant, at, count in session.execute(statement)
        ]
