"""Alerts, webhooks, refusals and the daily mail."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from email import policy
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from service.alerts.alert_rules import AlertRules, load_rules
from service.alerts.alerts import Alerts
from service.alerts.checkpoint_mail import DailyCheckpoint
from service.alerts.refusals import Refusals
from service.alerts.webhooks import PAUSES, Webhooks, secret_of
from service.campaign import CampaignError
from service.mail import Mailer
from service.problems import Unavailable
from service.settings import shipped
from service.store.audit_tables import Refusal
from service.store.tables import Decision, OutboxMessage
from service.verification.log_reader import FolderSource
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log

from ..audit.conftest import ON_BOTH, START, Deployment, download, people, uses
from ..parts.mails import text_of

DAY = timedelta(days=1)


class Mail(Mailer):
    """A mailer into a folder, and what lies there."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(
            deployment.database, (deployment.folder / "outbox").as_uri(), sender="c@example.org", clock=deployment.clock
        )

    @property
    def sent(self) -> list[tuple[str, str, str]]:
        """Recipient, subject and text of each mail, oldest first."""
        assert self.folder is not None
        parser = BytesParser(policy=policy.default)
        found = [parser.parsebytes(path.read_bytes()) for path in sorted(self.folder.glob("*.eml"))]
        return [(mail["To"], mail["Subject"], text_of(mail).replace("\r\n", "\n")) for mail in found]


def alerts(deployment: Deployment, mail: Mail, *rules: Mapping[str, Any], webhooks: tuple[str, ...] = ()) -> Alerts:
    made = AlertRules.model_validate({"rules": [{"title": "T", **rule} for rule in rules], "webhooks": webhooks})
    return Alerts(
        deployment.database,
        deployment.reports,
        deployment.clock,
        made,
        mailer=mail,
        staff=lambda: ["staff@example.org"],
        base_url="https://emblem.example.org",
        data_dir=deployment.folder,
    )


SPIKE = {"id": "spike", "when": "spike", "of": "downloads", "by": "package", "times": 3, "days": 7, "at_least": 5}


@ON_BOTH
def test_a_spike_over_the_usual_is_told_once(deployment: Deployment) -> None:
    mail = Mail(deployment)
    watching = alerts(deployment, mail, SPIKE)
    assert watching.run() == 0  # nothing sealed yet
    for day in range(7):
        deployment.record([download(START + day * DAY, package="posters") for _ in range(3)])
    deployment.time = START + 7 * DAY + timedelta(hours=5)
    deployment.record([download(deployment.time, package="posters") for _ in range(8)])
    deployment.sealer.seal()
    assert watching.run() == 0  # 8 is less than three times 3
    deployment.record([download(deployment.time, package="posters")])
    deployment.sealer.seal()
    assert (watching.run(), watching.run()) == (1, 0)
    ((to, subject, text),) = mail.sent
    assert (to, subject) == ("staff@example.org", "T")
    assert "9 downloads of package posters on 2026-11-27, usually 3 a day" in text
    assert watching.newest()[0]["facts"]["figure"] == 9
    (one,) = watching.suspicions()
    assert (one.url, one.participant) == ("https://emblem.example.org/staff/audit?by=package&value=posters", None)
    assert alerts(deployment, mail, SPIKE | {"case": False}).suspicions() == []


def test_a_few_downloads_are_no_spike(deployment: Deployment) -> None:
    deployment.record([download(START) for _ in range(4)])
    deployment.sealer.seal()
    assert alerts(deployment, Mail(deployment), SPIKE).run() == 0
    deployment.record([download(START)])
    deployment.sealer.seal()
    assert alerts(deployment, Mail(deployment), SPIKE).run() == 1


@ON_BOTH
def test_a_new_unlisted_site_is_told_once(deployment: Deployment) -> None:
    people(deployment)
    mail = Mail(deployment)
    watching = alerts(deployment, mail, {"id": "site", "when": "new_unlisted_origin", "at_least": 10})
    uses(deployment, ("https://listed.example", START, 99), ("", START, 99))
    uses(deployment, ("https://new.example", START, 9))
    assert watching.run() == 0
    uses(deployment, ("https://new.example", START + timedelta(hours=1), 1))
    assert (watching.run(), watching.run()) == (1, 0)
    assert "https://new.example" in mail.sent[0][2]
    assert [use["origin"] for use in watching.unlisted_sites()] == ["https://new.example"]


