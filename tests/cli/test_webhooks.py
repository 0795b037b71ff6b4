"""``emblem webhooks``: a replay on a deployment whose published policies ask for entries, and where none asks."""

from __future__ import annotations

import shutil
from pathlib import Path

from .test_commands import ROOT, Shell, emblem

__all__ = ["emblem"]

URL = "https://crm.example.org/hook"


def test_a_replay_goes_by_the_policies_in_force(emblem: Shell, tmp_path: Path) -> None:
    told = emblem("webhooks", "replay", "--from", "0", status=2).stderr
    assert "No webhook asks for kinds of entries." in told
    policies = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", policies)
    file = policies / "alerts.yaml"
    text = file.read_text(encoding="utf-8")
    assert "webhooks: []\n" in text
    wanted = f"webhooks:\n  - {{url: {URL}, kinds: [policy.published], alerts: no}}\n"
    file.write_text(text.replace("webhooks: []\n", wanted), encoding="utf-8")
    emblem.variables["EMBLEM_POLICIES_DIR"] = str(policies)
    emblem("catalogue", "reload")
    size = emblem.json("audit", "seal")["size"]
    found = emblem.json("webhooks", "replay", "--from", "0", "--url", URL)
    assert found == {"replayed": [{"url": URL, "first": 0, "end": size, "entries": 2}]}
    assert f"{URL}: 2 entries" in emblem("webhooks", "replay", "--from", "0").stdout
    assert f"no sealed leaf {size}" in emblem("webhooks", "replay", "--from", str(size), status=2).stderr
