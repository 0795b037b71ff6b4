"""Two clients at once on the last allowed download: exactly one wins."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest

from tests.parts.walk import Walk

# A process waits for its moment, asks once, and says what came back.
_PROGRAM = """
import hashlib, json, sys, time, urllib.error, urllib.request
url, agent, moment = sys.argv[1], sys.argv[2], float(sys.argv[3])
request = urllib.request.Request(url, headers={"User-Agent": agent})
urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({})))
time.sleep(max(0.0, moment - time.time()))
try:
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(json.dumps([answer.status, hashlib.sha256(answer.read()).hexdigest()]))
except urllib.error.HTTPError as error:
    print(json.dumps([error.code, json.loads(error.read())["type"]]))
"""


def race(url: str, agents: list[str]) -> Counter[tuple[int, str]]:
    """What so many processes get that ask at the same moment."""
    moment = str(time.time() + 0.7)
    processes = [
        subprocess.Popen([sys.executable, "-c", _PROGRAM, url, agent, moment], stdout=subprocess.PIPE, text=True)
        for agent in agents
    ]
    answers: list[Any] = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    return Counter((status, said) for status, said in answers)


@pytest.mark.parametrize("allowed", [1, 3])
def test_exactly_as_many_clients_win_as_are_allowed(breakable: Walk, allowed: int) -> None:
    who = breakable.participant()
    for turn in range(3):
        link = breakable.link(who, max_downloads=allowed)
        found = race(link["url"], [f"Mozilla/5.0 client/{turn}.{number}" for number in range(8)])
        assert found == {
            (200, link["package"]["sha256"]): allowed,
            (410, "/problems/link-exhausted"): 8 - allowed,
        }
        assert breakable.counted(link["id"]) == allowed
        assert len(breakable.downloads(link["id"])) == allowed


def test_one_client_at_once_with_itself_is_counted_once(breakable: Walk) -> None:
    """Who has begun may go on: two parallel requests of a client are one download."""
    link = breakable.link(breakable.participant(), max_downloads=1)
    found = race(link["url"], ["Mozilla/5.0 the-same/1"] * 6)
    assert found == {(200, link["package"]["sha256"]): 6}
    assert breakable.counted(link["id"]) == 1
    assert len(breakable.downloads(link["id"])) == 6
