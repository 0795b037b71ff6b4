"""How quick the audit is: sealing, verifying, recording while sealing, reports over ten million rows, imports.

``python -m tests.benchmarks.audit [seal] [reports] [import] [--dir DIR]`` measures what is named, or all of it,
and prints rates and ratios. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from service import ledger
from service.audit.dimensions import DIMENSIONS
from service.audit.query import parse, sql
from service.audit.reports import Reports
from service.audit.segments import ROWS, Segments
from service.clock import now
from service.embeds.log_import import Importer
from service.ids import new_id
from service.ledger import notes
from service.storage.directory import DirectoryStorage
from service.store import Database, migrate
from service.store.audit_tables import Segment
from service.store.tables import Checkpoint, Embed, Participant
from service.verification.log_reader import FolderSource
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log

ORIGIN = "emblem.example.org/log"
START = datetime(2026, 1, 1, tzinfo=UTC)


def say(what: str, value: str) -> None:
    """One line of the result."""
    print(f"{what:<58} {value}", flush=True)


def timed(work: Callable[[], Any]) -> float:
    """Seconds that a call takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


class Bench:
    """A deployment without its web: database, storage, sealer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.key = ledger.new_log_key()
        self.database = Database(f"sqlite:///{folder / 'emblem.sqlite3'}")
        migrate.upgrade(self.database)
        self.storage = DirectoryStorage(folder / "storage")
        self.sealer = self.new_sealer()
        self.environment = {
            "EMBLEM_DATA_DIR": str(folder),
            "EMBLEM_LOG_KEY": self.key,
            "EMBLEM_LOG_ORIGIN": ORIGIN,
            "EMBLEM_SECRET_KEYS": "x" * 40,
        }

    def new_sealer(self) -> ledger.Sealer:
        """A sealer with nothing in memory."""
        source = ledger.key_source(self.key, ORIGIN)
        return ledger.Sealer(self.database, self.storage, source, ORIGIN, now, self.folder)

    def record(self, count: int) -> None:
        """So many downloads in the ledger, in transactions of 20,000."""
        facts: dict[str, Any] = {
            "link": "lnk_3bXwEDKpQGyqXlYI6HUDLA",
            "participant": "par_3bXwEDKpQGyqXlYI6HUDLA",
            "participant_kind": "individual",
            "country": "AT",
            "package": "logo",
            "version": "1.0.0",
            "terms_version": "2026-01-01",
            "counted": True,
            "client_kind": "browser",
            "bytes": 123_456,
        }
        for _ in range(0, count, 20_000):
            some = min(count, 20_000)
            self.database.write(
                lambda session, some=some: ledger.append_many(  # type: ignore[misc]  # mypy infers no such lambda
                    session, (ledger.DownloadEntry(id=new_id("dl"), **facts) for _ in range(some)), now()
                )
            )


def sealing(folder: Path) -> None:
    """Entries sealed a second, memory as the log grows, a million verified, recording beside sealing."""
    bench = Bench(folder / "seal")
    bench.sealer.seal()
    total = 0
    for count in (200_000, 300_000, 500_000):
        bench.record(count)
        total += count
        begun, cpu = time.perf_counter(), time.process_time()
        bench.sealer.seal()
        seconds, used = time.perf_counter() - begun, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        say(f"sealing {count:,} entries up to {total:,}", f"{count / seconds:,.0f}/s, {count / used:,.0f}/s of a core")
        say("  largest memory of the process so far", f"{peak} MB")
    keys = [parse_vkey(vkey) for vkey in bench.sealer.vkeys()]
    source = FolderSource(folder / "seal/storage/log")
    seconds = timed(lambda: verify_log(source, keys))
    say(f"verifying {total:,} entries, every tile and every entry", f"{seconds:.1f} s")

    alone = recording_rate(bench, 6)
    ending = threading.Event()

    def work() -> None:
        while not ending.wait(1):
            bench.sealer.seal()

    bench.sealer.seal()
    thread = threading.Thread(target=work)
    thread.start()
    beside = recording_rate(bench, 6)
    ending.set()
    thread.join()
    say("recording alone", f"{alone:,.0f}/s")
    say("recording while it is sealed", f"{beside:,.0f}/s, {beside / alone:.0%} of that")
    bench.database.close()


def recording_rate(bench: Bench, seconds: float) -> float:
    """Entries that 16 threads write durably a second."""
    counts = [0] * 16
    ending = time.monotonic() + seconds

    def run(number: int) -> None:
        while time.monotonic() < ending:
            entry = ledger.LinkRevokedEntry(id=f"lnk_{number}", participant="par_one", by="staff")
            bench.database.write(lambda session, entry=entry: ledger.append(session, entry, now()))  # type: ignore[misc]
            counts[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def fill(bench: Bench, count: int) -> None:
    """Segments of so many downloads and a checkpoint of that size, made by DuckDB: what reports read, and no more."""
    connection = duckdb.connect()
    day = timedelta(days=1)
    per_day = count // 300
    connection.execute(f"""create table entries as select i as leaf, 'download' as kind,
        timestamp '2026-01-01' + to_microseconds(cast(i * {86_400_000_000 // per_day} as bigint)) as recorded_at,
        recorded_at as happened_at, 'dl_' || lpad(i::varchar, 22, '0') as id,
        'lnk_' || lpad((i % 200000)::varchar, 22, '0') as link,
        'par_' || lpad(((i * 7919) % 50000)::varchar, 22, '0') as participant,
        (['individual', 'government', 'civil_society'])[1 + (i * 7919) % 50000 % 3] as participant_kind,
        (['AT', 'FR', 'DE', 'KE', 'BR', 'EU', 'IN'])[1 + (i * 7919) % 50000 % 7] as country,
        (['logo', 'posters', 'banners'])[1 + i % 3] as package, (['1.0.0', '1.1.0'])[1 + i % 2] as version,
        (['2026-01-01', '2026-06-01'])[1 + i % 2] as terms_version, i % 3 > 0 as counted,
        (['browser', 'program', 'robot'])[1 + i % 3] as client_kind, 123456::bigint as bytes,
        null::varchar as embed, null::varchar as logo, null::varchar as variant, null::varchar as origin,
        null::bigint as views, '' as entry from range({count}) numbers(i)""")
    found = []
    for first in range(0, count, ROWS):
        last = min(first + ROWS, count) - 1
        sql_days = f"select distinct cast(happened_at as date) from entries where leaf between {first} and {last}"
        for (date,) in connection.execute(sql_days).fetchall():
            key = f"segments/day={date}/{first:012d}-{last:012d}.parquet"
            path = bench.folder / "storage" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            chosen = f"leaf between {first} and {last} and cast(happened_at as date) = date '{date}'"
            connection.execute(f"copy (from entries where {chosen}) to '{path}' (format parquet, compression zstd)")
            found.append(
                Segment(first=first, last=last, day=str(date), rows=0, key=key, bytes=0, sha256="", at=START + day)
            )
    connection.close()
    signers = ledger.signers(bench.key, ORIGIN)
    note = notes.sign(notes.Head(ORIGIN, count, bytes(32)), signers, START)
    head = Checkpoint(size=count, root=bytes(32).hex(), note=note, at=now())
    bench.database.write(lambda session: session.add_all([head, *found]))


def reports(folder: Path) -> None:
    """Every one-dimension report over one and over ten million downloads, beside the same SQL on the same files."""
    times: dict[int, dict[str, float]] = {}
    for count in (1_000_000, 10_000_000):
        bench = Bench(folder / f"reports{count}")
        fill(bench, count)
        files = sorted(str(path) for path in (bench.folder / "storage/segments").glob("*/*.parquet"))
        made = Reports(bench.database, Segments(bench.database, bench.storage, bench.folder, now), now)
        say(f"--- {count:,} downloads in {len(files)} files", "report / direct / cold process")
        times[count] = {}
        for name in DIMENSIONS:
            query = parse([("by", name)])
            statement, parameters = sql(query, "read_parquet($files, hive_partitioning=false)")

            def direct(statement: str = statement, parameters: dict[str, object] = parameters) -> None:
                duckdb.connect().execute(statement, {**parameters, "size": count, "files": files}).fetchall()  # noqa: B023

            ours = min(timed(lambda: made.run(query)) for _ in range(2))  # noqa: B023
            theirs = min(timed(direct) for _ in range(2))
            cold = timed(lambda: cold_report(bench, name))  # noqa: B023
            times[count][name] = ours
            say(f"by {name}", f"{ours:.2f} s / {theirs:.2f} s = {ours / theirs:.2f} / {cold:.2f} s")
        bench.database.close()
    growth = [times[10_000_000][name] / times[1_000_000][name] for name in DIMENSIONS]
    say("ten million take, of what one million takes", f"{min(growth):.1f} to {max(growth):.1f} times")


def cold_report(bench: Bench, name: str) -> None:
    """The report on the command line, in a process of its own."""
    subprocess.run(
        [sys.executable, "-m", "service", "audit", "report", "--by", name, "--format", "csv"],
        env={**os.environ, **bench.environment},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def importing(folder: Path) -> None:
    """A million lines of a cache's log: 20 embeds, 8 sites, a day."""
    bench = Bench(folder / "import")
    person = Participant(
        id="par_one", kind="individual", country="AT", language="en", purposes=[], status="approved",
        outcome="approved", rule="r", reasons=[], policy="p", joined_via="page", created_at=START,
    )  # fmt: skip
    embeds = [
        Embed(key=f"ebd_{n:022d}", participant="par_one", logo="heart", origins=[], unlisted="report", created_at=START)
        for n in range(20)
    ]
    bench.database.write(lambda session: session.add(person))
    bench.database.write(lambda session: session.add_all(embeds))
    draw = random.Random(1)
    path = bench.folder / "access.log"
    with path.open("w") as file:
        for number in range(1_000_000):
            second = number * 86_400 // 1_000_000
            clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            logo = f"/logos/ebd_{draw.randrange(20):022d}/heart/blue/{draw.choice([64, 128, 256, 512])}.png"
            site = f"https://site{draw.randrange(8)}.example/page/{draw.randrange(5000)}"
            end = f'{draw.choice([200, 200, 200, 304])} 6632 "{site}" "-" "{draw.choice(["HIT", "HIT", "MISS"])}"'
            file.write(f'2026-11-25T{clock}+00:00 "GET {logo} HTTP/1.1" {end}\n')
    importer = Importer(bench.database, bench.folder, now)
    seconds = timed(lambda: importer.run(path, "nginx"))
    say(f"importing a million lines ({path.stat().st_size / 1e6:.0f} MB)", f"{1_000_000 / seconds:,.0f} lines/s")
    say("the same file again", f"{timed(lambda: importer.run(path, 'nginx')):.2f} s, and nothing changes")
    bench.database.close()


PARTS = {"seal": sealing, "reports": reports, "import": importing}


def main() -> None:
    """Runs what was named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[])
    parser.add_argument("--dir", type=Path, help="where to write; a temporary folder if not given")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.dir) as folder:
        for name in chosen.parts or PARTS:
            PARTS[name](Path(folder))


if __name__ == "__main__":
    main()
