"""Rows of a deployment that has grown: what ``growth`` fills a large and a small one with, in bulk.

Everything that a list, a page or a job reads is there as often as in life: each participant has a person, a decision,
an accepted version of the terms and a case with a message; a tenth have an embed with views and a checked file, a
hundredth a certificate. Downloads are made by the database itself, their indexes after them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, insert, text

from service import ledger
from service.artwork.report import ArtworkReport
from service.store import Database, audit_tables, desk_tables, tables

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
#: The one file that all packages lead to, so that downloads can be recorded.
FILE = b"emblem " * 150
PACKAGES = ("logo", "posters", "banners", "rare")
FEW = 10  # participants that the small portal may act for: the first ones, so the last of every list
_STEP = 10_000
#: Of a hundred each, so that a page of any of them is full in a deployment of a thousand.
_STATUSES = ("approved",) * 88 + ("suspended", "declined") * 6
_KINDS = ("individual",) * 55 + ("civil_society",) * 25 + ("private_sector",) * 14 + ("government",) * 6
_SECONDS = 2  # between two downloads

Row = dict[str, Any]


def waits(number: int, count: int) -> bool:
    """Tell whether the participant of a number waits for a decision: about a hundred do."""
    every = max(2, count // 100)
    return number % every == 7 % every


def status(number: int, count: int) -> str:
    """Return the status of the participant of a number."""
    return "under_review" if waits(number, count) else _STATUSES[number * 7 % 100]


def participants(count: int) -> Iterator[Row]:
    """Rows of participants: kinds and statuses as unevenly spread as in life."""
    for number in range(count):
        state = status(number, count)
        yield {
            "id": f"par_{number:09}",
            "kind": _KINDS[number * 13 % 100],
            "name": f"Example {number}",
            "email": f"person{number}@example.org",
            "country": "AT",
            "language": "en",
            "answers": {},
            "purposes": ["information"],
            "status": state,
            "outcome": "approved" if state == "suspended" else state.replace("under_review", "review"),
            "rule": "test",
            "reasons": [],
            "policy": "0" * 64,
            "joined_via": "staff:cli",
            "created_at": BEGIN + timedelta(seconds=number),
        }


def acceptances(count: int, version: str) -> Iterator[Row]:
    """Rows of acceptances: one each."""
    for number in range(count):
        yield {
            "id": f"acc_{number:09}",
            "participant": f"par_{number:09}",
            "terms": "logo-terms",
            "version": version,
            "language": "en",
            "digest": "0" * 64,
            "via": "staff:cli",
            "commitment": "0" * 64,
            "accepted_at": BEGIN + timedelta(seconds=number),
        }


def versions(packages: list[str]) -> Iterator[Row]:
    """Rows of published packages, so that links lead to something."""
    for package in packages:
        yield {
            "package": package,
            "version": "1.0.0",
            "kind": "logo",
            "terms": "logo-terms",
            "manifest": {
                "title": {"en": package},
                "description": {"en": package},
                "licence": {"en": "Test"},
                "languages": ["en"],
                "files": [],
                "preview": {"key": "previews/none.png", "sha256": "0" * 64},
            },
            "source_digest": "0" * 64,
            "sha256": hashlib.sha256(FILE).hexdigest(),
            "bytes": len(FILE),
            "media_type": "application/zip",
            "filename": f"{package}.zip",
            "storage_key": f"packages/{package}.zip",
            "published_at": BEGIN,
        }


def embeds(count: int, logo: str) -> Iterator[Row]:
    """Rows of embeds: every tenth participant has one."""
    for number in range(0, count, 10):
        yield {
            "key": f"ebd_{number:022}",
            "participant": f"par_{number:09}",
            "logo": logo,
            "origins": ["https://partner.example"],
            "unlisted": "report",
            "created_at": BEGIN + timedelta(seconds=number),
        }


def words(count: int) -> Iterator[Row]:
    """Rows of what participants are found by."""
    for number in range(count):
        said = (f"par_{number:09}", f"example {number}", f"person{number}@example.org")
        yield {"participant": said[0], "words": "\n".join(said)}


def cases(count: int) -> Iterator[Row]:
    """Rows of cases: one each; those of who waits are open."""
    for number in range(count):
        opened = BEGIN + timedelta(seconds=number)
        decided = not waits(number, count)
        yield {
            "id": f"cas_{number:09}",
            "kind": "joining",
            "status": "decided" if decided else "open",
            "participant": f"par_{number:09}",
            "purposes": ["fundraising"],
            "opened_by": "page",
            "opened_at": opened,
            "due_at": opened + timedelta(days=7),
            "changed_at": opened,
            "version": 2,
            "outcome": "approved" if decided else None,
            "reason": "Fine." if decided else None,
            "decided_by": "staff:stf_x" if decided else None,
            "decided_at": opened if decided else None,
        }


def _said(number: int) -> str:
    return f"We plan run {number} in the park of Quillmarsh, and sell {number * 7919 % 100_003} shirts."


def messages(count: int) -> Iterator[Row]:
    """Rows of messages: one a case."""
    for number in range(count):
        case = f"cas_{number:09}"
        at = BEGIN + timedelta(seconds=number)
        said = {"at": at, "by": "page", "text": _said(number), "visible": True, "files": []}
        yield {"id": f"msg_{number:09}", "case": case} | said


def case_words(count: int) -> Iterator[Row]:
    """Rows of what cases are found by."""
    for number in range(count):
        yield {"case": f"cas_{number:09}", "words": f"cas_{number:09}\n{_said(number).casefold()}"}


def links(count: int, people: int, package: str) -> Iterator[Row]:
    """Rows of links, spread over the participants."""
    for number in range(count):
        yield {
            "id": f"lnk_{number:09}",
            "participant": f"par_{number % people:09}",
            "package": package,
            "version": "1.0.0",
            "issued_by": "portal:key_x",
            "created_at": BEGIN + timedelta(seconds=number),
            "expires_at": BEGIN + timedelta(days=900),
            "counted": 1,
        }


def members(count: int) -> Iterator[Row]:
    """Rows of persons: one each."""
    for number in range(count):
        yield {
            "id": f"mem_{number:09}",
            "participant": f"par_{number:09}",
            "email": f"person{number}@example.org",
            "name": f"Example {number}",
            "status": "active",
            "created_at": BEGIN + timedelta(seconds=number),
        }


def decisions(count: int) -> Iterator[Row]:
    """Rows of decisions: one each, as their status says."""
    for number in range(count):
        state = status(number, count)
        yield {
            "participant": f"par_{number:09}",
            "outcome": state.replace("under_review", "review"),
            "rule": "test",
            "reasons": [],
            "policy": "0" * 64,
            "by": "rule",
            "at": BEGIN + timedelta(seconds=number),
        }


def grants(count: int, whole: str, small: str) -> Iterator[Row]:
    """Rows of what portals may do: one acts for everybody, another for a few."""
    for number in range(count):
        yield {"participant": f"par_{number:09}", "key": whole, "granted_at": BEGIN}
        if number < FEW:
            yield {"participant": f"par_{number:09}", "key": small, "granted_at": BEGIN}


def uses(count: int, hour: datetime) -> Iterator[Row]:
    """Rows of views: an hour of each embed, one in a hundred on a site that it does not list."""
    for number in range(0, count, 10):
        yield {
            "hour": hour,
            "embed": f"ebd_{number:022}",
            "variant": "blue/256.png",
            "origin": "https://partner.example" if number % 1000 else "https://elsewhere.example",
            "batch": f"bat_{number}",
            "views": 7,
            "entered_at": hour,
        }


def certificates(count: int, version: str) -> Iterator[Row]:
    """Rows of certificates: every hundredth participant has one."""
    for number in range(0, count, 100):
        yield {
            "id": f"crt_{number:09}",
            "participant": f"par_{number:09}",
            "name": f"Example {number}",
            "language": "en",
            "terms": "logo-terms",
            "terms_version": version,
            "accepted_at": BEGIN,
            "issued_at": BEGIN + timedelta(seconds=number),
            "has_files": False,
        }


def checks(count: int) -> Iterator[Row]:
    """Rows of checked files: every tenth participant has one, half of which are overruled."""
    report = ArtworkReport(
        verdict="compliant",
        logos=(),
        width=1,
        height=1,
        seconds=0.1,
        sha256="0" * 64,
        media_type="image/png",
        pages=1,
        notes=(),
    ).model_dump(mode="json")
    for number in range(0, count, 10):
        at = BEGIN + timedelta(seconds=number)
        overruled = number % 20 == 0
        yield {
            "id": f"chk_{number:09}",
            "at": at,
            "participant": f"par_{number:09}",
            "by": "participant",
            "language": "en",
            "sha256": "0" * 64,
            "verdict": "compliant",
            "report": report,
            "secret": f"sec_{number:09}",
            "files": [],
            "files_until": None,
            "overruled_at": at if overruled else None,
            "overruled_by": "staff:cli" if overruled else None,
            "overruled_verdict": "not_compliant" if overruled else None,
            "overruled_reason": "Seen." if overruled else None,
        }


def alerts(count: int) -> Iterator[Row]:
    """Rows of alerts that were raised: one in a thousand participants has been the cause of one."""
    for number in range(0, count, 1000):
        yield {
            "id": f"alt_{number:09}",
            "rule": "test",
            "fingerprint": f"test-{number}",
            "summary": "Something was unusual.",
            "facts": {},
            "at": BEGIN + timedelta(seconds=number),
        }


_DOWNLOADS = {
    "sqlite": """
        insert into downloads
          (id, at, link, participant, package, version, counted, status, client_kind, bytes)
        with recursive numbers (n) as (values (0) union all select n + 1 from numbers where n + 1 < :count)
        select printf('dl_%09d', n), strftime('%Y-%m-%d %H:%M:%S', :begin + n * :seconds, 'unixepoch') || '.000000',
          printf('lnk_%09d', n % :links), printf('par_%09d', n % :links % :people),
          case when n < 60 or n % 10000 = 7 then 'rare' when n % 3 = 0 then 'logo' when n % 3 = 1 then 'posters'
            else 'banners' end,
          '1.0.0', 1, 200, 'browser', 1000 from numbers""",
    "postgresql": """
        insert into downloads
          (id, at, link, participant, package, version, counted, status, client_kind, bytes)
        select 'dl_' || lpad(n::text, 9, '0'), to_timestamp(:begin + n * :seconds),
          'lnk_' || lpad((n % :links)::text, 9, '0'), 'par_' || lpad((n % :links % :people)::text, 9, '0'),
          case when n < 60 or n % 10000 = 7 then 'rare' when n % 3 = 0 then 'logo' when n % 3 = 1 then 'posters'
            else 'banners' end,
          '1.0.0', true, 200, 'browser', 1000 from generate_series(0, :count - 1) as numbers (n)""",
}
_PATIENTLY = "set local statement_timeout = 0"  # filling takes longer than a request may
_INDEXES = {
    "sqlite": "select name, sql from sqlite_master where type = 'index' and tbl_name = 'downloads' and sql is not null",
    "postgresql": "select indexname, indexdef from pg_indexes where tablename = 'downloads' "
    "and indexname not like '%pkey'",
}


def fill_downloads(database: Database, count: int, of_links: int, people: int) -> None:
    """Make downloads in the database, spread over the links; the oldest and a few others are of the last package."""
    dialect = database.engine.dialect.name
    with database.engine.begin() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("begin immediate")
        else:  # what each row refers to is known to be there
            connection.exec_driver_sql(_PATIENTLY)
            connection.exec_driver_sql("set local session_replication_role = replica")
        known = [(row[0], row[1]) for row in connection.execute(text(_INDEXES[dialect]))]
        for name, _ in known:
            connection.exec_driver_sql(f"drop index {name}")
        values = {"count": count, "begin": int(BEGIN.timestamp()), "seconds": _SECONDS}
        connection.execute(text(_DOWNLOADS[dialect]), values | {"links": of_links, "people": people})
        for _, statement in known:
            connection.exec_driver_sql(statement)


def fill_log(database: Database, count: int) -> None:
    """Put so many entries of downloads into the ledger, for the sealer."""
    facts: Row = {
        "link": "lnk_000000000",
        "participant": "par_000000000",
        "participant_kind": "individual",
        "country": "AT",
        "package": "logo",
        "version": "1.0.0",
        "terms_version": "2026-01-01",
        "counted": True,
        "client_kind": "browser",
        "bytes": 1_000,
    }
    for start in range(0, count, 2 * _STEP):
        numbers = range(start, min(count, start + 2 * _STEP))
        database.write(
            lambda session, numbers=numbers: ledger.append_many(  # type: ignore[misc]  # mypy infers no such lambda
                session, (ledger.DownloadEntry(id=f"dl_{number:09}", **facts) for number in numbers), BEGIN
            )
        )


def fill(
    database: Database, sizes: dict[str, int], version: str, logo: str, portals: tuple[str, str], hour: datetime
) -> None:
    """Write all rows but downloads and the log in bulk.

    ``portals`` are the ids of a key that may act for everybody and of one for a few; views are of ``hour``.
    """
    people, of_links = sizes["participants"], sizes["links"]
    for table, rows in (
        (tables.PackageVersion, versions(list(PACKAGES))),
        (tables.Participant, participants(people)),
        (tables.ParticipantWords, words(people)),
        (tables.Member, members(people)),
        (tables.Decision, decisions(people)),
        (tables.PortalGrant, grants(people, *portals)),
        (desk_tables.Case, cases(people)),
        (desk_tables.CaseMessage, messages(people)),
        (desk_tables.CaseWords, case_words(people)),
        (tables.Acceptance, acceptances(people, version)),
        (tables.Embed, embeds(people, logo)),
        (tables.LogoUse, uses(people, hour)),
        (tables.Certificate, certificates(people, version)),
        (tables.ArtworkCheck, checks(people)),
        (audit_tables.Alert, alerts(people)),
        (tables.Link, links(of_links, people, PACKAGES[0])),
    ):
        with database.engine.begin() as connection:
            if database.is_sqlite:
                connection.exec_driver_sql("begin immediate")
                _insert(connection, table, rows)
            else:
                connection.exec_driver_sql(_PATIENTLY)
                _copy(connection, table.__tablename__, rows)


def _insert(connection: Connection, table: type[tables.Base], rows: Iterator[Row]) -> None:
    part: list[Row] = []
    for row in rows:
        part.append(row)
        if len(part) == _STEP:
            connection.execute(insert(table), part)
            part = []
    if part:
        connection.execute(insert(table), part)


def _copy(connection: Connection, table: str, rows: Iterator[Row]) -> None:
    driver = cast(psycopg.Connection, connection.connection.driver_connection)
    first = next(rows)
    names = ", ".join(f'"{name}"' for name in first)
    with driver.cursor() as cursor, cursor.copy(f"copy {table} ({names}) from stdin".encode()) as into:
        into.write_row(_plain(first))
        for row in rows:
            into.write_row(_plain(row))


def _plain(row: Row) -> list[Any]:
    return [json.dumps(value) if isinstance(value, dict | list) else value for value in row.values()]


def analyze(database: Database) -> None:
    """Let the database count what is in its tables, as it does by itself while it grows."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("set statement_timeout = 0")
        connection.execute(text("vacuum analyze" if not database.is_sqlite else "analyze"))
