"""``emblem artwork``: artwork checked against the brand rules, without a server and without a database."""

from __future__ import annotations

import glob
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import settings
from ..campaign import LANGUAGES, load
from ..problems import Problem, UnknownLogo
from .common import json_option, progress

if TYPE_CHECKING:
    from ..artwork import ArtworkChecks, Checked

_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".svg", ".pdf")


@click.group()
def artwork() -> None:
    """Posters, banners, screenshots: is the logo in them used right?"""


@artwork.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--logo", metavar="L", help="Look for this logo alone.")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", help="Language of the findings.")
@click.option(
    "--html", "html_file", type=click.Path(dir_okay=False, path_type=Path), help="Write a report to this file."
)
@json_option
def check(paths: tuple[str, ...], logo: str | None, lang: str, html_file: Path | None, as_json: bool) -> None:
    """Check files, folders and globs, on all cores; exit status 1 if any file is not compliant.

    Folders are searched for PNG, JPEG, WebP, AVIF, SVG and PDF files. With --json each file is one line.
    """
    _require_extra()
    from ..artwork import ArtworkChecks

    files = list(_files(paths))
    campaign = load(*settings.folders(os.environ))
    if logo is not None and logo not in campaign.logos:
        raise UnknownLogo(f"There is no logo {logo}; there are: {', '.join(sorted(campaign.logos))}.")
    checks = ArtworkChecks(campaign)
    failed = False
    kept: list[tuple[str, Checked | Problem]] = []
    cores = os.cpu_count() or 1
    try:
        with progress("Checking", len(files)) as report, ThreadPoolExecutor(cores) as pool:
            pending = pool.map(lambda file: _checked(checks, file, logo, lang, html_file is not None), files)
            for number, (file, found) in enumerate(zip(files, pending, strict=True), start=1):
                failed = failed or isinstance(found, Problem) or found.report.verdict == "not_compliant"
                click.echo(_line(file, found) if as_json else _words(file, found))
                if html_file is not None:
                    kept.append((str(file), found))
                report(number, None)
    finally:
        checks.close()
    if html_file is not None:
        from ..artwork.html import page

        html_file.write_text(page(kept, lang), encoding="utf-8")
    sys.exit(1 if failed else 0)


def _require_extra() -> None:
    """Says how to install what the check needs, where it is not there."""
    from ..artwork import missing_packages

    if missing := missing_packages():
        raise click.UsageError(
            f"The artwork check needs {', '.join(missing)}. Install the extra: pip install 'emblem[artwork]'."
        )


def _files(paths: tuple[str, ...]) -> Iterator[Path]:
    """The files that the arguments name, each once, in their order."""
    seen: set[Path] = set()
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.suffix.lower() in _ENDINGS and file.is_file())
        elif path.exists():
            found = [path]
        else:
            found = sorted(Path(name) for name in glob.glob(given, recursive=True) if Path(name).is_file())  # noqa: PTH207 - a whole path as a pattern
        if not found:
            raise click.UsageError(f"{given} names no file to check. Give a file, a folder or a pattern in quotes.")
        for file in found:
            if file not in seen:
                seen.add(file)
                yield file


def _checked(checks: ArtworkChecks, file: Path, logo: str | None, lang: str, pictures: bool) -> Checked | Problem:
    from ..artwork import MOST_BYTES

    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read ({error.strerror}).") from error
    try:
        return checks.check(data, logo=logo, lang=lang, pictures=pictures)
    except Problem as problem:
        return problem


def _line(file: Path, found: Checked | Problem) -> str:
    if isinstance(found, Problem):
        return json.dumps({"file": str(file), "problem": found.as_json()}, ensure_ascii=False)
    return json.dumps({"file": str(file), **found.report.model_dump(mode="json")}, ensure_ascii=False)


def _words(file: Path, found: Checked | Problem) -> str:
    if isinstance(found, Problem):
        return f"{file}: not checked: {found.detail}"
    report = found.report
    lines = [f"{file}: {report.verdict.replace('_', ' ')}"]
    for number, logo in enumerate(report.logos, start=1):
        left, top, width, height = (round(value) for value in logo.box)
        page = f", page {logo.page}" if logo.page is not None else ""
        lines.append(f"  {number}. {logo.logo}, {logo.colourway}, {width} x {height} at {left}, {top}{page}")
        lines += [f"     {finding.title}: {finding.detail}" for finding in logo.violations]
        lines += [f"     {finding.title}? {finding.detail}" for finding in logo.questions]
    lines += [f"  {note}" for note in report.notes]
    return "\n".join(lines)
