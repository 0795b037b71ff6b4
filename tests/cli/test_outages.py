"""Every command while something is away or wrong: one clear sentence with the fix, and never a traceback."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import click
import pytest
import time_machine

from service import cli
from service.cli import doctor
from service.mail import transport
from service.settings import Settings
from service.storage import s3
from service.store import database
from tests.conftest import environment
from tests.parts.postgres import Postgres
from tests.parts.processes import free_port
from tests.parts.s3 import BUCKET, S3Server

#: They serve until they are stopped, ask a server that a test has to bring, or make thousands of pictures without the
#: database; their own tests have them.
_APART = {("demo",), ("audit", "watch"), ("variants", "prerender")}


def _leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from _leaves(found, (*path, name))


COMMANDS = dict(_leaves(cli.emblem))


def _sample(parameter: click.Parameter, folder: Path) -> str:
    """Something that the parameter takes."""
    if isinstance(parameter.type, click.Choice):
        return str(next(iter(parameter.type.choices)))
    if isinstance(parameter.type, click.IntRange | click.types.IntParamType):
        return str(getattr(parameter.type, "min", None) or 1)
    if isinstance(parameter.type, click.Path):
        return str(folder if not parameter.type.dir_okay or parameter.type.exists else folder.parent / "new")
    return "x"


def arguments(path: tuple[str, ...], file: Path) -> list[str]:
    """The command with everything that it needs."""
    given = list(path)
    for parameter in COMMANDS[path].params:
        if isinstance(parameter, click.Argument):
            given.append(_sample(parameter, file))
        elif parameter.required:
            given += [parameter.opts[0], _sample(parameter, file)]
    return given


def run(
    given: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variables: dict[str, str]
) -> tuple[int, str]:
    """Runs a command in this process: its exit status and what it said on standard error."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["emblem", *given])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:  # anything else that is raised is a traceback
        cli.main()
    code = ended.value.code
    told = capsys.readouterr()
    return code if isinstance(code, int) else 1, told.err or told.out


#: No deployment is asked for what they do.
_ALONE = {("catalogue", "check"), ("client",)} | {path for path in COMMANDS if path[0] in ("campaign", "secrets")}
_ALONE |= {path for path in COMMANDS if path[0] == "artwork"}
NEED_DATABASE = [path for path in COMMANDS if path not in _APART | _ALONE and path != ("doctor",)]


