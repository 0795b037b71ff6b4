"""``emblem demo``: an embedded deployment of the shipped campaign, on one command."""

from __future__ import annotations

import json
import multiprocessing
import os
import secrets
import shlex
import shutil
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import paths, private_files
from ..problems import ConfigurationError, Unavailable

# The rest is loaded where it is used: that takes a second or two, in which something should be told already.

if TYPE_CHECKING:
    from ..participants import ApiKeys

STAFF = "staff@example.org"
AUDITOR = "auditor@example.org"
_KEPT = ("EMBLEM_SECRET_KEYS", "EMBLEM_LOG_KEY", "EMBLEM_CREDENTIAL_KEY", "EMBLEM_LOG_ORIGIN")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one.")
@click.option("--dir", "folder", default="var", show_default=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--policies", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Another campaign's.")
@click.option("--assets", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Another campaign's.")
@click.option("--once", is_flag=True, help="Walk the main job over HTTP on a free port, show each step, and end.")
def demo(host: str, port: int, folder: Path, policies: Path | None, assets: Path | None, once: bool) -> None:
    """Run the shipped campaign, or that of two folders, on this machine; it is kept in a folder."""
    for name, path in (("EMBLEM_POLICIES_DIR", policies), ("EMBLEM_ASSETS_DIR", assets)):
        if path is not None:
            os.environ[name] = str(path.resolve())
    if once:
        from .walk import walk_once

        sys.exit(walk_once(folder if folder != Path("var") else None))
    began = time.monotonic()
    folder = folder.resolve()
    private_files.make_folder(folder)
    click.echo(f"  Emblem gets the campaign ready in {folder}; the first start makes its files and takes a moment.")
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    base_url = f"http://{shown}:{listener.getsockname()[1]}"
    environ = _configure(folder, base_url)
    _in_a_process_of_its_own(_prepare, environ)
    descriptor = listener.fileno()
    os.set_inheritable(descriptor, True)

    def ready(worker: Any) -> None:
        if worker.age == 1:  # the first of the workers tells, once
            _announce(folder, environ, base_url, os.getppid(), began)

    from .server import Server

    server = Server(environ, bind=f"fd://{descriptor}", workers=2, threads=16, ready=ready)
    server.run()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise ConfigurationError(
            [f"{host}:{port} cannot be used ({error.strerror}): choose another with --port (0 picks a free one)."]
        ) from error
    listener.listen(2048)
    return listener


def _configure(folder: Path, base_url: str) -> dict[str, str]:
    """The environment of this start; ``DIR/emblem.env`` is written from it. Secrets stay over restarts."""
    from .. import settings
    from ..storage.durable import replace_file
    from .secrets import make

    file = folder / "emblem.env"
    before = settings.read_config(file)[0] if file.exists() else {}
    given = {name: value for name, value in os.environ.items() if name in settings.VARIABLES}
    fresh = make() | {"EMBLEM_LOG_ORIGIN": f"emblem-{secrets.token_hex(8)}.example/log"}
    values = {
        "EMBLEM_BASE_URL": base_url,
        "EMBLEM_DATA_DIR": str(folder),
        "EMBLEM_STAFF": STAFF,
        "EMBLEM_AUDITORS": AUDITOR,
    }
    values |= {name: before.get(name) or fresh[name] for name in _KEPT}
    if path := _content_credentials(folder):
        values["EMBLEM_CONTENT_CREDENTIALS"] = str(path)
    values |= given
    lines = ["# The complete configuration of this demo. It holds secrets.", ""]
    lines += [f"{name}={values[name]}" for name in settings.VARIABLES if values.get(name)]
    replace_file(file, ("\n".join(lines) + "\n").encode())
    # The file is named too, so that a rotation of the log's key reaches the running service.
    values = {name: value for name, value in values.items() if name != "EMBLEM_LOG_KEY" or name in given}
    return values | {"EMBLEM_CONFIG": str(file)}


def _content_credentials(folder: Path) -> Path | None:
    """The key for content credentials of this demo, made once; None where nothing could be signed."""
    from ..clock import now
    from ..packages.content_credentials import available, new_credentials
    from ..storage.durable import replace_file

    file = folder / "content-credentials.pem"
    if not available():
        return None
    if not file.exists():
        replace_file(file, new_credentials("A campaign's demo", now(), 3650))
    return file


def _prepare(environ: Mapping[str, str]) -> None:
    """Migrates and publishes, before any worker starts."""
    from .. import settings
    from ..backup import require_finished
    from ..deployment import assemble, open_publisher
    from ..store import Database, migrate
    from .common import BY, progress
    from .server import LONGEST_LOOK

    found = settings.load(environ)
    require_finished(found.data_dir)
    database = Database(found.database_url)
    database.check_after_crash(LONGEST_LOOK)
    migrate.upgrade(database)
    database.close()
    with open_publisher(found) as publisher, progress("Files of the campaign") as report:
        publisher.publish(report, by=BY)
    emblem = assemble(found)
    emblem.sealer.check()
    emblem.close()


def _in_a_process_of_its_own(work: Any, environ: Mapping[str, str]) -> None:
    """Runs ``work`` in a forked child: renderers keep threads that must not be there when workers are forked."""
    from ..campaign import CampaignError

    context = multiprocessing.get_context("fork")
    failed = context.Queue()

    def run() -> None:
        try:
            work(environ)
        except ConfigurationError as error:
            failed.put(list(error.mistakes))
        except CampaignError as error:
            failed.put(str(error).splitlines())
        except Unavailable as error:
            failed.put([error.detail])

    child = context.Process(target=run)
    child.start()
    from .. import app  # noqa: F401 - meanwhile: every worker has it then, and none has to load it
    from ..web import pages, staff  # noqa: F401

    child.join()
    if not failed.empty():
        raise ConfigurationError(failed.get())
    if child.exitcode:
        raise SystemExit(1)


def _announce(folder: Path, environ: Mapping[str, str], base_url: str, pid: int, began: float) -> None:
    from .. import settings
    from ..deployment import assemble
    from ..storage.durable import replace_file

    emblem = assemble(settings.load(environ))
    try:
        file = folder / "demo.json"
        keys = _keys(emblem.participants.api_keys, file)
        url = emblem.participants.sign_in.issue_url(next(iter(emblem.settings.staff), STAFF))
        outbox = emblem.settings.outbox
    finally:
        emblem.close()
    told = {
        "base_url": base_url,
        "pid": pid,
        "keys": keys,
        "staff_sign_in_url": url,
        "outbox": str(outbox) if outbox else None,
    }
    replace_file(file, (json.dumps(told, indent=2) + "\n").encode())
    click.echo(
        f"\n  Emblem is up at {base_url}/ ({time.monotonic() - began:.1f} s)\n\n"
        f"  The campaign      {base_url}{paths.home('en')}\n"
        f"  Staff sign in     {_at_name(url)}\n"
        f"  Mail goes to      {outbox or emblem.settings.mail_url.partition('@')[2]}\n"
        f"  API               {base_url}{paths.api_docs()}   (keys are in {file})\n"
        f"  Command line      {_pasted(folder / 'emblem.env')} doctor\n\n"
        "  Ctrl+C stops it; what happened stays in the folder.\n"
    )


def _pasted(config: Path) -> str:
    """Return how a shell calls this program for the demo, wherever it stands, so that what is printed can be pasted."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        words = [sys.executable, "-m", "service"]
    elif shutil.which(program.name) == str(program.absolute()):
        words = [program.name]
    else:
        words = [str(program.absolute())]
    return f"EMBLEM_CONFIG={shlex.quote(str(config))} {shlex.join(words)}"


def _at_name(url: str) -> str:
    """Return the address at this machine's name: browsers make passkeys for no bare address."""
    return url.replace("://127.0.0.1:", "://localhost:", 1)


def _keys(api_keys: ApiKeys, file: Path) -> dict[str, str]:
    """The demo's API keys: those of the last start as long as they are good, else new ones."""
    try:
        before = json.loads(file.read_text())["keys"]
    except (OSError, ValueError, KeyError, TypeError):
        before = {}
    keys: dict[str, str] = {}
    for role in ("portal", "staff", "auditor"):
        found = api_keys.authenticate(str(before.get(role, "")))
        if found is not None and found.role == role:
            keys[role] = before[role]
        else:
            _, keys[role] = api_keys.create(role, participant=None, name="demo", by="staff:demo")
    return keys
