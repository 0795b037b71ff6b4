"""A campaign of one's own: the starter is valid, runs as it is, and nothing of the shipped campaign is in the code."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import service
from service import settings as settings_room
from service.app import create_app
from service.cli.campaign import campaign
from service.deployment import open_publisher
from service.store import Database, migrate
from tests.conftest import FrozenClock, environment
from tests.web.conftest import Api

_SHIPPED = re.compile(rb"blue.?heart|unodc|united nations|trafficking|palermo", re.IGNORECASE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh starter."""
    done = CliRunner().invoke(campaign, ["new", str(tmp_path / "mine")])
    assert done.exit_code == 0, done.output
    return tmp_path / "mine"


def test_the_starter_is_valid_and_is_written_over_nothing(folder: Path) -> None:
    done = CliRunner().invoke(campaign, ["check", str(folder), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["mistakes"] == []
    again = CliRunner().invoke(campaign, ["new", str(folder)])
    assert (again.exit_code, "is not empty" in again.output) == (2, True)
    rules = folder / "policies/eligibility.yaml"
    rules.write_text(rules.read_text().replace("decision: approve", "decision: perhaps"))
    broken = CliRunner().invoke(campaign, ["check", str(folder)])
    assert broken.exit_code == 1
    assert re.search(r"eligibility.yaml:[0-9]+: ", broken.output)


def test_the_starter_does_the_main_job(folder: Path, tmp_path: Path, clock: FrozenClock) -> None:
    """Other kinds, other terms, another logo: joining, terms, a link, the download, a variant, a certificate."""
    variables = environment(tmp_path / "deployment") | {
        "EMBLEM_POLICIES_DIR": str(folder / "policies"),
        "EMBLEM_ASSETS_DIR": str(folder / "assets"),
    }
    made = settings_room.load(variables)
    database = Database(made.database_url)
    migrate.upgrade(database)
    database.close()
    with open_publisher(made, clock) as publisher:
        publisher.publish()
    app = create_app(settings=made, clock=clock)
    api = Api(app)
    try:
        walk(api)
    finally:
        app.extensions["emblem"].close()


def walk(api: Api) -> None:
    kinds = api.ask("GET", "/api/v1/eligibility").json["kinds"]
    assert [kind["kind"] for kind in kinds] == ["supporter", "organization"]
    answers: dict[str, Any] = {"pledge": True, "plan": "We print it on the programme of our concert."}
    about: dict[str, Any] = {"kind": "organization", "country": "EG", "answers": answers, "purposes": ["information"]}
    participant = api.join(**about)
    refused = api.join(**(about | {"answers": answers | {"pledge": False}}))
    sale = api.join(**(about | {"purposes": ["sale"]}))
    found = [
        api.ask("GET", f"/api/v1/participants/{one}", key="staff").json["status"]
        for one in (participant, refused, sale)
    ]
    assert found == ["approved", "declined", "under_review"]
    assert api.accept(participant).status_code == 201
    link = api.link(participant)
    download = api.ask("GET", api.path(link))
    assert download.status_code == 200
    with zipfile.ZipFile(io.BytesIO(download.data)) as archive:
        assert set(archive.namelist()) >= {"svg/mark-green.svg", "png/mark-white.png", "LICENCE.txt"}
    embed = api.ask("POST", "/api/v1/embeds", key="portal", json={"participant": participant, "logo": "mark"}).json
    variant = api.ask("GET", f"/logos/{embed['key']}/mark/green/240.png")
    assert (variant.status_code, variant.mimetype) == (200, "image/png")
    made = api.ask("POST", f"/api/v1/participants/{participant}/certificates", key="staff", json={"language": "ar"})
    assert made.status_code == 201, made.text
    assert api.ask("GET", made.json["pdf_url"].removeprefix(api.parts.settings.base_url)).status_code == 200
    for page in ("", "actions", "protocol", "rules", "join", "tools", "verify"):
        shown = api.ask("GET", f"/ar/{page}")
        assert shown.status_code == 200, page
        assert not _SHIPPED.search(shown.data), page
        assert b'dir="rtl"' in shown.data
    assert api.ask("GET", "/.well-known/brand.json").json["id"] == "my_campaign"


def test_nothing_of_the_shipped_campaign_is_in_the_code() -> None:
    root = Path(service.__file__).parent
    files = [path for path in root.rglob("*") if path.is_file() and "_shipped" not in path.parts]
    named = [
        path for path in files if path.suffix != ".pyc" and re.search(rb"blue.?heart", path.read_bytes(), re.IGNORECASE)
    ]
    assert [str(path.relative_to(root)) for path in named] == []
