"""Installs the peers by name, each in a folder of its own, and says which versions came."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.parts.system import find

IMAGE_FILTER = Path("/usr/lib/nginx/modules/ngx_http_image_filter_module.so")
_DEBIAN = ("nginx-light", "libnginx-mod-http-image-filter", "wrk", "libcairo2")


def install(folder: Path) -> dict[str, str]:
    """Makes what is not there yet; the peers' versions by name. Ends the program with the fix where one cannot be."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (IMAGE_FILTER.exists() and find("nginx") and find("wrk")):
        _run("apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *_DEBIAN)
    if shutil.which("npm") is None:
        sys.exit("ipx needs Node.js with npm: apt-get install nodejs npm")
    if not thumbor(folder).exists():
        _run(sys.executable, "-m", "venv", folder / "thumbor")
        _run(folder / "thumbor/bin/pip", "install", "--quiet", "thumbor", "cairosvg")
    if not (folder / "ipx/node_modules/ipx").exists():
        (folder / "ipx").mkdir(exist_ok=True)
        (folder / "ipx/package.json").write_text('{"private": true, "type": "module"}\n')
        _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder / "ipx", "ipx")
    return {
        "ipx": str(json.loads((folder / "ipx/node_modules/ipx/package.json").read_text())["version"]),
        "thumbor": _said(folder / "thumbor/bin/python", "-c", "import thumbor; print(thumbor.__version__)"),
        "nginx": _said("nginx", "-v").rpartition("/")[2],
    }


def thumbor(folder: Path) -> Path:
    """The program of an installed thumbor."""
    return folder / "thumbor/bin/thumbor"


def _run(*command: str | Path) -> None:
    print("$", *command, flush=True)
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"{command[0]} failed; the peers are installed as root, with the package registries at hand")


def _said(*command: str | Path) -> str:
    done = subprocess.run(
        [find(str(command[0])) or command[0], *command[1:]], capture_output=True, text=True, check=True
    )
    return (done.stdout + done.stderr).strip()
