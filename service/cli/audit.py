"""``emblem audit``: seal, recover, report, export, import what a cache delivered, verify."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import settings as settings_module
from ..clock import now
from ..problems import ConfigurationError, Unavailable
from ..storage import ObjectMissing
from ..storage.durable import replace_file
from .common import deployment, json_option, progress
from .trust import policy_option, token_of, trusted_keys
from .watch import watch

if TYPE_CHECKING:
    from ..audit.reports import Report, Reports
    from ..ledger.recovery import Recovered
    from ..settings import Settings
    from ..verification.log_reader import LogSource
    from ..verification.policy import Policy
    from ..verification.verifier import LogVerdict

_FORMATS = ("table", "json", "csv", "parquet", "html")
_LOGS = ("nginx", "combined", "json", "cloudfront", "s3")


@click.group()
def audit() -> None:
    """The record: sealing, reports, exports, imports, verification."""


@contextmanager
def _reports() -> Iterator[tuple[Settings, Reports]]:
    """Open what makes reports, and no more of the deployment: a report should not wait for the rest to load."""
    from ..audit.reports import Reports
    from ..audit.segments import Segments
    from ..storage import open_storage
    from ..store.database import Database

    settings = settings_module.load(os.environ)
    database = Database(settings.database_url)
    storage = open_storage(settings.storage_url, shared=settings.delivery == "x-accel")
    segments = Segments(database, storage, settings.data_dir, now)
    try:
        yield settings, Reports(database, segments, now)
    finally:
        database.close()


@audit.command()
@json_option
def seal(as_json: bool) -> None:
    """Flush the use counts and seal every entry now."""
    with deployment() as emblem:
        emblem.sealer.check()
        size = emblem.flush_and_seal()
        head = emblem.reports.checkpoint(None)
        if head.size < size or emblem.sealer.rows.waiting():
            raise Unavailable("Another process is sealing; run the command again in a moment.")
    if as_json:
        click.echo(json.dumps({"size": head.size, "root": head.root, "checkpoint": head.note}, ensure_ascii=False))
    else:
        click.echo(f"Sealed: {head.size} entries, root {head.root}")


@audit.command()
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The newest checkpoint that anybody has, such as the one mailed to auditors.",
)
@json_option
def recover(checkpoint: Path | None, as_json: bool) -> None:
    """After a database was put back: take over what the log has and the database does not, and verify the log.

    Erasures, suspensions and revocations among it are applied. `emblem restore` does this by itself.
    """
    done = recovered(read_kept(checkpoint))
    if as_json:
        click.echo(json.dumps(done.as_json(), indent=2))
    else:
        tell_recovered(done)


def read_kept(path: Path | None) -> bytes | None:
    """Return the checkpoint in a file, as it was mailed or saved; UsageError where it is none."""
    from ..ledger import notes
    from ..verification.signed_note import kept_checkpoint

    if path is None:
        return None
    try:
        kept = kept_checkpoint(path.read_bytes())
        notes.read(kept.decode())
    except ValueError as error:
        raise click.UsageError(f"--checkpoint: {path}: {error}.") from error
    return kept


@dataclass(frozen=True)
class Recovery:
    """Say what a recovery did, and the size of the kept checkpoint that the log was compared with."""

    done: Recovered
    compared: int | None

    def as_json(self) -> dict[str, Any]:
        """As it is printed."""
        done = self.done
        counts = {"unknown": dict(sorted(done.unknown.items())), "applied": dict(sorted(done.applied.items()))}
        return {"before": done.before, "size": done.size, **counts, "compared_with": self.compared, "verified": True}


def recovered(kept: bytes | None) -> Recovery:
    """Check the database, take over what the log has and it does not, apply its ends, and verify the log.

    ``kept`` is a checkpoint from outside that the log has to continue. Raises Unavailable, LogDamaged.
    """
    from ..backup import apply_end
    from ..ledger import notes
    from ..ledger.recovery import recover as run
    from ..problems import LogDamaged
    from ..verification.log_reader import StorageSource
    from ..verification.signed_note import parse_vkey
    from ..verification.verifier import verify_log

    least = notes.read(kept.decode()) if kept else None
    with deployment() as emblem:
        emblem.database.check_pages()
        emblem.sealer.check(recovering=True)
        done = run(emblem.sealer, apply=apply_end(emblem.erasure), least=least)
        emblem.database.scrub()
        vkeys = emblem.sealer.vkeys()
        verdict = verify_log(StorageSource(emblem.storage.find, vkeys), [parse_vkey(vkey) for vkey in vkeys], kept)
        if verdict.first is not None:
            raise LogDamaged(f"The log does not verify: {verdict.first.path}: {verdict.first.text}.")
    return Recovery(done, least.size if least else None)


def tell_recovered(recovery: Recovery) -> None:
    """Print what a recovery did."""
    done = recovery.done
    click.echo(f"Sealed: {done.size} entries; the database knew {done.before} as sealed. The log verifies.")
    for kind, count in sorted(done.unknown.items()):
        told = f", applied to {done.applied[kind]}" if done.applied[kind] else ""
        click.echo(f"Only the log knew: {count} of {kind}{told}")
    if recovery.compared is None:
        click.echo(
            "Nobody outside was asked: give the newest checkpoint that an auditor was mailed by --checkpoint, to know "
            "that the log has all that was published."
        )
    else:
        click.echo(f"It continues the checkpoint of {recovery.compared} leaves that was kept outside.")


@audit.command()
@click.option("--by", "dimensions", metavar="DIM", multiple=True, help="A dimension; may be repeated.")
@click.option("--from", "start", metavar="D", help="A date, included, or an instant.")
@click.option("--to", "end", metavar="D", help="A date, included, or an instant, excluded.")
@click.option("--checkpoint", metavar="SIZE", help="The size of an earlier checkpoint.")
@click.option("--where", "filters", metavar="DIM=VALUE", multiple=True, help="Only these; ~ for none.")
@click.option("--compare", is_flag=True, help="Beside it, the same for as long a time before.")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="table if not given.")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
def report(
    dimensions: tuple[str, ...],
    start: str | None,
    end: str | None,
    checkpoint: str | None,
    filters: tuple[str, ...],
    compare: bool,
    form: str | None,
    output: Path | None,
) -> None:
    """Figures of downloads and logo views, by any dimensions, from the sealed record."""
    from ..audit.query import parse

    form = form or "table"
    given = {"from": start, "to": end, "checkpoint": checkpoint, "compare": "previous" if compare else None}
    pairs = [("by", name) for name in dimensions] + [(name, value) for name, value in given.items() if value]
    for item in filters:
        name, equals, value = item.partition("=")
        if not equals:
            raise click.UsageError(f"--where {item}: write DIM=VALUE, such as --where country=AT.")
        pairs.append((name, value))
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is no text for a terminal: name a file with -o.")
    query = parse(pairs)
    with _reports() as (settings, reports):
        found = reports.run(query)
    body = _body(form, found, settings)
    if found.note and form in ("csv", "parquet"):  # these have no place for it
        click.echo(found.note, err=True)
    if output is None:
        sys.stdout.buffer.write(body)
        sys.stdout.flush()
    else:
        _write(output, body)
        click.echo(f"Wrote {output}, {len(body)} bytes.", err=True)


def _body(form: str, found: Report, settings: Settings) -> bytes:
    from ..audit import formats

    if form == "html":
        from ..audit.html_report import as_html
        from ..deployment import campaign_in_force

        return as_html(found, campaign_in_force(settings).info.name.get("en"))
    if form == "table":
        return formats.as_table(found).encode()
    make = {"json": formats.as_json, "csv": formats.as_csv, "parquet": formats.as_parquet}[form]
    return make(found)


def _write(path: Path, body: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}.") from error


@audit.command()
@click.option(
    "-o", "--output", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR"
)
@json_option
def export(folder: Path, as_json: bool) -> None:
    """Write all entries as Parquet by day, and the log's own tiles and entry bundles."""
    from ..audit.export import export as run

    with deployment() as emblem, progress("Exporting") as show:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            done = run(emblem.reports, emblem.storage, emblem.sealer.vkeys(), folder, show)
        except OSError as error:
            raise click.UsageError(f"{folder} cannot be written: {error.strerror}.") from error
    if as_json:
        click.echo(json.dumps({"size": done.size, "tiles": done.tiles, "files": done.files, "folder": str(folder)}))
    else:
        click.echo(f"{folder}: {done.size} entries in {done.files} Parquet files, and {done.tiles} tiles and bundles.")


