"""Everything that is installed with Emblem is known: by name and version, licence, and bounds."""

from __future__ import annotations

import json
import re
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
