"""``emblem backup`` and ``emblem restore``: the whole deployment into a folder, and back."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import settings
from ..problems import Unavailable
from .common import deployment, json_option, progress

if TYPE_CHECKING:
    from collections.abc import Callable


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@json_option
def backup(folder: Path, as_json: bool) -> None:
    """Write database, storage and log to DIR, a new folder, while the service runs; then verify the log in it."""
    from ..backup import BackupError, DamagedBackupError, make

    with deployment() as emblem, progress("Backing up") as show:
        emblem.sealer.check()
        try:
            made = make(emblem.sealer, emblem.clock, folder, show)
        except DamagedBackupError as error:
            raise click.ClickException(f"{error}.") from error
        except BackupError as error:
            raise click.UsageError(f"{error}.") from error
        except OSError as error:
            raise Unavailable(f"{folder} cannot be written ({error.strerror}); the backup is not whole.") from error
    if as_json:
        click.echo(json.dumps(asdict(made) | {"folder": str(folder)}, ensure_ascii=False, indent=2))
        return
    click.echo(f"{folder}: {made.files} files, {made.bytes:,} bytes, {made.database} at revision {made.revision}")
    click.echo(f"Log {made.log_origin}: {made.log_size} leaves, root {made.log_root}, verified")
    click.echo("The configuration with its secrets is not in it: keep that apart, or the backup cannot be put back.")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Put it over a database and a storage that are not empty.")
@click.option(
    "--log",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="EXPORT",
    help="A newer copy of the log, such as `emblem audit export` writes.",
)
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The newest checkpoint that anybody has, such as the one mailed to auditors.",
)
@json_option
def restore(folder: Path, replace: bool, log: Path | None, checkpoint: Path | None, as_json: bool) -> None:
    """Put the backup in DIR back, take over what the log has since, and verify it; with the service stopped.

    Erasures, suspensions and revocations that the log knows are applied. A published log is never made shorter.
    """
    from ..backup import BackupError, DamagedBackupError, put_back
    from ..deployment import open_sealer
    from .audit import read_kept, recovered, tell_recovered

    kept = read_kept(checkpoint)
    found = settings.load(os.environ)
    try:
        with ExitStack() as stack, open_sealer(found) as sealer:

            def show(what: str) -> Callable[[int, int | None], None]:
                return stack.enter_context(progress(what))

            with put_back(sealer, folder, show, replace=replace, log=log, kept=kept) as done:
                sealer.database.close()
                recovery = recovered(kept)
    except DamagedBackupError as error:
        raise click.ClickException(f"{error}.") from error
    except BackupError as error:
        raise click.UsageError(f"{error}.") from error
    if as_json:
        facts = {"backup": asdict(done.manifest), "objects_stored": done.objects, "newest_log": done.log}
        click.echo(json.dumps(facts | recovery.as_json(), ensure_ascii=False, indent=2))
        return
    click.echo(f"Restored {folder}, made {done.manifest.begun_at}; {done.objects} objects stored")
    click.echo(f"The newest copy of the log was that of {done.log}, with {done.log_size} leaves")
    tell_recovered(recovery)
