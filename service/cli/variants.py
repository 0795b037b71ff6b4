"""``emblem variants``: logo variants made ahead."""

from __future__ import annotations

import json
import signal
import sys

import click

from ..logos import RenderFailed, VariantRequest
from ..problems import Problem, Unavailable, UnknownLogo
from .common import deployment, json_option, progress


@click.group()
def variants() -> None:
    """Resized logos."""


@variants.command()
@click.option("--logo", "logos", multiple=True, metavar="L", help="Only this logo; may be repeated.")
@json_option
def prerender(logos: tuple[str, ...], as_json: bool) -> None:
    """Make the whole ladder ahead, on all cores. What is there already is left; stopped, it goes on from there."""
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    with deployment(current=False) as emblem:
        if unknown := set(logos) - set(emblem.campaign.logos):
            raise UnknownLogo(
                f"There is no logo {min(unknown)}; there are: {', '.join(sorted(emblem.campaign.logos))}."
            )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)  # the renders under way are finished and kept
        ahead = len(emblem.variants.missing(list(logos) or None))
        hindered: Problem | None = None
        failed: list[tuple[VariantRequest, RenderFailed]] = []
        with progress("Rendering") as report:
            try:
                emblem.variants.prerender(list(logos) or None, report, lambda: stopped, lambda *one: failed.append(one))
            except Unavailable as error:
                hindered = error
        left = len(emblem.variants.missing(list(logos) or None))
    made = ahead - left
    if as_json:
        click.echo(json.dumps({"made": made, "left": left}))
    else:
        click.echo(
            f"{made} variants made"
            + (f", {left} left: run it again to go on." if left else "; the ladder is complete.")
        )
    for wanted, reason in failed:
        click.echo(f"{wanted.path} cannot be rendered: {reason}", err=True)
    if hindered is not None:
        raise hindered
    sys.exit(1 if left else 0)
