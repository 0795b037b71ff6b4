"""``emblem storage``: from a directory to S3, and back."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from ..problems import ConfigurationError
from .common import deployment, json_option, progress


@click.group()
def storage() -> None:
    """Where packages, pictures and the log lie."""


@storage.command()
@click.option("--to", "url", metavar="URL", required=True, help="file:///dir, or s3://bucket/prefix?endpoint_url=….")
@json_option
def move(url: str, as_json: bool) -> None:
    """Copy every object to another storage, compared byte by byte; run it again to go on, or to take up changes.

    Run it while the service works, then once more with the service stopped; then set EMBLEM_STORAGE_URL to the new
    one. What lies at the old one stays. Ends with 1 while the storage still changes.
    """
    from ..ledger import tiles
    from ..ledger.copies import require_same_log
    from ..storage import open_storage
    from ..storage.moving import move as run
    from ..verdicts.forgetting import FOLDER

    with deployment() as emblem:
        if url.rstrip("/") == emblem.settings.storage_url.rstrip("/"):
            raise click.UsageError("--to names the storage that is in use already.")
        try:
            target = open_storage(url)
        except ConfigurationError as error:
            raise click.UsageError(" ".join(error.mistakes).replace("EMBLEM_STORAGE_URL", "--to")) from error
        target.check()
        require_same_log(emblem.storage, target)
        with progress("Moving") as show:
            done = run(emblem.storage, target, show, last=[tiles.CHECKPOINT], mirrored=[f"{tiles.ROOT}/", FOLDER])
    if as_json:
        click.echo(json.dumps(asdict(done), indent=2))
    else:
        click.echo(
            f"{done.copied} objects copied, {done.bytes:,} bytes; {done.same} were there and are the same; "
            f"{done.deleted} deleted there that are gone here"
        )
    if not done.complete:
        click.echo("emblem: The storage changed meanwhile: stop the service, and run the command again.", err=True)
        raise click.exceptions.Exit(1)
    if not as_json:
        click.echo(f"Complete. Set this, and start the service: EMBLEM_STORAGE_URL={url}")