class Silent:
    """A server that takes connections and never says a word; ``asked`` counts them."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        self.port = self._socket.getsockname()[1]
        self.asked = 0
        self._kept: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                self._kept.append(self._socket.accept()[0])
                self.asked += 1

    def close(self) -> None:
        """Hang up."""
        for one in (self._socket, *self._kept):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    made = Silent()
    yield made
    made.close()


def _no_database(folder: Path, kind: str) -> str:
    """The URL of a database that does not serve."""
    file = folder / "broken.sqlite3"
    if kind == "refused":
        return f"postgresql+psycopg://emblem:pass-word@127.0.0.1:{free_port()}/emblem"
    if kind == "a folder":
        file.mkdir()
    else:
        file.write_bytes(b"this is no database " * 4096)
    return f"sqlite:///{file}"


@pytest.mark.parametrize(
    ("kind", "fix"),
    [
        ("refused", "start it, or correct EMBLEM_DATABASE_URL"),
        ("a folder", "correct EMBLEM_DATABASE_URL, or the permissions of the folder"),
        ("no database", "put a backup back with `emblem restore DIR --replace`"),
    ],
)
def test_every_command_without_its_database_says_the_fix_in_one_sentence(
    kind: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    log = tmp_path / "access.log"
    log.write_text("")
    variables = environment(tmp_path / "var") | {"EMBLEM_DATABASE_URL": _no_database(tmp_path, kind)}
    for path in NEED_DATABASE:
        given = arguments(path, file)
        if path == ("restore",):
            continue  # it reads the backup first: its own tests have it
        if path == ("audit", "import-log"):
            given = [*path, str(log), "--format", "json"]
        status, said = run(given, monkeypatch, capsys, variables)
        assert status == 2, (given, said)
        assert len(said.strip().splitlines()) == 1, (given, said)
        assert fix in said, (given, said)
        assert "pass-word" not in said, (given, said)


#: what is away -> the variable that names it, and the line of the doctor
_AWAY = {
    "database": ("EMBLEM_DATABASE_URL", "postgresql+psycopg://emblem:pass-word@{}/emblem"),
    "storage": ("EMBLEM_STORAGE_URL", "s3://bucket/prefix?endpoint_url=http://{}"),
    "rate limits": ("EMBLEM_REDIS_URL", "redis://{}/0"),
    "mail": ("EMBLEM_MAIL_URL", "smtp://{}"),
}


@pytest.mark.parametrize("what", _AWAY)
def test_the_doctor_asks_who_is_silent_once_and_looks_at_the_rest(
    what: str,
    settings: Settings,
    silent: Silent,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _hurry(monkeypatch)
    name, value = _AWAY[what]
    variables = environment(settings.data_dir) | {name: value.format(f"127.0.0.1:{silent.port}")}
    variables |= {"EMBLEM_RATE_LIMITS": "on", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    status, said = run(["doctor"], monkeypatch, capsys, variables)
    assert status == 1
    failed = [line for line in said.splitlines() if line.startswith("FAILED") and "not looked at" not in line]
    assert len(failed) == 1, said
    assert failed[0].split("  ")[1].strip() == what
    assert name in failed[0]
    assert "ok       secrets" in said
    assert silent.asked <= 2  # S3 is tried once more


@pytest.mark.parametrize("given", [["audit", "seal"], ["audit", "verify"], ["catalogue", "publish"], ["serve"]])
def test_a_storage_that_does_not_answer_is_told_with_the_fix(
    given: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = environment(settings.data_dir) | {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    variables["EMBLEM_STORAGE_URL"] = f"s3://bucket/prefix?endpoint_url=http://127.0.0.1:{free_port()}"
    status, said = run(given, monkeypatch, capsys, variables)
    assert status == 2, said
    assert len(said.strip().splitlines()) == 1, said
    assert "start the S3 server, or correct EMBLEM_STORAGE_URL" in said


_SIGNING = "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
#: What is wrong between us and a storage that answers -> variables, seconds that our clock is ahead, and the fix.
_REFUSED: dict[str, tuple[dict[str, str], int, str]] = {
    "no name of a bucket": ({"EMBLEM_STORAGE_URL": "Bad_Bucket!"}, 0, "create it, or correct EMBLEM_STORAGE_URL"),
    "no bucket": ({"EMBLEM_STORAGE_URL": "no-such-bucket"}, 0, "create it, or correct EMBLEM_STORAGE_URL"),
    "another secret": (
        {"AWS_SECRET_ACCESS_KEY": "pass-word"},
        0,
        _SIGNING,
    ),
    "another key": ({"AWS_ACCESS_KEY_ID": "pass-word"}, 0, _SIGNING),
    "another time": ({}, 3600, "synchronise this machine's clock"),
}


@pytest.mark.parametrize("kind", _REFUSED)
def test_a_storage_that_refuses_is_told_with_the_fix(
    kind: str,
    settings: Settings,
    s3_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    changed, ahead, fix = _REFUSED[kind]
    variables = environment(settings.data_dir) | s3_server.environment | changed
    url = s3_server.url(f"refused-{kind.replace(' ', '-')}")
    variables["EMBLEM_STORAGE_URL"] = url.replace(BUCKET, changed.get("EMBLEM_STORAGE_URL", BUCKET), 1)
    for given in (["audit", "seal"], ["audit", "verify"], ["serve"]):  # they write, read, and look whether it is there
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials that it found first
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=ahead)):
            status, said = run(given, monkeypatch, capsys, variables)
        assert status == 2, (given, said)
        assert len(said.strip().splitlines()) == 1, (given, said)
        assert fix in said, (given, said)
        assert "pass-word" not in said, (given, said)


def test_what_may_be_waited_for_is_bounded() -> None:
    """At most ten seconds for one that is silent: each is asked once, in so many steps of so many seconds."""
    assert database.CONNECT <= 10
    assert s3._FIRST.attempts * max(s3._FIRST.connect, s3._FIRST.read) < 10
    assert transport._LOOK < 10
    assert doctor._ANSWER < 10


def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(database.PATIENCE, "connect_timeout", 2)
    monkeypatch.setattr(s3, "_FIRST", s3._Patience(1, 1, 1))
    monkeypatch.setattr(transport, "_LOOK", 1.0)
    monkeypatch.setattr(doctor, "_ANSWER", 1.0)


@pytest.mark.parametrize(
    ("kind", "fix"),
    [
        ("wrong password", "correct the user and the password in EMBLEM_DATABASE_URL"),
        ("missing", "create the database, or correct EMBLEM_DATABASE_URL"),
    ],
)
def test_a_postgres_that_does_not_let_us_in(
    kind: str,
    fix: str,
    postgres: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = postgres.url("emblem_that_is_not_there")
    if kind == "wrong password":
        url = postgres.guarded("somebody", "right").replace(":right@", ":pass-word@")
    for given in (["participants", "list"], ["db", "current"], ["serve"]):
        variables = environment(tmp_path / "var") | {"EMBLEM_DATABASE_URL": url}
        status, said = run(given, monkeypatch, capsys, variables)
        assert status == 2, said
        assert len(said.strip().splitlines()) == 1, said
        assert fix in said
        assert "pass-word" not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMBLEM_BASE_URL", "https://"),
        ("EMBLEM_BASE_URL", "https://logo.example.org/?x=1"),
        ("EMBLEM_METRICS_BIND", "127.0.0.1:99999"),
        ("EMBLEM_METRICS_BIND", "127.0.0.1:http"),
        ("EMBLEM_SEAL_INTERVAL", "90d"),
        ("EMBLEM_STORAGE_URL", "s3://bucket?endpoint_url=127.0.0.1:9000"),
        ("EMBLEM_STORAGE_URL", "s3://bucket?endpoint_url=http://"),
        ("EMBLEM_STORAGE_URL", "file:///proc/nothing/here"),
        ("EMBLEM_DATABASE_URL", "sqlite:////proc/nothing/here.sqlite3"),
        ("EMBLEM_DATABASE_URL", "postgresql://host:port/name"),
        ("EMBLEM_DATABASE_URL", "sqlite"),
        ("EMBLEM_REDIS_URL", "redis://host:port/0"),
        ("EMBLEM_MAIL_URL", "smtp://host:port"),
        ("EMBLEM_SECRET_KEYS", ","),
        ("EMBLEM_LOG_KEY", "nonsense"),
        ("EMBLEM_WEBHOOK_NETWORKS", "10.0.0.1/8"),
        ("EMBLEM_TRUSTED_PROXIES", "-1"),
        ("EMBLEM_LINK_MAX_AGE", "90d,7d"),
        ("EMBLEM_POLICIES_DIR", "/nothing/here"),
    ],
)
def test_a_bad_setting_is_named_with_its_fix(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = environment(tmp_path / "var") | {name: value}
    for given in (["doctor"], ["participants", "list"]):
        status, said = run(given, monkeypatch, capsys, variables)
        assert status == (1 if given == ["doctor"] else 2), (given, said)
        assert name in said or "database" in said.lower() or "storage" in said.lower(), (given, said)


def test_every_command_is_reached() -> None:
    assert len(COMMANDS) > 25
    assert set(COMMANDS) >= _APART
