"""Webhooks against a receiver that checks as docs/audit-alerts.md shows: errors and silence are tried again."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from service.alerts.alert_rules import AlertRules
from service.alerts.alerts import Alerts
from service.alerts.webhooks import PAUSES, Webhooks, secret_of
from service.mail import Mailer
from service.store.tables import Embed, LogoUse, OutboxMessage, Participant

from ..audit.conftest import Deployment

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "audit-alerts.md").read_text(encoding="utf-8")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
KEY, OLD_KEY = "the newest secret of the deployment", "the secret before it"


class Receiver:
    """A receiver as the page shows one. ``answers`` come first; then it takes what is signed and refuses the rest."""

    def __init__(self) -> None:
        (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
        names: dict[str, Any] = {}
        exec(code, names)
        self.is_from_emblem: Callable[[str, dict[str, str], bytes], bool] = names["is_from_emblem"]
        self.answers: list[int | str] = []
        self.secret = ""
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.refused = 0
        self.ending = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = receiver.answers.pop(0) if receiver.answers else receiver.answer(headers, body)
                if answer == "silence":
                    receiver.ending.wait(30)
                    return
                if answer == "drip":
                    self.wfile.write(b"HTTP/1.1 204 No Content\r\n")
                    while not receiver.ending.wait(0.1):
                        try:
                            self.wfile.write(b"X-Drop: 1\r\n")
                        except OSError:
                            break
                    return
                if isinstance(answer, int):
                    self.send_response(answer)
                    if answer == 302:
                        self.send_header("Location", f"{receiver.url}/elsewhere")
                    self.end_headers()
                # else the connection is closed without an answer

            def log_message(self, *_args: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        """204 for a delivery of ours, 401 for anything else."""
        if not self.is_from_emblem(self.secret, headers, body):
            self.refused += 1
            return 401
        self.taken.append((headers["webhook-id"], json.loads(body)))
        return 204

    def close(self) -> None:
        """Ends it, and whoever waits for an answer."""
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def traveller() -> Iterator[time_machine.Traveller]:
    """The time of the whole process: that by which the receiver judges the age of a delivery too."""
    with time_machine.travel(NOON, tick=False) as coordinates:
        yield coordinates


def raise_alert(deployment: Deployment, *urls: str) -> Alerts:
    """An alert of a site that an embed does not list."""

    def work(session: Any) -> None:
        person = Participant(
            id="par_one", kind="individual", country="AT", language="en", purposes=[], status="approved",
            outcome="approved", rule="r", reasons=[], policy="p", joined_via="page", created_at=NOON,
        )  # fmt: skip
        session.add(person)
        session.flush()
        session.add(
            Embed(key="ebd_one", participant="par_one", logo="heart", origins=[], unlisted="report", created_at=NOON)
        )
        site = "https://néw.example"
        session.add(LogoUse(hour=NOON, embed="ebd_one", variant="blue/64.png", origin=site, batch="", views=9))

    deployment.database.write(work)
    rules = [{"id": "new-site", "title": "A new site", "when": "new_unlisted_origin", "at_least": 1}]
    watching = Alerts(
        deployment.database,
        deployment.reports,
        lambda: datetime.now(UTC),
        AlertRules.model_validate({"rules": rules, "webhooks": urls, "mail": False}),
        mailer=Mailer(deployment.database, (deployment.folder / "outbox").as_uri(), sender="c@example.org"),
        staff=lambda: ["staff@example.org"],
        base_url="https://emblem.example.org",
        data_dir=deployment.folder,
    )
    assert watching.run() == 1
    return watching


def hooks(deployment: Deployment, *keys: str) -> Webhooks:
    return Webhooks(deployment.database, lambda: datetime.now(UTC), keys)


def states(watching: Alerts) -> list[tuple[int, str | None]]:
    return [(hook["attempts"], hook["outcome"]) for hook in watching.newest()[0]["webhooks"]]


def test_errors_silence_and_redirections_are_tried_again_and_each_outcome_is_recorded(
    deployment: Deployment,
    receiver: Receiver,
    traveller: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.alerts.webhooks._TIMEOUT", 0.3)
    receiver.secret = secret_of(KEY, receiver.url)
    watching = raise_alert(deployment, receiver.url)
    assert states(watching) == [(0, None)]
    sending = hooks(deployment, KEY)
    receiver.answers = [500, "silence", "closed", 302]
    seen = []
    for pause in PAUSES:
        assert (sending.deliver(), sending.deliver()) == (1, 0)
        seen += states(watching)
        traveller.shift(timedelta(seconds=pause - 1))
        assert sending.deliver() == 0  # not before its time
        traveller.shift(timedelta(seconds=1))
    assert seen == [
        (1, "answered 500"),
        (2, "no answer (TimeoutError)"),
        (3, "no answer (RemoteDisconnected)"),
        (4, "answered 302"),
        (5, "answered 204"),
    ]
    assert sending.deliver() == 0
    ((number, told),) = receiver.taken
    assert number == told["data"]["id"] == watching.newest()[0]["id"]
    assert told["data"]["facts"]["origin"] == "https://néw.example"
    assert told["timestamp"] == "2026-11-25T12:00:00.000000Z"


def test_a_receiver_may_change_its_secret_while_both_sign(
    deployment: Deployment, receiver: Receiver, traveller: time_machine.Traveller
) -> None:
    receiver.secret = secret_of(OLD_KEY, receiver.url)
    watching = raise_alert(deployment, receiver.url)
    assert hooks(deployment, KEY).deliver() == 1
    assert states(watching) == [(1, "answered 401")]
    traveller.shift(timedelta(seconds=PAUSES[0]))
    assert hooks(deployment, KEY, OLD_KEY).deliver() == 1
    assert states(watching) == [(2, "answered 204")]
    assert (receiver.refused, len(receiver.taken)) == (1, 1)


def test_a_receiver_that_is_silent_holds_up_no_other(
    deployment: Deployment, receiver: Receiver, traveller: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.alerts.webhooks._TIMEOUT", 0.3)
    silent = Receiver()
    silent.answers = ["silence"]
    receiver.secret = secret_of(KEY, receiver.url)
    watching = raise_alert(deployment, silent.url, receiver.url)
    assert hooks(deployment, KEY).deliver() == 2
    silent.close()
    assert states(watching) == [(1, "no answer (TimeoutError)"), (1, "answered 204")]


def test_an_alert_that_is_tried_until_it_is_given_up_says_so(
    deployment: Deployment, receiver: Receiver, traveller: time_machine.Traveller
) -> None:
    watching = raise_alert(deployment, receiver.url)
    sending = hooks(deployment, KEY)
    receiver.answers = [503] * 9
    for pause in (*PAUSES, 86_400):
        assert sending.deliver() == 1
        traveller.shift(timedelta(seconds=pause))
    assert sending.deliver() == 0
    assert states(watching) == [(len(PAUSES) + 1, "answered 503; given up")]
    assert len(receiver.answers) == 9 - len(PAUSES) - 1


def test_a_receiver_that_drips_is_cut_off_and_tried_again(
    deployment: Deployment, receiver: Receiver, traveller: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.alerts.webhooks._DEADLINE", 0.5)
    receiver.answers = ["drip"]
    raise_alert(deployment, receiver.url)
    assert hooks(deployment, KEY).deliver() == 1
    with deployment.database.read() as session:
        (message,) = session.scalars(select(OutboxMessage))
        assert message.done_at is None
        assert (message.outcome or "").startswith("no answer")
