"""What people download with gets the same bytes, and is counted once: "Real clients" of the counting rule."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.parts import need
from tests.parts.nginx import DEFAULT_PROXY, Nginx
from tests.parts.processes import wait_until
from tests.parts.walk import Walk

pytestmark = pytest.mark.usefixtures("_clients")


@pytest.fixture(scope="session")
def _clients() -> None:
    need("clients")


@pytest.fixture(scope="session")
def nginx(film: Walk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """nginx with its defaults in front: it buffers, and speaks HTTP/1.0 to what is behind it."""
    server = Nginx(tmp_path_factory.mktemp("nginx"), DEFAULT_PROXY % film.demo.base_url)
    yield server
    server.close()


@pytest.fixture(params=["direct", "nginx"])
def front(request: pytest.FixtureRequest, film: Walk) -> str:
    """The base URL that clients see: Emblem's own, or nginx's in front of it."""
    return film.demo.base_url if request.param == "direct" else request.getfixturevalue("nginx").url


@pytest.fixture
def link(film: Walk) -> dict[str, Any]:
    return film.link(film.participant(), "film", max_downloads=1)


def url_of(film: Walk, link: dict[str, Any], front: str) -> str:
    return str(link["url"]).replace(film.demo.base_url, front)


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    # What a machine says about proxies in its environment is not for loopback.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)


def interrupt(*command: str, cwd: Path, file: Path, after: int) -> None:
    """Runs a command and ends it once ``file`` holds more than ``after`` bytes."""
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: file.exists() and file.stat().st_size > after, 60, f"{command[0]} has begun", every=0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.2)  # the server notices that nobody reads any more


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_aria2_with_eight_connections_uses_up_one_download(
    film: Walk, link: dict[str, Any], front: str, tmp_path: Path
) -> None:
    """Who has begun may go on, with any range."""
    done = run(
        *("aria2c", "--no-conf", "--max-connection-per-server=8", "--split=8", "--min-split-size=1M"),
        # A client of this machine has the file before it has opened all of them, unless it holds itself back.
        *("--max-overall-download-limit=10M", "--out=film.zip", url_of(film, link, front)),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sha256(tmp_path / "film.zip") == link["package"]["sha256"]
    assert film.counted(link["id"]) == 1
    rows = film.downloads(link["id"])
    assert len(rows) >= 8, "it should have opened eight connections"
    assert {row["client"]["kind"] for row in rows} == {"program"}


@pytest.mark.parametrize("program", ["wget", "curl"])
def test_an_interrupted_download_goes_on_and_is_counted_once(
    program: str, film: Walk, link: dict[str, Any], front: str, tmp_path: Path
) -> None:
    """Everything else, such as a resumption, is recorded and not counted."""
    url, file = url_of(film, link, front), tmp_path / "film.zip"
    slowly = {
        "wget": ("wget", "-q", "--no-proxy", "--limit-rate=4m", "-O", "film.zip", url),
        "curl": ("curl", "-sS", "--noproxy", "*", "--limit-rate", "4M", "-o", "film.zip", url),
    }
    again = {
        "wget": ("wget", "-q", "--no-proxy", "-c", "-O", "film.zip", url),
        "curl": ("curl", "-sS", "--noproxy", "*", "--fail", "-C", "-", "-o", "film.zip", url),
    }
    interrupt(*slowly[program], cwd=tmp_path, file=file, after=1_000_000)
    had = file.stat().st_size
    assert 1_000_000 < had < link["package"]["bytes"]
    done = run(*again[program], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sha256(file) == link["package"]["sha256"]
    assert film.counted(link["id"]) == 1
    assert [(row["status"], row["range"], row["counted"]) for row in film.downloads(link["id"])] == [
        (206, f"bytes={had}-", False),
        (200, None, True),
    ]


def test_another_client_finds_the_link_used_up(film: Walk, link: dict[str, Any], front: str, tmp_path: Path) -> None:
    url = url_of(film, link, front)
    assert run("curl", "-sS", "--fail", "-o", "one.zip", url, cwd=tmp_path).returncode == 0
    other = run("curl", "-sS", "-A", "another/1.0", "-w", "%{http_code}", "-o", "two.zip", url, cwd=tmp_path)
    assert other.stdout == "410"
    assert b"link-exhausted" in (tmp_path / "two.zip").read_bytes()
    assert film.counted(link["id"]) == 1


def test_looking_first_uses_nothing_up(film: Walk, link: dict[str, Any], front: str, tmp_path: Path) -> None:
    """``HEAD``, 304, 416 and refused requests are never recorded as downloads and use nothing up."""
    url = url_of(film, link, front)
    head = run("curl", "-sSI", url, cwd=tmp_path)
    assert "200" in head.stdout.splitlines()[0]
    assert run("wget", "-q", "--no-proxy", "--spider", url, cwd=tmp_path).returncode == 0
    etag = next(line.partition(":")[2].strip() for line in head.stdout.splitlines() if line.lower().startswith("etag:"))
    for name, value in (("If-None-Match", etag), ("Range", f"bytes={link['package']['bytes']}-")):
        run("curl", "-sS", "-o", "none", "-H", f"{name}: {value}", url, cwd=tmp_path)
    assert film.downloads(link["id"]) == []
    assert run("curl", "-sS", "--fail", "-o", "film.zip", url, cwd=tmp_path).returncode == 0
    assert film.counted(link["id"]) == 1


def test_the_name_that_curl_and_wget_give_the_file(
    film: Walk, link: dict[str, Any], front: str, tmp_path: Path
) -> None:
    url = url_of(film, link, front)
    (tmp_path / "curl").mkdir()
    (tmp_path / "wget").mkdir()
    assert run("curl", "-sSOJ", "--fail", url, cwd=tmp_path / "curl").returncode == 0
    second = url_of(film, film.link(film.participant(), "film"), front)
    assert run("wget", "-q", "--no-proxy", "--content-disposition", second, cwd=tmp_path / "wget").returncode == 0
    for program in ("curl", "wget"):
        assert [path.name for path in (tmp_path / program).iterdir()] == [link["package"]["filename"]]
