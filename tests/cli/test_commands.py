"""The command line on a deployment: exit status, one clear sentence, ``--json``, and no traceback ever."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import environment

if TYPE_CHECKING:
    from service.campaign import Campaign

ROOT = Path(__file__).resolve().parents[2]


class Shell:
    """Runs ``emblem`` with the variables of one deployment."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables

    def __call__(self, *arguments: str, status: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("EMBLEM_")}
        done = subprocess.run(
            [sys.executable, "-m", "service", *arguments],
            env={**kept, **self.variables, **variables},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        if status:
            assert done.stderr.strip() or done.stdout.strip()
        return done

    def json(self, *arguments: str, status: int = 0) -> Any:
        """What a command prints with ``--json``."""
        return json.loads(self(*arguments, "--json", status=status).stdout)


@pytest.fixture
def emblem(tmp_path: Path, _published: Path) -> Shell:
    folder = tmp_path / "deployment"
    shutil.copytree(_published, folder)
    return Shell(environment(folder))


def test_usage_and_configuration_errors_end_with_2(emblem: Shell) -> None:
    emblem("nonsense", status=2)
    emblem("links", "create", status=2)
    emblem("keys", "create", "--role", "partner", status=2)
    told = emblem("participants", "list", status=2, EMBLEM_SECRET_KEYS="short", EMBLEM_DELIVERY="pigeon").stderr
    assert "EMBLEM_SECRET_KEYS" in told
    assert "EMBLEM_DELIVERY" in told, "all mistakes are told at once"


def test_no_secret_means_no_start(emblem: Shell) -> None:
    del emblem.variables["EMBLEM_SECRET_KEYS"]
    assert "emblem secrets new" in emblem("serve", status=2).stderr


def test_an_empty_database_is_told_with_the_fix(emblem: Shell, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    assert "emblem db upgrade" in emblem("participants", "list", status=2, EMBLEM_DATABASE_URL=url).stderr
    assert emblem("db", "current", status=1, EMBLEM_DATABASE_URL=url).stdout
    emblem("db", "upgrade", EMBLEM_DATABASE_URL=url)
    emblem("db", "current", EMBLEM_DATABASE_URL=url)


def test_what_is_not_there_ends_with_1(emblem: Shell) -> None:
    for command in (
        ("participants", "show", "par_nobody"),
        ("links", "revoke", "lnk_nothing"),
        ("keys", "revoke", "key_nothing"),
        ("catalogue", "withdraw", "nothing", "1.0.0", "--reason", "x"),
        ("links", "create", "--participant", "par_nobody", "--package", "logo"),
    ):
        assert len(emblem(*command, status=1).stderr.strip().splitlines()) == 1


def test_keys_are_shown_once(emblem: Shell) -> None:
    made = emblem.json("keys", "create", "--role", "auditor", "--name", "yearly audit")
    assert made["secret"].startswith("emb_")
    (listed,) = emblem.json("keys", "list")["keys"]
    assert listed["id"] == made["id"]
    assert made["secret"] not in json.dumps(listed)
    emblem("keys", "revoke", made["id"])
    assert emblem.json("keys", "list")["keys"][0]["revoked_at"]


def test_people_of_the_desk(emblem: Shell) -> None:
    emblem.variables["EMBLEM_STAFF"] = ""
    assert "EMBLEM_STAFF" in emblem("keys", "create", "--role", "staff", status=2).stderr
    added = emblem("staff", "add", "Kim@Example.org", "--name", "Kim Example", "--team", "logo", "--json")
    kim = json.loads(added.stdout)
    assert f"{kim['id']} is in the team logo, which the desk does not have: add it to desk.yaml" in added.stderr
    (told, _) = (one for one in emblem.json("doctor")["findings"] if one["part"] == "desk")
    assert (told["state"], told["detail"]) == ("warning", added.stderr.strip())
    assert (kim["address"], kim["name"], kim["teams"]) == ("kim@example.org", "Kim Example", ["logo"])
    key = emblem.json("keys", "create", "--role", "staff", "--staff", kim["id"])
    assert key["staff"] == kim["id"]
    emblem("keys", "revoke", key["id"], "--reason", "Lost.")
    revoked = emblem.json("keys", "list")["keys"][0]["revoked"]
    assert (revoked["by"], revoked["reason"]) == ("staff:cli", "Lost.")
    assert emblem.json("staff", "remove", kim["id"])["keys_ended"] == 0
    assert emblem.json("staff", "list") == {"staff": []}


def test_an_impossible_desk_stops_the_start(emblem: Shell, tmp_path: Path) -> None:
    policies = shutil.copytree(ROOT / "policies", tmp_path / "policies")
    file = policies / "desk.yaml"
    file.write_text(
        "clock:\n  zone: Mars/Base\nteams:\n  - id: a\n    title: {en: A}\n    kinds: [martians]\n", encoding="utf-8"
    )
    emblem.variables["EMBLEM_POLICIES_DIR"] = str(policies)
    emblem.variables["EMBLEM_DATABASE_URL"] = f"sqlite:///{tmp_path / 'new.sqlite3'}"
    emblem("db", "upgrade")
    served, demo = ("serve", "--bind", "127.0.0.1:0"), ("demo", "--port", "0", "--dir", str(tmp_path / "var"))
    for command in (served, demo):
        done = emblem(*command, status=2)
        assert f"{file}:2: There is no time zone Mars/Base" in done.stderr
        assert f"{file}:6: martians is not among the kinds" in done.stderr
    assert not (tmp_path / "var" / "demo.json").exists()


def test_lists_and_reports_take_json(emblem: Shell) -> None:
    assert emblem.json("participants", "list") == {"participants": []}
    assert emblem.json("links", "list") == {"links": []}
    emblem("audit", "seal")
    assert emblem.json("audit", "report", "--by", "day")["rows"] == []
    checked = emblem.json("catalogue", "check")
    assert checked["mistakes"] == []
    assert {Path(gap["file"]).parts[0] for gap in checked["untranslated"]} <= {"assets"}, "policies are complete"
    assert checked["not_minified"] == []
    nothing: dict[str, Any] = {
        "published": [],
        "policies": None,
        "terms": [],
        "repaired": [],
        "accept_again": 0,
        "not_minified": [],
    }
    assert emblem.json("catalogue", "publish") == nothing
    assert set(emblem.json("secrets", "new")) == {
        "EMBLEM_SECRET_KEYS",
        "EMBLEM_LOG_KEY",
        "EMBLEM_CREDENTIAL_KEY",
    }


def test_the_doctor_names_what_is_wrong_with_its_fix(emblem: Shell, tmp_path: Path) -> None:
    findings = {one["part"]: one for one in emblem.json("doctor")["findings"]}
    assert {"configuration", "database", "storage", "mail", "secrets", "clock", "catalogue", "proxies"} <= set(findings)
    assert findings["rate limits"]["state"] == "warning", "they are off in tests"
    broken = emblem(
        "doctor",
        status=1,
        EMBLEM_DATABASE_URL=f"sqlite:///{tmp_path / 'x.sqlite3'}",
        EMBLEM_MAIL_URL="smtp://127.0.0.1:9",
    )
    assert "emblem db upgrade" in broken.stdout
    assert "Retry-After" not in broken.stdout, "what needs the database says so"
    assert "EMBLEM_MAIL_URL" in broken.stdout


def test_the_doctor_names_every_stored_package_that_is_damaged(emblem: Shell) -> None:
    archives = sorted(Path(emblem.variables["EMBLEM_DATA_DIR"], "storage", "packages").glob("*/*/*.zip"))
    well = [one for one in emblem.json("doctor")["findings"] if one["part"] == "packages"]
    assert [one["state"] for one in well] == ["ok"]
    archives[0].write_bytes(archives[0].read_bytes()[:-1] + b"?")
    archives[1].unlink()
    findings = [one for one in emblem.json("doctor", status=1)["findings"] if one["part"] == "packages"]
    assert [one["state"] for one in findings] == ["failed", "failed"]
    for archive, finding in zip(archives[:2], findings, strict=True):
        assert f"{archive.parts[-3]} {archive.parts[-2]}" in finding["detail"]
        assert "backup" in finding["detail"]


def test_a_policy_mistake_stops_with_file_and_line(emblem: Shell, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", policies)
    (policies / "brand.yaml").write_text("about: [\n")
    told = emblem("catalogue", "check", status=1, EMBLEM_POLICIES_DIR=str(policies)).stderr
    assert "brand.yaml:" in told
    for command in ("publish", "reload"):
        assert "brand.yaml:" in emblem("catalogue", command, status=1, EMBLEM_POLICIES_DIR=str(policies)).stderr
    emblem("participants", "list", EMBLEM_POLICIES_DIR=str(policies))  # what was published goes on
    emblem.variables["EMBLEM_POLICIES_DIR"] = str(policies)
    (finding,) = [one for one in emblem.json("doctor")["findings"] if one["part"] == "catalogue"]
    assert finding["state"] == "warning"
    assert "brand.yaml:" in finding["detail"]


def test_publishing_says_what_came_into_force(emblem: Shell, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", policies)
    emblem.variables["EMBLEM_POLICIES_DIR"] = str(policies)
    assert emblem("catalogue", "publish").stdout == "Everything is published already.\n"
    file = policies / "campaign.yaml"
    file.write_text(file.read_text() + "\n# a remark\n")
    waiting = next(one for one in emblem.json("doctor")["findings"] if one["part"] == "catalogue")
    assert "policies and logos" in waiting["detail"]
    told = emblem("catalogue", "reload").stdout
    assert told.startswith("Policies and logos: policies ")
    assert "Everything" not in told
    assert emblem("catalogue", "reload").stdout == "Everything is published already.\n"


def test_a_damaged_package_is_made_again_where_its_sources_are_as_they_were(emblem: Shell) -> None:
    (archive,) = Path(emblem.variables["EMBLEM_DATA_DIR"], "storage", "packages", "web-banners").glob("*/*.zip")
    content = archive.read_bytes()
    archive.write_bytes(content[:-1])
    (repaired,) = emblem.json("catalogue", "publish")["repaired"]
    assert repaired["package"] == "web-banners"
    assert archive.read_bytes() == content
    assert emblem.json("catalogue", "publish")["repaired"] == []


def test_withdrawn_is_handed_out_no_more(emblem: Shell, campaign: Campaign) -> None:
    version = campaign.packages["logo"].version
    emblem("catalogue", "withdraw", "logo", version, "--reason", "A wrong colour.")
    emblem("catalogue", "withdraw", "logo", version, "--reason", "Again.")
    emblem("audit", "seal")


def test_help_says_what_there_is(emblem: Shell) -> None:
    told = emblem("--help").stdout
    for name in ("demo", "serve", "db", "doctor", "catalogue", "participants", "keys", "links", "audit", "secrets"):
        assert name in told
