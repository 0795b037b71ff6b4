"""How a deployment that has grown answers: a large one beside a small one, in turns, in one run.

``python -m tests.benchmarks.growth [--participants N] [--links N] [--downloads N] [--entries N] [--postgres]`` fills
both in bulk and prints medians and their ratio of every list of the API with every filter, each page of the console,
issuing, recording, decisions and sealing; then how long a start takes, and what an idle process of each costs. SQLite
in a temporary folder, or a PostgreSQL server of its own, which also measures how long its downloads take to be put
into months. Ten million downloads take some ten gigabytes while it runs.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select

from service import settings as settings_room
from service.app import create_app
from service.deployment import Deployment
from service.jobs import Jobs
from service.store import Database, desk_tables, migrate, tables
from tests.conftest import environment
from tests.parts import postgres
from tests.parts.postgres import Postgres

from . import growth_rows as rows

ROOT = Path(__file__).resolve().parent.parent.parent
_SMALL = {"participants": 1_000, "links": 1_000, "downloads": 10_000, "entries": 1_000}  # pages are full
_BEFORE_MONTHS = "0024"  # the schema in which downloads are one table
_STARTS = 5
_SEALED = 100  # entries that wait when it is sealed
_SETTLING = 25.0  # seconds until the first turn of all jobs is over
_IDLING = 600.0  # seconds for which a process rests: jobs that read much are put off for as long
#: Pages of the console that show no rows which grow, or a file.
_NOT_ASKED = {
    "staff.artwork_file",
    "staff.case_file",
    "staff.participant_export",  # everything about one participant, as a file
    "staff.audit",  # reports follow their entries
    "staff.audit_report",
    "staff.audit_styles",
    "staff.outbox_mail",
    "staff.outbox_html",
}
#: Lists of the API with their filters; ``{…}`` stand for rows of the middle.
_LISTS = (
    "/api/v1/participants",
    "/api/v1/participants?status=approved",
    "/api/v1/participants?status=under_review",
    "/api/v1/participants?kind=government",
    "/api/v1/participants?kind=government&status=suspended",
    "/api/v1/participants/{participant}",
    "/api/v1/participants/{participant}/acceptances",
    "/api/v1/participants/{participant}/certificates",
    "/api/v1/participants/{participant}/members",
    "/api/v1/participants/{participant}/export",
    "/api/v1/participants?q={person}",
    "/api/v1/participants?q=example",
    "/api/v1/participants?q=nowhere",
    "/api/v1/participants?q=example&kind=government",
    "/api/v1/cases",
    "/api/v1/cases?status=open",
    "/api/v1/cases?status=decided",
    "/api/v1/cases?status=returned",
    "/api/v1/cases?kind=joining",
    "/api/v1/cases?kind=misuse",
    "/api/v1/cases?participant={participant}",
    "/api/v1/cases?participant_kind=government",
    "/api/v1/cases?country=AT",
    "/api/v1/cases?country=FR",
    "/api/v1/cases?purpose=fundraising",
    "/api/v1/cases?purpose=commercial",
    "/api/v1/cases?status=open&purpose=commercial",
    "/api/v1/cases?assignee=stf_nobody",
    "/api/v1/cases/{case}",
    "/api/v1/cases?q={person}",
    "/api/v1/cases?q=run+{said}+in",
    "/api/v1/cases?q=quillmarsh",
    "/api/v1/cases?q=quillmarsh&status=open",
    "/api/v1/cases?q=nowhere",
    "/api/v1/links",
    "/api/v1/links?participant={participant}",
    "/api/v1/links/{link}",
    "/api/v1/embeds",
    "/api/v1/embeds?participant={participant}",
    "/api/v1/embeds/{embed}",
    "/api/v1/artwork-checks",
    "/api/v1/artwork-checks?participant={checked}",
    "/api/v1/artwork-checks?verdict=compliant",
    "/api/v1/artwork-checks?verdict=needs_review",
    "/api/v1/downloads",
    "/api/v1/downloads?participant={participant}",
    "/api/v1/downloads?link={link}",
    "/api/v1/downloads?package=logo",
    "/api/v1/downloads?package=rare",
    "/api/v1/downloads?from={since}",
    "/api/v1/downloads?to={since}",
    "/api/v1/downloads?participant={participant}&to={since}",
)
#: What a portal asks: one that may act for everybody, and one that may for the few who joined first.
_OF_PORTALS = (
    "/api/v1/participants",
    "/api/v1/participants?status=approved",
    "/api/v1/participants?kind=individual",
    "/api/v1/links",
    "/api/v1/embeds",
    "/api/v1/downloads",
    "/api/v1/cases",
    "/api/v1/artwork-checks",
)
#: Filters of the console's pages, beside each page without any.
_FILTERED = (
    "/staff?status=decided",
    "/staff?status=open&participant_kind=government",
    "/staff?country=FR&status=all",
    "/staff?q={person}",
    "/staff/participants?status=suspended",
    "/staff/participants?q={person}",
    "/staff/links?participant={participant}",
    "/staff/downloads?participant={participant}",
    "/staff/downloads?package=rare",
    "/staff/downloads?link={link}",
    "/staff/embeds?participant={participant}",
    "/staff/artwork?verdict=needs_review",
    "/staff/artwork?overruled=yes",
)


class Filled:
    """A deployment with so many rows, with keys of each role and a person of the staff who is signed in."""

    def __init__(self, folder: Path, url: str | None, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        kept = folder / "filled.json"
        if not kept.exists():
            made = self._fill(environment(folder) | ({"EMBLEM_DATABASE_URL": url} if url else {}))
            kept.write_text(json.dumps(made), encoding="utf-8")
        self.variables, self.keys, self.filling, self.months = json.loads(kept.read_text(encoding="utf-8"))
        self.app = create_app(settings=settings_room.load(self.variables))
        self.parts: Deployment = self.app.extensions["emblem"]
        self.client = self.app.test_client()
        sign_in = self.parts.participants.sign_in
        secret = sign_in.issue_url("staff@example.org").rpartition("/")[2]
        self.client.set_cookie("emblem_session", str(sign_in.confirm(secret).session))
        self.agents = iter(range(10**9))

    def _fill(self, variables: dict[str, str]) -> tuple[dict[str, str], dict[str, str], float, float]:
        """Fill it; returns its settings, its keys, and the seconds that this and the months of downloads took."""
        settings, sizes = settings_room.load(variables), self.sizes
        database = Database(settings.database_url)
        migrate.upgrade(database, "head" if database.is_sqlite else _BEFORE_MONTHS)
        began, months = time.perf_counter(), 0.0
        rows.fill_log(database, sizes["entries"])
        if not database.is_sqlite:
            rows.fill_downloads(database, sizes["downloads"], sizes["links"], sizes["participants"])
            rows.analyze(database)
            upgrading = time.perf_counter()
            migrate.upgrade(database)
            months = time.perf_counter() - upgrading
        database.close()
        parts: Deployment = create_app(settings=settings).extensions["emblem"]
        parts.participants.staff.settle()
        roles = {"auditor": "auditor", "staff": "staff", "whole": "portal", "small": "portal"}
        create = parts.participants.api_keys.create
        keys = {name: create(role, name=name, by="staff:cli") for name, role in roles.items()}
        version = parts.campaign.terms.current("logo-terms", datetime.now(UTC)).version
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
        portals = (keys["whole"][0].id, keys["small"][0].id)
        rows.fill(parts.database, dict(sizes), version, min(parts.campaign.logos), portals, hour)
        if parts.database.is_sqlite:
            rows.fill_downloads(parts.database, sizes["downloads"], sizes["links"], sizes["participants"])
        for package in rows.PACKAGES:
            parts.storage.put_new(f"packages/{package}.zip", rows.FILE, "application/zip")
        parts.sealer.seal()
        parts.participants.uptake.fold()
        rows.analyze(parts.database)
        parts.close()
        return variables, {name: secret for name, (_, secret) in keys.items()}, time.perf_counter() - began, months

    def named(self, path: str) -> str:
        """A path with the ids of rows in the middle in it."""
        middle, link = self.sizes["participants"] // 2, self.sizes["links"] // 2
        instant = rows.BEGIN + timedelta(seconds=self.sizes["downloads"])
        return path.format(
            participant=f"par_{middle:09}",
            checked=f"par_{middle // 10 * 10:09}",
            person=f"person{middle}",
            case=f"cas_{middle:09}",
            said=self.sizes["participants"] * 491_283 // 1_000_000,  # zeros stand in every id
            link=f"lnk_{link:09}",
            embed=f"ebd_{middle // 10 * 10:022}",
            check=f"chk_{middle // 10 * 10:09}",
            package="logo",
            since=instant.strftime("%Y-%m-%dT%H:%M:%SZ"),
            terms_id="logo-terms",
            version=self.parts.campaign.terms.current("logo-terms", datetime.now(UTC)).version,
        )

    def ask(self, path: str, key: str = "") -> None:
        """GET a path as whoever is signed in, or with a key."""
        headers = {"Authorization": f"Bearer {self.keys[key]}"} if key else {}
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == 200, (path, answer.status_code, answer.get_data(as_text=True)[:300])

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST to the API as staff."""
        answer = self.client.post(path, json=body, headers={"Authorization": f"Bearer {self.keys['staff']}"})
        assert answer.status_code < 300, (path, answer.status_code, answer.get_data(as_text=True)[:300])
        return answer.get_json()

    def pages(self) -> list[str]:
        """Every page of the console, by the rules of the application, so that none is forgotten."""
        found = []
        for rule in self.app.url_map.iter_rules():
            wanted = rule.endpoint.startswith("staff.") and "GET" in (rule.methods or ())
            if wanted and rule.endpoint not in _NOT_ASKED:
                found.append(
                    re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda name: f"{{{_ROWS.get(name[1], name[1])}}}", rule.rule)
                )
        return sorted(found)


