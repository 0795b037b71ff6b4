"""Clients of the soak: what they do through nginx, and what they were told."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiosmtpd.controller import Controller

from tests.mail.conftest import Inbox
from tests.parts.demo import Answer, agent
from tests.parts.machines import Machines
from tests.parts.processes import free_port
from tests.parts.willing import answers_to

_PATIENCE = 30.0  # seconds that a client waits for an answer
_WIDTHS = (64, 96, 128, 160, 192, 256, 320, 384, 512)
_FORMATS = ("png", "webp", "svg", "auto")


@dataclass
class Told:
    """What clients saw: the promises that are held against what is there."""

    downloads: set[tuple[str, str]] = field(default_factory=set)  # link and range of each that came whole
    wrong: list[str] = field(default_factory=list)  # answers that should not be
    joined: dict[str, str] = field(default_factory=dict)  # address -> participant of each 201
    asked: set[str] = field(default_factory=set)  # addresses that asked to join, whatever they were told
    checkpoints: list[str] = field(default_factory=list)
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: list[tuple[float, float]] = field(default_factory=list)  # of downloads: when, and how long
    lock: threading.Lock = field(default_factory=threading.Lock)

    def saw(self, what: str, status: int | str) -> None:
        """Counts an answer."""
        with self.lock:
            self.statuses[what, str(status)] += 1

    def complain(self, text: str) -> None:
        """Notes an answer that should not be."""
        with self.lock:
            self.wrong.append(f"{time.strftime('%H:%M:%S')} {text}")


class Caller:
    """One client with an address of its own, so that rate limits see as many clients as there are."""

    def __init__(self, base_url: str, number: int, told: Told) -> None:
        parts = urlsplit(base_url)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.source = f"127.0.{1 + number // 200}.{1 + number % 200}"
        self.agent = agent(number)
        self.told = told

    def call(
        self, what: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer | None:
        """The whole answer; None where none came, or was cut off."""
        sent = {"User-Agent": self.agent, **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        target = path if path.startswith("/") else "/" + path.split("/", 3)[3]
        connection = http.client.HTTPConnection(
            self.host, self.port, timeout=_PATIENCE, source_address=(self.source, 0)
        )
        status = 0
        try:
            connection.request(method, target, data, sent)
            got = connection.getresponse()
            status = got.status
            answer = Answer(status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        except (OSError, http.client.HTTPException) as error:
            self.told.saw(what, f"{status} cut off" if status else type(error).__name__)
            return None
        finally:
            connection.close()
        self.told.saw(what, answer.status)
        if answer.status == 500 or (answer.status == 503 and "retry-after" not in answer.headers and answer.slug):
            self.told.complain(f"{method} {what}: {answer.status} {answer.body[:200]!r}")
        return answer


class Load:
    """Clients in threads: ``a_second`` downloads, and logos, joins and readers beside them."""

    def __init__(self, machines: Machines, told: Told, seed: int, a_second: float) -> None:
        self.machines, self.told = machines, told
        self.random = random.Random(seed)
        self.portal = {"Authorization": f"Bearer {machines.keys['portal']}"}
        self.auditor = {"Authorization": f"Bearer {machines.keys['auditor']}"}
        self.links: list[tuple[str, str]] = []  # id and path
        self.embeds: list[str] = []
        self._numbers = itertools.count(1)
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        caller = self._caller(0)
        self._kinds = {kind["kind"]: kind for kind in self._asked(caller, "/api/v1/eligibility")["kinds"]}
        self._terms = [
            (terms, self._asked(caller, f"/api/v1/terms/{terms}?lang=en"))
            for terms in sorted({entry["id"] for entry in self._asked(caller, "/api/v1/terms")["terms"]})
        ]
        for _ in range(4):
            self._join(caller, permit=True)
        assert len(self.links) == len(self.embeds) == 4
        whole = caller.call("download", "GET", self.links[0][1])
        assert whole is not None
        assert hashlib.sha256(whole.body).hexdigest() == self._sha256
        self.film = whole.body
        readers = int(a_second)
        for number in range(readers):
            self._repeat(number, readers / a_second, self._download)
        self._repeat(100, 0.3, self._look)
        self._repeat(101, 2.0, lambda caller: self._join(caller, permit=self.random.random() < 0.2))
        self._repeat(102, 5.0, self._read)

    def stop(self) -> None:
        """Ends the threads."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _caller(self, number: int) -> Caller:
        return Caller(self.machines.base_url, number, self.told)

    def _asked(self, caller: Caller, path: str) -> Any:
        answer = caller.call("api", "GET", path, headers=self.portal)
        assert answer is not None, path
        assert answer.status == 200, answer
        return answer.json()

    def _repeat(self, number: int, seconds: float, work: Callable[[Caller], None]) -> None:
        def run() -> None:
            caller = self._caller(number)
            while not self._ending.wait(seconds * (0.5 + self.random.random())):
                work(caller)

        self._threads.append(threading.Thread(target=run, daemon=True))
        self._threads[-1].start()

    def _download(self, caller: Caller) -> None:
        """A part of the film that nobody asked for before: its range names its row."""
        link, path = self.random.choice(self.links)
        first = next(self._numbers)
        length = self.random.choice((1_000, 20_000, 200_000, 200_000, 2_000_000))
        if self.random.random() < 0.01:
            length = len(self.film)
        last = min(first + length, len(self.film)) - 1
        wanted = f"bytes={first}-{last}"
        began = time.monotonic()
        answer = caller.call("download", "GET", path, headers={"Range": wanted})
        if answer is None or answer.status != 206:
            return
        with self.told.lock:
            self.told.seconds.append((began, time.monotonic() - began))
        if answer.body != self.film[first : last + 1]:
            self.told.complain(f"download: other bytes than the file has, {wanted}")
            return
        with self.told.lock:
            self.told.downloads.add((link, wanted))

    def _look(self, caller: Caller) -> None:
        width = self.random.choice(_WIDTHS) if self.random.random() < 0.97 else self.random.randrange(40, 500)
        path = f"/logos/{self.random.choice(self.embeds)}/heart/blue/{width}.{self.random.choice(_FORMATS)}"
        answer = caller.call("logo", "GET", path, headers={"Origin": "https://partner.example.org"})
        if answer is not None and answer.status == 200 and not answer.headers["content-type"].startswith("image/"):
            self.told.complain(f"logo: {answer}")

    def _join(self, caller: Caller, *, permit: bool) -> None:
        """Joins by the portal; a request without an answer is sent again with its Idempotency-Key, as clients do."""
        number = next(self._numbers)
        address = f"office-{number}@shelter.example.org"
        body = {
            "kind": "civil_society",
            "name": f"Harbour Shelter {number}",
            "email": address,
            "country": "AT",
            "language": "en",
            "answers": answers_to(self._kinds["civil_society"]["fields"], required_only=True),
            "purposes": ["information"],
        }
        with self.told.lock:
            self.told.asked.add(address)
        answer = self._post(caller, "/api/v1/participants", body)
        if answer is None or answer.status != 201:
            return
        who = str(answer.json()["id"])
        with self.told.lock:
            self.told.joined[address] = who
        if not permit:
            return
        for terms, found in self._terms:
            accepted = {
                "terms": terms,
                "version": found["version"],
                "language": "en",
                "digest": hashlib.sha256(found["text"].encode()).hexdigest(),
                "signatory": {"name": "Robin Example", "capacity": "Head of office"},
            }
            said = self._post(caller, f"/api/v1/participants/{who}/acceptances", accepted)
            if said is None or said.status not in (200, 201):  # 200: it had arrived
                return
        link = self._post(caller, "/api/v1/links", {"participant": who, "package": "film"})
        embed = self._post(
            caller, "/api/v1/embeds", {"participant": who, "logo": "heart", "origins": ["https://partner.example.org"]}
        )
        if link is not None and link.status == 201:
            self._sha256 = link.json()["package"]["sha256"]
            self.links.append((link.json()["id"], "/" + link.json()["url"].split("/", 3)[3]))
        if embed is not None and embed.status == 201:
            self.embeds.append(embed.json()["key"])

    def _post(self, caller: Caller, path: str, body: Any) -> Answer | None:
        headers = self.portal | {"Idempotency-Key": os.urandom(12).hex()}
        for _ in range(6):
            answer = caller.call("api", "POST", path, body, headers)
            if answer is not None and answer.status not in (409, 502, 503, 504):
                if answer.status >= 400:
                    self.told.complain(f"POST {path}: {answer}")
                return answer
            if self._ending.wait(2):
                return None
        return None

    def _read(self, caller: Caller) -> None:
        """A checkpoint, a page and a list: the log that somebody saw must never be taken back."""
        answer = caller.call("page", "GET", "/log/checkpoint")
        if answer is not None and answer.status == 200:
            self.told.checkpoints.append(answer.body.decode())
        caller.call("page", "GET", "/en/")
        link, _ = self.random.choice(self.links)
        caller.call("api", "GET", f"/api/v1/downloads?link={link}&limit=10", headers=self.auditor)


class Post:
    """The mail server that keeps whatever was delivered, and can be away."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.port = free_port()
        self.start()

    def start(self) -> None:
        """Takes mail from now on."""
        self._controller = Controller(self.inbox, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Is away."""
        self._controller.stop()

    def addresses(self) -> Counter[str]:
        """How many mails came for each address."""
        return Counter(address for envelope in self.inbox.messages for address in envelope.rcpt_tos)
