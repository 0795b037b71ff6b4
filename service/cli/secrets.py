"""``emblem secrets``: new secrets for a deployment."""

from __future__ import annotations

import json
import os
import secrets as random
from typing import Any

import click

from .. import settings
from ..certificates.credentials import new_credential_key
from ..ledger import new_log_keys
from .common import json_option


@click.group()
def secrets() -> None:
    """Secrets of a deployment."""


def make() -> dict[str, str]:
    """A signing secret, the log's signing keys and the key of credentials, under the names of their settings."""
    return {
        "EMBLEM_SECRET_KEYS": random.token_urlsafe(48),
        "EMBLEM_LOG_KEY": new_log_keys(),
        "EMBLEM_CREDENTIAL_KEY": new_credential_key(),
    }


@secrets.command()
@json_option
def new(as_json: bool) -> None:
    """Print a new signing secret, log key and credential key, ready for the environment or an EMBLEM_CONFIG file."""
    made: dict[str, Any] = make()
    if as_json:
        click.echo(json.dumps(made, indent=2))
    else:
        for name, value in made.items():
            click.echo(f"{name}={value}")


@secrets.command()
@click.argument("url")
@json_option
def webhook(url: str, as_json: bool) -> None:
    """Print the secret that the receiver of a webhook checks signatures with.

    URL is the address exactly as policies/alerts.yaml has it. The secret is made from the newest of
    EMBLEM_SECRET_KEYS, so a new one there is another secret here.
    """
    from ..alerts.webhooks import secret_of

    secret = secret_of(settings.load(os.environ).secret_keys[0], url)
    click.echo(json.dumps({"url": url, "secret": secret}) if as_json else secret)
