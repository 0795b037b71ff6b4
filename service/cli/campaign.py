"""``emblem campaign``: a campaign of one's own, from a starter that is complete and valid."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from .. import settings
from .catalogue import check_folders
from .common import json_option

_STARTER = Path(__file__).resolve().parent.parent / "starter"
#: Policies that say nothing of a campaign; the starter takes those that are shipped.
_SHARED = ("alerts.yaml", "artwork.yaml", "clients.yaml")


@click.group()
def campaign() -> None:
    """A campaign of your own: policies and assets in a folder."""


@campaign.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
def new(folder: Path) -> None:
    """Write a complete starter with comments into DIR, which has to be new or empty."""
    if folder.exists() and any(folder.iterdir()):
        raise click.UsageError(f"{folder} is not empty; name another folder.")
    try:
        shutil.copytree(_STARTER, folder, dirs_exist_ok=True)
        for name in _SHARED:
            shutil.copyfile(settings.shipped("policies") / name, folder / "policies" / name)
    except OSError as error:
        raise click.UsageError(f"{folder} cannot be written: {error.strerror}.") from error
    policies, assets = folder / "policies", folder / "assets"
    click.echo(
        f"Wrote {folder}. Begin with {policies / 'campaign.yaml'}; every file says what it is for.\n"
        f"  emblem campaign check {folder}\n"
        f"  emblem demo --policies {policies} --assets {assets} --dir {folder / 'var'}"
    )


@campaign.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@json_option
def check(folder: Path, as_json: bool) -> None:
    """Validate the campaign in DIR; names file, line and fix of every mistake, and texts that lack a language."""
    check_folders(folder / "policies", folder / "assets", as_json=as_json)
