"""Programs in JavaScript that read what we make: run by Node.js, with the packages of ``tests/parts/system.py``."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from .system import MODULES, need, path_of


def run(script: str, folder: Path, *arguments: str) -> Any:
    """What a script (an ES module) prints as JSON; it finds the packages, and ``arguments`` in ``process.argv``."""
    need("node")
    link = folder / "node_modules"
    if not link.exists():
        link.symlink_to(MODULES / "node_modules")  # ES modules are looked for above the script, and nowhere else
    file = folder / "script.mjs"
    file.write_text(script, encoding="utf-8")
    command = [path_of("node"), str(file), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
