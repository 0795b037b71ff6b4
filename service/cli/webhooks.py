"""``emblem webhooks``: deliveries to the addresses of ``policies/alerts.yaml``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from .common import deployment, json_option


@click.group()
def webhooks() -> None:
    """Deliveries to webhooks."""


@webhooks.command()
@click.option("--from", "leaf", type=click.IntRange(min=0), metavar="LEAF", required=True, help="The first leaf.")
@click.option("--url", metavar="U", help="Only this address, exactly as policies/alerts.yaml has it.")
@json_option
def replay(leaf: int, url: str | None, as_json: bool) -> None:
    """Send the entries of the log from a leaf on once more.

    To every webhook that asks for kinds of entries, each in the order of the leaves. The running service sends them.
    A delivery has the id that it had the first time, by which a receiver knows it.
    """
    with deployment() as emblem:
        done = emblem.entry_webhooks.replay(emblem.alerts.rules.webhooks, leaf, url)
    if as_json:
        click.echo(json.dumps({"replayed": [asdict(one) for one in done]}, indent=2))
        return
    for one in done:
        click.echo(f"{one.url}: {one.entries:,} entries of the leaves {one.first} to {one.end - 1} are sent again.")
