"""Every command while something is away or wrong: one clear sentence with the fix, and never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from service import cli
from tests.conftest import environment
from tests.parts.processes import free_port

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


def _two_of_each_group() -> list[tuple[str, ...]]:
    """The first two commands of each group, which open the deployment in the same way as the others."""
    groups: dict[str, list[tuple[str, ...]]] = {}
    for path in COMMANDS:
        if path not in _APART:
            groups.setdefault(path[0], []).append(path)
    return [path for paths in groups.values() for path in paths[:2]]


@pytest.mark.parametrize("path", _two_of_each_group(), ids=" ".join)
def test_with_the_database_away(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    away = f"postgresql://emblem:pass-word@127.0.0.1:{free_port()}/emblem"
    variables = environment(tmp_path / "var") | {"EMBLEM_DATABASE_URL": away}
    status, said = run(arguments(path, file), monkeypatch, capsys, variables)
    assert status in (0, 1, 2)
    assert status == 0 or said.strip()
    assert "pass-word" not in said
    if path[0] in ("db", "participants", "keys", "links", "staff", "serve"):
        assert status == 2
        assert "database" in said.lower()
        assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMBLEM_BASE_URL", "https://"),
        ("EMBLEM_BASE_URL", "https://logo.example.org/?x=1"),
        ("EMBLEM_METRICS_BIND", "127.0.0.1:99999"),
        ("EMBLEM_METRICS_BIND", "127.0.0.1:http"),
        ("EMBLEM_SEAL_INTERVAL", "90d"),
        ("EMBLEM_STORAGE_URL", "s3://bucket?endpoint_url=127.0.0.1:9000"),
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
