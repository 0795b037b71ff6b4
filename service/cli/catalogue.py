"""``emblem catalogue``: policies and assets checked, packages published and withdrawn."""

from __future__ import annotations

import json
import os
import sys

import click

from .. import settings
from ..campaign import CampaignError, load, untranslated
from ..packages import check as check_sources
from ..packages import inks_of
from .common import deployment, json_option


@click.group()
def catalogue() -> None:
    """What the campaign hands out, and by which rules."""


@catalogue.command()
@json_option
def check(as_json: bool) -> None:
    """Validate policies and assets; names file, line and fix of every mistake, and texts that lack a language."""
    policies, assets = settings.folders(os.environ)
    try:
        campaign = load(policies, assets)
        check_sources(*campaign.packages.values(), inks=inks_of(campaign.brand))
    except CampaignError as error:
        if as_json:
            mistakes = [
                {"file": str(m.file), "line": m.line, "message": m.message, "fix": m.fix} for m in error.mistakes
            ]
            click.echo(json.dumps({"mistakes": mistakes}, ensure_ascii=False, indent=2))
        else:
            click.echo(str(error), err=True)
        sys.exit(1)
    found = {"logos": len(campaign.logos), "packages": len(campaign.packages), "policies": campaign.digest}
    lacking = untranslated(policies, assets)
    if as_json:
        remarks = [
            {"file": gap.file, "line": gap.line, "text": gap.what, "languages": list(gap.languages)} for gap in lacking
        ]
        click.echo(json.dumps({"mistakes": [], **found, "untranslated": remarks}, ensure_ascii=False, indent=2))
    else:
        click.echo(
            f"All is well: {found['logos']} logos, {found['packages']} packages, policies {campaign.digest[:12]}."
        )
        if lacking:
            click.echo(f"{len(lacking)} texts lack a language; pages show the English one in its place:")
            for gap in lacking:
                click.echo(f"  {gap}")


@catalogue.command()
@json_option
def publish(as_json: bool) -> None:
    """Build and publish what is new; a published version never changes."""
    with deployment() as emblem:
        try:
            published = emblem.catalogue.publish()
        except CampaignError as error:
            click.echo(str(error), err=True)
            sys.exit(1)
    rows = [{"package": p.id, "version": p.version, "bytes": p.bytes, "sha256": p.sha256} for p in published]
    if as_json:
        click.echo(json.dumps({"published": rows}, indent=2))
    for row in [] if as_json else rows:
        click.echo(f"{row['package']} {row['version']}: {row['bytes']} bytes, sha256 {row['sha256']}")
    if not rows and not as_json:
        click.echo("Everything is published already.")


@catalogue.command()
@click.argument("package")
@click.argument("version")
@click.option("--reason", required=True, help="Shown to those who ask for it.")
def withdraw(package: str, version: str, reason: str) -> None:
    """Hand a version out no more; its links end at once."""
    with deployment() as emblem:
        emblem.catalogue.withdraw(package, version, reason)
    click.echo(f"{package} {version} is withdrawn.")
