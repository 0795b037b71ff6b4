"""Parts that the command groups share: the deployment's emblem, and how results are shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from .. import settings

if TYPE_CHECKING:
    from ..deployment import Deployment

F = TypeVar("F", bound=Callable[..., Any])
BY = "staff:cli"  # who acts, in the record, when it is the operator's command line


class Duration(click.ParamType[int]):
    """Seconds, written as 90, 15m, 12h, 7d or 2w; also 0, where that means at once."""

    name = "duration"

    def __init__(self, *, zero: bool = False) -> None:
        """``zero`` takes a plain 0 too."""
        self._zero = zero

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Seconds of the text."""
        if self._zero and str(value).strip() == "0":
            return 0
        try:
            return settings.parse_duration(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


def json_option(command: F) -> F:
    """Adds ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


@contextmanager
def deployment(*, current: bool = True) -> Iterator[Deployment]:
    """The parts of the deployment that the environment names; its schema has to be ``current``."""
    from ..store import Database, migrate

    found = settings.load(os.environ)
    database = Database(found.database_url)
    try:
        if current:  # before anything is read or built: one that is away is told at once
            migrate.require_current(database)
        from ..deployment import assemble

        emblem = assemble(found, database=database)
    except BaseException:
        database.close()
        raise
    try:
        yield emblem
    finally:
        emblem.close()


def show(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, name: str, as_json: bool) -> None:
    """Prints rows as a table, or as ``{name: [...]}``."""
    if as_json:
        click.echo(json.dumps({name: list(rows)}, ensure_ascii=False, indent=2))
        return
    if not rows:
        click.echo(f"No {name}.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=column in ("id", "created_at"))
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console().print(table)


def show_one(value: dict[str, Any], *, as_json: bool) -> None:
    """Prints one thing, a line a field, or as JSON."""
    if as_json:
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))
        return
    width = max(len(name) for name in value)
    for name, field in value.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {_cell(field)}")


def console() -> Console:
    """A console that keeps whole lines in a pipe."""
    terminal = sys.stdout.isatty()
    return Console(highlight=False, soft_wrap=not terminal, width=None if terminal else 10_000)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on a terminal, silence in a pipe; yields ``report(done, total)``."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=total)

        def report(done: int, of: int | None = None) -> None:
            bar.update(task, completed=done, total=of if of is not None else total)

        yield report


def _cell(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(_cell(item) for item in value)
        case dict():
            return ", ".join(f"{name} {_cell(item)}" for name, item in value.items())
        case _:
            return str(value)