@ON_BOTH
def test_sites_that_are_too_many_to_be_named_are_told_together(deployment: Deployment) -> None:
    """Whoever sends many forged sites first, so that the own one has no name, is seen all the same."""
    people(deployment)
    mail = Mail(deployment)
    watching = alerts(deployment, mail, {"id": "site", "when": "new_unlisted_origin", "at_least": 10})
    uses(deployment, ("other", START, 9))
    assert watching.run() == 0
    uses(deployment, ("other", START + timedelta(hours=1), 99))
    assert (watching.run(), watching.run()) == (1, 0)
    assert "other" in mail.sent[0][2]


@ON_BOTH
def test_attempts_and_views_after_a_suspension_are_told(deployment: Deployment) -> None:
    people(deployment, "suspended")
    suspended = START + timedelta(minutes=30)
    decision = Decision(
        participant="par_one", outcome="suspended", rule="staff", reasons=[], policy="p", by="staff", at=suspended
    )
    deployment.database.write(lambda session: session.add(decision))
    mail = Mail(deployment)
    watching = alerts(
        deployment,
        mail,
        {"id": "tries", "when": "attempts_after_suspension", "at_least": 3},
        {"id": "views", "when": "views_after_suspension", "at_least": 5},
    )
    uses(deployment, ("", START, 50), ("", START + timedelta(hours=1), 4))
    refusals = Refusals(deployment.database, deployment.clock)
    for _ in range(2):
        refusals.note("lnk_one", "participant-suspended")
    refusals.note("lnk_one", "link-expired")
    refusals.flush()
    assert watching.run() == 0
    refusals.note("lnk_one", "participant-suspended")
    refusals.flush()
    uses(deployment, ("https://x.example", START + timedelta(hours=1), 1))
    assert (watching.run(), watching.run()) == (2, 0)
    told = {entry["rule"]: entry["facts"] for entry in watching.newest()}
    assert (told["tries"]["attempts"], told["views"]["views"]) == (3, 5)
    looked_at = {one.url.rpartition("/staff/")[2]: one.participant for one in watching.suspicions()}
    assert looked_at == {"links/lnk_one": "par_one", f"embeds/{told['views']['embed']}": "par_one"}
    with deployment.database.read() as session:
        counted = {row.slug: row.attempts for row in session.scalars(select(Refusal))}
    assert counted == {"participant-suspended": 3, "link-expired": 1}


def test_refusals_survive_a_database_that_is_away(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = Refusals(deployment.database, deployment.clock)
    refusals.note("lnk_one", "link-revoked")
    with monkeypatch.context() as away:

        def fails(_work: object) -> None:
            raise Unavailable

        away.setattr(deployment.database, "write", fails)
        with pytest.raises(Unavailable):
            refusals.flush()
    refusals.note("lnk_one", "link-revoked")
    refusals.flush()
    with deployment.database.read() as session:
        assert session.scalar(select(func.sum(Refusal.attempts))) == 2


# --- rules


def test_the_shipped_rules_are_right() -> None:
    rules = load_rules(shipped("policies"))
    assert {rule.when for rule in rules.rules} == {
        "spike", "new_unlisted_origin", "attempts_after_suspension", "views_after_suspension",
    }  # fmt: skip


def test_titles_are_by_language_and_plain_ones_are_english(tmp_path: Path) -> None:
    for rule in load_rules(shipped("policies")).rules:
        assert rule.title.languages == ("ar", "en", "es", "fr", "ru", "zh")
    (tmp_path / "alerts.yaml").write_text(f"rules:\n{_RULE}")
    assert load_rules(tmp_path).rules[0].title.as_json() == {"en": "T"}


def test_no_file_is_no_rule(tmp_path: Path) -> None:
    assert load_rules(tmp_path).rules == ()


_RULE = "  - {id: a, title: T, when: new_unlisted_origin, at_least: 1}\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("rules:\n  - id: a\n    title: T\n    when: storm\n", 2, "when"),
        ("rules:\n  - id: a\n    title: T\n    when: new_unlisted_origin\n    at_least: 0\n", 5, "at_least"),
        (f"rules:\n{_RULE}{_RULE}", 3, "twice"),
        (
            f"rules:\n{_RULE}".replace("new_unlisted_origin", "spike, of: downloads, by: day, times: 2"),
            2,
            "no dimension",
        ),
        ("webhooks:\n  - http://hooks.example.org/x\n", 2, "unencrypted"),
        ("webhook: []\n", 1, "not known"),
    ],
)
def test_a_mistake_in_the_rules_is_named_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    (tmp_path / "alerts.yaml").write_text(text)
    with pytest.raises(CampaignError) as error:
        load_rules(tmp_path)
    assert error.value.mistakes[0].line == line
    assert said in str(error.value)


