"""Entries of the log to webhooks: once for each address and leaf, in order, and again from a leaf on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from service.alerts import entry_webhooks
from service.alerts.alert_rules import Webhook, load_rules
from service.alerts.entry_webhooks import EntryWebhooks
from service.alerts.webhooks import PAUSES, Webhooks, secret_of, sign
from service.campaign import CampaignError
from service.problems import InvalidRequest
from service.store import outbox
from service.store.tables import LedgerEntry, OutboxMessage

from ..audit.conftest import ON_BOTH, START, Deployment, decided, download

CRM = Webhook(url="https://crm.example.org/hook", kinds=("participant.decided",), alerts=False)
ALL = Webhook(url="https://all.example.org/hook", kinds=("participant.decided", "download"))
PLAIN = Webhook(url="https://alerts.example.org/hook")
HOOKS = (CRM, ALL, PLAIN)


class Receivers:
    """What stands behind the addresses: answers as told, and keeps what it took."""

    def __init__(self, deployment: Deployment) -> None:
        self.answers: dict[str, list[int]] = {}
        self.got: list[tuple[str, Mapping[str, str], bytes]] = []
        self.hooks = Webhooks(deployment.database, deployment.clock, ["key"], send=self._take)

    def _take(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.got.append((url, headers, body))
        waiting = self.answers.get(url)
        return waiting.pop(0) if waiting else 204

    def leaves(self, hook: Webhook) -> list[int]:
        """The leaves that were tried at an address, in the order of the tries."""
        return [json.loads(body)["data"]["leaf"] for url, _, body in self.got if url == hook.url]


def seal(deployment: Deployment, *facts: dict[str, Any]) -> int:
    """Record facts and seal them: the first leaf of them."""
    deployment.record(list(facts))
    return deployment.sealer.seal().size - len(facts)


def begin(deployment: Deployment) -> tuple[EntryWebhooks, int]:
    """A log in which every address of ``HOOKS`` has its place: what queues entries, and the next leaf."""
    next_leaf = seal(deployment, decided(START), download(START)) + 2
    feed = EntryWebhooks(deployment.database, deployment.storage, deployment.clock)
    assert feed.enqueue(HOOKS) == 0  # what was before an address is not sent to it
    return feed, next_leaf


def queued(deployment: Deployment, hook: Webhook) -> list[int]:
    """The leaves of all messages to an address, delivered or not."""
    mine = select(OutboxMessage.payload).where(OutboxMessage.recipient == hook.url).order_by(OutboxMessage.id)
    with deployment.database.read() as session:
        return [payload["data"]["leaf"] for payload in session.scalars(mine)]


@ON_BOTH
def test_entries_go_out_once_sealed_signed_and_in_order(deployment: Deployment) -> None:
    feed, first = begin(deployment)
    receivers = Receivers(deployment)
    deployment.record([decided(START, outcome="suspended"), download(START), decided(START)])
    assert feed.enqueue(HOOKS) == 0  # not sealed yet
    deployment.sealer.seal()
    assert feed.enqueue(HOOKS) == 5
    assert feed.enqueue(HOOKS) == 0
    assert receivers.hooks.deliver() == 5
    assert receivers.leaves(CRM) == [first, first + 2]
    assert receivers.leaves(ALL) == [first, first + 1, first + 2]
    assert receivers.leaves(PLAIN) == []
    _, headers, body = next(item for item in receivers.got if item[0] == CRM.url)
    told = json.loads(body)
    with deployment.database.read() as session:
        kept = session.scalars(select(LedgerEntry.body).where(LedgerEntry.leaf == first)).one()
    assert told["data"]["entry"] == json.loads(kept)
    assert (told["type"], told["timestamp"]) == ("participant.decided", json.loads(kept)["at"])
    signed = sign([secret_of("key", CRM.url)], f"leaf_{first}", deployment.time, body)
    assert {name: headers[name] for name in signed} == signed


@ON_BOTH
def test_an_address_that_fails_holds_up_no_other_and_its_first_tries_stay_in_order(deployment: Deployment) -> None:
    feed, first = begin(deployment)
    receivers = Receivers(deployment)
    seal(deployment, *(decided(START) for _ in range(4)))
    feed.enqueue(HOOKS)
    receivers.answers[CRM.url] = [503, 503]
    assert receivers.hooks.deliver() == 5
    assert receivers.leaves(ALL) == [first, first + 1, first + 2, first + 3]
    assert receivers.leaves(CRM) == [first]
    receivers.hooks.deliver()
    assert receivers.leaves(CRM) == [first, first + 1]
    receivers.hooks.deliver()
    assert receivers.leaves(CRM) == [first, first + 1, first + 2, first + 3]
    deployment.time += timedelta(seconds=PAUSES[0])
    receivers.hooks.deliver()
    assert receivers.leaves(CRM)[4:] == [first, first + 1]


@ON_BOTH
def test_a_crash_and_processes_at_once_neither_lose_nor_double_an_entry(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed, first = begin(deployment)
    seal(deployment, *(decided(START) for _ in range(9)))
    monkeypatch.setattr(entry_webhooks, "_STEP", 2)
    added = outbox.add
    left = [3]  # messages until the process dies, in the middle of a transaction

    def dies(*arguments: Any, **named: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("killed")
        added(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "add", dies)
        with pytest.raises(RuntimeError):
            feed.enqueue([CRM])
    assert queued(deployment, CRM) == [first, first + 1]
    together = threading.Barrier(3)

    def work() -> None:
        other = EntryWebhooks(deployment.database, deployment.storage, deployment.clock)
        together.wait()
        other.enqueue([CRM])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    feed.enqueue([CRM])
    assert queued(deployment, CRM) == list(range(first, first + 9))


def test_what_waits_for_an_address_is_bounded(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_webhooks, "MOST_WAITING", 3)
    feed, first = begin(deployment)
    receivers = Receivers(deployment)
    seal(deployment, *(decided(START) for _ in range(7)))
    steps = []
    while count := feed.enqueue([CRM]):
        steps.append(count)
        receivers.hooks.deliver()
    assert steps == [3, 3, 1]
    assert receivers.leaves(CRM) == list(range(first, first + 7))


@ON_BOTH
def test_a_replay_sends_from_a_leaf_on_also_what_has_left_the_database(deployment: Deployment) -> None:
    feed, first = begin(deployment)
    receivers = Receivers(deployment)
    seal(deployment, download(START), decided(START), decided(START))
    feed.enqueue(HOOKS)
    receivers.hooks.deliver()
    seal(deployment, decided(START))
    feed.enqueue(HOOKS)  # which waits when the replay comes, and must not come twice
    deployment.database.write(
        lambda session: session.execute(delete(LedgerEntry).where(LedgerEntry.kind == "download"))
    )
    receivers.got.clear()
    early = first - 2  # a download; the entry of the log's key stands between it and the rest
    (done,) = feed.replay(HOOKS, early, ALL.url)
    assert (done.url, done.first, done.end, done.entries) == (ALL.url, early, first + 4, 5)
    feed.enqueue(HOOKS)
    receivers.hooks.deliver()
    assert receivers.leaves(ALL) == [early, *range(first, first + 4)]
    assert receivers.leaves(CRM) == [first + 3]
    assert [one.url for one in feed.replay(HOOKS, 0)] == [CRM.url, ALL.url]


@pytest.mark.parametrize(
    ("hooks", "leaf", "url", "said"),
    [
        (HOOKS, 99, None, "no sealed leaf 99"),
        (HOOKS, 0, PLAIN.url, CRM.url),
        ((PLAIN,), 0, None, "No webhook asks"),
    ],
)
def test_a_replay_of_nothing_says_what_there_is(
    deployment: Deployment, hooks: Sequence[Webhook], leaf: int, url: str | None, said: str
) -> None:
    feed, _ = begin(deployment)
    with pytest.raises(InvalidRequest, match=said):
        feed.replay(hooks, leaf, url)


@pytest.mark.parametrize(
    ("item", "line", "said"),
    [
        (
            "{url: https://a.example/x, kinds: [download,\n    participant.decidde]}",
            3,
            "Correct it to participant.decided",
        ),
        ("{url: https://a.example/x, kinds: [nonsense]}", 2, "Use one of policy.published"),
        ("{url: ftp://a.example/x, kinds: [download]}", 2, "not of the right form"),
        ("{url: 'https://a.example:99999/x', kinds: [download]}", 2, "no address"),
        ("{url: https://a.example/x, alerts: no}", 2, "asks for nothing"),
        ("{url: https://a.example/x, kind: [download]}", 2, "kinds"),
        ("https://a.example/x\n  - {url: https://a.example/x, kinds: [download]}", 3, "twice"),
    ],
)
def test_a_mistake_in_a_webhook_is_named_with_its_line(tmp_path: Path, item: str, line: int, said: str) -> None:
    (tmp_path / "alerts.yaml").write_text(f"webhooks:\n  - {item}\n")
    with pytest.raises(CampaignError) as error:
        load_rules(tmp_path)
    assert [mistake.line for mistake in error.value.mistakes] == [line]
    assert said in str(error.value)


def test_addresses_alone_and_with_kinds_stand_beside_each_other(tmp_path: Path) -> None:
    text = "webhooks:\n  - https://a.example/x\n  - {url: https://b.example/x, kinds: [logo.used], alerts: no}\n"
    (tmp_path / "alerts.yaml").write_text(text)
    assert load_rules(tmp_path).webhooks == (
        Webhook(url="https://a.example/x", kinds=(), alerts=True),
        Webhook(url="https://b.example/x", kinds=("logo.used",), alerts=False),
    )
