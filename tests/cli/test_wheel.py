"""What is installed is complete: the built wheel runs without the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a wheel of this source was unpacked into, as an installer does."""
    folder = tmp_path_factory.mktemp("wheel")
    pip: list[str | Path] = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "-w", folder, _ROOT], check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, tmp_path: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Python with the wheel on its path, away from the source tree."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("EMBLEM_")}
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_campaign_comes_out_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-c", "from service.settings import shipped; print(shipped('policies'))")
    assert Path(done.stdout.strip()) == installed / "service" / "_shipped" / "policies"


def test_the_documentation_is_that_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    (installed / "docs").mkdir(exist_ok=True)  # of somebody else
    code = (
        "from service.web.documentation import documentation as d; print(len(d().addresses), d().page('start').title)"
    )
    done = run(installed, tmp_path, "-c", code)
    files = len([*(_ROOT / "docs").rglob("*.md"), "README.md"])
    assert done.stdout.split() == [str(files), "Emblem"], done.stderr


def test_the_demo_walks_the_main_job_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-m", "service", "demo", "--once", "--port", "0", "--dir", tmp_path / "var")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_the_wheel_brings_what_the_program_reads_and_no_tests(installed: Path) -> None:
    names = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    for kind in ("assets/logos/lockup/blue.svg", "policies/brand.yaml", "docs/deploy/nginx/README.md", "README.md"):
        assert f"service/_shipped/{kind}" in names
    tracked = subprocess.run(["git", "ls-files", "service"], cwd=_ROOT, capture_output=True, text=True, check=False)
    assert not [name for name in tracked.stdout.split() if name not in names]
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]
