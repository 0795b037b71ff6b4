"""``emblem secrets``: new secrets for a deployment."""

from __future__ import annotations

import secrets as random
from typing import Any

import click

from ..ledger import new_log_key
from .common import json_option


@click.group()
def secrets() -> None:
    """Secrets of a deployment."""


def make() -> dict[str, str]:
    """A signing secret and a log signing key, under the names of their settings."""
    return {"EMBLEM_SECRET_KEYS": random.token_urlsafe(48), "EMBLEM_LOG_KEY": new_log_key()}


@secrets.command()
@json_option
def new(as_json: bool) -> None:
    """Print a new signing secret and a new log signing key, ready for the environment or an EMBLEM_CONFIG file."""
    made: dict[str, Any] = make()
    if as_json:
        import json

        click.echo(json.dumps(made, indent=2))
    else:
        for name, value in made.items():
            click.echo(f"{name}={value}")
