"""``emblem audit watch``: a monitor of somebody else's log."""

from __future__ import annotations

import json
import re
import signal
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from ..settings import parse_duration
from .common import json_option, progress
from .trust import policy_option, token_of, trusted_keys

if TYPE_CHECKING:
    from ..verification.monitor import Look, Monitor

_EVERY = 10.0  # seconds between two looks
_PATIENCE = 15.0  # seconds for an answer, twice at most: what does not answer is told within a minute


def _limit(_ctx: click.Context, _option: click.Parameter, value: str | None) -> timedelta | None:
    try:
        return None if value is None else timedelta(seconds=parse_duration(value))
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


@click.command()
@click.argument("url")
@policy_option
@click.option("--key", "vkeys", metavar="VKEY", multiple=True, help="A verifier key that you kept; may be repeated.")
@click.option("--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="F")
@click.option(
    "--state",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where its copy and its memory are kept; watch/ and the log's host if not given.",
)
@click.option(
    "--still",
    callback=_limit,
    metavar="AGE",
    help="The oldest that a checkpoint may be: 45s where it states its time, no limit where it does not.",
)
@click.option("--once", is_flag=True, help="Look once, and end with 1 where something is wrong.")
@json_option
def watch(
    url: str,
    policy_file: Path | None,
    vkeys: tuple[str, ...],
    token_file: Path | None,
    folder: Path | None,
    still: timedelta | None,
    once: bool,
    as_json: bool,
) -> None:
    """Monitor the log at URL: one that somebody else hosts, with a copy of one's own.

    It says when the log rewound, showed two histories, stood still or lost its quorum. Without --once it looks every
    ten seconds, tells what changed, and goes on until it is stopped; it ends with 1 where the last look was not good.
    """
    from ..verification.log_reader import SourceError, UrlSource
    from ..verification.monitor import BusyError, Monitor

    keys, policy = trusted_keys(vkeys, policy_file)
    try:
        source = UrlSource(url, token_of(token_file), _PATIENCE)
        place = folder or Path("watch") / re.sub(r"[^A-Za-z0-9.-]+", "-", urlsplit(url).netloc)
        monitor = Monitor(source, place, keys, policy, still=still)
        with monitor.alone():
            look = _run(monitor, once=once, as_json=as_json)
    except (SourceError, BusyError) as error:
        raise click.UsageError(f"{error}".removesuffix(".") + ".") from error
    if token_file and look.size and not look.entries_read and look.ok:
        raise click.UsageError(f"The key in {token_file} was refused: give that of an auditor or of staff.")
    if not look.ok:
        raise click.exceptions.Exit(1)


def _run(monitor: Monitor, *, once: bool, as_json: bool) -> Look:
    """Look until a signal ends it, or once; the last look."""
    ending = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT) if not once else ():
        signal.signal(name, lambda *_: ending.set())
    told = None
    while True:
        with progress("Reading the log") as show:
            look = monitor.look(show)
        state = [alarm.as_json() for alarm in look.alarms], look.cosigned_by
        if as_json:
            click.echo(json.dumps(look.as_json(), ensure_ascii=False, indent=2 if once else None))
        elif once or state != told:
            _tell(look)
        told = state
        if once or ending.wait(_EVERY):
            return look


def _tell(look: Look) -> None:
    when = f"{look.at:%Y-%m-%d %H:%M:%S}Z"
    if look.origin:
        seen = f", seen by {', '.join(look.cosigned_by)}" if look.cosigned_by else ""
        read = "" if look.entries_read else ", entries not read"
        click.echo(f"{when} {look.origin}: {look.size} leaves, root {look.root}{seen}{read}")
    for held in look.witnesses:
        click.echo(f"{when} witness {held.witness} " + held.outcome + (f" at {held.size}" if held.size else ""))
    for alarm in look.alarms:
        click.echo(f"emblem: {when} {alarm.kind}: {alarm.detail}.", err=True)
        for whose, entry in zip(("kept", "shown"), alarm.entries or (), strict=False):
            click.echo(f"emblem: {whose}: {entry}", err=True)
    if look.ok:
        click.echo(f"{when} All that was checked holds")
