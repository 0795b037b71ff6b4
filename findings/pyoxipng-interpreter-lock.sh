#!/usr/bin/env bash
# pyoxipng 9.1.1: optimize_from_memory() keeps the interpreter's lock from its first to its last moment, though it is all
# Rust and works on several cores inside. A thread of a server that makes a PNG smaller stops every other thread for as
# long, here a second; a pool of threads gains nothing. Pillow's own PNG encoder and zlib let others run.
# What helps: a pool of processes.
# Shown by a second thread that wakes each 2 ms and counts, while one picture is coded both ways.
# Exits non-zero where the count says that others run meanwhile.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyoxipng==9.1.1 pillow==13.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys
import threading
import time
from importlib.metadata import version

import oxipng
from PIL import Image

print("pyoxipng", version("pyoxipng"))
picture = Image.effect_mandelbrot((1200, 900), (-2.2, -1.2, 1.0, 1.2), 90)
begun = io.BytesIO()
picture.save(begun, "png", compress_level=1)


def woken(work):
    """Run some work and return how often another thread woke meanwhile, a second."""
    times, done = [], threading.Event()

    def count():
        while not done.wait(0.002):
            times.append(time.monotonic())

    thread = threading.Thread(target=count)
    thread.start()
    time.sleep(0.1)
    start = time.monotonic()
    work()
    end = time.monotonic()
    done.set()
    thread.join()
    return sum(start < one < end for one in times) / (end - start), end - start


pillow, took = woken(lambda: [picture.save(io.BytesIO(), "png", compress_level=9) for _ in range(4)])
print(f"Pillow: the other thread woke {pillow:.0f} times a second, of {took:.1f} s")
rust, took = woken(lambda: oxipng.optimize_from_memory(begun.getvalue(), level=4))
print(f"pyoxipng: the other thread woke {rust:.0f} times a second, of {took:.1f} s")
if not rust * 5 < pillow:
    sys.exit("This has changed: others run meanwhile.")
PYTHON
