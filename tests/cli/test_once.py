"""``emblem demo --once`` walks the main job, and ends with 1 where any step is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from service.cli import walk
from service.cli.walk import Walk

if TYPE_CHECKING:
    from tests.parts.demo import Demo

STEPS = ("campaign", "join", "decision", "terms", "link", "download", "digest", "record", "variant", "seal", "report")


def told(demo: Demo) -> dict[str, Any]:
    return {"base_url": demo.base_url, "keys": demo.facts["keys"]}


def test_the_walk_holds(demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    assert walk._walk(told(demo), demo.folder) == 0
    shown = capsys.readouterr().out
    for name in (*STEPS, "log verify"):
        assert name in shown
    for mark in ("par_", "acc_", "lnk_", "dl_", "ebd_", "sha256 "):
        assert mark in shown


@pytest.mark.parametrize("step", [*STEPS, "verify"])
def test_a_broken_step_ends_the_walk_with_1(demo: Demo, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is given an answer that is wrong in the way it watches for."""
    original = getattr(Walk, step)

    def broken(self: Walk) -> str:
        if step == "campaign":
            self.told = self.told | {"keys": {}}
            self.port = 9
        elif step == "decision":
            self.participant["decision"]["outcome"] = "declined"
        elif step == "terms":
            self.package["terms"]["id"] = "nothing"
        elif step == "link":
            self.package["id"] = "nothing"
        elif step == "download":
            self.issued["url"] = self.issued["url"].replace("/d/", "/d/x")
        elif step == "digest":
            self.bytes += b"x"
        elif step == "record":
            self.issued["id"] = "lnk_nothing"
        elif step == "variant":
            self.participant["id"] = "par_nobody"
        elif step == "report":
            self.package["id"] = "nothing"
        else:
            self.told = self.told | {"keys": dict.fromkeys(self.told["keys"], "emb_wrong")}
            if step == "seal":
                monkeypatch.setattr(self, "port", 9)
        return str(original(self))

    monkeypatch.setattr(Walk, step, broken)
    assert walk._walk(told(demo), demo.folder) == 1