# --- webhooks


class Receiver:
    """A web server that answers as told and keeps what it got."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                return None

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def raise_one(deployment: Deployment, url: str) -> Alerts:
    people(deployment)
    rule = {"id": "site", "when": "new_unlisted_origin", "at_least": 1}
    watching = alerts(deployment, Mail(deployment), rule, webhooks=(url,))
    uses(deployment, ("https://new.example", START, 9))
    assert watching.run() == 1
    return watching


def test_a_webhook_is_signed_by_every_key_and_recorded(deployment: Deployment, receiver: Receiver) -> None:
    watching = raise_one(deployment, receiver.url)
    hooks = Webhooks(deployment.database, deployment.clock, ["new key", "old key"])
    assert (hooks.deliver(), hooks.deliver()) == (1, 0)
    headers, body = receiver.got[0]
    told = json.loads(body)
    assert (told["type"], told["data"]["facts"]["origin"]) == ("alert.raised", "https://new.example")
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    for key, signature in zip(["new key", "old key"], headers["webhook-signature"].split(), strict=True):
        secret = base64.b64decode(secret_of(key, receiver.url).removeprefix("whsec_"))
        assert signature == "v1," + base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
    assert watching.newest()[0]["webhooks"] == [{"url": receiver.url, "attempts": 1, "outcome": "answered 204"}]


def test_a_webhook_is_tried_again_and_given_up_after_a_day(deployment: Deployment, receiver: Receiver) -> None:
    watching = raise_one(deployment, receiver.url)
    hooks = Webhooks(deployment.database, deployment.clock, ["key"])
    receiver.answers = [500, 302]
    assert hooks.deliver() == 1
    assert hooks.deliver() == 0  # not due yet
    deployment.time += timedelta(seconds=PAUSES[0])
    assert hooks.deliver() == 1
    receiver.server.shutdown()
    receiver.server.server_close()
    for pause in PAUSES[1:]:
        deployment.time += timedelta(seconds=pause)
        assert hooks.deliver() == 1
    deployment.time += DAY
    assert hooks.deliver() == 0
    state = watching.newest()[0]["webhooks"][0]
    assert state["attempts"] == len(PAUSES) + 1
    assert state["outcome"].endswith("given up")
    assert len(receiver.got) == 2
    with deployment.database.read() as session:
        assert session.scalar(select(func.count()).where(OutboxMessage.done_at.is_(None))) == 0


# --- the daily checkpoint


def test_each_days_last_checkpoint_is_mailed_once(deployment: Deployment) -> None:
    mail = Mail(deployment)
    daily = DailyCheckpoint(
        deployment.database, deployment.clock, mail, ["a@example.org", "b@example.org"], "https://emblem.example.org"
    )
    deployment.time = START + timedelta(hours=10)
    deployment.sealer.seal()
    deployment.time = START + timedelta(hours=23)
    deployment.record([download(START)])
    deployment.sealer.seal()
    note = (deployment.folder / "storage/log/checkpoint").read_text()
    assert daily.run() is False  # the day is not over
    deployment.time = START + DAY + timedelta(minutes=2)
    deployment.record([download(START)])
    deployment.sealer.seal()
    assert (daily.run(), daily.run()) == (True, False)
    assert [to for to, _, _ in mail.sent] == ["a@example.org", "b@example.org"]
    kept = mail.sent[0][2].split("-----8<-----\n")[1]
    assert kept == note
    verdict = verify_log(
        FolderSource(deployment.folder / "storage/log"),
        [parse_vkey(vkey) for vkey in deployment.sealer.vkeys()],
        kept.encode(),
    )
    assert (verdict.ok, verdict.since) == (True, 2)
    deployment.time += DAY
    assert daily.run() is True
    assert len(mail.sent) == 4


# --- retention
