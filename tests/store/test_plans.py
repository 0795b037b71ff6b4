"""What is asked of many rows at once is looked up in an index: SQLite reads no large table whole, by its plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, select
from sqlalchemy.orm import Session

from service.embeds.rollup import enter_waiting
from service.ledger.rows import Rows
from service.links.forgetting import drop_client_hashes, drop_client_prefixes, drop_clients, drop_downloads
from service.store import Database
from service.store.audit_tables import LogImportCount
from service.store.migrate import upgrade
from service.store.pairs import one_of
from service.store.tables import Embed, LedgerEntry, LogoUse, Participant

HOUR = datetime(2026, 11, 1, 12, tzinfo=UTC)
LARGE = ("downloads", "link_clients", "logo_uses", "log_import_counts", "ledger_entries")


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path: Path = tmp_path_factory.mktemp("plans") / "emblem.sqlite3"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    yield database
    database.close()


def _is_whole(step: str) -> bool:
    """Tell whether a step of a plan reads a large table whole, or all of it that was entered."""
    how, table, *rest = step.split()
    return table in LARGE and (how == "SCAN" or "(entered_at>?)" in rest)


def _is_unsealed(step: str) -> bool:
    """Tell whether a step of a plan reads all entries that have no index."""
    return step.startswith("SEARCH ledger_entries") and "(leaf=?)" in step


@contextmanager
def whole_reads(database: Database, is_whole: Callable[[str], bool] = _is_whole) -> Iterator[list[str]]:
    """The statements that read one of the large tables whole, as SQLite plans them."""
    found: list[str] = []

    def look(connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.lstrip().lower().startswith(("select", "update", "delete", "insert into logo_uses")) and not many:
            driver = connection.connection.driver_connection
            plan = [row[3] for row in driver.execute(f"explain query plan {statement}", parameters).fetchall()]
            found.extend(f"{step}: {statement}" for step in plan if is_whole(step))

    event.listen(database.engine, "before_cursor_execute", look)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", look)


def test_what_is_old_is_found_in_an_index(sqlite: Database) -> None:
    with whole_reads(sqlite) as found:
        drop_clients(sqlite, HOUR)
        drop_client_hashes(sqlite, HOUR)
        drop_client_prefixes(sqlite, HOUR)
        drop_downloads(sqlite, HOUR)
    assert found == []


def test_views_are_entered_without_reading_those_that_were(sqlite: Database) -> None:
    def seen(session: Session) -> None:
        session.add(
            Participant(
                id="par", kind="individual", language="en", purposes=[], status="approved", outcome="approved",
                rule="r", reasons=[], policy="p", joined_via="page", created_at=HOUR,
            )
        )  # fmt: skip
        session.flush()
        for key in ("emb_1", "emb_2"):
            session.add(Embed(key=key, participant="par", logo="heart", origins=[], unlisted="report", created_at=HOUR))
        session.flush()
        for key in ("emb_1", "emb_2"):
            session.add(LogoUse(hour=HOUR, embed=key, variant="blue", origin="", views=3))

    sqlite.write(seen)
    with whole_reads(sqlite) as found:
        assert sqlite.write(lambda session: enter_waiting(session, HOUR + timedelta(days=1))) == 2
    assert found == []


def test_pairs_are_looked_up(sqlite: Database) -> None:
    pairs = [(HOUR + timedelta(hours=hour), f"emb_{number}") for hour in range(2) for number in range(3)]
    uses = one_of(LogoUse.hour, LogoUse.embed, pairs)
    counts = (LogImportCount.import_id == "one", one_of(LogImportCount.hour, LogImportCount.embed, pairs))
    with whole_reads(sqlite) as found, sqlite.engine.connect() as connection:
        connection.execute(select(LogoUse.views).where(uses))
        connection.execute(select(LogImportCount.views).where(*counts))
        connection.execute(delete(LogImportCount).where(*counts))
    assert found == []


def test_entries_are_given_their_indexes_by_their_numbers(sqlite: Database) -> None:
    def entered(session: Session) -> None:
        session.add_all(LedgerEntry(id=f"dl_{number}", kind="download", at=HOUR, body="{}") for number in range(3))

    sqlite.write(entered)
    rows = Rows(sqlite)
    seqs = [seq for seq, _ in rows.unsealed(2)]
    with whole_reads(sqlite, _is_unsealed) as found:
        sqlite.write(lambda session: rows.assign(session, seqs, 0))
    assert found == []
    assert [leaf for leaf, _ in rows.staged(0, 3)] == [0, 1]
