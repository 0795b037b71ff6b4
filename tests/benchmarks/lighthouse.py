"""What Lighthouse says of the pages that most people see: ``python -m tests.benchmarks.lighthouse [ADDRESS]``.

Needs Node.js with npm, and Chromium. Without an address a demo is started. Each page is looked at as on a phone and
on a desk, and gets four scores of 100; a score of speed says something on an idle machine alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.parts.demo import Demo
from tests.parts.system import path_of

VERSION = "12.2.3"
PAGES = ("", "tools", "tools/logo", "join", "rules", "build", "wear")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
_CHROME = "--headless=new --no-sandbox --disable-gpu"


def look(folder: Path, url: str, *, desktop: bool) -> dict[str, int]:
    """Return the scores of one page, by category."""
    result = folder / "result.json"
    command = ["npx", "lighthouse", url, "--quiet", "--output=json", f"--output-path={result}"]
    command += [f"--chrome-flags={_CHROME}", *(["--preset=desktop"] if desktop else [])]
    environment = os.environ | {"CHROME_PATH": path_of("chromium")}
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=300, stdout=subprocess.DEVNULL)
    found = json.loads(result.read_text(encoding="utf-8"))["categories"]
    return {name: round(100 * found[name]["score"]) for name in CATEGORIES}


def measure(base_url: str, folder: Path) -> None:
    """Print a row for each page and form factor."""
    install = ["npm", "install", "--no-audit", "--no-fund", "--save-exact", f"lighthouse@{VERSION}"]
    subprocess.run(install, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    print(f"{'page':<14}{'':<9}" + "".join(f"{name:>16}" for name in CATEGORIES))
    for page in PAGES:
        for desktop in (False, True):
            scores = look(folder, f"{base_url}/en/{page}", desktop=desktop)
            row = "".join(f"{scores[name]:>16}" for name in CATEGORIES)
            print(f"{'/' + page:<14}{'desktop' if desktop else 'phone':<9}{row}", flush=True)


def main(arguments: list[str]) -> None:
    """Measure a running service, or a demo that is started for it."""
    with tempfile.TemporaryDirectory(prefix="emblem-lighthouse-") as temporary:
        folder = Path(temporary)
        if arguments:
            measure(arguments[0].rstrip("/"), folder)
            return
        demo = Demo(folder / "var", {"EMBLEM_RATE_LIMITS": "off"})
        try:
            measure(demo.base_url, folder)
        finally:
            demo.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
