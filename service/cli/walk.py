"""``emblem demo --once``: the main job over HTTP, each step shown with what came back, ended by the first failure."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from PIL import Image

from .. import paths
from .common import console

START = 60  # seconds that the demo may take to answer
AGENT = "Mozilla/5.0 (X11; Linux x86_64) emblem-demo"


class Broken(Exception):
    """A step did not hold."""


def walk_once(folder: Path | None) -> int:
    """Starts a demo on a free port, walks, stops it; 0 where every step held, else 1."""
    with tempfile.TemporaryDirectory(prefix="emblem-demo-") as temporary:
        home = folder or Path(temporary)
        home.mkdir(parents=True, exist_ok=True)
        before = (home / "demo.json").stat().st_mtime_ns if (home / "demo.json").exists() else None
        command = [sys.executable, "-m", "service", "demo", "--port", "0", "--dir", str(home)]
        with (home / "demo-once.log").open("wb") as output:
            server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)  # noqa: S603 - ourselves
        try:
            told = _told(server, home, before)
            return _walk(told, home)
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()


def _told(server: subprocess.Popen[bytes], home: Path, before: int | None) -> dict[str, Any]:
    until = time.monotonic() + START
    file = home / "demo.json"
    while time.monotonic() < until:
        if file.exists() and file.stat().st_mtime_ns != before:
            value: dict[str, Any] = json.loads(file.read_text())
            return value
        if server.poll() is not None:
            break
        time.sleep(0.05)
    last = (home / "demo-once.log").read_text(errors="replace").strip()
    raise SystemExit(f"emblem: the demo did not start: {last[-600:] or 'it printed nothing'}")


def _walk(told: dict[str, Any], home: Path) -> int:
    walk = Walk(told, home)
    screen = console()
    steps: list[tuple[str, Callable[[], str]]] = [
        ("campaign", walk.campaign),
        ("join", walk.join),
        ("decision", walk.decision),
        ("terms", walk.terms),
        ("link", walk.link),
        ("download", walk.download),
        ("digest", walk.digest),
        ("record", walk.record),
        ("variant", walk.variant),
        ("seal", walk.seal),
        ("report", walk.report),
        ("log verify", walk.verify),
    ]
    for number, (name, step) in enumerate(steps, 1):
        began = time.monotonic()
        try:
            came = step()
        except (Broken, OSError, http.client.HTTPException, KeyError, ValueError, zipfile.BadZipFile) as error:
            screen.print(f"{number:>2}  {name:<10}  BROKEN  {error}", markup=False)
            return 1
        screen.print(f"{number:>2}  {name:<10}  {came}  [{(time.monotonic() - began) * 1000:.0f} ms]", markup=False)
    screen.print("All steps held.")
    return 0


def _answers(fields: list[dict[str, Any]]) -> dict[str, Any]:
    """An answer to every question of a kind, as somebody gives it who agrees to everything."""
    given = {"boolean": True, "url": "https://www.example.org/", "date": "2026-07-30", "country": "AT"}
    text = "We show the logo at our events, so that more people hear of the campaign."
    answers: dict[str, Any] = {}
    for field in fields:
        if field["type"] == "choice":
            first = field["options"][0]
            answers[field["name"]] = first["value"] if isinstance(first, dict) else first
        else:
            answers[field["name"]] = given.get(field["type"], text[: field.get("max") or len(text)])
    return answers


@dataclass
class Reply:
    """Answer that came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Walk:
    """The steps, each using what the ones before it got; each returns what it shows, or raises Broken."""

    def __init__(self, told: dict[str, Any], home: Path) -> None:
        parts = urlsplit(told["base_url"])
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.told, self.home = told, home
        self.package: dict[str, Any] = {}
        self.participant: dict[str, Any] = {}
        self.issued: dict[str, Any] = {}
        self.bytes = b""
        self.sealed = 0

    def ask(
        self, method: str, path: str, *, key: str = "", body: Any = None, expect: int = 200, accept: str = "*/*"
    ) -> Reply:
        """One request; Broken where another status came back."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        headers = {"User-Agent": AGENT, "Accept": accept}
        if key:
            headers["Authorization"] = f"Bearer {self.told['keys'][key]}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body=data, headers=headers)
            response = connection.getresponse()
            answer = Reply(response.status, response.headers, response.read())
        finally:
            connection.close()
        if answer.status != expect:
            shown = path if not path.startswith("/d/") else "the link"
            said = answer.body[:200].decode(errors="replace")
            raise Broken(f"{method} {shown}: {answer.status}, not {expect}: {said}")
        return answer

    def campaign(self) -> str:
        """The home page and the catalogue."""
        page = self.ask("GET", "/en/", accept="text/html")
        packages = self.ask("GET", "/api/v1/packages").json()["packages"]
        self.package = next(package for package in packages if package["kind"] == "logo")
        name = f"{self.package['id']} {self.package['version']}"
        return f"home page of {len(page.body)} bytes; {len(packages)} packages, taking {name}"

    def join(self) -> str:
        """Somebody joins whom the campaign's rules approve at once: of the first kind for which they do."""
        kinds = self.ask("GET", "/api/v1/eligibility").json()["kinds"]
        joining = self.ask("GET", paths.openapi()).json()["components"]["schemas"]["JoinBody"]["properties"]
        for kind in [*kinds[1:], *kinds[:1]]:  # the first is a person in most campaigns: an organization asks for more
            body = {
                "kind": kind["kind"],
                "name": "Example Society",
                "email": f"society.{secrets.token_hex(4)}@example.org",
                "country": "AT",
                "answers": _answers(kind["fields"]),
                "purposes": joining["purposes"]["items"]["enum"][:1],
            }
            self.participant = self.ask("POST", "/api/v1/participants", key="portal", body=body, expect=201).json()
            if self.participant["status"] == "approved":
                break
        return f"{self.participant['id']}, {self.participant['kind']}"

    def decision(self) -> str:
        """Decided by rule."""
        decision = self.participant["decision"]
        if decision["outcome"] != "approved":
            raise Broken(f"decided {decision['outcome']} by rule {decision['rule']}: {decision['reasons']}")
        return f"{decision['outcome']} by rule {decision['rule']}"

    def terms(self) -> str:
        """The terms are read and exactly their bytes accepted."""
        terms = self.ask("GET", f"/api/v1/terms/{self.package['terms']['id']}").json()
        digest = hashlib.sha256(terms["text"].encode()).hexdigest()
        body = {
            "terms": terms["id"],
            "version": terms["version"],
            "language": terms["language"],
            "digest": digest,
            "signatory": {"name": "Example Person", "capacity": "Secretary"},
        }
        path = f"/api/v1/participants/{self.participant['id']}/acceptances"
        accepted = self.ask("POST", path, key="portal", body=body, expect=201).json()
        return f"{accepted['id']}: {terms['id']} {terms['version']}, sha256 {digest[:16]}…"

    def link(self) -> str:
        """A signed, expiring link."""
        body = {"participant": self.participant["id"], "package": self.package["id"], "max_downloads": 1}
        self.issued = self.ask("POST", "/api/v1/links", key="portal", body=body, expect=201).json()
        return f"{self.issued['id']} until {self.issued['expires_at']}"

    def download(self) -> str:
        """The package's bytes."""
        self.bytes = self.ask("GET", urlsplit(self.issued["url"]).path).body
        with zipfile.ZipFile(io.BytesIO(self.bytes)) as archive:
            if bad := archive.testzip():
                raise Broken(f"{bad} in the archive is damaged")
            count = len(archive.namelist())
        return f"{len(self.bytes)} bytes, {count} files"

    def digest(self) -> str:
        """The bytes are those that the catalogue names."""
        digest = hashlib.sha256(self.bytes).hexdigest()
        if digest != self.package["sha256"] or len(self.bytes) != self.package["bytes"]:
            raise Broken(f"sha256 {digest}, but the catalogue says {self.package['sha256']}")
        return f"sha256 {digest}"

    def record(self) -> str:
        """The download is on record, once."""
        query = urlencode({"link": self.issued["id"]})
        rows = self.ask("GET", f"/api/v1/downloads?{query}", key="auditor").json()["downloads"]
        if len(rows) != 1 or not rows[0]["counted"]:
            raise Broken(f"{len(rows)} rows on record, not one that counts")
        return f"{rows[0]['id']}, counted, {rows[0]['client']['kind']} from {rows[0]['client']['prefix']}"

    def variant(self) -> str:
        """A resized logo for a web page."""
        logos = self.ask("GET", "/api/v1/logos").json()["logos"]
        logo = next(one for one in logos if one["terms"]["id"] == self.package["terms"]["id"])
        body = {
            "participant": self.participant["id"],
            "logo": logo["id"],
            "origins": ["https://www.example.org"],
            "unlisted": "report",
        }
        embed = self.ask("POST", "/api/v1/embeds", key="portal", body=body, expect=201).json()
        path = f"/logos/{embed['key']}/{logo['id']}/{logo['colourways'][0]}/256.png"
        picture = self.ask("GET", path)
        with Image.open(io.BytesIO(picture.body)) as image:
            if image.width != 256:
                raise Broken(f"{image.width} pixels wide, not 256")
            size = f"{image.width} × {image.height} {image.format}"
            return f"{embed['id']}: {logo['id']} as {size}, {len(picture.body)} bytes"

    def seal(self) -> str:
        """The record is sealed."""
        done = self._emblem("audit", "seal")
        size = self.ask("GET", "/log/checkpoint").body.decode().splitlines()[1]
        self.sealed = int(size)
        if not self.sealed:
            raise Broken("the log is empty")
        said = done.stdout.strip().splitlines()
        return f"{size} entries; {said[-1][:90] if said else 'a signed checkpoint'}"

    def report(self) -> str:
        """The report counts the download."""
        answer = self.ask("GET", "/api/v1/audit/report?by=package", key="auditor").json()
        rows = {row["package"]: row for row in answer["rows"]}
        counted = rows.get(self.package["id"], {}).get("downloads", 0)
        if counted < 1:
            raise Broken(f"the report has {counted} downloads of {self.package['id']}")
        return f"{counted} download of {self.package['id']}, at log size {answer['checkpoint']['size']}"

    def verify(self) -> str:
        """The log verifies, from outside."""
        token = self.home / f".auditor-{secrets.token_hex(4)}"
        token.write_text(self.told["keys"]["auditor"])
        token.chmod(0o600)
        try:
            done = self._emblem("audit", "verify", "--url", self.told["base_url"], "--token-file", str(token))
        finally:
            token.unlink()
        return done.stdout.strip().splitlines()[-1]

    def _emblem(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "EMBLEM_CONFIG": str(self.home / "emblem.env")}
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", "service", *arguments],
            capture_output=True,
            text=True,
            env=environ,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise Broken(f"emblem {' '.join(arguments[:2])} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return done
