"""``emblem audit`` on a deployment: what verify finds and how it ends, keys that change, ranges not sealed yet."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import duckdb
import pytest

from service import ledger
from service import settings as settings_room
from service.audit.segments import Segments
from service.clock import now
from service.deployment import assemble
from service.storage import open_storage
from service.store import Database
from tests.audit.conftest import download, entry_of
from tests.conftest import environment
from tests.ledger.witness import Witness

from .test_commands import Shell


@pytest.fixture
def emblem(tmp_path: Path, _published: Path) -> Shell:
    folder = tmp_path / "deployment"
    shutil.copytree(_published, folder)
    return Shell(environment(folder))


def add(emblem: Shell, count: int) -> None:
    """So many downloads in the ledger, sealed."""
    database = Database(settings_room.load(emblem.variables).database_url)
    entries = [entry_of(download(now(), participant=f"par_{n}", bytes=n)) for n in range(count)]
    database.write(lambda session: ledger.append_many(session, entries, now()))
    database.close()
    emblem("audit", "seal")


def write_segments(emblem: Shell, rows: int) -> None:
    settings = settings_room.load(emblem.variables)
    database = Database(settings.database_url)
    segments = Segments(database, open_storage(settings.storage_url), settings.data_dir, now)
    segments.rows = rows
    assert segments.write() > 0
    database.close()


def tree(emblem: Shell) -> Path:
    return Path(emblem.variables["EMBLEM_DATA_DIR"]) / "storage" / "log"


# --- verify


def test_a_flipped_bit_ends_with_1_and_the_first_index_that_fails(emblem: Shell) -> None:
    add(emblem, 300)
    assert emblem.json("audit", "verify")["ok"]
    path = tree(emblem) / "tile/0/000"
    data = bytearray(path.read_bytes())
    data[32 * 77] ^= 4
    path.write_bytes(data)
    done = emblem("audit", "verify", status=1)
    assert "the first index that fails is 77" in done.stderr
    assert emblem.json("audit", "verify", status=1)["first_bad_index"] == 77


def test_a_rewound_checkpoint_is_found_by_the_one_that_was_kept(emblem: Shell, tmp_path: Path) -> None:
    add(emblem, 3)
    early = (tree(emblem) / "checkpoint").read_bytes()
    add(emblem, 4)
    kept = tmp_path / "kept.txt"
    kept.write_bytes((tree(emblem) / "checkpoint").read_bytes())
    assert "It continues the kept checkpoint" in emblem("audit", "verify", "--since", str(kept)).stdout
    (tree(emblem) / "checkpoint").write_bytes(early)
    size = int(early.split(b"\n")[1])
    done = emblem("audit", "verify", "--since", str(kept), status=1)
    assert f"the first index that fails is {size}" in done.stderr
    assert "rewound" in done.stdout
    kept.write_text("no checkpoint")
    assert "kept checkpoint" in emblem("audit", "verify", "--since", str(kept), status=1).stderr


def test_a_receipt_verifies_by_itself_until_a_bit_of_it_is_flipped(emblem: Shell, tmp_path: Path) -> None:
    from service.ledger.proofs import TileReader, receipt
    from service.ledger.rows import Rows

    add(emblem, 5)
    settings = settings_room.load(emblem.variables)
    database = Database(settings.database_url)
    head, (vkey,) = Rows(database).newest(), Rows(database).vkeys()
    database.close()
    assert head is not None
    path = tmp_path / "receipt.txt"
    path.write_text(receipt(TileReader(open_storage(settings.storage_url), head.size), 2, head), newline="")
    told = Shell({})("audit", "verify", "--receipt", str(path), "--key", vkey).stdout
    assert "Verified" in told
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    assert "receipt" in Shell({})("audit", "verify", "--receipt", str(path), "--key", vkey, status=1).stderr


def test_segments_and_exports_that_disagree_with_the_log_are_found(emblem: Shell, tmp_path: Path) -> None:
    add(emblem, 300)
    write_segments(emblem, 128)
    folder = tmp_path / "export"
    emblem("audit", "export", "-o", str(folder))
    emblem("audit", "verify", "--dir", str(folder))
    emblem("audit", "verify")
    segments = Path(emblem.variables["EMBLEM_DATA_DIR"]) / "storage" / "segments"
    for arguments, root in ((("--dir", str(folder)), folder / "entries"), ((), segments)):
        path = max(root.glob("*/000*.parquet"))
        original = path.read_bytes()
        rows = f"read_parquet('{path}', hive_partitioning=false)"
        forged = tmp_path / "forged"
        duckdb.execute(f"copy (select * replace (bytes + 1 as bytes) from {rows}) to '{forged}' (format parquet)")
        shutil.copyfile(forged, path)
        told = emblem("audit", "verify", *arguments, status=1)
        assert path.name in told.stdout
        assert "the first index that fails is" in told.stderr
        path.unlink()
        emblem("audit", "verify", *arguments, status=1)
        path.write_bytes(original)
        emblem("audit", "verify", *arguments)


def test_a_policy_says_who_saw_the_log_and_when(emblem: Shell, tmp_path: Path) -> None:
    add(emblem, 2)
    witness = Witness("witness.example.org", now().timestamp())
    path = tmp_path / "witnesses.policy"
    path.write_text(f"witness W {witness.vkey} {witness.url}\nquorum W\n")
    missed = emblem("audit", "verify", "--policy", str(path), status=1)
    assert "the quorum W of the policy is missed" in missed.stderr
    deployment = assemble(settings_room.load(emblem.variables | {"EMBLEM_LOG_POLICY": str(path)}))
    assert deployment.witnesses is not None
    offered = deployment.witnesses.offer()
    deployment.close()
    witness.close()
    assert offered is not None
    assert offered.met
    assert "Seen by W at 20" in emblem("audit", "verify", "--policy", str(path)).stdout
    path.write_text("quorum W\n")
    assert "line 1: W is not defined above" in emblem("audit", "verify", "--policy", str(path), status=2).stderr


# --- keys and origin


def test_another_log_key_or_origin_refuses_with_the_fix(emblem: Shell) -> None:
    add(emblem, 1)
    (vkey,) = emblem.json("audit", "verify")["signed_by"]
    for command in (("serve",), ("audit", "seal"), ("audit", "rotate-key")):
        told = emblem(*command, status=2, EMBLEM_LOG_KEY=ledger.new_log_key()).stderr
        assert "put that key back" in told
        assert vkey in told
        told = emblem(*command, status=2, EMBLEM_LOG_ORIGIN="another.example.org/log").stderr
        assert "set EMBLEM_LOG_ORIGIN=emblem.example.org/log" in told


@pytest.fixture
def configured(emblem: Shell, tmp_path: Path) -> Shell:
    """The deployment with its settings in a file."""
    config = tmp_path / "emblem.env"
    config.write_text("# ours\n" + "".join(f"{name}={value}\n" for name, value in emblem.variables.items()))
    config.chmod(0o600)
    return Shell({"EMBLEM_CONFIG": str(config)})


def test_a_log_key_is_rotated_and_the_old_one_retired(configured: Shell, emblem: Shell, tmp_path: Path) -> None:
    config = tmp_path / "emblem.env"
    add(emblem, 2)
    (first,) = configured.json("audit", "verify")["signed_by"]
    kept = tmp_path / "kept.txt"
    kept.write_bytes((tree(emblem) / "checkpoint").read_bytes())
    configured("audit", "rotate-key")
    assert config.stat().st_mode & 0o777 == 0o600
    assert config.read_text().startswith("# ours\n")
    both = configured.json("audit", "verify")["signed_by"]
    assert (len(both), both[2]) == (3, first)  # the new keys are of both kinds
    configured("audit", "verify", "--key", first, "--since", str(kept))  # who knows the old key alone can go on
    configured("audit", "rotate-key", "--retire")
    assert configured.json("audit", "verify")["signed_by"] == both[:2]
    configured("audit", "verify", "--key", both[0], "--key", first, "--since", str(kept))
    configured("audit", "verify", "--key", first, status=1)
    assert "none to retire" in configured("audit", "rotate-key", "--retire", status=2).stderr
    emblem("audit", "seal", status=2)  # the old key alone is not the log's any more


def test_without_a_file_the_new_key_is_printed_and_nothing_changes(emblem: Shell) -> None:
    add(emblem, 2)
    done = emblem("audit", "rotate-key")
    name, _, value = done.stdout.strip().partition("=")
    new, post_quantum, old = value.split(",")
    assert (name, old) == ("EMBLEM_LOG_KEY", emblem.variables["EMBLEM_LOG_KEY"])
    assert (new.partition(":")[0], post_quantum.partition(":")[0]) == ("ed25519", "mldsa44")
    assert len(emblem.json("audit", "verify")["signed_by"]) == 1
    emblem.variables["EMBLEM_LOG_KEY"] = value
    emblem("audit", "seal")
    assert len(emblem.json("audit", "verify")["signed_by"]) == 3


# --- reports


def test_a_range_that_is_not_sealed_yet_is_said_in_every_format_that_can(emblem: Shell, tmp_path: Path) -> None:
    assert "sealed" in emblem("audit", "report", status=1).stderr
    add(emblem, 2)
    asked = ("audit", "report", "--by", "day", "--to", "2999-01-01")
    said = "goes beyond what is sealed"
    assert said in emblem(*asked).stdout
    assert said in emblem.json(*asked)["note"]
    html = tmp_path / "report.html"
    emblem(*asked, "--format", "html", "-o", str(html))
    assert said in html.read_text()
    assert said in emblem(*asked, "--format", "csv").stderr
    assert said in emblem(*asked, "--format", "parquet", "-o", str(tmp_path / "report.parquet")).stderr
    assert "note" not in emblem.json("audit", "report", "--by", "day", "--to", "2020-01-01")
    assert json.loads(emblem("audit", "report", "--format", "json").stdout)["totals"]["downloads"] == 2


# --- backups


def test_a_backup_made_as_documented_is_put_back(emblem: Shell, tmp_path: Path) -> None:
    """docs/operators.md: the database first, then the storage; ``recover`` once after both were put back."""
    folder = Path(emblem.variables["EMBLEM_DATA_DIR"])
    add(emblem, 40)
    copied = tmp_path / "copied"
    copied.mkdir()
    with sqlite3.connect(folder / "emblem.sqlite3") as source, sqlite3.connect(copied / "emblem.sqlite3") as target:
        source.backup(target)
    add(emblem, 3)
    shutil.copytree(folder / "storage", copied / "storage")
    kept = tmp_path / "kept.txt"
    kept.write_bytes((tree(emblem) / "checkpoint").read_bytes())
    restored = Shell(emblem.variables | {"EMBLEM_DATA_DIR": str(copied)})
    assert "emblem audit recover" in restored("audit", "seal", status=1).stderr
    told = restored("audit", "recover").stdout
    assert "Only the log knew: 3 of download" in told
    restored("audit", "verify", "--since", str(kept))
    assert restored.json("audit", "report")["totals"]["downloads"] == 43
    assert restored.json("audit", "recover", "--checkpoint", str(kept))["unknown"] == {}
    emblem("audit", "recover", "--checkpoint", str(tmp_path / "kept.txt"))
    kept.write_text("no checkpoint\n")
    assert "--checkpoint" in emblem("audit", "recover", "--checkpoint", str(kept), status=2).stderr


def test_the_commands_of_backups(emblem: Shell, tmp_path: Path) -> None:
    """docs/backups.md"""
    add(emblem, 3)
    made = emblem.json("backup", str(tmp_path / "backup"))
    assert (made["log_size"], made["database"]) == (emblem.json("audit", "seal")["size"], "sqlite")
    told = emblem("restore", str(tmp_path / "backup"), status=2).stderr
    assert "--replace" in told
    add(emblem, 4)
    done = emblem.json("restore", str(tmp_path / "backup"), "--replace")
    assert (done["unknown"], done["verified"], done["newest_log"]) == ({"download": 4}, True, "the storage")
    told = emblem("restore", str(tmp_path / "backup"), "--replace").stdout
    assert "Only the log knew: 4 of download" in told
    assert emblem.json("audit", "report")["totals"]["downloads"] == 7
    (tmp_path / "backup" / "SHA256SUMS").write_text("")
    assert "was changed" in emblem("restore", str(tmp_path / "backup"), "--replace", status=1).stderr
