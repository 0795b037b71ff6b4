"""``emblem links``: download links."""

from __future__ import annotations

import click

from ..answers.links import LinkAnswer
from .common import BY, Duration, deployment, json_option, show, show_one


@click.group()
def links() -> None:
    """Signed, expiring download links."""


@links.command()
@click.option("--participant", metavar="ID", required=True)
@click.option("--package", "packages", metavar="SLUG", required=True, multiple=True, help="Repeat it for several.")
@click.option("--version", metavar="V", help="A version, of one package; the current one otherwise.")
@click.option("--expires-in", type=Duration(), metavar="7d", help="How long it lives.")
@click.option("--max-downloads", type=click.IntRange(min=1), metavar="N", help="How many counted downloads it allows.")
@json_option
def create(
    participant: str,
    packages: tuple[str, ...],
    version: str | None,
    expires_in: int | None,
    max_downloads: int | None,
    as_json: bool,
) -> None:
    """Issue a link and print its URL. Several packages come in one ZIP file, with a folder for each."""
    if version is not None and len(packages) > 1:
        raise click.UsageError("Several packages come in their current versions; leave --version out.")
    package = packages[0] if len(packages) == 1 else packages
    with deployment() as emblem:
        issued = emblem.links.issue(
            participant, package, issued_by=BY, version=version, expires_in=expires_in, max_downloads=max_downloads
        )
    if as_json:
        show_one(LinkAnswer.of(issued).as_json(), as_json=True)
    else:
        click.echo(issued.url)


@links.command("list")
@click.option("--participant", metavar="ID", help="Only this participant's.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def list_links(participant: str | None, limit: int, as_json: bool) -> None:
    """List links, newest first."""
    with deployment() as emblem:
        page = emblem.links.list(participant=participant, limit=limit)
        rows = [LinkAnswer.of(link, with_url=as_json).as_json() for link in page.items]
    if not as_json:
        for row in rows:
            row["package"] = ", ".join(f"{one['id']} {one['version']}" for one in row["packages"])
    columns = ("id", "participant", "package", "status", "downloads", "max_downloads", "expires_at")
    show(rows, columns, name="links", as_json=as_json)


@links.command()
@click.argument("link", metavar="ID")
@click.option("--reason", help="Why; kept with the link.")
def revoke(link: str, reason: str | None) -> None:
    """End a link at once."""
    with deployment() as emblem:
        emblem.links.revoke(link, by=BY, reason=reason)
    click.echo(f"{link} is revoked.")
