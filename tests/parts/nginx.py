"""An nginx on a free loopback port with a configuration of the test's own."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from .processes import Process, answers, free_port
from .system import need, path_of

# Only what lets it run without root's folders; everything that matters to a test is nginx's default.
_FRAME = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
{user}events {{}}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{http}
  server {{
    listen 127.0.0.1:{port};
{server}
  }}
}}
"""

_DEPLOYED = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
{user}events {{ worker_connections 4096; }}
http {{
  access_log {access};
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {folder}/emblem.conf;
}}
"""
EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "deploy" / "nginx" / "emblem.conf"

TWO_MACHINES = EXAMPLE.parents[1] / "container" / "nginx.conf"

DEFAULT_PROXY = "    location / { proxy_pass %s; }"


class Nginx:
    """One server. ``server`` is the inside of its server block, ``http`` and ``main`` what stands before that."""

    def __init__(self, folder: Path, server: str, http: str = "", main: str = "") -> None:
        need("nginx")
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.access_log = folder / "access.log"
        configuration = folder / "nginx.conf"
        user = "user root;\n" if os.geteuid() == 0 else ""
        configuration.write_text(
            _FRAME.format(folder=folder, port=self.port, server=server, http=http, user=main + user), encoding="utf-8"
        )
        command: list[str | Path] = [path_of("nginx"), "-e", "stderr", "-p", folder, "-c", configuration]
        self.process = Process(command, folder / "nginx.out")
        self.process.wait_for(lambda: answers(self.port), 60, "nginx answers")

    def close(self) -> None:
        """Stops it."""
        self.process.stop()


class DeployedNginx:
    """The example of docs/deploy/nginx in front of ``upstream`` (host:port); ``log`` is what import-log counts.

    Only ports, paths and certificates are put in, and ``tls=False`` leaves out TLS; all else is the file as it is.
    With ``access_log`` the frame round it writes one, as Debian's does.
    """

    def __init__(
        self,
        folder: Path,
        upstream: str,
        storage: Path | None = None,
        *,
        tls: bool = False,
        access_log: bool = False,
    ) -> None:
        need("nginx")
        folder.mkdir(parents=True, exist_ok=True)
        self.port, plain = free_port(), free_port()
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self.plain_url = f"http://127.0.0.1:{plain}"
        self.log = folder / "logos.log"
        self.cache = folder / "cache"
        certificate, key = self_signed(folder)
        text = EXAMPLE.read_text(encoding="utf-8")
        for written, wanted in {
            "server 127.0.0.1:8000;": f"server {upstream};",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{self.port}{' ssl http2' if tls else ''};",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "/etc/ssl/logo.example.org.pem": str(certificate),
            "/etc/ssl/logo.example.org.key": str(key),
            "/var/cache/nginx/emblem": str(self.cache),
            "/var/log/nginx/emblem-logos.log": str(self.log),
            "/var/log/nginx/emblem-error.log": "stderr",
            "/var/lib/emblem/storage/": f"{storage or folder}/",
        }.items():
            assert written in text, f"{EXAMPLE.name} has to say: {written}"
            text = text.replace(written, wanted)
        (folder / "emblem.conf").write_text(text, encoding="utf-8")
        user = "user root;\n" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            _DEPLOYED.format(folder=folder, user=user, access=f"{folder}/access.log" if access_log else "off"),
            encoding="utf-8",
        )
        command: list[str | Path] = [path_of("nginx"), "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"]
        self.process = Process(command, folder / "nginx.out")
        self.process.wait_for(lambda: answers(self.port), 60, "nginx answers")

    def access(self) -> str:
        """What is in the access logs: the frame's, and the example's own."""
        logs = [self.log, self.log.with_name("access.log")]
        return "".join(log.read_text(encoding="utf-8") for log in logs if log.exists())

    def statuses(self) -> list[str]:
        """What the cache said of each request for a logo so far: HIT, MISS, EXPIRED, and the like."""
        return [line.rsplit('"', 2)[1] for line in self.log.read_text(encoding="utf-8").splitlines()]

    def close(self) -> None:
        """Stops it."""
        self.process.stop()


class MachinesNginx:
    """The nginx of docs/deploy/container before two machines, each ``host:port``; only ports and paths are put in."""

    def __init__(self, folder: Path, machines: tuple[str, str], port: int = 0) -> None:
        need("nginx")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        text = TWO_MACHINES.read_text(encoding="utf-8")
        for written, wanted in {
            "app1:8000": machines[0],
            "app2:8000": machines[1],
            "listen 8080": f"listen 127.0.0.1:{self.port}",
            "/tmp/": f"{folder}/",
            "error_log /dev/stderr emerg;": "error_log stderr emerg;",
        }.items():
            assert written in text, f"{TWO_MACHINES.name} has to say: {written}"
            text = text.replace(written, wanted)
        user = "user root;\n" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text("daemon off;\n" + user + text, encoding="utf-8")
        self.start()

    def start(self) -> None:
        """Starts it, again after it was stopped; returns once it answers."""
        command: list[str | Path] = [path_of("nginx"), "-e", "stderr", "-p", self.folder]
        self.process = Process([*command, "-c", self.folder / "nginx.conf"], self.folder / "nginx.out")
        self.process.wait_for(lambda: answers(self.port), 60, "nginx answers")

    def close(self) -> None:
        """Stops it."""
        self.process.stop()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    written = folder / "certificate.pem", folder / "certificate.key"
    written[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    written[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return written
