"""``emblem keys``: API keys."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import click

from ..answers.participants import KeyAnswer
from ..participants import ROLES, ApiKeyView
from .common import BY, Duration, deployment, json_option, show

_COLUMNS = ("id", "role", "participant", "staff", "name", "scope", "created_at", "expires_at", "last_used_at")
_LIFE = click.option(
    "--expires-in", "life", type=Duration(), metavar="7d", help="End by itself after this time; never otherwise."
)


@click.group()
def keys() -> None:
    """API keys. Only their hashes are kept; a secret is shown once."""


@keys.command()
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--participant", metavar="ID", help="Whose key it is; for a partner.")
@click.option("--staff", metavar="ID", help="The person whose it is, for a key of staff; the first of them otherwise.")
@click.option("--name", default="", help="What it is for.")
@click.option("--read-only", is_flag=True, help="It changes nothing.")
@click.option("--package", metavar="SLUG", help="It is for links to this package alone, and their downloads.")
@click.option("--origin", metavar="URL", help="It is for embeds on this site alone, such as https://www.example.org.")
@_LIFE
@json_option
def create(as_json: bool, life: int | None, **given: Any) -> None:
    """Make a key and print its secret, once."""
    role, participant, staff = given["role"], given["participant"], given["staff"]
    if (role == "partner") != (participant is not None):
        raise click.UsageError("A partner key needs --participant ID, and only a partner key has one.")
    if staff is not None and role != "staff":
        raise click.UsageError("Only a key of the role staff has a person: leave --staff out.")
    with deployment() as emblem:
        scope = emblem.scope(read_only=given["read_only"], package=given["package"], origin=given["origin"])
        key, secret = emblem.participants.api_keys.create(
            role, participant=participant, staff=staff, name=given["name"], scope=scope, life=_span(life), by=BY
        )
    _show_secret(key, secret, f"{key.id}, role {role}. The secret above is not shown again.", as_json=as_json)


@keys.command()
@click.argument("key_id", metavar="ID")
@click.option(
    "--overlap",
    type=Duration(zero=True),
    default="24h",
    metavar="24h",
    help="How long the secret of before stays good, 24h if not given; 0 ends it now.",
)
@_LIFE
@json_option
def rotate(key_id: str, overlap: int, life: int | None, as_json: bool) -> None:
    """Give a key a new secret and print it, once; id, role and scope stay, and the old secret for a while."""
    with deployment() as emblem:
        key, secret = emblem.participants.api_keys.rotate(
            key_id, overlap=timedelta(seconds=overlap), life=_span(life), by=BY
        )
    until = KeyAnswer.of(key).as_json()["previous_until"]
    told = f"{key.id}: the secret above is not shown again; the one of before is good until {until}."
    _show_secret(key, secret, told, as_json=as_json)


@keys.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """List the keys, newest first, without their secrets."""
    with deployment() as emblem:
        found = emblem.participants.api_keys.list()
    rows = [KeyAnswer.of(key).as_json() for key in found]
    if not as_json:
        rows = [row | {"scope": _scope(key)} for row, key in zip(rows, found, strict=True)]
    show(rows, (*_COLUMNS, "revoked"), name="keys", as_json=as_json)


@keys.command()
@click.argument("key_id", metavar="ID")
@click.option("--reason", help="Why; kept with the key.")
def revoke(key_id: str, reason: str | None) -> None:
    """End a key."""
    with deployment() as emblem:
        emblem.participants.api_keys.revoke(key_id, by=BY, reason=reason)
    click.echo(f"{key_id} is revoked; every process refuses it within seconds.")


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _scope(key: ApiKeyView) -> str | None:
    scope = key.scope
    parts = ["reads only"] * scope.read_only + [text for text in (scope.package, scope.origin) if text]
    return ", ".join(parts) or None


def _show_secret(key: ApiKeyView, secret: str, told: str, *, as_json: bool) -> None:
    if as_json:
        shown = KeyAnswer.of(key).as_json()
        names = ("id", "role", "participant", "staff", "name", "read_only", "package", "origin", "expires_at")
        value: dict[str, Any] = {name: shown[name] for name in names} | {"secret": secret}
        if key.previous_until is not None:
            value["previous_until"] = shown["previous_until"]
        click.echo(json.dumps(value, indent=2))
    else:
        click.echo(secret)
        click.echo(told, err=True)
