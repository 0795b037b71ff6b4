"""Work on many rows in steps: all of it is done, and a step is made shorter where it takes long."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.store import Database, batches
from service.store.batches import changed, until_none
from service.store.tables import PublishedPolicy

from .rows import add, digests


def test_all_rows_are_worked_on_in_steps(database: Database) -> None:
    for number in range(7):
        database.write(add(f"{number}"))
    asked: list[int] = []

    def some(session: Session, most: int) -> int:
        asked.append(most)
        of = list(session.scalars(select(PublishedPolicy.digest).limit(min(most, 3))))
        changed(session, delete(PublishedPolicy).where(PublishedPolicy.digest.in_(of)))
        return len(of)

    assert until_none(database, some) == 7
    assert digests(database) == []
    assert len(asked) == 4  # three, three, one, none


@pytest.mark.parametrize(("a_row", "least", "most"), [(0.02, 50, 50), (0.0, 500, 5_000), (0.0005, 80, 130)])
def test_a_step_follows_what_the_one_before_took(
    database: Database, monkeypatch: pytest.MonkeyPatch, a_row: float, least: int, most: int
) -> None:
    """The clock goes on by so many seconds for each row of a step."""
    now = 0.0
    asked: list[int] = []
    monkeypatch.setattr(batches, "monotonic", lambda: now)
    monkeypatch.setattr(batches, "sleep", lambda _seconds: None)

    def some(_session: Session, rows: int) -> int:
        nonlocal now
        asked.append(rows)
        now += rows * a_row
        return 1 if len(asked) < 12 else 0

    until_none(database, some)
    assert asked[0] == 500
    assert least <= asked[-1] <= most
