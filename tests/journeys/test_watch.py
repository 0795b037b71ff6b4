"""``emblem audit watch`` on a running demo, over HTTP, as a stranger would run it."""

from __future__ import annotations

import configparser
import json
import signal
import sys
from pathlib import Path

from service import ledger
from service.cli.watch import watch
from tests.parts.demo import Demo
from tests.parts.processes import Process, free_port, wait_until

ROOT = Path(__file__).parents[2]


def test_a_stranger_monitors_the_log(demo: Demo, tmp_path: Path) -> None:
    assert demo.cli("audit", "seal")[0] == 0
    token = tmp_path / "auditor.key"
    token.write_text(demo.facts["keys"]["auditor"] + "\r\n")
    state = tmp_path / "state"
    common = ["audit", "watch", demo.base_url, "--state", str(state)]
    status, told, error = demo.cli(*common, "--once", "--json", "--token-file", str(token))
    look = json.loads(told)
    assert (status, error, look["ok"], look["entries_read"]) == (0, "", True, True)
    assert look["size"] > 0
    assert look["fresh_at"]  # the log's ML-DSA-44 key states a time

    command = [sys.executable, "-m", "service", *common]
    running = Process(command, tmp_path / "watch.log")
    wait_until(lambda: "All that was checked holds" in running.log.read_text(), 60, "the first look")
    assert "another monitor works" in demo.cli(*common, "--once")[2]
    assert running.stop(signal.SIGTERM) == 0

    other = ledger.key_source(ledger.new_log_key(), look["origin"])()[0].verifier.vkey
    status, told, error = demo.cli(*common, "--once", "--key", other)
    assert (status, "unsigned" in error) == (1, True)
    assert demo.cli("audit", "watch", "emblem.example.org", "--once")[0] == 2


def test_a_log_that_does_not_answer_is_one_sentence(demo: Demo, tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    status, _, error = demo.cli("audit", "watch", nobody, "--once", "--state", str(tmp_path / "state"))
    assert status == 1
    assert error.endswith(f"silent: {nobody}/log does not answer: Connection refused.\n")
    status, _, error = demo.cli("audit", "verify", "--url", nobody)
    assert (status, error.endswith(f"{nobody}/log does not answer: Connection refused.\n")) == (2, True)
    status, _, error = demo.cli("verify", str(ROOT / "README.md"), "--url", nobody)
    assert (status, error.endswith(f"{nobody} does not answer: Connection refused.\n")) == (2, True)


def test_the_unit_starts_the_command_as_it_is() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "docs/deploy/monitor/emblem-watch.service")
    program, *words = unit["Service"]["ExecStart"].split()
    assert (Path(program).name, words[:2]) == ("emblem", ["audit", "watch"])
    known = {name for option in watch.params for name in option.opts}
    assert {word for word in words if word.startswith("--")} <= known
    assert f"/var/lib/{unit['Service']['StateDirectory']}" == words[words.index("--state") + 1]
