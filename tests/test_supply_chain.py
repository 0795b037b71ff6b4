"""Everything that is installed with Emblem is known: by name and version, licence, and bounds."""

from __future__ import annotations

import json
import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from tests import supply_chain
from tests.__main__ import CHECKS

STATIC = Path(__file__).resolve().parents[1] / "service" / "web" / "static"


def test_the_bill_of_materials_lists_what_is_installed() -> None:
    document = supply_chain.bill_of_materials()
    assert document["bomFormat"] == "CycloneDX"
    listed = {one["name"].lower().replace("_", "-"): one for one in document["components"]}
    for name in ("flask", "boto3", "pillow", "itsdangerous", "gunicorn", "sqlalchemy", "psycopg", "redis", "werkzeug"):
        assert listed[name]["version"] == metadata.version(name)
        assert listed[name]["purl"].startswith(f"pkg:pypi/{name}@")
    assert not {"pytest", "mypy", "hypothesis", "schemathesis"} & listed.keys()  # of tests alone
    assert any(one["dependsOn"] for one in document["dependencies"])
    assert "tests.supply_chain" in json.dumps(CHECKS)


def test_every_licence_was_looked_at() -> None:
    assert supply_chain.unaccepted() == {}


def test_a_licence_that_was_not_looked_at_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply_chain, "ACCEPTED", supply_chain.ACCEPTED - {"BSD-3-Clause"})
    assert supply_chain.unaccepted()["flask"] == {"BSD-3-Clause"}


def test_what_is_installed_keeps_to_the_bounds() -> None:
    assert supply_chain.out_of_bounds() == []


def test_every_requirement_names_the_version_that_it_was_tried_with() -> None:
    assert all(">=" in text for text in metadata.requires("emblem") or () if not text.startswith("emblem"))


def test_no_script_of_a_page_stores_anything_in_the_browser() -> None:
    for script in STATIC.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.|__proto__|eval\(", text)


@pytest.mark.parametrize(
    ("said", "weak", "unanswered"),
    [
        ('{"dependencies": [{"name": "flask", "version": "3.1", "vulns": []}]}', {}, {}),
        (
            '{"dependencies": [{"name": "Flask", "version": "3.1", "vulns": [{"id": "X-1"}]}]}',
            {"Flask==3.1": ["X-1"]},
            {},
        ),
        # As pip-audit 2.10.1 writes it where the database does not answer, with the exit status 0.
        ('{"dependencies": [{"name": "flask", "skip_reason": "not found"}]}', {}, {"flask==3.1": "not found"}),
        ("", {}, {"flask==3.1": "No module named pip_audit"}),
    ],
)
def test_a_component_that_could_not_be_asked_for_is_not_taken_for_a_sound_one(
    monkeypatch: pytest.MonkeyPatch, said: str, weak: dict[str, list[str]], unanswered: dict[str, str]
) -> None:
    answer = subprocess.CompletedProcess([], 0, said, "warning\nNo module named pip_audit\n")
    monkeypatch.setattr(subprocess, "run", lambda *given, **more: answer)
    assert supply_chain.audit([{"name": "flask", "version": "3.1"}]) == (weak, unanswered)
