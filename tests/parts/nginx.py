"""An nginx on a free loopback port with a configuration of the test's own."""

from __future__ import annotations

import os
from pathlib import Path

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
        self.process.wait_for(lambda: answers(self.port), 10, "nginx answers")

    def close(self) -> None:
        """Stops it."""
        self.process.stop()
