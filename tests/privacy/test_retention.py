"""Retention: what is dropped when, and that the log still verifies."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select, update

from service.audit.export import export
from service.audit.receipts import Receipts
from service.privacy import DataRetention
from service.store.tables import Download, LedgerEntry, Link, LinkClient, LogoUse
from service.verification.log_reader import FolderSource
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log, verify_receipt

from ..audit.conftest import ON_BOTH, START, Deployment, people, some_facts, uses

DAY = timedelta(days=1)


def old_download(number: int, at: datetime) -> Download:
    return Download(
        id=f"dl_{number}", at=at, link="lnk_one", participant="par_one", package="logo", version="1.0.0", counted=True,
        status=200, client_kind="browser", client_prefix="192.0.2.0/24", client_hash="h", bytes=1,
    )  # fmt: skip


@ON_BOTH
def test_clients_are_forgotten_after_their_days_and_the_log_still_verifies(deployment: Deployment) -> None:
    people(deployment)
    deployment.record(some_facts(300, START))
    deployment.sealer.seal()
    now = deployment.time = START + 100 * DAY

    def work(session: Any) -> None:
        for number, days in enumerate((1, 31, 91)):
            session.add(old_download(number, now - days * DAY))
            session.add(LinkClient(link="lnk_one", client=f"c{number}", last_at=now - days * DAY, counted=True))

    deployment.database.write(work)
    policy = SimpleNamespace(client_hash_days=30, client_prefix_days=90, reporter_days=90, downloads_days=None)
    retention = DataRetention(deployment.database, deployment.clock, policy)
    dropped = retention.run()
    assert (dropped.client_hashes, dropped.client_prefixes, dropped.link_clients) == (2, 1, 2)
    with deployment.database.read() as session:
        rows = session.execute(select(Download.client_hash, Download.client_prefix).order_by(Download.id)).all()
        assert [tuple(row) for row in rows] == [("h", "192.0.2.0/24"), (None, "192.0.2.0/24"), (None, None)]
        assert list(session.scalars(select(LinkClient.client))) == ["c0"]
    again = retention.run()
    assert (again.client_hashes, again.client_prefixes, again.link_clients) == (0, 0, 0)
    verdict = verify_log(
        FolderSource(deployment.folder / "storage/log"), [parse_vkey(vkey) for vkey in deployment.sealer.vkeys()]
    )
    assert verdict.ok


@ON_BOTH
def test_views_leave_the_database_long_after_they_are_entries(deployment: Deployment) -> None:
    people(deployment)
    uses(
        deployment,
        ("https://old.example", START, 1),
        ("https://new.example", START, 2),
        ("https://due.example", START, 3),
    )
    now = deployment.time = START + 200 * DAY

    def enter(session: Any) -> None:
        for origin, days in (("https://old.example", 91), ("https://new.example", 89)):
            changed = update(LogoUse).where(LogoUse.origin == origin).values(entered_at=now - days * DAY)
            session.execute(changed)

    deployment.database.write(enter)
    policy = SimpleNamespace(client_hash_days=30, client_prefix_days=90, reporter_days=90, downloads_days=None)
    assert DataRetention(deployment.database, deployment.clock, policy).run().logo_uses == 1
    with deployment.database.read() as session:
        # What is no entry yet is never dropped, however old it is.
        left = set(session.scalars(select(LogoUse.origin)))
        assert left == {"https://new.example", "https://due.example"}


@ON_BOTH
def test_downloads_leave_the_database_once_segments_have_them_and_links_keep_their_counts(
    deployment: Deployment,
) -> None:
    people(deployment)
    deployment.record(some_facts(300, START))
    now = deployment.time = START + 400 * DAY

    def work(session: Any) -> None:
        for number, days in enumerate((393, 396, 397, 399)):
            session.add(old_download(number, now - days * DAY))
        session.execute(update(Link).values(counted=4))

    deployment.database.write(work)
    days = SimpleNamespace(client_hash_days=30, client_prefix_days=90, reporter_days=90, downloads_days=395)
    retention = DataRetention(deployment.database, deployment.clock, days)

    def left() -> list[str]:
        with deployment.database.read() as session:
            return list(session.scalars(select(Download.id).order_by(Download.id)))

    assert retention.run().downloads == 0, "the entries of that time are not even sealed"
    deployment.sealer.seal()
    assert retention.run().downloads == 0, "nor in a segment"
    deployment.time += DAY + timedelta(minutes=2)
    deployment.segments.write()
    assert deployment.segments.end() == deployment.segments.size()
    assert retention.run().downloads == 3
    assert left() == ["dl_0"]
    assert retention.kept_since() == deployment.time - 395 * DAY
    with deployment.database.read() as session:
        assert set(session.scalars(select(Link.counted))) == {4}


@ON_BOTH
def test_entries_leave_the_database_and_are_still_proved_reported_and_exported(
    deployment: Deployment, tmp_path: Path
) -> None:
    deployment.segments.rows = 128
    deployment.record(some_facts(300, START))
    deployment.sealer.seal()
    deployment.segments.write()
    before = deployment.reports.run(_all()).as_json()
    policy = SimpleNamespace(client_hash_days=30, client_prefix_days=90, reporter_days=90, downloads_days=None)
    retention = DataRetention(deployment.database, deployment.clock, policy)
    with deployment.database.read() as session:
        name = session.scalar(select(LedgerEntry.id).where(LedgerEntry.leaf == 100))
    assert retention.run().ledger_rows == 0  # too young
    deployment.time += 8 * DAY
    # The key's own entry stays: only the kinds that are many leave, and only what is in a segment.
    assert retention.run().ledger_rows == 256
    assert deployment.reports.run(_all()).as_json() == before
    receipts = Receipts(deployment.database, deployment.storage, deployment.reports)
    keys = [parse_vkey(vkey) for vkey in deployment.sealer.vkeys()]
    assert name is not None
    for asked in (name, "100", "0", "300"):
        verdict, entry = verify_receipt(receipts.make(asked).encode(), keys)
        assert verdict.ok
        assert json.loads(entry)["v"] == 1
    assert json.loads(verify_receipt(receipts.make(name).encode(), keys)[1])["id"] == name
    export(deployment.reports, deployment.storage, deployment.sealer.vkeys(), tmp_path / "export")
    assert verify_log(FolderSource(tmp_path / "export"), keys).ok
    deployment.record(some_facts(5, START))
    assert deployment.sealer.seal().added == 5


def _all() -> Any:
    from service.audit.query import parse

    return parse([("by", "day"), ("by", "country")])
