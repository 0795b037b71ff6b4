"""``emblem verify``: whether a file is what the campaign published."""

from __future__ import annotations

import http.client
import json
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from .. import paths
from ..problems import Unavailable
from ..verification.log_reader import reason
from .common import deployment, json_option, show_one


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--url", metavar="BASE", help="Ask the deployment at this address; without it the one of the environment."
)
@json_option
def verify(file: Path, url: str | None, as_json: bool) -> None:
    """Say whether FILE is genuine, of an older version, altered, carries the logo, or is not known.

    Ends with 0 for a genuine file, of whichever version, and with 1 for any other.
    """
    if url:
        found = _asked(url, file)
    else:
        from ..answers.authenticity import VerificationAnswer

        with deployment() as emblem:
            seen = emblem.authenticity.check(file.read_bytes(), name=file.name)
        found = VerificationAnswer.of(seen, str).as_json()
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        show_one({name: value for name, value in found.items() if value is not None}, as_json=False)
    if found["verdict"] not in ("genuine", "genuine_old"):
        raise click.exceptions.Exit(1)


def _asked(url: str, file: Path) -> dict[str, Any]:
    parts = urlsplit(url.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"{url!r} is no web address; write it with http:// or https://.")
    border = secrets.token_hex(16)
    name = file.name.encode("ascii", "replace").decode().replace('"', "_")
    head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = head + file.read_bytes() + f"\r\n--{border}--\r\n".encode()
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=120)
    headers = {"Content-Type": f"multipart/form-data; boundary={border}", "User-Agent": "emblem-verify"}
    try:
        connection.request("POST", parts.path + paths.verifications(), body, headers)
        answer = connection.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"{url} does not answer: {reason(error)}.") from error
    except ValueError as error:
        raise Unavailable(f"{url} answered with something that is no JSON; is Emblem there?") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise Unavailable(f"{url} answered {answer.status}: {told.get('detail', '')}")
    return told