@audit.command("import-log")
@click.argument("files", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(_LOGS), required=True, help="What wrote the log.")
@json_option
def import_log(files: tuple[Path, ...], form: str, as_json: bool) -> None:
    """Count logo views that a cache delivered, from its log files (gzip too)."""
    from ..embeds.log_import import Importer, LogFileError
    from ..store import migrate
    from ..store.database import Database

    settings = settings_module.load(os.environ)
    database = Database(settings.database_url)
    results = []
    failed = []
    try:
        migrate.require_current(database)
        importer = Importer(database, settings.data_dir, now)
        for path in files:
            with progress(path.name) as show:
                try:
                    results.append(importer.run(path, form, show))
                except LogFileError as error:
                    failed.append(str(error))
    finally:
        database.close()
    if as_json:
        click.echo(json.dumps({"imports": [item.as_json() for item in results]}, ensure_ascii=False, indent=2))
    for item in results if not as_json else []:
        click.echo(
            f"{item.file}: {item.lines} lines, {item.views} views in {item.entries} entries; "
            f"{item.other} others, {item.unknown} of unknown embeds, {item.bad} bad"
            + (f"; {item.before} lines were imported before" if item.before else "")
            + ("; the last line has no end yet and is left for the next time" if item.unended else "")
        )
        for number, detail in item.bad_lines[:20]:
            click.echo(f"{item.file}:{number}: {detail}", err=True)
        if item.bad > 20:
            click.echo(f"{item.file}: {item.bad - 20} more bad lines; --json names them.", err=True)
    for sentence in failed:
        click.echo(f"emblem: {sentence}", err=True)
    if failed:
        raise click.exceptions.Exit(1)


