"""The README and the guides say what is true: their commands run, their names exist."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from click import Context, Group

from service.cli import emblem
from service.settings import VARIABLES
from tests.parts import need
from tests.parts.demo import Demo

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_walk_with_curl_works_as_pasted(demo: Demo) -> None:
    need("clients")
    (commands,) = re.findall(r"## The walk, with curl.*?```sh\n(.*?)```", README, re.DOTALL)
    where = demo.folder.parent  # the folder in which `var` lies, as for a reader of the README
    before = set(where.iterdir())
    done = subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail", "-c", commands],
        cwd=where,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = set(where.iterdir()) - before
    assert f"{file.name}: OK" in done.stdout
    downloads = json.loads(done.stdout.splitlines()[-1])["downloads"]
    assert [(row["package"], row["counted"], row["client"]["kind"]) for row in downloads] == [("logo", True, "program")]
    file.unlink()


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        path, _, fragment = target.partition("#")
        found = (page.parent / path) if path else page
        assert found.exists(), f"{page.name} links to {target}"
        if fragment:
            headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert fragment in slugs, f"{page.name} links to {target}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    context = Context(emblem)
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", page.read_text(encoding="utf-8"), re.DOTALL))
    for words in re.findall(r"(?:^|[/\s`])emblem ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", code):
        first, _, second = words.partition(" ")
        command = emblem.get_command(context, first)
        assert command is not None, f"{page.name}: emblem {first}"
        if isinstance(command, Group) and second:
            assert command.get_command(context, second) is not None, f"{page.name}: emblem {words}"
