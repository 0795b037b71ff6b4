"""``emblem keys``: API keys."""

from __future__ import annotations

import json
from typing import Any

import click

from ..answers.participants import KeyAnswer
from ..participants import ROLES
from .common import BY, deployment, json_option, show


@click.group()
def keys() -> None:
    """API keys. Only their hashes are kept; a secret is shown once."""


@keys.command()
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--participant", metavar="ID", help="Whose key it is; for a partner.")
@click.option("--staff", metavar="ID", help="The person whose it is, for a key of staff; the first of them otherwise.")
@click.option("--name", default="", help="What it is for.")
@json_option
def create(role: str, participant: str | None, staff: str | None, name: str, as_json: bool) -> None:
    """Make a key and print its secret, once."""
    if (role == "partner") != (participant is not None):
        raise click.UsageError("A partner key needs --participant ID, and only a partner key has one.")
    if staff is not None and role != "staff":
        raise click.UsageError("Only a key of the role staff has a person: leave --staff out.")
    with deployment() as emblem:
        key, secret = emblem.participants.api_keys.create(role, participant=participant, staff=staff, name=name, by=BY)
    value: dict[str, Any] = {
        "id": key.id,
        "role": role,
        "participant": participant,
        "staff": key.staff,
        "name": name,
        "secret": secret,
    }
    if as_json:
        click.echo(json.dumps(value, indent=2))
    else:
        click.echo(secret)
        click.echo(f"{key.id}, role {role}. The secret above is not shown again.", err=True)


@keys.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """List the keys, newest first, without their secrets."""
    with deployment() as emblem:
        rows = [KeyAnswer.of(key).as_json() for key in emblem.participants.api_keys.list()]
    show(rows, ("id", "role", "participant", "staff", "name", "created_at", "revoked"), name="keys", as_json=as_json)


@keys.command()
@click.argument("key_id", metavar="ID")
@click.option("--reason", help="Why; kept with the key.")
def revoke(key_id: str, reason: str | None) -> None:
    """End a key."""
    with deployment() as emblem:
        emblem.participants.api_keys.revoke(key_id, by=BY, reason=reason)
    click.echo(f"{key_id} is revoked; every process refuses it within seconds.")
