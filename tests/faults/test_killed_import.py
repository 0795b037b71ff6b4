"""SIGKILL at every change that an import makes: given once more, every line is counted once, in one import."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.embeds.log_import import Imported, Importer
from service.verification.log_reader import FolderSource
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log
from tests.audit.conftest import add_embed
from tests.embeds.test_log_import import nginx
from tests.ledger.conftest import NOON, Log
from tests.ledger.test_sealing import entries_of
from tests.parts.dying import Doom, ended_by_itself
from tests.parts.postgres import Postgres

from .conftest import Copy, copies

LINES = 300


@pytest.fixture(params=["sqlite", "postgres"])
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Copy]:
    """Makes copies of one deployment that has an embed and a log file to take in."""
    server: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    folder = tmp_path / "origin"
    folder.mkdir()
    url = server.new_database() if server else ""
    origin = Log(folder, url=url or None)
    add_embed(origin.database)
    origin.database.close()
    # Long lines, so that the file is taken in several blocks.
    text = "".join(nginx(path=f"/logos/ebd_one/heart/blue/{100 + n % 40}.png?{'x' * 9000}") for n in range(LINES))
    (folder / "access.log.gz").write_bytes(gzip.compress((text + "bad\n").encode(), 1))
    yield from copies(folder, server, url, origin.key)


def take(log: Log) -> Imported:
    importer = Importer(log.database, log.folder, lambda: NOON)
    importer.commit_every = 1
    return importer.run(log.folder / "access.log.gz", "nginx")


def take_and_die(folder: Path, url: str, key: str, at: int, after: bool) -> None:
    log = Log(folder, url=url, key=key)
    Doom(at, after=after).hang_over(log.database, log.storage)
    take(log)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_import_killed_at_any_change_goes_on_and_counts_each_line_once(copy: Copy, after: bool) -> None:
    at, ended = 0, False
    while not ended:
        at += 1
        log = copy()
        ended = ended_by_itself(take_and_die, log.folder, log.database.url, log.key, at, after)
        again = take(log)
        assert again.before + again.lines == LINES + 1
        assert take(log).lines == 0
        log.sealer.seal()
        entries = entries_of(log)
        views = Counter[str]()
        for entry in entries:
            if entry["kind"] == "logo.used":
                views[str(entry["variant"])] += int(str(entry["views"]))
        assert views == Counter(f"blue/{100 + n % 40}.png" for n in range(LINES))
        (imported,) = (entry for entry in entries if entry["kind"] == "report.imported")
        assert (imported["views"], imported["bad_lines"], imported["last_line"]) == (LINES, 1, LINES + 1)
        assert verify_log(FolderSource(log.tree()), [parse_vkey(vkey) for vkey in log.sealer.vkeys()]).ok
    assert at > 5
