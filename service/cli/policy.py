"""``emblem policy``: what other policies would change, before they are published."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from .common import console, deployment, json_option, show


@click.group()
def policy() -> None:
    """Policies before they are in force."""


@policy.command("try")
@click.option(
    "--policies",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the draft; without it the deployment's own files.",
)
@json_option
def try_policy(folder: Path | None, as_json: bool) -> None:
    """Decide every past application again under a draft of the policies; nothing is written.

    Says who would be decided otherwise, and how many would be asked to accept terms again.
    """
    from ..campaign import load
    from ..participants.trial import try_policies

    with deployment() as emblem:
        draft = load(folder or emblem.settings.policies_dir, emblem.settings.assets_dir, packages=False)
        trial = try_policies(emblem.database, emblem.campaign, draft, emblem.clock)
    rows = [asdict(one) for one in trial.otherwise]
    if as_json:
        told = {"applications": trial.applications, "otherwise": rows, "accept_again": trial.accept_again}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    if rows:
        show(rows, list(rows[0]), name="otherwise", as_json=False)
    console().print(
        f"Of {trial.applications} applications {len(rows)} would be decided otherwise; "
        f"{trial.accept_again} participants would be asked to accept terms again."
    )