@audit.command()
@click.option("--url", metavar="BASE", help="A deployment's address.")
@click.option("--dir", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="EXPORT")
@click.option("--key", "vkeys", metavar="VKEY", multiple=True, help="A verifier key that you kept; may be repeated.")
@click.option("--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="F")
@click.option(
    "--since",
    type=click.Path(exists=True, path_type=Path),
    metavar="CHECKPOINT",
    help="A checkpoint that you kept, or an export: with that, another history is located at its first entry.",
)
@click.option("--receipt", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="F")
@policy_option
@json_option
def verify(
    url: str | None,
    folder: Path | None,
    vkeys: tuple[str, ...],
    token_file: Path | None,
    since: Path | None,
    receipt: Path | None,
    policy_file: Path | None,
    as_json: bool,
) -> None:
    """Check the public log, an export of it, or a receipt, trusting nobody.

    Without --url and --dir it is this deployment's own log. Ends with 1 and the first bad index where
    something does not hold.
    """
    from ..verification.log_copy import LogCopy, locate_fork
    from ..verification.log_reader import SourceError
    from ..verification.signed_note import BadFormError
    from ..verification.verifier import read_keys, verify_log, verify_receipt

    if url and folder:
        raise click.UsageError("Give --url or --dir, not both.")
    token = token_of(token_file)
    keys, policy = trusted_keys(vkeys, policy_file)
    try:
        source = None if receipt and keys else _source(url, folder, token)
        trusted = bool(keys)
        if not keys:
            assert source is not None
            keys = read_keys(source)
        if receipt:
            verdict, entry = verify_receipt(receipt.read_bytes(), keys, () if trusted else keys, policy)
        else:
            assert source is not None
            entry = None
            if policy and url:
                source = _cosigned(source, policy)
            with progress("Verifying") as show:
                kept = _kept(since) if since else None
                verdict = verify_log(source, keys, kept, show, policy)
            if since and since.is_dir():
                locate_fork(verdict, LogCopy(since), source)
            if verdict.ok and verdict.entries_read and folder:
                _compare_export(folder, source, verdict)
            elif verdict.ok and not url:
                _compare_segments(source, verdict)
    except SourceError as error:
        raise Unavailable(str(error)) from error
    except BadFormError as error:
        click.echo(f"emblem: {error}.", err=True)
        raise click.exceptions.Exit(1) from error
    if token and verdict.ok and not verdict.entries_read:
        # Whoever gives a key means to have the entries checked: saying "verified" without them would mislead.
        raise click.UsageError(f"The key in {token_file} was refused: give that of an auditor or of staff.")
    _tell(verdict, entry, trusted=trusted, as_json=as_json)
    if not verdict.ok:
        raise click.exceptions.Exit(1)


def _kept(since: Path) -> bytes:
    """The checkpoint of a file or mail that was kept, or of a folder such as an export."""
    from ..verification.signed_note import kept_checkpoint

    path = since / "checkpoint" if since.is_dir() else since
    if not path.is_file():
        raise click.UsageError(f"--since: {since} has no file named checkpoint; name the folder of an export.")
    return kept_checkpoint(path.read_bytes())


def _cosigned(source: LogSource, policy: Policy) -> LogSource:
    """The log by its first checkpoint that the quorum has cosigned, waiting for one where it is too young for that."""
    from ..verification.log_reader import PinnedSource
    from ..verification.monitor import COSIGNED_WITHIN

    until = time.monotonic() + COSIGNED_WITHIN
    while not policy.seen((note := source.read("checkpoint")) or b"") and time.monotonic() < until:
        time.sleep(0.5)
    return PinnedSource(source, note)


def _source(url: str | None, folder: Path | None, token: str | None) -> LogSource:
    from ..verification.log_reader import FolderSource, UrlSource

    if url:
        return UrlSource(url, token)
    if folder:
        return FolderSource(folder)
    from ..ledger.rows import Rows
    from ..storage import open_storage
    from ..store.database import Database
    from ..verification.log_reader import StorageSource

    settings = settings_module.load(os.environ)
    keys = Rows(Database(settings.database_url)).vkeys()
    return StorageSource(open_storage(settings.storage_url, shared=settings.delivery == "x-accel").find, keys)


def _compare(source: LogSource, verdict: LogVerdict, files: Iterable[tuple[str, Path]], end: int) -> None:
    """Parquet files, each with the name it is reported by, against the log: they hold its leaves below ``end``."""
    from ..audit.segments import Comparison
    from ..verification.verifier import LogFinding, leaf_hashes

    comparison = Comparison(leaf_hashes(source, verdict.size), end)
    try:
        for name, path in files:
            if found := comparison.add(path):
                verdict.findings.append(LogFinding(found[0], name, found[1]))
                return
        if (missing := comparison.missing()) is not None:
            verdict.findings.append(LogFinding(missing, "entries", "the leaf is in no Parquet file"))
    finally:
        comparison.close()


def _compare_export(folder: Path, source: LogSource, verdict: LogVerdict) -> None:
    from ..audit.export import parquet_files

    files = parquet_files(folder)
    if files:
        _compare(source, verdict, ((str(path.relative_to(folder)), path) for path in files), verdict.size)


def _compare_segments(source: LogSource, verdict: LogVerdict) -> None:
    from ..problems import LogDamaged
    from ..verification.verifier import LogFinding

    with _reports() as (_, reports):
        segments = reports.segments
        files = [file for file in segments.files(verdict.size) if file.last < verdict.size]
        try:
            local = ((file.key, segments.local(file)) for file in files)
            _compare(source, verdict, local, max((file.last + 1 for file in files), default=0))
        except LogDamaged as error:
            verdict.findings.append(LogFinding(None, "segments", error.detail))
        except ObjectMissing as error:
            verdict.findings.append(LogFinding(None, error.key, "the file is missing"))


def _tell(verdict: LogVerdict, entry: bytes | None, *, trusted: bool, as_json: bool) -> None:
    if as_json:
        document = verdict.as_json()
        if entry is not None:
            document["entry"] = json.loads(entry) if verdict.ok else None
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    if verdict.origin:
        click.echo(f"Log {verdict.origin}: {verdict.size} leaves, root {verdict.root}")
    for vkey in verdict.signed_by:
        click.echo(f"Signed by {vkey}" + ("" if trusted else " (the log's own word; keep it, and give it as --key)"))
    for seen in verdict.cosigned:
        click.echo(f"Seen by {seen.witness} at {seen.at:%Y-%m-%d %H:%M:%S} UTC")
    if verdict.since is not None and verdict.ok:
        click.echo(f"It continues the kept checkpoint of {verdict.since} leaves")
    if entry is not None and verdict.ok:
        click.echo(f"Entry: {entry.decode('utf-8', 'replace')}")
    if not verdict.entries_read:
        click.echo("Entries were not read: they need the key of an auditor (--token-file)")
    for finding in verdict.findings:
        where = "" if finding.index is None else f"leaf {finding.index}: "
        click.echo(f"{where}{finding.path}: {finding.text}")
    first = verdict.first
    if first is None:
        click.echo("Verified: everything that was checked holds")
    elif first.index is None:
        click.echo(f"emblem: This does not verify: {first.path}: {first.text}.", err=True)
    else:
        click.echo(f"emblem: This does not verify: the first index that fails is {first.index}.", err=True)


@audit.command("rotate-key")
@click.option("--retire", is_flag=True, help="End the rotation: only the newest key goes on signing.")
def rotate_key(retire: bool) -> None:
    """Make new log keys (Ed25519 and ML-DSA-44); the old ones sign too until they are retired with --retire."""
    from ..ledger import key_source, new_log_keys
    from ..ledger.keys import parts

    settings = settings_module.load(os.environ)
    classical, post_quantum = parts(settings.log_key)
    if retire and len(classical) == 1 and len(post_quantum) < 2:
        raise ConfigurationError(["EMBLEM_LOG_KEY has one key only; there is none to retire."])
    kept = [*classical[:1], *post_quantum[:1]]
    value = ",".join(kept if retire else [new_log_keys(), *re.split(r"[,\s]+", settings.log_key.strip())])
    with deployment() as emblem:
        emblem.sealer.check()
        if settings.config is None:
            click.echo("Set this, and start every process anew; keep it as secret as the old one:", err=True)
            click.echo(f"EMBLEM_LOG_KEY={value}")
            return
        _replace_setting(settings.config, "EMBLEM_LOG_KEY", value)
        emblem.sealer.signers = key_source(value, replace(settings, log_key=value).log_origin)
        emblem.sealer.seal(wait=30)
        emblem.sealer.resign()
        vkeys = [signer.verifier.vkey for signer in emblem.sealer.signers()]
    click.echo(f"Wrote {settings.config}. The newest checkpoint is signed by:")
    for vkey in vkeys:
        click.echo(vkey)


def _replace_setting(path: Path, name: str, value: str) -> None:
    """Changes one line of a configuration file, atomically, the rest as it was."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [number for number, line in enumerate(lines) if _names(line, name)]
    for number in found:
        lines[number] = f"{name}={value}"
    if not found:
        lines.append(f"{name}={value}")
    replace_file(path, ("\n".join(lines) + "\n").encode(), mode=path.stat().st_mode & 0o777)


def _names(line: str, name: str) -> bool:
    return line.strip().removeprefix("export ").partition("=")[0].strip() == name


audit.add_command(watch)
