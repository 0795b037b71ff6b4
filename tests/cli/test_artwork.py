"""``emblem artwork check``: files, folders and patterns, without a server or a database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.campaign import Campaign
from tests.artwork.drawing import drawn, encoded, heart


@pytest.fixture
def folder(campaign: Campaign, tmp_path: Path) -> Path:
    (tmp_path / "art" / "deep").mkdir(parents=True)
    (tmp_path / "art" / "right.png").write_bytes(encoded(drawn(campaign, heart())))
    (tmp_path / "art" / "deep" / "turned.jpg").write_bytes(
        encoded(drawn(campaign, heart(degrees=9)), "JPEG", quality=90)
    )
    (tmp_path / "art" / "notes.txt").write_text("not looked at", encoding="utf-8")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("EMBLEM_")}
    environ["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent.parent)
    command = [sys.executable, "-m", "service", "artwork", "check", *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300, check=False)


def test_a_folder_as_lines_of_json_and_one_page(folder: Path) -> None:
    done = run(folder, "art", "--json", "--html", "report.html")
    assert (done.returncode, done.stderr) == (1, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["file"], line["verdict"]) for line in lines] == [
        ("art/deep/turned.jpg", "not_compliant"),
        ("art/right.png", "compliant"),
    ]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 2
    assert 'src="http' not in page
    assert "Rotated" in page


def test_patterns_words_and_status(folder: Path) -> None:
    done = run(folder, "art/*.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "art/right.png: compliant"
    assert "heart, blue, 200 x 182" in done.stdout


def test_what_cannot_be_read_is_told_and_fails(folder: Path) -> None:
    done = run(folder, "broken.png", "--json")
    assert done.returncode == 1
    problem = json.loads(done.stdout)["problem"]
    assert problem["status"] == 422
    assert "damaged" in problem["detail"]


def test_names_that_are_none(folder: Path) -> None:
    done = run(folder, "nowhere/*.png")
    assert done.returncode == 2
    assert "names no file" in done.stderr
    done = run(folder, "art", "--logo", "moon")
    assert done.returncode == 1
    assert "heart, lockup" in done.stderr
