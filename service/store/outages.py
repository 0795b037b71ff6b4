"""What a database that does not serve says to whoever runs it: one sentence with the fix."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from .database import DAMAGED, describe

#: what stands in the message of the driver (lower case) -> what to do about it. The first that fits is said.
_FIXES = (
    ("password authentication failed", "correct the user and the password in EMBLEM_DATABASE_URL"),
    ("no password supplied", "write the password into EMBLEM_DATABASE_URL"),
    ("no pg_hba.conf entry", "let this machine and user in (pg_hba.conf), or correct EMBLEM_DATABASE_URL"),
    ("role ", "create the user, or correct EMBLEM_DATABASE_URL"),
    ("does not exist", "create the database, or correct EMBLEM_DATABASE_URL"),
    ("database is locked", "wait until the process that holds it has done, or end that process"),
    ("database or disk is full", "free space on its disk, and run the command again"),
    ("attempt to write a readonly", "make the file and its folder writable for this user"),
    ("unable to open database file", "correct EMBLEM_DATABASE_URL, or the permissions of the folder"),
    ("disk i/o error", "see that its disk has space and can be written"),
)
_START = "start it, or correct EMBLEM_DATABASE_URL"


def outage(error: DBAPIError | PoolTimeout) -> str:
    """Say in one sentence what is wrong with the database, and what to do; no value of a row is in it."""
    said, original = describe(error), getattr(error, "orig", error)
    in_file = isinstance(original, sqlite3.DatabaseError)
    if isinstance(error, OperationalError) or type(original) is sqlite3.DatabaseError:
        said = (str(original).splitlines() or [said])[0].rstrip(".")  # about the connection or the file: no values
    text = str(original).lower()
    if "malformed" in text or "not a database" in text:
        return f"{DAMAGED.removesuffix('.')} ({said})."
    fix = next((fix for part, fix in _FIXES if part in text), _START)
    return f"The database {'cannot be used' if in_file else 'does not answer'} ({said}): {fix}."
