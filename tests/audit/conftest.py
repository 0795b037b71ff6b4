"""A sealed log with downloads and logo uses of known facts, and everything that reads it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from service import ledger
from service.audit.reports import Reports
from service.audit.segments import Segments
from service.clock import timestamp
from service.ids import new_id
from service.storage.directory import DirectoryStorage
from service.store import Base, Database
from service.store.tables import Embed, Link, LogoUse, Participant
from tests.ledger.conftest import check
from tests.parts.postgres import Postgres

ORIGIN = "emblem.example.org/log"
START = datetime(2026, 11, 20, tzinfo=UTC)

Fact = dict[str, Any]


def entry_of(fact: Fact) -> ledger.Entry:
    """The entry of ``{kind, at, …}``."""
    return ledger.KINDS[fact["kind"]](**{name: value for name, value in fact.items() if name not in ("kind", "at")})


#: For tests of what the database does: once on each.
ON_BOTH = pytest.mark.parametrize("deployment", ["sqlite", "postgres"], indirect=True)


class Deployment:
    """Database, storage and clock, and the parts of the audit on them. ``damaged``: by a test, on purpose."""

    damaged = False

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.time = START
        self.key = ledger.new_log_key()
        self.url = url or f"sqlite:///{folder / 'emblem.sqlite3'}"
        self.database = Database(self.url)
        Base.metadata.create_all(self.database.engine)
        self.storage = DirectoryStorage(folder / "storage")
        self.sealer = ledger.Sealer(
            self.database, self.storage, ledger.key_source(self.key, ORIGIN), ORIGIN, self.clock, folder
        )
        self.segments = Segments(self.database, self.storage, folder, self.clock)
        self.reports = Reports(self.database, self.segments, self.clock)
        self.facts: list[Fact] = []

    def clock(self) -> datetime:
        """The time that tests set."""
        return self.time

    def record(self, facts: list[Fact]) -> None:
        """Writes entries of ``{kind, at, …}`` in one transaction."""

        def work(session: Session) -> None:
            for fact in facts:
                ledger.append(session, entry_of(fact), fact["at"])

        self.database.write(work)
        self.facts += facts


def download(at: datetime, **facts: Any) -> Fact:
    """A download's facts."""
    return {
        "kind": "download",
        "at": at,
        "id": new_id("dl"),
        "link": "lnk_one",
        "participant": "par_one",
        "participant_kind": "individual",
        "country": "AT",
        "package": "logo",
        "version": "1.0.0",
        "terms_version": "2026-01-01",
        "counted": True,
        "client_kind": "browser",
        "bytes": 1000,
        **facts,
    }


def use(at: datetime, hour: datetime, **facts: Any) -> Fact:
    """An hour's views of a logo."""
    return {
        "kind": "logo.used",
        "at": at,
        "hour": timestamp(hour),
        "embed": "ebd_one",
        "participant": "par_one",
        "participant_kind": "individual",
        "country": "AT",
        "logo": "heart",
        "variant": "blue/256.png",
        "origin": "https://partner.example",
        "views": 3,
        **facts,
    }


def decided(at: datetime, **facts: Any) -> Fact:
    """A decision of the rules on a participant."""
    who = {"participant": "par_one", "outcome": "approved", "rule": "welcome", "policy": "0" * 64, "by": "policy"}
    return {"kind": "participant.decided", "at": at, **who, **facts}


def some_facts(count: int, start: datetime, seed: int = 7) -> list[Fact]:
    """Downloads and uses over four days, each fact drawn from a few values."""
    draw = random.Random(seed)
    found: list[Fact] = []
    for number in range(count):
        at = start + timedelta(seconds=draw.randrange(4 * 86_400), microseconds=number)
        who = draw.randrange(20)
        common: Fact = {
            "participant": f"par_{who}",
            "participant_kind": ["individual", "government", "civil_society"][who % 3],
            "country": ["AT", "FR", "EU", None][who % 4],
        }
        if draw.random() < 0.7:
            found.append(
                download(
                    at,
                    package=draw.choice(["logo", "posters"]),
                    version=draw.choice(["1.0.0", "1.1.0"]),
                    terms_version=draw.choice(["2026-01-01", "2026-06-01"]),
                    counted=draw.random() < 0.6,
                    client_kind=draw.choice(["browser", "program", "robot"]),
                    bytes=draw.randrange(5000),
                    **common,
                )
            )
        else:
            hour = at.replace(minute=0, second=0, microsecond=0)
            found.append(
                use(
                    at + timedelta(hours=2),
                    hour,
                    logo=draw.choice(["heart", "lockup"]),
                    variant=draw.choice(["blue/256.png", "white/64.svg"]),
                    origin=draw.choice(["https://a.example", "https://b.example", None]),
                    views=draw.randrange(1, 9),
                    **common,
                )
            )
    return found


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], Deployment]]:
    """Makes deployments; when the test is over, the log of each is read as a whole by the independent verifier."""
    made: list[Deployment] = []

    def new(name: str, url: str | None = None) -> Deployment:
        (tmp_path / name).mkdir()
        made.append(Deployment(tmp_path / name, url))
        return made[-1]

    yield new
    try:
        for item in made:
            if not item.damaged and (item.folder / "storage/log/checkpoint").exists():
                check(item.folder / "storage/log", item.sealer.vkeys())
    finally:
        for item in made:
            item.database.close()


@pytest.fixture
def deployment(make: Callable[..., Deployment], request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """An empty deployment on SQLite, or where the test is ``ON_BOTH`` on each database."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield make("deployment")
        return
    server: Postgres = request.getfixturevalue("postgres")
    yield make("deployment", server.new_database(like=request.getfixturevalue("_migrated_postgres")))


def add_embed(database: Database, name: str = "one") -> None:
    """Adds the participant ``par_{name}`` with the embed ``ebd_{name}``."""
    person = Participant(
        id=f"par_{name}", kind="individual", country="AT", language="en", purposes=[], status="approved",
        outcome="approved", rule="r", reasons=[], policy="p", joined_via="page", created_at=START,
    )  # fmt: skip
    embed = Embed(
        key=f"ebd_{name}", participant=person.id, logo="heart", origins=[], unlisted="report", created_at=START
    )

    def work(session: Any) -> None:
        session.add(person)
        session.flush()
        session.add(embed)

    database.write(work)


def people(deployment: Deployment, status: str = "approved") -> None:
    """One participant with a link and an embed."""
    person = Participant(
        id="par_one", kind="individual", country="AT", language="en", purposes=[], status=status,
        outcome="approved", rule="r", reasons=[], policy="p", joined_via="page", created_at=START,
    )  # fmt: skip

    def work(session: Any) -> None:
        session.add(person)
        session.flush()
        listed = ["https://listed.example"]
        session.add(
            Embed(
                key="ebd_one", participant="par_one", logo="heart", origins=listed, unlisted="report", created_at=START
            )
        )
        session.add(
            Link(id="lnk_one", participant="par_one", package="logo", version="1.0.0", issued_by="page", counted=0,
                 created_at=START, expires_at=START + timedelta(days=1))
        )  # fmt: skip

    deployment.database.write(work)


def uses(deployment: Deployment, *found: tuple[str, datetime, int]) -> None:
    def work(session: Any) -> None:
        for origin, hour, views in found:
            session.add(
                LogoUse(hour=hour, embed="ebd_one", variant="blue/64.png", origin=origin, batch="", views=views)
            )

    deployment.database.write(work)
