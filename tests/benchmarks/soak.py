"""Load on two machines with PostgreSQL, S3, Redis and nginx while a random part of them fails each minute.

``python -m tests.benchmarks.soak [--minutes N] [--seed N] [--faults NAME…] [--dir DIR]`` starts them on this machine
(root, for two small disks), lets clients download, look at logos, join and accept terms through nginx, and breaks one
part a minute: killed, restarted, frozen, cut in mid-body, slow, with a full disk or with a clock that is wrong. A line
a minute says how it goes. At the end it holds what clients were told against what is there: every download that came
whole has its row and its entry, everybody who joined has their mail, the log verifies from checkpoints that were seen
on the way, and the processes of the machine that is never restarted have not grown. The result is printed as Markdown;
the exit status is 1 where something did not hold.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.soak_faults import Faults
from tests.benchmarks.soak_load import Caller, Load, Post, Told
from tests.parts.big import assets_with_film
from tests.parts.machines import Machine, Machines
from tests.parts.processes import wait_until

WARM = 4  # minutes until processes count as warm
MENDED = 60.0  # seconds after a fault within which downloads have to go on


# ---- what it costs, minute by minute


@dataclass(frozen=True)
class Size:
    """Of the first machine, which nobody restarts: its processes, and what they have in memory and open."""

    minute: int
    pids: tuple[int, ...]
    megabytes: float
    descriptors: int
    threads: int


def size_of(machine: Machine, minute: int) -> Size:
    """How large a machine's master and workers are."""
    pids = (machine.process.pid, *machine.workers())
    page = os.sysconf("SC_PAGESIZE")
    pages = descriptors = threads = 0
    for pid in pids:
        pages += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        descriptors += len(list(Path(f"/proc/{pid}/fd").iterdir()))
        threads += len(list(Path(f"/proc/{pid}/task").iterdir()))
    return Size(minute, pids, pages * page / 1e6, descriptors, threads)


def probe(machines: Machines, load: Load) -> float | None:
    """Seconds until a download comes through again; None where it does not within ``MENDED``."""
    caller, began = Caller(machines.base_url, 190, Told()), time.monotonic()
    while time.monotonic() - began < MENDED:
        answer = caller.call("probe", "GET", load.links[0][1], headers={"Range": "bytes=0-9"})
        if answer is not None and answer.status == 206:
            return time.monotonic() - began
        time.sleep(0.5)
    return None


# ---- the run


