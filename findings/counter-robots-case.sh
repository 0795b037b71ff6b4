#!/usr/bin/env bash
# counter-robots 2025.11, the Python package of the COUNTER list of robots:
#   - it matches in the case that the list is written in, though COUNTER wants the list matched without regard to case:
#     a robot called "ExampleBot" is none, "Examplebot" is one;
#   - the list has bare words, and they are held against the whole user agent: the owner of a Motorola telephone whose
#     browser writes the maker in small letters is a robot ("motor"), and so is whoever uses Yahoo! Japan's app ("yahoo");
#   - both together: matched without regard to case, all of QQ Browser ("Core/1.63": "core") and every "Motorola" is.
# Whoever counts downloads by it counts robots as people, and people not at all. What helps: match without regard to
# case, after taking out what a telephone or an app is called.
# Exits non-zero where the package does otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check counter-robots==2025.11
"$folder/venv/bin/python" - <<'PYTHON'
import re
import sys
from importlib.metadata import version
from importlib.resources import files

from counter_robots import is_robot

print("counter-robots", version("counter-robots"))
android = "Mozilla/5.0 (Linux; Android 14; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Mobile Safari/537.36"
seen = {
    "Examplebot/1.0": True,
    "ExampleBot/1.0": False,
    "Mozilla/5.0 (compatible; YouBot (+http://www.you.com))": False,
    android.format("motorola edge 40 neo"): True,
    android.format("Motorola edge 40 neo"): False,
    android.format("SO-51C; wv") + " YJApp-ANDROID jp.co.yahoo.android.yjtop/3.173.0": True,
}
for agent, robot in seen.items():
    print(f"{'robot ' if is_robot(agent) else 'person'} {agent}")
    if is_robot(agent) is not robot:
        sys.exit(f"This has changed: {agent}")
lines = (files("counter_robots") / "data" / "robot.txt").read_text().splitlines()
anyhow = re.compile("|".join(line for line in lines if line), re.IGNORECASE)
qq = "Mozilla/5.0 (Windows NT 10.0) Chrome/63.0.3239.26 Safari/537.36 Core/1.63.5514.400 QQBrowser/10.1.1660.400"
for agent in (android.format("Motorola edge 40 neo"), qq):
    word = anyhow.search(agent)
    print(f"without regard to case: {word[0] if word else 'nothing'!r} in {agent}")
    if not word:
        sys.exit("This has changed: nothing found without regard to case.")
PYTHON
