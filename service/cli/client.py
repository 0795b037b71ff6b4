"""``emblem client``: a typed Python client of the API, generated from its OpenAPI document."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import click

from .. import __version__, paths
from ..problems import ConfigurationError, Unavailable

_PROJECT = f"""[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "emblem-client"
version = "{__version__}"
description = "A typed client of Emblem's API."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["httpx>=0.28", "attrs>=25"]

[tool.hatch.build.targets.wheel]
packages = ["emblem_client"]
"""
_README = """# emblem-client

Generated from the OpenAPI document of {url}; `emblem client` makes it anew. One function an operation, in
`emblem_client.api`, and one class a body or an answer, in `emblem_client.models`.

```python
from emblem_client import AuthenticatedClient
from emblem_client.api.catalogue import catalogue_packages

client = AuthenticatedClient("{url}", token="emb_…")
for package in catalogue_packages.sync(client=client).packages:
    print(package.id, package.version, package.sha256)
```
"""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--url", metavar="BASE", required=True, help="The deployment whose API it is for.")
def client(folder: Path, url: str) -> None:
    """Write a Python package into DIR, new or empty: a typed client of the API of the deployment at BASE.

    It knows the participant kinds and purposes of that deployment's campaign. `pip install DIR` installs it, `pip
    wheel --no-deps DIR` makes a wheel of it. Needs the extra `client`.
    """
    if find_spec("openapi_python_client") is None:
        raise ConfigurationError(["The generator is missing: install the extra with pip install 'emblem[client]'."])
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError([f"{folder} is not empty: name another folder."])
    base = url.rstrip("/")
    document = _document(base)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="emblem-client-") as name:
        given, config = Path(name, "openapi.json"), Path(name, "config.json")
        given.write_bytes(document)
        config.write_text(json.dumps({"package_name_override": "emblem_client", "post_hooks": []}))
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--overwrite"]
        command += ["--path", str(given), "--config", str(config), "--output-path", str(folder / "emblem_client")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise ConfigurationError([f"The client cannot be generated: {' '.join(last)}"])
    (folder / "emblem_client" / "py.typed").touch()
    (folder / "pyproject.toml").write_text(_PROJECT, encoding="utf-8")
    (folder / "README.md").write_text(_README.format(url=base), encoding="utf-8")
    click.echo(f"{folder} is a client of {base}: pip install {folder}")


def _document(base: str) -> bytes:
    """The OpenAPI document of a deployment, as it is served."""
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"{base!r} is no web address; write it with http:// or https://.")
    try:
        with urllib.request.urlopen(base + paths.openapi(), timeout=60) as answer:  # noqa: S310 - checked above
            found = bytes(answer.read())
        if not json.loads(found)["openapi"].startswith("3."):
            raise ValueError("no OpenAPI document")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, urllib.error.URLError) as error:
        raise Unavailable(f"{base} does not answer with its OpenAPI document: {error}.") from error
    return found