@dataclass
class Run:
    """One soak: what was broken, how long mending took, and what did not hold."""

    machines: Machines
    post: Post
    told: Told
    load: Load
    faults: list[tuple[str, float | None]] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def go(self, minutes: int, chosen: list[str], chance: random.Random) -> None:
        """A fault a minute: each once in a random order, then each again in another."""
        faults = Faults(self.machines, self.post, chance)
        bag: list[str] = []
        began = time.monotonic()
        for minute in range(1, minutes + 1):
            if not bag:
                bag = chance.sample(chosen, len(chosen))
            name = bag.pop()
            before = Counter(self.told.statuses)
            self._wait(began + (minute - 1) * 60 + 5)
            for machine in self.machines.both:
                if not machine.process.running:
                    self.failed.append(f"{machine.name} ended by itself before minute {minute} ({name})")
                    machine.start()
            with getattr(faults, name)() as seconds:
                time.sleep(seconds)
            mended = probe(self.machines, self.load)
            self.faults.append((name, mended))
            if mended is None:
                self.failed.append(f"after {name} downloads did not go on within {MENDED:g} s")
            self._wait(began + minute * 60)
            self.sizes.append(size_of(self.machines.first, minute))
            self._line(minute, name, mended, Counter(self.told.statuses) - before)

    def _wait(self, until: float) -> None:
        time.sleep(max(0.0, until - time.monotonic()))

    def _line(self, minute: int, name: str, mended: float | None, seen: Counter[tuple[str, str]]) -> None:
        size = self.sizes[-1]
        counts = ", ".join(f"{what} {status} {count}" for (what, status), count in sorted(seen.items()))
        after = "NOT mended" if mended is None else f"mended {mended:.1f} s"
        print(
            f"{minute:4} {name:18} {after}; {size.megabytes:.0f} MB, {size.descriptors} descriptors, "
            f"{size.threads} threads; {counts}",
            flush=True,
        )

    def check(self, folder: Path) -> None:
        """Holds what clients were told against what is there."""
        self._hold_mails()
        self._hold_rows()
        self._hold_log(folder)
        self._hold_sizes()
        self.failed += self.told.wrong[:20]

    def _hold_mails(self) -> None:
        waiting = b"select count(*) from outbox where channel = 'mail' and done_at is null"

        def none_waits() -> bool:
            with self.machines.sql() as connection:
                return connection.execute(waiting).fetchall() == [(0,)]

        with suppress(AssertionError):
            wait_until(none_waits, 700, "the mails leave", every=1)
        with self.machines.sql() as connection:
            left = connection.execute(waiting).fetchall()[0][0]
            rows = connection.execute(b"select email from participants where email is not null").fetchall()
        there, came = {str(row[0]) for row in rows}, self.post.addresses()
        if left:
            self.failed.append(f"{left} mails still wait")
        for what, addresses in (
            ("joined (201) and not in the database", self.told.joined.keys() - there),
            ("joined (201) without a mail", self.told.joined.keys() - came.keys()),
            ("in the database without a mail", (there & self.told.asked) - came.keys()),
        ):
            if addresses:
                self.failed.append(f"{len(addresses)} {what}: {', '.join(sorted(addresses)[:5])}")

    def _hold_rows(self) -> None:
        with self.machines.sql() as connection:
            rows = {(row[0], row[1]) for row in connection.execute(b"select link, range from downloads").fetchall()}
            without = connection.execute(
                b"select count(*) from downloads d where not exists"
                b" (select 1 from ledger_entries e where e.kind = 'download' and e.id = d.id)"
            ).fetchall()[0][0]
        if missing := self.told.downloads - rows:
            self.failed.append(f"{len(missing)} downloads without a row: {sorted(missing)[:5]}")
        if without:
            self.failed.append(f"{without} downloads without an entry in the log")

    def _hold_log(self, folder: Path) -> None:
        machine = self.machines.first
        status, said = machine.emblem("audit", "seal")
        if status:
            self.failed.append(f"sealing: {said.strip()}")
        sizes = [int(note.splitlines()[1]) for note in self.told.checkpoints]
        if sizes != sorted(sizes):
            self.failed.append("a checkpoint was followed by a smaller one")
        seen = self.told.checkpoints
        for number in sorted({0, len(seen) // 3, 2 * len(seen) // 3, len(seen) - 1}):
            kept = folder / f"checkpoint-{number}"
            kept.write_text(seen[number], encoding="utf-8")
            status, said = machine.emblem("audit", "verify", "--since", str(kept))
            if status:
                self.failed.append(f"the log does not verify since checkpoint {number}: {said.strip()[:500]}")
        status, said = machine.emblem("doctor")
        if status:
            bad = [line for line in said.splitlines() if not line.startswith("ok ")]
            self.failed.append(f"doctor: {' '.join(bad)[:800]}")

    def _hold_sizes(self) -> None:
        warm = [size for size in self.sizes if size.minute > WARM]
        if len(warm) < 6:
            return
        if len({size.pids for size in warm}) > 1:
            self.failed.append("processes of the first machine were replaced, though nobody killed them")
        early, late = halves(warm)
        for what, slack in (("megabytes", 0.1 * early["megabytes"]), ("descriptors", 12), ("threads", 8)):
            if late[what] > early[what] + slack:
                self.failed.append(f"{what} grew from {early[what]:.0f} to {late[what]:.0f}")

    def report(self, seed: int) -> str:
        """The result as Markdown."""
        told, lines = self.told, []
        took = sorted(seconds for _, seconds in told.seconds)
        lines.append(f"{len(self.faults)} minutes, seed {seed}, {os.cpu_count()} cores, a fault a minute:\n")
        lines.append("| what | measured |")
        lines.append("|---|---|")
        lines.append(f"| downloads that came whole, each with its row and its entry | {len(told.downloads):,} |")
        lines.append(f"| who joined, each with a mail | {len(told.joined):,} |")
        lines.append(f"| checkpoints seen, from each of which the log goes on | {len(told.checkpoints):,} |")
        for what in sorted({what for what, _ in told.statuses}):
            counts = [(status, count) for (of, status), count in sorted(told.statuses.items()) if of == what]
            lines.append(f"| answers, {what} | {', '.join(f'{count:,} × {status}' for status, count in counts)} |")
        if took:
            p50, p99 = (took[int(share * (len(took) - 1))] for share in (0.5, 0.99))
            lines.append(f"| a download, p50 and p99 over all, faults too | {p50 * 1000:.0f} ms, {p99 * 1000:.0f} ms |")
        warm = [size for size in self.sizes if size.minute > WARM]
        if len(warm) >= 6:
            early, late = halves(warm)
            which = "of the machine that was not restarted, first and last third"
            lines += [f"| {what} {which} | {early[what]:.0f}, {late[what]:.0f} |" for what in early]
        lines += ["", "| fault | times | mended after, at most |", "|---|---|---|"]
        for name in sorted({name for name, _ in self.faults}):
            each = [mended for of, mended in self.faults if of == name]
            worst = "not" if None in each else f"{max(one for one in each if one is not None):.1f} s"
            lines.append(f"| {name.replace('_', ' ')} | {len(each)} | {worst} |")
        lines.append("")
        lines += [f"- DID NOT HOLD: {text}" for text in self.failed] or ["Everything held."]
        return "\n".join(lines)


def halves(sizes: list[Size]) -> tuple[dict[str, float], dict[str, float]]:
    """Medians of the first and the last third of them."""
    third = len(sizes) // 3
    first, last = (
        {
            what: statistics.median(getattr(size, what) for size in part)
            for what in ("megabytes", "descriptors", "threads")
        }
        for part in (sizes[:third], sizes[-third:])
    )
    return first, last


def main() -> None:
    """Soaks, checks, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [name for name in vars(Faults) if not name.startswith("_") and name != "names"]
    parser.add_argument("--minutes", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--a-second", type=float, default=10, help="downloads")
    parser.add_argument("--dir", type=Path, default=None, help="for all that is written; default: the temporary folder")
    parser.add_argument("--keep", action="store_true", help="leave the logs of the machines behind")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="emblem-soak-", dir=asked.dir))
    folder.chmod(0o755)  # PostgreSQL's user comes through to its disk
    post, told, assets = Post(), Told(), folder / "assets"
    machines = Machines(
        folder,
        mail_url=f"smtp://127.0.0.1:{post.port}",
        seed=asked.seed,
        more={"EMBLEM_ASSETS_DIR": str(assets_with_film(assets))},
    )
    try:
        load = Load(machines, told, asked.seed, asked.a_second)
        run = Run(machines, post, told, load)
        run.go(asked.minutes, asked.faults, random.Random(asked.seed))
        load.stop()
        run.check(folder)
        print("\n" + run.report(asked.seed), flush=True)
        sys.exit(1 if run.failed else 0)
    finally:
        machines.close()
        post.stop()
        if not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
