"""``emblem secrets``: new secrets for a deployment."""

from __future__ import annotations

import json
import os
import secrets as random
from pathlib import Path
from typing import Any

import click

from .. import private_files, settings
from ..certificates.credentials import new_credential_key
from ..clock import now
from ..ledger import new_log_keys
from ..problems import ConfigurationError
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
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--organization", help="The name in the certificate; by default the owner of the campaign's rights.")
@click.option(
    "--days", type=click.IntRange(365, 3650), default=3650, show_default=True, help="How long it is good for."
)
@json_option
def content_credentials(file: Path, organization: str | None, days: int, as_json: bool) -> None:
    """Make a key and a certificate for the content credentials of files, in FILE, for EMBLEM_CONTENT_CREDENTIALS.

    Readers refuse a file when its certificate has ended, because nobody else attests when it was signed. FILE is
    made for its owner alone, and never replaced. The last certificate in it is the one that others may trust.
    """
    from ..campaign import load
    from ..packages.content_credentials import ContentCredentials, new_credentials

    if organization is None:
        organization = load(*settings.folders(os.environ)).info.rights.owner
    made = new_credentials(organization, now(), days)
    try:
        with private_files.create(file) as opened:
            opened.write(made)
    except FileExistsError as error:
        raise ConfigurationError([f"{file} is there already: name another, or move it away."]) from error
    except OSError as error:
        raise ConfigurationError([f"{file} cannot be written ({error.strerror}): name another."]) from error
    found = ContentCredentials.read(file)
    if as_json:
        told = {"file": str(file), "expires": f"{found.expires:%Y-%m-%dT%H:%M:%S}Z", "sha256": found.digest}
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo(f"EMBLEM_CONTENT_CREDENTIALS={file.resolve()}")
        click.echo(f"Good until {found.expires:%Y-%m-%d}: what it signs is refused by readers from then on.", err=True)


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
