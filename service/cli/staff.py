"""``emblem staff``: the people of the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from ..clock import timestamp
from ..participants import StaffMemberView
from .common import BY, deployment, json_option, show, show_one


@click.group()
def staff() -> None:
    """People of the desk. EMBLEM_STAFF names the first ones; each has an id that the log and answers name."""


@staff.command()
@click.argument("address")
@click.option("--name", default="", help="What the console calls the person; nobody else sees it.")
@click.option("--team", "teams", multiple=True, metavar="T", help="A team of the desk; may be repeated.")
@json_option
def add(address: str, name: str, teams: tuple[str, ...], as_json: bool) -> None:
    """Add a person, bring one back, or change the name and teams of one who is there."""
    with deployment() as emblem:
        member = emblem.participants.staff.add(address, name=name, teams=teams, by=BY)
        odd = emblem.desk.teams.oddities([member])
    for sentence in odd:
        click.echo(sentence, err=True)
    show_one(_shown(member), as_json=as_json)


@staff.command("list")
@json_option
def list_staff(as_json: bool) -> None:
    """List everybody who is staff now."""
    with deployment() as emblem:
        rows = [_shown(member) for member in emblem.participants.staff.list()]
    show(rows, ("id", "address", "name", "teams", "created_at"), name="staff", as_json=as_json)


@staff.command()
@click.argument("staff_id", metavar="ID")
@json_option
def remove(staff_id: str, as_json: bool) -> None:
    """Remove a person: sessions, keys and passkeys end. What they decided keeps their id."""
    with deployment() as emblem:
        member, keys = emblem.participants.staff.remove(staff_id, by=BY)
    if as_json:
        show_one({**_shown(member), "removed_at": _at(member.removed_at), "keys_ended": keys}, as_json=True)
    else:
        click.echo(f"{staff_id} is removed, and {keys} of their keys ended.")


@staff.command()
@click.argument("staff_id", metavar="ID")
@json_option
def recover(staff_id: str, as_json: bool) -> None:
    """Remove all passkeys of a person who has lost them, and who they are at the OpenID Connect provider.

    They sign in by mail again, and may add others.
    """
    with deployment() as emblem:
        count = emblem.passkeys.recover(staff_id, by=BY)
    if as_json:
        show_one({"id": staff_id, "passkeys_removed": count}, as_json=True)
    else:
        click.echo(f"{count} passkeys of {staff_id} are removed; a mailed link signs in again.")


def _shown(member: StaffMemberView) -> dict[str, Any]:
    return {
        "id": member.id,
        "address": member.email,
        "name": member.name,
        "teams": list(member.teams),
        "created_at": _at(member.created_at),
    }


def _at(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)
