"""docs/audit-alerts.md: its receiver checks real deliveries, and it names every rule there is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import time_machine
from click.testing import CliRunner

from service.alerts.alert_rules import Rule
from service.alerts.webhooks import PAUSES, secret_of, sign
from service.cli import emblem

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "audit-alerts.md").read_text(encoding="utf-8")
URL = "https://hooks.example.org/emblem"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
BODY = '{"type":"alert.raised","data":{"summary":"ä"}}'.encode()


@pytest.fixture
def is_from_emblem() -> Callable[[str, dict[str, str], bytes], bool]:
    """The function that the page shows."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    found: Callable[[str, dict[str, str], bytes], bool] = names["is_from_emblem"]
    return found


@time_machine.travel(NOON, tick=False)
def test_the_shown_receiver_takes_what_is_ours_and_nothing_else(
    is_from_emblem: Callable[[str, dict[str, str], bytes], bool],
) -> None:
    new, old = secret_of("new key", URL), secret_of("old key", URL)
    headers = sign([new, old], "alt_1", NOON, BODY)
    assert is_from_emblem(new, headers, BODY)
    assert is_from_emblem(old, headers, BODY)  # while secrets rotate
    assert not is_from_emblem(secret_of("another key", URL), headers, BODY)
    assert not is_from_emblem(secret_of("new key", f"{URL}/"), headers, BODY)
    assert not is_from_emblem(new, headers, BODY + b" ")
    assert not is_from_emblem(new, headers | {"webhook-id": "alt_2"}, BODY)
    with time_machine.travel(NOON.timestamp() + 301):
        assert not is_from_emblem(new, headers, BODY)


def test_the_page_names_every_rule_and_how_often_is_tried() -> None:
    for rule in get_args(Rule):
        (when,) = get_args(rule.model_fields["when"].annotation)
        assert f"| `{when}` |" in PAGE
    assert PAUSES == (60, 300, 1800, 7200, 43_200)
    assert "after 1 and 5 minutes, half an hour, 2 hours and 12 hours" in PAGE


def test_the_command_tells_the_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    newest, older = "n" * 40, "o" * 40
    for name, value in {
        "SECRET_KEYS": f"{newest},{older}",
        "DATA_DIR": str(tmp_path),
        "LOG_ORIGIN": "x.example/log",
    }.items():
        monkeypatch.setenv(f"EMBLEM_{name}", value)
    made = CliRunner().invoke(emblem, ["secrets", "new", "--json"])
    monkeypatch.setenv("EMBLEM_LOG_KEY", json.loads(made.output)["EMBLEM_LOG_KEY"])
    told = CliRunner().invoke(emblem, ["secrets", "webhook", URL])
    assert (told.exit_code, told.output) == (0, secret_of(newest, URL) + "\n")
    as_json = CliRunner().invoke(emblem, ["secrets", "webhook", URL, "--json"])
    assert json.loads(as_json.output) == {"url": URL, "secret": secret_of(newest, URL)}
