"""SIGKILL at every change that sealing makes: the log is whole at once, and comes out as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.verification.log_reader import FolderSource
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log
from tests.ledger.conftest import Log
from tests.ledger.test_sealing import entries_of
from tests.parts.dying import Doom, ended_by_itself
from tests.parts.postgres import Postgres

from .conftest import Copy, copies

WAITING = 400  # with 200 sealed before, a tile and a bundle become full, and their unfinished ones are removed


@pytest.fixture(params=[("sqlite", 0), ("sqlite", 200), ("postgres", 200)], ids=lambda param: f"{param[0]}-{param[1]}")
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Copy]:
    """Makes copies of one log of which a part is sealed, or nothing yet, and the rest waits: the same entries."""
    backend, sealed = request.param
    server: Postgres | None = request.getfixturevalue("postgres") if backend == "postgres" else None
    folder = tmp_path / "origin"
    folder.mkdir()
    url = server.new_database() if server else ""
    origin = Log(folder, url=url or None)
    if sealed:
        origin.append(sealed)
        origin.sealer.seal()
    origin.append(WAITING)
    origin.database.close()
    yield from copies(folder, server, url, origin.key)


def check(log: Log, *, since: bytes | None) -> int:
    """The log as it is published, by the checker that shares no code with the sealer: its size."""
    if since is None and published(log) is None:
        return 0
    keys = [parse_vkey(vkey) for vkey in log.sealer.vkeys()]
    verdict = verify_log(FolderSource(log.tree()), keys, since)
    assert verdict.ok, verdict.findings
    assert verdict.entries_read
    return verdict.size


def seal_and_die(folder: Path, url: str, key: str, at: int, after: bool) -> None:
    log = Log(folder, url=url, key=key)
    Doom(at, after=after).hang_over(log.database, log.storage)
    assert log.sealer.seal().outcome == "sealed"


def published(log: Log) -> bytes | None:
    path = log.tree() / "checkpoint"
    return path.read_bytes() if path.exists() else None


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_sealing_killed_at_any_change_is_finished_by_the_next_as_if_nothing_had_happened(
    copy: Copy, after: bool
) -> None:
    """After a crash at any point the same code path finishes the work."""
    whole = copy()
    before = published(whole)
    had = check(whole, since=before)
    size = whole.sealer.seal().size
    assert size == max(had, 1) + WAITING  # the log's own key is its first entry
    at, ended = 0, False
    while not ended:
        at += 1
        log = copy()
        ended = ended_by_itself(seal_and_die, log.folder, log.database.url, log.key, at, after)
        assert check(log, since=before) in (had, size)  # what is published is true at every moment
        assert log.new_sealer().seal(wait=5).size == size
        assert facts(log) == facts(whole)  # no entry lost, none twice, none in another place
        assert names(log) == names(whole)
        kept = published(log)
        log.append(7)
        assert log.new_sealer().seal().size == size + 7
        assert check(log, since=kept) == size + 7
    assert at > 9


def facts(log: Log) -> list[dict[str, object]]:
    """Every entry without its id: that of the log's key is drawn when it is sealed."""
    return [{name: value for name, value in entry.items() if name != "id"} for entry in entries_of(log)]


def names(log: Log) -> list[str]:
    """Every tile and bundle in storage: none is missing, none left over."""
    return [item.key for item in log.storage.list("log/tile/")]
