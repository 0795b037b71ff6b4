"""The programs of the tutorials, as they stand there: started against a running Emblem, and used."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page

from service.alerts.webhooks import sign
from tests.parts import need
from tests.parts.demo import Client, Demo
from tests.parts.processes import Process, free_port
from tests.parts.system import path_of
from tests.parts.walk import Walk

TUTORIALS = Path(__file__).resolve().parents[2] / "docs" / "tutorials"
_SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMgbG9uZw=="


def program(page: str, name: str) -> str:
    """The code that a tutorial gives for a file of this name."""
    text = (TUTORIALS / f"{page}.md").read_text(encoding="utf-8")
    (code,) = re.findall(rf"`{re.escape(name)}`:\n\n```\w+\n(.*?)```", text, re.DOTALL)
    return str(code)


def served(command: list[str], folder: Path, environment: dict[str, str], port: int) -> Process:
    """A program of a tutorial that answers at a port."""
    running = Process(command, folder / "program.log", environment=os.environ | environment)

    def answers() -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", port)) == 0

    running.wait_for(answers, 60, "it answers")
    return running


@pytest.fixture(params=["flask", "php"])
def download_page(request: pytest.FixtureRequest, demo: Demo, tmp_path: Path) -> Iterator[str]:
    """The address of a download page, by the one program and by the other."""
    port = free_port()
    if request.param == "flask":
        file = tmp_path / "download_page.py"
        command = [sys.executable, "-m", "flask", "--app", str(file), "run", "--port", str(port)]
    else:
        need("php")
        file = tmp_path / "index.php"
        command = [path_of("php"), "-d", f"session.save_path={tmp_path}", "-S", f"127.0.0.1:{port}", str(file)]
    file.write_text(program("download-page", file.name), encoding="utf-8")
    environment = {"EMBLEM_URL": demo.base_url, "EMBLEM_KEY": demo.facts["keys"]["portal"]}
    running = served(command, tmp_path, environment, port)
    yield f"http://127.0.0.1:{port}/"
    running.stop()


def test_a_download_page_leads_from_a_form_to_the_file(page: Page, download_page: str, walk: Walk) -> None:
    def fill(pledges: bool) -> None:
        page.goto(download_page)
        page.locator("[name=name]").fill("Kim Example")
        page.locator("[name=email]").fill(f"kim-{uuid.uuid4().hex[:10]}@person.example.org")
        for box in page.locator("[type=checkbox]").all():
            box.set_checked(pledges)
        for text in page.locator("input:not([type])").all()[1:]:
            text.fill("I wear it, and say why.")
        page.locator("button").click()

    fill(pledges=False)
    assert "Protocol" in page.get_by_role("alert").inner_text(), "what was decided, with its reason"
    fill(pledges=True)
    assert page.url.endswith("/terms"), page.content()
    page.locator("[name=name]").fill("Kim Example")
    with page.expect_download() as begun:
        page.locator("button").click()
    assert begun.value.suggested_filename.endswith(".zip")
    latest = walk.auditor.get("/api/v1/downloads", package="logo", limit=1).json()["downloads"][0]
    assert (latest["client"]["kind"], latest["counted"]) == ("browser", True), "who downloads is the person"


def test_a_static_file_leads_to_the_pages(page: Page, demo: Demo, tmp_path: Path) -> None:
    text = program("download-page", "download.html").replace("http://127.0.0.1:8000", demo.base_url)
    (tmp_path / "download.html").write_text(text, encoding="utf-8")
    page.goto((tmp_path / "download.html").as_uri())
    assert page.locator("img").evaluate("one => one.decode().then(() => one.naturalWidth)") == 1200
    links = [str(one.get_attribute("href")) for one in page.locator("a").all()]
    assert len(links) == 5
    for link in links:
        assert page.request.get(link).status == 200, link


def test_an_embed_is_made_and_shown_as_the_tutorial_says(page: Page, demo: Demo, walk: Walk) -> None:
    need("clients")
    text = (TUTORIALS / "embeds.md").read_text(encoding="utf-8")
    made, listed = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    who = walk.participant()
    environment = os.environ | {
        "EMBLEM_URL": demo.base_url,
        "PARTICIPANT": who,
        "KEY": demo.facts["keys"]["portal"],
    }

    def run(command: str) -> dict[str, object]:
        done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=True)
        answer: dict[str, object] = json.loads(done.stdout)
        return answer

    embed = run(made)
    embeds = run(listed)["embeds"]
    assert isinstance(embeds, list)
    assert [one["key"] for one in embeds] == [embed["key"]]
    pages = re.findall(r"```html\n(.*?)```", text, re.DOTALL)
    assert len(pages) == 2
    for html in pages:
        page.set_content(html.replace("BASE", str(embed["base_url"])))
        shown = page.locator("img").evaluate("one => one.decode().then(() => [one.naturalWidth, one.naturalHeight])")
        assert shown in ([240, 218], [480, 436]), shown


def test_the_receiver_takes_what_is_signed_once_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "receiver.py").write_text(program("webhooks", "receiver.py"), encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "flask", "--app", str(tmp_path / "receiver.py"), "run", "--port", str(port)]
    running = served(command, tmp_path, {"EMBLEM_WEBHOOK_SECRET": _SECRET}, port)
    entry = {"v": 1, "kind": "participant.decided", "participant": "par_1", "outcome": "approved"}
    body = json.dumps({"type": entry["kind"], "data": {"leaf": 4711, "entry": entry}}).encode()
    signed = sign([_SECRET], "leaf_4711", datetime.now(UTC), body)
    client = Client(f"http://127.0.0.1:{port}")

    def send(headers: dict[str, str], sent: bytes = body) -> int:
        kind = {"Content-Type": "application/json"}
        return client.request("POST", "/emblem", sent, headers=headers | kind).status

    assert [send(signed), send(signed)] == [204, 204]
    assert send(signed, body.replace(b"approved", b"declined")) == 400
    assert send({}) == 400
    old = sign([_SECRET], "leaf_4711", datetime(2026, 1, 1, tzinfo=UTC), body)
    assert send(old) == 400
    running.stop()
    assert running.log.read_text().count("4711 participant.decided par_1 approved") == 1


def test_the_log_is_read_by_hand(demo: Demo, walk: Walk, tmp_path: Path) -> None:
    walk.participant()
    assert demo.cli("audit", "seal")[0] == 0
    (tmp_path / "read_log.py").write_text(program("log", "read_log.py"), encoding="utf-8")
    environment = {"EMBLEM_URL": demo.base_url, "EMBLEM_KEY": demo.facts["keys"]["auditor"]}
    done = subprocess.run(
        [sys.executable, str(tmp_path / "read_log.py")],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    origin, size = re.findall(r"log (\S+)\nentries (\d+)\n", done.stdout)[0]
    assert f"signed by {origin}\n" in done.stdout
    counted = re.findall(r"tile \d+ (\S+) (\d+)", done.stdout)
    assert sum(int(count) for _, count in counted) == int(size)
    assert {"participant.joined", "terms.accepted"} <= {kind for kind, _ in counted}
