"""A second campaign, written by hand and in Arabic first: other kinds, terms, purposes and logos, on the same code.

``tests/campaign/caravan`` shares nothing with the shipped campaign; what says nothing of a campaign is added as
``emblem campaign new`` adds them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from service import settings as settings_room
from service.app import create_app
from service.cli.campaign import _SHARED, campaign
from service.deployment import open_publisher
from service.store import Database, migrate
from tests.conftest import NOON, FrozenClock, environment
from tests.web.conftest import Api

_SHIPPED = re.compile(rb"blue.?heart|unodc|united nations|trafficking|palermo|civil_society", re.IGNORECASE)


@pytest.fixture(scope="module")
def caravan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the campaign, complete."""
    folder = tmp_path_factory.mktemp("caravan") / "campaign"
    shutil.copytree(Path(__file__).parent / "caravan", folder)
    for name in _SHARED:
        shutil.copyfile(settings_room.shipped("policies") / name, folder / "policies" / name)
    return folder


@pytest.fixture(scope="module")
def api(caravan: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The application over it, published."""
    made = settings_room.load(
        environment(tmp_path_factory.mktemp("deployment"))
        | {"EMBLEM_POLICIES_DIR": str(caravan / "policies"), "EMBLEM_ASSETS_DIR": str(caravan / "assets")}
    )
    database = Database(made.database_url)
    migrate.upgrade(database)
    database.close()
    clock = FrozenClock(NOON)
    with open_publisher(made, clock) as publisher:
        publisher.publish()
    app = create_app(settings=made, clock=clock)
    yield Api(app)
    app.extensions["emblem"].close()


def test_it_has_no_mistake(caravan: Path) -> None:
    done = CliRunner().invoke(campaign, ["check", str(caravan), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["mistakes"] == []


def test_it_walks_the_whole_main_job(caravan: Path, tmp_path: Path) -> None:
    """Join, decision, terms, link, download, digest, record, variant, seal, report, log verify; over HTTP."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("EMBLEM_")}
    command = [sys.executable, "-m", "service", "demo", "--once", "--dir", str(tmp_path / "var")]
    command += ["--policies", str(caravan / "policies"), "--assets", str(caravan / "assets")]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "village_library" in done.stdout
    assert "caravan" not in done.stderr
    assert "All steps held." in done.stdout


def test_its_kinds_purposes_and_rules_decide(api: Api) -> None:
    kinds = api.ask("GET", "/api/v1/eligibility?lang=ar").json["kinds"]
    assert [(kind["kind"], kind["label"]) for kind in kinds] == [
        ("reader", "قارئ"),
        ("village_library", "مكتبة قرية"),
        ("bookseller", "بائع كتب"),
    ]
    library = {"promise": True, "shelf": "many", "opened": "2019-03-21"}
    cases = [
        ("village_library", library, "lending", "approved"),
        ("village_library", library | {"promise": False}, "lending", "declined"),
        ("village_library", library, "stall", "under_review"),
        ("bookseller", {"promise": True, "shelf": "few"}, "lending", "under_review"),
    ]
    for kind, answers, purpose, status in cases:
        joined = api.join(kind=kind, country="EG", language="ar", answers=answers, purposes=[purpose])
        found = api.ask("GET", f"/api/v1/participants/{joined}", key="staff").json
        assert (found["kind"], found["status"]) == (kind, status)
    document = api.ask("GET", "/api/v1/openapi.json").get_json(force=True)
    joining = document["components"]["schemas"]["JoinBody"]["properties"]
    assert joining["kind"]["enum"] == ["reader", "village_library", "bookseller"]
    assert joining["purposes"]["items"]["enum"] == ["lending", "stall"]


def test_its_pages_are_arabic_first_and_know_no_other_campaign(api: Api) -> None:
    for page in ("", "actions", "protocol", "rules", "join", "tools", "tools/seal", "terms/banner-terms", "verify"):
        shown = api.ask("GET", f"/ar/{page}")
        assert shown.status_code == 200, page
        assert b'dir="rtl"' in shown.data
        assert not _SHIPPED.search(shown.data), page
    assert api.ask("GET", "/", headers={"Accept-Language": "ar"}).headers["Location"].endswith("/ar/")
    terms = api.ask("GET", "/en/terms/seal-terms").text
    assert "Arabic" in terms  # which text counts where they differ
    assert api.ask("GET", "/.well-known/brand.json").json["id"] == "reading_caravan"
    rules = api.ask("GET", "/api/v1/logos").json["logos"]
    assert {logo["id"]: logo["terms"]["id"] for logo in rules} == {"seal": "seal-terms", "banner": "banner-terms"}
