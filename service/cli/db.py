"""``emblem db``: the schema's migrations."""

from __future__ import annotations

import os

import click

from .. import settings
from ..store import Database, migrate
from .common import json_option, show_one


@click.group()
def db() -> None:
    """Schema migrations."""


@db.command()
def upgrade() -> None:
    """Bring the database to the schema of this program."""
    database = Database(settings.load(os.environ).database_url)
    before = migrate.current(database)
    migrate.upgrade(database)
    after = migrate.current(database)
    click.echo(f"The database is at revision {after}" + (", as before." if before == after else "."))


@db.command()
@json_option
def current(as_json: bool) -> None:
    """Show the database's revision and the newest there is."""
    database = Database(settings.load(os.environ).database_url)
    found, head = migrate.current(database), migrate.head()
    show_one({"current": found, "head": head, "up_to_date": found == head}, as_json=as_json)
    if found != head:
        raise SystemExit(1)
