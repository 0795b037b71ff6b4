"""What lies in docs/deploy is true to the program: settings, commands, units, and nginx before two machines."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from service import settings
from service.certificates.credentials import new_credential_key
from service.cli import emblem
from service.ledger import new_log_keys
from tests.parts.demo import Client
from tests.parts.nginx import MachinesNginx

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
GIVEN = {
    "POSTGRES_PASSWORD": "a-password",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
    "EMBLEM_SECRET_KEYS": "a-secret-of-the-tests-and-of-nothing-else",
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    given = GIVEN | {"EMBLEM_LOG_KEY": new_log_keys(), "EMBLEM_CREDENTIAL_KEY": new_credential_key()}
    found: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(\w+):\?\}", lambda name: given[name[1]], text))
    return found


def require_command(arguments: list[str]) -> None:
    """There is such a command, and it takes these options."""
    command: click.Command = emblem
    rest = list(arguments)
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None, arguments
        command, rest = found, rest[1:]
    command.make_parser(click.Context(command)).parse_args(rest)


def test_the_settings_of_the_machines_are_valid(compose: dict[str, Any]) -> None:
    for name in ("prepare", "app1", "app2"):
        environment = compose["services"][name]["environment"]
        ours = {key: value for key, value in environment.items() if key.startswith("EMBLEM_")}
        assert ours.keys() <= settings.VARIABLES.keys()
        made = settings.load(ours)
        assert made.trusted_proxies == 1
        assert made.database_url == "postgresql+psycopg://emblem:a-password@postgres/emblem"
        assert made.storage_url.startswith("s3://")


def test_services_name_each_other(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= services.keys()
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert (DEPLOY / source).is_file() if source.startswith(".") else source in compose["volumes"]
    text = (DEPLOY / "container" / "nginx.conf").read_text(encoding="utf-8")
    assert set(re.findall(r"server (\w+):8000", text)) == {"app1", "app2"}
    hosts = re.findall(r"(?://|@)([a-z0-9]+)(?=[:/])", " ".join(services["app1"]["environment"].values()))
    assert {"postgres", "s3", "redis"} <= set(hosts) <= services.keys() | {"localhost", "emblem"}


def test_the_commands_are_there(compose: dict[str, Any]) -> None:
    texts = [" ".join(service.get("command", ())) for service in compose["services"].values()]
    texts += [unit.read_text(encoding="utf-8") for unit in UNITS]
    container = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    (started,) = re.findall(r"CMD \[(.+)\]", container)
    found = [shlex.split(started.replace(",", " "))[1:]]
    commands = r"(?:^|[\s/=])emblem ((?:db|serve|catalogue|backup) [^&'\n]+)"
    lines = [line for text in texts for line in re.findall(commands, text)]
    found += [shlex.split(line.replace('"', "").replace("$(date +%%F)", "2026-11-29")) for line in lines]
    assert len(found) >= 8
    for arguments in found:
        require_command(arguments)


def test_the_image_is_built_of_what_is_there() -> None:
    text = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    (extras,) = re.findall(r"emblem\[([a-z,]+)\]", text)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras.split(",")) <= project["optional-dependencies"].keys()
    python = re.findall(r"ARG BASE=python:(\d+\.\d+)", text)
    assert [int(part) for part in python[0].split(".")] >= [3, 11]


def test_no_image_holds_secrets_or_history() -> None:
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    (named,) = set(re.findall(r"--env-file (\S+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    assert {named, ".*"} <= set(left_out)


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not on this machine")
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/emblem/.venv/bin/emblem", sys.executable)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit.name) for unit in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    mine = [line for line in done.stderr.splitlines() if any(unit.name in line for unit in UNITS)]
    assert not mine, done.stderr
    assert done.returncode == 0, done.stderr


# ---- nginx before two machines


@pytest.fixture
def machines() -> Iterator[list[ThreadingHTTPServer]]:
    """Two servers that say who they are, and what the proxy told them."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = {"connection": str(self.request.getsockname()), "for": self.headers["X-Forwarded-For"]}
            body = repr(told).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing is logged."""

    made = [ThreadingHTTPServer(("127.0.0.1", 0), Answer) for _ in range(2)]
    for server in made:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    for server in made:
        server.shutdown()
        server.server_close()


def test_nginx_goes_on_with_the_machine_that_is_left(machines: list[ThreadingHTTPServer], tmp_path: Path) -> None:
    first, second = (f"127.0.0.1:{server.server_address[1]}" for server in machines)
    nginx = MachinesNginx(tmp_path / "nginx", (first, second))
    try:
        client = Client(nginx.url)
        seen = {client.get("/").body for _ in range(8)}
        assert len(seen) == 2
        assert all(b"'for': '127.0.0.1'" in body for body in seen)
        machines[0].shutdown()
        machines[0].server_close()
        assert {client.get("/").status for _ in range(6)} == {200}
        assert client.request("POST", "/", b"x" * (27 * 1024 * 1024)).status == 413
    finally:
        nginx.close()
