"""What the doctor says of the log: entries that nobody seals, and checkpoints of a clock that was ahead."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from service import ledger
from service.cli.doctor import OK, WARNING, _log

from ..conftest import FrozenClock

if TYPE_CHECKING:
    from flask import Flask


def test_a_log_that_stands_still_and_a_clock_that_was_ahead_are_told(app: Flask, clock: FrozenClock) -> None:
    parts = app.extensions["emblem"]
    parts.sealer.seal()
    assert [state for state, _ in _log(parts)] == [OK]
    entry = ledger.LinkRevokedEntry(id="lnk_1", participant="par_1", by="staff:cli")
    parts.database.write(lambda session: ledger.append(session, entry, clock()))
    assert [state for state, _ in _log(parts)] == [OK]
    clock.advance(90)
    ((_, told),) = [found for found in _log(parts) if found[0] == WARNING]
    assert told.startswith("entries wait to be sealed since")
    clock.now += timedelta(hours=2)
    parts.sealer.seal()
    clock.now -= timedelta(hours=2)
    ((_, told),) = [found for found in _log(parts) if found[0] == WARNING]
    assert "which is to come" in told
