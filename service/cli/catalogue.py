"""``emblem catalogue``: policies and assets checked, packages published and withdrawn."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from .. import settings
from ..alerts.alert_rules import load_rules
from ..campaign import Campaign, CampaignError, load, untranslated
from ..clock import timestamp
from ..logos.faithful import looks_the_same
from ..packages.building import check as check_sources
from ..packages.draft import Draft
from ..packages.inks import print_inks_of
from ..packages.publishing import Publisher, PublishResult
from ..problems import Unavailable
from .common import BY, deployment, json_option, progress


@click.group()
def catalogue() -> None:
    """What the campaign hands out, and by which rules."""


@catalogue.command()
@json_option
def check(as_json: bool) -> None:
    """Validate policies and assets; names file, line and fix of every mistake, and texts that lack a language."""
    check_folders(*settings.folders(os.environ), as_json=as_json)


def check_folders(policies: Path, assets: Path, *, as_json: bool) -> None:
    """Validate the policies and assets of two folders, and tell; ends the command with 1 where there are mistakes."""
    try:
        campaign = load(policies, assets)
        load_rules(policies)
        check_sources(*campaign.packages.values(), inks=print_inks_of(campaign.brand))
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
    plain = _not_minified(campaign)
    if as_json:
        remarks = [
            {"file": gap.file, "line": gap.line, "text": gap.what, "languages": list(gap.languages)} for gap in lacking
        ]
        told = {"mistakes": [], **found, "untranslated": remarks, "not_minified": plain}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        click.echo(
            f"All is well; logos: {found['logos']}, packages: {found['packages']}, policies: {campaign.digest[:12]}."
        )
        if lacking:
            click.echo(f"{len(lacking)} texts lack a language; pages show the English one in its place:")
            for gap in lacking:
                click.echo(f"  {gap}")
        _tell_not_minified(plain)


def _not_minified(campaign: Campaign) -> list[str]:
    """The drawings, as ``logo/colourway``, that would look otherwise in the fewest characters."""
    return [
        f"{logo.id}/{colourway}"
        for logo in campaign.logos.values()
        for colourway in logo.colourways
        if not looks_the_same(logo.drawing(colourway))
    ]


def _tell_not_minified(drawings: list[str]) -> None:
    if drawings:
        click.echo(f"{len(drawings)} drawings are sent as they are, since minified they would look otherwise:")
        for name in drawings:
            click.echo(f"  {name}")


@catalogue.command()
@click.option("--reason", default="", help="Why it is published; kept with who did, for the staff.")
@click.option("--diff", "only_diff", is_flag=True, help="Show what would change and whom it would ask; write nothing.")
@json_option
def publish(reason: str, only_diff: bool, as_json: bool) -> None:
    """Build and publish what is new; a published version never changes. A running service takes it up within 5 s.

    Says how many participants are asked to accept terms again.
    """
    with _publisher() as (publisher, again):
        if only_diff:
            _tell_draft(publisher.draft(), again, as_json=as_json)
            return
        new = publisher.publish(by=BY, reason=reason.strip() or None)
        plain = _not_minified(publisher.campaign) if new.policies else []
    if new.policies:
        _settle_smallest()
    _tell(new, again, plain, as_json=as_json)


@catalogue.command()
@click.option("--reason", default="", help="Why it is published; kept with who did, for the staff.")
@json_option
def reload(reason: str, as_json: bool) -> None:
    """Put changed policies and logos in force without a restart, within 5 s; packages wait for `publish`."""
    with _publisher() as (publisher, again):
        new = publisher.publish_rules(by=BY, reason=reason.strip() or None)
        plain = _not_minified(publisher.campaign) if new.policies else []
    if new.policies:
        _settle_smallest()
    _tell(new, again, plain, as_json=as_json)


def _settle_smallest() -> None:
    """Write the table that says which format of a logo is smallest, for the logos that are in force now."""
    with deployment() as emblem, progress("Sizes of the logos") as report:
        try:
            emblem.variants.settle(report)
        except Unavailable as error:
            click.echo(f"The sizes of the logos are not kept yet; a running service does it. {error.detail}", err=True)


@contextmanager
def _publisher() -> Iterator[tuple[Publisher, int]]:
    """Open the files for publishing, with how many participants they would ask to accept terms again.

    Every mistake in them goes to standard error, with exit status 1.
    """
    from ..deployment import asked_again, open_publisher
    from ..store import Database, migrate

    found = settings.load(os.environ)
    database = Database(found.database_url)
    try:
        migrate.require_current(database)
        with open_publisher(found) as publisher:
            yield publisher, asked_again(database, publisher.campaign)
    except CampaignError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    finally:
        database.close()


def _tell_draft(draft: Draft, again: int, *, as_json: bool) -> None:
    terms = [{"id": one.id, "version": one.version, "effective": timestamp(one.effective)} for one in draft.terms]
    packages = [{"package": name, "version": version} for name, version in draft.packages]
    if as_json:
        files = [
            {"path": one.path, "change": one.change, "compared_with": one.beside, "diff": list(one.lines)}
            for one in draft.files
        ]
        value = {"files": files, "terms": terms, "packages": packages, "accept_again": again}
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))
        return
    for one in draft.files:
        click.echo(f"{one.change}: {one.path}{f', compared with {one.beside}' if one.beside else ''}")
        for line in one.lines:
            click.echo(f"    {line}")
        if one.more:
            click.echo(f"    … {one.more} lines more")
    for row in terms:
        click.echo(f"Terms {row['id']} {row['version']}, in force from {row['effective']}")
    for row in packages:
        click.echo(f"Package {row['package']} {row['version']}")
    click.echo(_asked(again) if draft else "Everything is published already.")


def _asked(again: int) -> str:
    return f"{again} participants are asked to accept terms again."


def _tell(new: PublishResult, again: int, plain: list[str], *, as_json: bool) -> None:
    rows = [{"package": p.id, "version": p.version, "bytes": p.bytes, "sha256": p.sha256} for p in new.packages]
    if as_json:
        value = {
            "published": rows,
            "policies": new.policies,
            "terms": [{"id": name, "version": version} for name, version in new.terms],
            "repaired": [{"package": package.id, "version": package.version} for package in new.repaired],
            "accept_again": again if new.terms else 0,
            "not_minified": plain,
        }
        click.echo(json.dumps(value, indent=2))
        return
    if new.policies:
        click.echo(f"Policies and logos: policies {new.policies}")
    _tell_not_minified(plain)
    for name, version in new.terms:
        click.echo(f"Terms {name} {version}")
    if new.terms and again:
        click.echo(_asked(again))
    for row in rows:
        click.echo(f"{row['package']} {row['version']}: {row['bytes']} bytes, sha256 {row['sha256']}")
    for package in new.repaired:
        click.echo(f"{package.id} {package.version}: its stored file was damaged and has been made again")
    click.echo("A running service takes this up within 5 seconds." if new else "Everything is published already.")


@catalogue.command()
@click.argument("package")
@click.argument("version")
@click.option("--reason", required=True, help="Shown to those who ask for it.")
def withdraw(package: str, version: str, reason: str) -> None:
    """Hand a version out no more; its links end at once."""
    with deployment() as emblem:
        emblem.catalogue.withdraw(package, version, reason, by=BY)
    click.echo(f"{package} {version} is withdrawn.")
