"""A deployment of an older program, taken over whole: its database, its storage and its log.

The older program is a commit of this repository, run as it was; without the history there is nothing to run.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service import settings as settings_room
from service.app import create_app
from service.deployment import open_publisher
from service.store import Database, migrate
from service.verification.log_reader import FolderSource
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log
from tests.web.conftest import Api

_ROOT = Path(__file__).resolve().parents[2]
#: The last commit whose log signed with Ed25519 alone and had no witnesses.
_OLDER = "0c8d241a0c7394c8a31c3259fb4a2cb17b92b90e"

#: Run by the older program: a campaign of one package, a participant, an acceptance, a link, a download, sealed.
_BEFORE = """
import json, os, sys
from service import settings
from service.app import create_app
from service.deployment import open_publisher
from service.store import Database, migrate
from tests.web.conftest import Api

made = settings.load(os.environ)
database = Database(made.database_url)
migrate.upgrade(database)
database.close()
with open_publisher(made) as publisher:
    publisher.publish()
app = create_app(settings=made)
api = Api(app)
participant = api.ready()
link = api.link(participant)
assert api.ask("GET", api.path(link)).status_code == 200
parts = app.extensions["emblem"]
parts.sealer.seal()
sha256 = api.ask("GET", "/api/v1/packages/logo").json["sha256"]
told = {"participant": participant, "path": api.path(link), "sha256": sha256, "keys": api.keys}
told["checkpoint"] = api.ask("GET", "/log/checkpoint").text
parts.close()
print(json.dumps(told))
"""


def one_package(assets: Path, into: Path) -> Path:
    """The assets with the package of the logo alone, which is built in a moment."""
    shutil.copytree(assets, into)
    for folder in (into / "tools").iterdir():
        if folder.name not in ("_shared", "logo"):
            shutil.rmtree(folder)
    return into


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The source tree of the older program."""
    asked = ["git", "archive", "--output", str(tmp_path / "older.tar"), _OLDER]
    if subprocess.run(asked, cwd=_ROOT, capture_output=True, check=False).returncode:
        pytest.skip("the older commit is not in this checkout's history: fetch it whole")
    (tmp_path / "older").mkdir()
    subprocess.run(["tar", "-xf", str(tmp_path / "older.tar"), "-C", str(tmp_path / "older")], check=True)
    (tmp_path / "older.tar").unlink()
    return tmp_path / "older"


def test_what_an_older_program_kept_goes_on(older: Path, tmp_path: Path) -> None:
    """The link downloads the same bytes, keys and acceptance hold, and the log grows from what it was."""
    secrets = json.loads(
        subprocess.run(
            [sys.executable, "-m", "service", "secrets", "new", "--json"],
            cwd=older,
            env=os.environ | {"PYTHONPATH": str(older)},
            capture_output=True,
            check=True,
        ).stdout
    )
    variables = secrets | {
        "EMBLEM_DATA_DIR": str(tmp_path / "deployment"),
        "EMBLEM_LOG_ORIGIN": "emblem.example.org/log",
        "EMBLEM_STAFF": "staff@example.org",
        "EMBLEM_RATE_LIMITS": "off",
    }
    there = {
        "EMBLEM_ASSETS_DIR": str(one_package(older / "assets", tmp_path / "before")),
        "EMBLEM_POLICIES_DIR": str(older / "policies"),
    }
    done = subprocess.run(
        [sys.executable, "-c", _BEFORE],
        cwd=older,
        env=os.environ | variables | there | {"PYTHONPATH": str(older)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])

    here = {"EMBLEM_ASSETS_DIR": str(one_package(_ROOT / "assets", tmp_path / "after"))}
    made = settings_room.load(variables | here)
    database = Database(made.database_url)
    migrate.upgrade(database)
    database.close()
    with open_publisher(made) as publisher:
        publisher.publish()
    app = create_app(settings=made)
    api = Api(app, dict(told["keys"]))
    try:
        download = api.ask("GET", told["path"])
        assert download.status_code == 200
        assert hashlib.sha256(download.data).hexdigest() == told["sha256"]
        assert api.ask("GET", f"/api/v1/participants/{told['participant']}", key="portal").json["status"] == "approved"
        later = api.join(email="later@example.org")
        assert api.ask("GET", f"/api/v1/participants/{later}", key="staff").json["status"] == "approved"
        api.parts.sealer.seal()
        keys = [parse_vkey(vkey) for vkey in api.parts.sealer.vkeys()]
        log = FolderSource(tmp_path / "deployment" / "storage" / "log")
        verdict = verify_log(log, keys, since=told["checkpoint"].encode())
        assert verdict.ok, verdict
        rows = api.ask("GET", "/api/v1/audit/report?by=package", key="staff").json["rows"]
        assert [(row["package"], row["downloads"]) for row in rows if row["package"] == "logo"] == [("logo", 1)]
    finally:
        app.extensions["emblem"].close()
