"""What stands in storage as the published checkpoint: sealing goes on from its own, and stops at any other."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from sqlalchemy import delete

from service import ledger
from service.problems import LogDamaged
from service.store.tables import Checkpoint

from .conftest import Log
from .test_sealing import check


def sealed(make_log: Callable[..., Log], *counts: int, name: str = "log", key: str | None = None) -> Log:
    """A log that was sealed once for each count of entries."""
    log = make_log(name, **({"key": key} if key else {}))
    for count in counts:
        log.append(count)
        log.sealer.seal()
    return log


def test_an_older_checkpoint_of_the_log_is_replaced(make_log: Callable[..., Log]) -> None:
    """A crash between swap and publish leaves an older one there, which is a true one."""
    log = sealed(make_log, 3)
    early = (log.tree() / "checkpoint").read_bytes()
    log.append(4)
    log.sealer.seal()
    late = (log.tree() / "checkpoint").read_bytes()
    (log.tree() / "checkpoint").write_bytes(early)
    assert log.new_sealer().seal().outcome == "nothing"
    assert (log.tree() / "checkpoint").read_bytes() == late


def test_a_checkpoint_that_is_gone_is_written_again(make_log: Callable[..., Log]) -> None:
    log = sealed(make_log, 3)
    (log.tree() / "checkpoint").unlink()
    log.new_sealer().seal()
    check(log, 4)


def test_every_flipped_bit_of_the_checkpoint_is_put_right_or_stops_sealing(make_log: Callable[..., Log]) -> None:
    """Signatures are made again; a statement that was never made here could be that of another log."""
    log = sealed(make_log, 3)
    path = log.tree() / "checkpoint"
    original = path.read_bytes()
    statement = original.index(b"\n\n")
    for bit in range(len(original) * 8):
        changed = bytearray(original)
        changed[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(changed)
        if bit // 8 <= statement + 1:
            with pytest.raises(LogDamaged):
                log.new_sealer().seal()
            assert path.read_bytes() == changed
        else:
            try:
                log.new_sealer().seal()
            except LogDamaged:
                path.unlink()  # as the message says
                log.new_sealer().seal()
            assert path.read_bytes() == original, bit
        path.write_bytes(original)
    check(log, 4)


@pytest.mark.parametrize(("ours", "theirs"), [((3,), (3,)), ((3, 4), (3,)), ((3,), (3, 4)), ((300,), (200,))])
@pytest.mark.parametrize("same_key", [True, False])
def test_two_databases_do_not_seal_into_one_storage(
    make_log: Callable[..., Log], ours: tuple[int, ...], theirs: tuple[int, ...], same_key: bool
) -> None:
    """The second history stops before it has changed anything: the first stays whole."""
    one = sealed(make_log, *ours, name="ours")
    two = sealed(make_log, *theirs, name="theirs", key=one.key if same_key else ledger.new_log_key())
    shutil.rmtree(one.tree())
    shutil.copytree(two.tree(), one.tree())
    one.damaged = True  # it holds the other's log
    before = {path: path.read_bytes() for path in one.tree().rglob("*") if path.is_file()}
    one.append(2)
    for _ in range(2):
        with pytest.raises(LogDamaged, match=r"EMBLEM_STORAGE_URL|older than the log"):
            one.new_sealer().seal()
    assert {path: path.read_bytes() for path in one.tree().rglob("*") if path.is_file()} == before


def test_a_database_restored_from_before_the_published_checkpoint_stops(make_log: Callable[..., Log]) -> None:
    log = sealed(make_log, 3, 4)
    log.database.write(lambda session: session.execute(delete(Checkpoint).where(Checkpoint.size > 4)))
    with pytest.raises(LogDamaged, match="older than the log"):
        log.new_sealer().seal()
