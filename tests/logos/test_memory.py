"""Memory that pictures took goes back to the system, where the C library would keep it."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
from pathlib import Path
from service.logos.memory import give_back_large

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS:"))

{call}
del (first := [bytearray(20 << 20)])[:]  # from now on glibc would keep buffers of this size
before = resident()
large, small = [], []
for _ in range(30):
    large.append(bytearray(b"x") * (4 << 20))
    small.append(bytearray(b"x") * 300_000)  # stays, so that what lies below it cannot be cut off
large.clear()
print(resident() - before)
"""


def kept(call: str) -> int:
    """The megabytes that a process has more once it has freed 120 MB in large buffers and holds 9 in small ones."""
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(call=call)], capture_output=True, text=True, check=True)
    return int(done.stdout)


# Only glibc keeps such buffers, and has the setting; on another C library there is nothing to give back.
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory: another C library than glibc")
def test_large_buffers_are_given_back() -> None:
    assert kept("give_back_large()") < 30
    assert kept("") > 100, "the test sees what is kept"
