"""How lists, pages of the console and the idle work grow with a deployment: a large one beside a small one.

``python -m tests.benchmarks.growth [--participants N] [--links N] [--downloads N] [--database URL]`` fills a deployment
in bulk (each participant has a case, a tenth of them an embed), asks each list of the API with each filter, in turns
with the same of a deployment of a thousand participants, and prints medians, their ratio, and the processor time that
reading the embeds takes while nothing changes. SQLite in a temporary folder unless a URL of an empty PostgreSQL
database is given.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import insert, text

from service import settings as settings_room
from service.app import create_app
from service.deployment import Deployment
from service.store import Database, desk_tables, migrate, tables
from tests.conftest import environment

_SMALL = {"participants": 1_000, "links": 1_000, "downloads": 10_000}  # pages are full
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_STEP = 10_000
_TURNS = 15
_STATUSES = ("approved",) * 96 + ("suspended", "declined", "under_review", "declined")
_KINDS = ("individual",) * 60 + ("civil_society",) * 25 + ("private_sector",) * 14 + ("government",)

Row = dict[str, Any]


def participants(count: int) -> Iterator[Row]:
    """Rows of participants: kinds and statuses as unevenly spread as in life."""
    for number in range(count):
        status = _STATUSES[number * 7 % 100]
        yield {
            "id": f"par_{number:09}",
            "kind": _KINDS[number * 13 % 100],
            "name": f"Example {number}",
            "email": f"person{number}@example.org",
            "country": "AT",
            "language": "en",
            "answers": {},
            "purposes": ["information"],
            "status": status,
            "outcome": "approved" if status == "suspended" else status.replace("under_review", "review"),
            "rule": "test",
            "reasons": [],
            "policy": "0" * 64,
            "joined_via": "staff:cli",
            "created_at": _BEGIN + timedelta(seconds=number),
        }


def acceptances(count: int, version: str) -> Iterator[Row]:
    """Rows of acceptances: one each."""
    for number in range(count):
        yield {
            "id": f"acc_{number:09}",
            "participant": f"par_{number:09}",
            "terms": "logo-terms",
            "version": version,
            "language": "en",
            "digest": "0" * 64,
            "via": "staff:cli",
            "commitment": "0" * 64,
            "accepted_at": _BEGIN + timedelta(seconds=number),
        }


def versions(packages: list[str]) -> Iterator[Row]:
    """Rows of published packages, so that links lead to something."""
    for package in packages:
        yield {
            "package": package,
            "version": "1.0.0",
            "kind": "logo",
            "terms": "logo-terms",
            "manifest": {
                "title": {"en": package},
                "description": {"en": package},
                "licence": {"en": "Test"},
                "languages": ["en"],
                "files": [],
                "preview": {"key": "previews/none.png", "sha256": "0" * 64},
            },
            "source_digest": "0" * 64,
            "sha256": "0" * 64,
            "bytes": 1_000,
            "media_type": "application/zip",
            "filename": f"{package}.zip",
            "storage_key": f"packages/{package}.zip",
            "published_at": _BEGIN,
        }


def embeds(count: int, logo: str) -> Iterator[Row]:
    """Rows of embeds: every tenth participant has one."""
    for number in range(0, count, 10):
        yield {
            "key": f"ebd_{number:022}",
            "participant": f"par_{number:09}",
            "logo": logo,
            "origins": ["https://partner.example"],
            "unlisted": "report",
            "created_at": _BEGIN + timedelta(seconds=number),
        }


def words(count: int) -> Iterator[Row]:
    """Rows of what participants are found by."""
    for number in range(count):
        said = (f"par_{number:09}", f"example {number}", f"person{number}@example.org")
        yield {"participant": said[0], "words": "\n".join(said)}


def cases(count: int) -> Iterator[Row]:
    """Rows of cases: one each, of which about a hundred wait."""
    waiting = max(2, count // 100)
    for number in range(count):
        opened = _BEGIN + timedelta(seconds=number)
        decided = number % waiting != 7 % waiting
        yield {
            "id": f"cas_{number:09}",
            "kind": "joining",
            "status": "decided" if decided else "open",
            "participant": f"par_{number:09}",
            "purposes": ["fundraising"],
            "opened_by": "page",
            "opened_at": opened,
            "due_at": opened + timedelta(days=7),
            "changed_at": opened,
            "version": 2,
            "outcome": "approved" if decided else None,
            "reason": "Fine." if decided else None,
            "decided_by": "staff:stf_x" if decided else None,
            "decided_at": opened if decided else None,
        }


def _said(number: int) -> str:
    return f"We plan run {number} in the park of Quillmarsh, and sell {number * 7919 % 100_003} shirts."


def messages(count: int) -> Iterator[Row]:
    """Rows of messages: one a case."""
    for number in range(count):
        case = f"cas_{number:09}"
        at = _BEGIN + timedelta(seconds=number)
        said = {"at": at, "by": "page", "text": _said(number), "visible": True, "files": []}
        yield {"id": f"msg_{number:09}", "case": case} | said


def case_words(count: int) -> Iterator[Row]:
    """Rows of what cases are found by."""
    for number in range(count):
        yield {"case": f"cas_{number:09}", "words": f"cas_{number:09}\n{_said(number).casefold()}"}


def links(count: int, people: int, package: str) -> Iterator[Row]:
    """Rows of links, spread over the participants."""
    for number in range(count):
        yield {
            "id": f"lnk_{number:09}",
            "participant": f"par_{number % people:09}",
            "package": package,
            "version": "1.0.0",
            "issued_by": "portal:key_x",
            "created_at": _BEGIN + timedelta(seconds=number),
            "expires_at": _BEGIN + timedelta(days=900),
            "counted": 1,
        }


def downloads(count: int, of_links: int, people: int, packages: list[str]) -> Iterator[Row]:
    """Rows of downloads, spread over the links; one in ten thousand is of the last package."""
    for number in range(count):
        link = number % of_links
        yield {
            "id": f"dl_{number:09}",
            "at": _BEGIN + timedelta(seconds=number * 2),
            "link": f"lnk_{link:09}",
            "participant": f"par_{link % people:09}",
            "package": packages[-1] if number % 10_000 == 7 else packages[number % (len(packages) - 1)],
            "version": "1.0.0",
            "counted": True,
            "status": 200,
            "client_kind": "browser",
            "bytes": 1_000,
        }


def fill(database: Database, sizes: dict[str, int], version: str, logo: str, packages: list[str]) -> None:
    """Write all rows in bulk."""
    people, of_links = sizes["participants"], sizes["links"]
    for table, rows in (
        (tables.PackageVersion, versions(packages)),
        (tables.Participant, participants(people)),
        (tables.ParticipantWords, words(people)),
        (desk_tables.Case, cases(people)),
        (desk_tables.CaseMessage, messages(people)),
        (desk_tables.CaseWords, case_words(people)),
        (tables.Acceptance, acceptances(people, version)),
        (tables.Embed, embeds(people, logo)),
        (tables.Link, links(of_links, people, packages[0])),
        (tables.Download, downloads(sizes["downloads"], of_links, people, packages)),
    ):
        part: list[Row] = []
        with database.engine.begin() as connection:
            if database.is_sqlite:
                connection.exec_driver_sql("begin immediate")
            for row in rows:
                part.append(row)
                if len(part) == _STEP:
                    connection.execute(insert(table), part)
                    part = []
            if part:
                connection.execute(insert(table), part)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))


class Filled:
    """A deployment with so many rows, and a key of an auditor and of staff."""

    def __init__(self, folder: Path, url: str | None, sizes: dict[str, int]) -> None:
        variables = environment(folder) | ({"EMBLEM_DATABASE_URL": url} if url else {})
        settings = settings_room.load(variables)
        database = Database(settings.database_url)
        migrate.upgrade(database)
        database.close()
        began = time.perf_counter()
        self.app = create_app(settings=settings)
        self.starting = time.perf_counter() - began
        self.parts: Deployment = self.app.extensions["emblem"]
        campaign = self.parts.campaign
        version = campaign.terms.current("logo-terms", datetime.now(UTC)).version
        began = time.perf_counter()
        fill(self.parts.database, sizes, version, min(campaign.logos), ["logo", "posters", "banners", "rare"])
        self.filling = time.perf_counter() - began
        create = self.parts.participants.api_keys.create
        _, self.auditor = create("auditor", name="", by="staff:cli")
        self.parts.participants.staff.settle()
        _, self.staff = create("staff", name="", by="staff:cli")
        self.client = self.app.test_client()

    def ask(self, path: str) -> float:
        """Milliseconds until the answer of a list."""
        began = time.perf_counter()
        caller = self.staff if "q=" in path or "/cases" in path else self.auditor  # who may see this
        answer = self.client.get(path, headers={"Authorization": f"Bearer {caller}"})
        assert answer.status_code == 200, (path, answer.status_code, answer.get_data(as_text=True)[:300])
        return (time.perf_counter() - began) * 1000

    def idle(self, turns: int = 20) -> float:
        """Milliseconds of processor time that one look at what has changed of the embeds takes."""
        snapshot = self.parts.embeds._snapshot
        snapshot.refresh()
        began = time.process_time()
        for _ in range(turns):
            snapshot.catch_up()
        return (time.process_time() - began) * 1000 / turns


def lists(sizes: dict[str, int]) -> list[str]:
    """Every list of the API, with every filter, and a page in the middle of one."""
    middle, link = f"par_{sizes['participants'] // 2:09}", f"lnk_{sizes['links'] // 2:09}"
    start = (_BEGIN + timedelta(seconds=sizes["downloads"])).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        "/api/v1/participants",
        "/api/v1/participants?status=approved",
        "/api/v1/participants?status=under_review",
        "/api/v1/participants?kind=government",
        f"/api/v1/participants/{middle}",
        f"/api/v1/participants?q=person{sizes['participants'] // 2}",
        "/api/v1/participants?q=example",
        "/api/v1/participants?q=nowhere",
        "/api/v1/cases?status=open",
        "/api/v1/cases?status=decided",
        f"/api/v1/cases?q=person{sizes['participants'] // 2}",
        f"/api/v1/cases?q=run+{sizes['participants'] * 491_283 // 1_000_000}+in",  # zeros stand in every id
        "/api/v1/cases?q=quillmarsh",
        "/api/v1/cases?q=quillmarsh&status=open",
        "/api/v1/cases?q=nowhere",
        "/api/v1/links",
        f"/api/v1/links?participant={middle}",
        "/api/v1/embeds",
        f"/api/v1/embeds?participant={middle}",
        "/api/v1/downloads",
        f"/api/v1/downloads?participant={middle}",
        f"/api/v1/downloads?link={link}",
        "/api/v1/downloads?package=logo",
        "/api/v1/downloads?package=rare",
        f"/api/v1/downloads?to={start}",
        f"/api/v1/downloads?participant={middle}&to={start}",
    ]


def compare(large: Filled, small: Filled, sizes: dict[str, int]) -> list[tuple[str, float, float]]:
    """Medians in milliseconds of each list, in turns: path, large, small."""
    found = []
    for path, little in zip(lists(sizes), lists(_SMALL), strict=True):
        times: dict[str, list[float]] = {"large": [], "small": []}
        for _ in range(_TURNS):
            times["large"].append(large.ask(path))
            times["small"].append(small.ask(little))
        found.append((path, statistics.median(times["large"]), statistics.median(times["small"])))
    return found


def main() -> None:
    """Fill, ask, print; ``--json`` prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--participants", type=int, default=1_000_000)
    parser.add_argument("--links", type=int, default=1_000_000)
    parser.add_argument("--downloads", type=int, default=10_000_000)
    parser.add_argument("--database", help="the URL of an empty PostgreSQL database")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sizes = {name: getattr(given, name) for name in _SMALL}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "large").mkdir()
        small = Filled(Path(folder) / "small", None, _SMALL)
        large = Filled(Path(folder) / "large", given.database, sizes)
        rows = compare(large, small, sizes)
        idle = (large.idle(), small.idle())
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        large.parts.close()
        small.parts.close()
    show: Callable[[str], None] = print
    if given.json:
        show(json.dumps({"sizes": sizes, "lists": rows, "idle_ms": idle, "memory_mb": memory}, indent=2))
        return
    show(f"{sizes}, filled in {large.filling:.0f} s; beside {_SMALL}; {memory} MB at most")
    for path, much, little in rows:
        show(f"{path:<62} {much:8.1f} ms {little:8.1f} ms {much / little:6.1f} times")
    show(f"{'embeds, a look while nothing changes (processor)':<62} {idle[0]:8.2f} ms {idle[1]:8.2f} ms")


if __name__ == "__main__":
    main()
