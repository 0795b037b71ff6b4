"""``emblem participants``: staff work on participants."""

from __future__ import annotations

import sys

import click

from ..answers.participants import ParticipantAnswer
from ..participants import STATUSES
from .common import BY, deployment, json_option, show, show_one


@click.group()
def participants() -> None:
    """Who joined: list, show, approve, decline, suspend, erase."""


@participants.command("list")
@click.option("--status", type=click.Choice(STATUSES))
@click.option("--kind", help="Only this kind.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def list_participants(status: str | None, kind: str | None, limit: int, as_json: bool) -> None:
    """List participants, newest first."""
    with deployment() as emblem:
        page = emblem.participants.listing.list(status=status, kind=kind, limit=limit)
        rows = [ParticipantAnswer.of(one, "staff").as_json() for one in page.items]
    columns = ("id", "status", "kind", "country", "name", "created_at")
    show(rows, columns, name="participants", as_json=as_json)


@participants.command("show")
@click.argument("participant", metavar="ID")
@json_option
def show_participant(participant: str, as_json: bool) -> None:
    """Show one participant with the decision and its reasons."""
    with deployment() as emblem:
        found = emblem.participants.listing.get(participant)
        show_one(ParticipantAnswer.of(found, "staff").as_json(), as_json=as_json)


def _decision(name: str, outcome: str, about: str) -> None:
    @participants.command(name, help=about)
    @click.argument("participant", metavar="ID")
    @click.option("--reason", default=f"{outcome.capitalize()} by the operator.", help="Shown to the participant.")
    def decide(participant: str, reason: str) -> None:
        with deployment() as emblem:
            decided = emblem.desk.deciding.decide_participant(participant, outcome, reason=reason, by=BY)
        click.echo(f"{participant} is {decided.status.replace('_', ' ')}.")


_decision("approve", "approved", "Approve a participant; also lifts a suspension.")
_decision("decline", "declined", "Decline a participant.")
_decision("suspend", "suspended", "Suspend a participant: links and embeds stop at once.")


@participants.command("erase")
@click.argument("participant", metavar="ID")
@click.option("--reason", default="Erased by the operator.", help="Why.")
@click.option("--yes", is_flag=True, default=False, help="Do not ask.")
def erase(participant: str, reason: str, yes: bool) -> None:
    """Erase what is known of a participant; the log and the figures stay."""
    if not yes and sys.stdin.isatty():
        click.confirm(f"Erase {participant}? This cannot be undone.", abort=True)
    with deployment() as emblem:
        removed = emblem.erasure.erase(participant, reason=reason, by=BY)
    click.echo(f"{participant} is erased: " + ", ".join(f"{count} {what}" for what, count in removed.items()) + ".")