#: Names in the console's addresses that are called otherwise here.
_ROWS = {"key": "embed"}


def writes(filled: Filled) -> dict[str, Callable[[], None]]:
    """What changes something, by its name: each call changes something else."""
    person = tables.Participant
    with filled.parts.database.read() as session:
        waiting = iter(
            session.scalars(
                select(desk_tables.Case.id)
                .join(person, person.id == desk_tables.Case.participant)
                .where(desk_tables.Case.status == "open", person.status.in_(("approved", "under_review")))
            ).all()
        )
        # Who joined first: those of an earlier run in the same place have accepted nothing, or are suspended.
        first = select(person.id).where(person.status == "approved").order_by(person.created_at)
        people = iter(session.scalars(first.limit(filled.sizes["participants"] // 2)).all())

    def approved() -> str:
        return next(people)

    def issue() -> Any:
        return filled.post("/api/v1/links", {"participant": approved(), "package": "logo"})

    path = "/" + issue()["url"].split("/", 3)[3]

    def record() -> None:
        answer = filled.client.get(path, headers={"User-Agent": f"bench/{next(filled.agents)}"})
        assert answer.status_code == 200, answer.get_data(as_text=True)[:300]

    def seal() -> None:
        filled.parts.sealer.seal()

    return {
        "issuing a link": issue,
        "a recorded download": record,
        "deciding a case": lambda: filled.post(
            f"/api/v1/cases/{next(waiting)}/decisions", {"outcome": "approved", "reason": "Fine."}
        ),
        "suspending a participant": lambda: filled.post(
            f"/api/v1/participants/{approved()}/decisions", {"outcome": "suspended", "reason": "A reason."}
        ),
        "joining": lambda: filled.post("/api/v1/participants", _application(next(filled.agents))),
        f"sealing {_SEALED} entries": seal,
    }


def _application(number: int) -> dict[str, Any]:
    return {
        "kind": "civil_society",
        "name": "Harbour Shelter",
        "email": f"office-{number}@shelter.example",
        "country": "AT",
        "answers": {"commitment": True, "pledge": True, "plan": "The Blue Heart goes on our web page and posters."},
        "purposes": ["information"],
    }


@dataclass(frozen=True)
class Measure:
    """One call in a large and a small deployment: medians of milliseconds, and processor time on the average."""

    name: str
    large: float
    small: float
    used_large: float
    used_small: float

    def __str__(self) -> str:
        times = f"{self.large:9.2f} {self.small:9.2f} ms {self.large / self.small:6.2f}"
        used = f"{self.used_large:9.2f} {self.used_small:9.2f} ms {self.used_large / self.used_small:6.2f}"
        return f"{self.name:<64} {times} | {used}"


def compare(large: Filled, small: Filled, turns: int, server: Postgres | None) -> Iterator[Measure]:
    """Measure everything in turns."""
    paths = [(path, "staff" if "q=" in path or "/cases" in path or "/export" in path else "auditor") for path in _LISTS]
    paths += [(path, key) for key in ("whole", "small") for path in _OF_PORTALS]
    pages = [path for path in large.pages() if path != "/staff/keys/{embed}"]
    paths += [(path, "") for path in [*pages, *_FILTERED]]
    for path, key in paths:
        name = f"{path}, portal of {'all' if key == 'whole' else 'few'}" if key in ("whole", "small") else path
        calls = [partial(one.ask, one.named(path), key) for one in (large, small)]
        yield _in_turns(name, calls, turns, server)
    doing = (writes(large), writes(small))
    for name in doing[0]:
        before = partial(_let_wait, large, small) if name.startswith("sealing") else None
        yield _in_turns(name, [one[name] for one in doing], turns, server, before)


def _let_wait(*sides: Filled) -> None:
    for one in sides:
        rows.fill_log(one.parts.database, _SEALED)


def _in_turns(
    name: str,
    calls: Sequence[Callable[[], object]],
    turns: int,
    server: Postgres | None,
    before: Callable[[], object] | None = None,
) -> Measure:
    times: tuple[list[float], list[float]] = ([], [])
    used = [0.0, 0.0]
    for turn in range(turns + 1):
        if before is not None:
            before()
        for side, call in enumerate(calls):
            processor, began = _used(server), time.perf_counter()
            call()
            if turn:  # the first one is to warm up
                times[side].append((time.perf_counter() - began) * 1000)
                used[side] += (_used(server) - processor) * 1000 / turns
    return Measure(name, statistics.median(times[0]), statistics.median(times[1]), *used)


def _used(server: Postgres | None) -> float:
    """Seconds of processor time of this process and of the database server, whose backends stay."""
    ticks = 0
    for pid in server.process.family() if server else ():
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def starts(sides: Mapping[str, Mapping[str, str]]) -> dict[str, float]:
    """Median seconds of the wall until a new process answers that it is ready, in turns."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(_STARTS):
        for name, variables in sides.items():
            times[name].append(_process(variables, "--start").pop("start"))
    return {name: statistics.median(found) for name, found in times.items()}


def _process(variables: Mapping[str, str], *arguments: str) -> dict[str, float]:
    began = time.perf_counter()
    done = subprocess.run(_command(*arguments), cwd=ROOT, env=_environment(variables), capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return {"start": time.perf_counter() - began}


def idles(sides: Mapping[str, Mapping[str, str]], seconds: float) -> dict[str, dict[str, float]]:
    """What a process with all background work costs while nobody asks it anything, of both at once."""
    running = {
        name: subprocess.Popen(
            _command("--idle", str(seconds)), cwd=ROOT, env=_environment(variables), stdout=subprocess.PIPE
        )
        for name, variables in sides.items()
    }
    return {name: json.loads(process.communicate()[0].splitlines()[-1]) for name, process in running.items()}


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.growth", *arguments]


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    # Modules are compiled once, as where they are installed, and not again at every start.
    odd = ("EMBLEM_", "PYTHONDONTWRITEBYTECODE")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(odd)}
    return (
        plain | {"PYTHONPYCACHEPREFIX": str(Path(variables["EMBLEM_DATA_DIR"]).parent / "bytecode")} | dict(variables)
    )


def start() -> None:
    """Be a process that starts, and end once it is ready."""
    answer = create_app(os.environ).test_client().get("/readyz")
    if answer.status_code != 200:
        sys.exit(answer.get_data(as_text=True))
    os._exit(0)


def idle(seconds: float) -> None:
    """Be an idle process, and print what that costs: a share of a core, and megabytes.

    Logos are left out: they are made ahead once, however large a deployment is.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    parts: Deployment = create_app(os.environ).extensions["emblem"]
    parts.variants.start = lambda: None  # type: ignore[method-assign]
    Jobs(parts).start()
    time.sleep(_SETTLING)
    settled, began, used = time.process_time(), time.perf_counter(), time.process_time()
    time.sleep(seconds)
    used = time.process_time() - used
    memory = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    share = used / (time.perf_counter() - began)
    print(json.dumps({"settled": settled, "share": share, "mb": int(memory[1]) // 1024 if memory else 0}), flush=True)
    os._exit(0)


def main() -> None:
    """Fill, ask, print; ``--json`` prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, count in {"participants": 10**6, "links": 10**6, "downloads": 10**7, "entries": 10**6}.items():
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--place", type=Path, help="a folder that stays, filled once; a temporary one otherwise")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--start", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--idle", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.start:
        start()
    if given.idle:
        idle(given.idle)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    server = None
    if given.postgres:
        postgres._SETTINGS |= {"max_wal_size": "1GB", "maintenance_work_mem": "512MB", "shared_buffers": "128MB"}
        server = Postgres()
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure(given, given.place or Path(folder), server)
    finally:
        if server is not None:
            server.close()


def measure(given: argparse.Namespace, folder: Path, server: Postgres | None) -> None:
    """Fill a small and a large deployment in a folder, or on a PostgreSQL server, and print what they take."""
    sides = {}
    for name, sizes in (("small", _SMALL), ("large", {name: getattr(given, name) for name in _SMALL})):
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        sides[name] = Filled(place, server.new_database() if server else None, sizes)
        made = sides[name]
        print(f"{name}: {dict(sizes)}, filled in {made.filling:.0f} s", flush=True)
        if server:
            print(f"  all migrations from {_BEFORE_MONTHS} on, months of downloads: {made.months:.2f} s", flush=True)
    print(f"{'p50, then processor time (mean):':<64} {'large':>9} {'small':>9}     ratio", flush=True)
    found: list[Measure] = []
    for one in compare(sides["large"], sides["small"], given.turns, server):
        found.append(one)
        print(one, flush=True)
    for side in sides.values():
        side.parts.close()
    environments = {name: side.variables for name, side in sides.items()}
    begun = starts(environments)
    _say("a start, until it is ready", begun["large"], begun["small"], "s")
    resting = idles(environments, _IDLING)
    for measured, unit in {"settled": "s", "share": "of a core", "mb": "MB"}.items():
        _say(f"idle: {_IDLE[measured]}", resting["large"][measured], resting["small"][measured], unit)
    if given.json:
        print(json.dumps({"measures": [asdict(one) for one in found], "start_s": begun, "idle": resting}, indent=2))


_IDLE = {
    "settled": "processor time of the start and of each job's first turn",
    "share": "processor time",
    "mb": "memory",
}


def _say(name: str, much: float, little: float, unit: str) -> None:
    print(f"{name:<64} {much:9.3f} {little:9.3f} {unit:<9} {much / little if little else 0:7.2f}", flush=True)


if __name__ == "__main__":
    main()
