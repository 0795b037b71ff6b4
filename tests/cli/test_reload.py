"""``emblem catalogue reload`` and ``publish`` reach every worker of a running service, without a restart."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from service.settings import shipped
from tests.parts.demo import Demo
from tests.parts.processes import wait_until


def seen_by_all(demo: Demo, text: bytes) -> bool:
    """Whether each of many requests, on connections of their own, is answered with the text."""
    return all(text in demo.client().get("/en/").body for _ in range(16))


def test_a_running_service_takes_up_what_is_published(new_demo: Callable[..., Demo], tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(shipped("policies"), policies)
    demo = new_demo(EMBLEM_POLICIES_DIR=str(policies))

    file, name = policies / "campaign.yaml", b"Another Campaign"
    text = file.read_text(encoding="utf-8")
    assert "  en: Blue Heart Campaign\n" in text
    file.write_text(text.replace("  en: Blue Heart Campaign\n", f"  en: {name.decode()}\n"), encoding="utf-8")
    os.kill(demo.facts["pid"], signal.SIGHUP)  # new workers: they work by what was published, too
    wait_until(lambda: demo.client().get("/healthz").status == 200, 60, "the new workers answer")
    assert name not in demo.client().get("/en/").body
    assert demo.cli("catalogue", "reload")[0] == 0
    wait_until(lambda: seen_by_all(demo, name), 60, "every worker has taken it up")
    (policies / "brand.yaml").write_text("about: [\n")
    assert demo.cli("catalogue", "reload")[0] == 1
    assert demo.cli("catalogue", "publish")[0] == 1
    assert seen_by_all(demo, name)
    demo.stop()
