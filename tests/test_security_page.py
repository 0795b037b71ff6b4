"""docs/security.md claims nothing that no test shows: every test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def named() -> list[tuple[str, str]]:
    """File and test of each name on the page; ``::name`` alone is in the file named before it."""
    found: list[tuple[str, str]] = []
    file = ""
    for match in re.finditer(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", PAGE):
        file = match[1] or file
        if match[1] or match[2]:
            found.append((file, match[2] or ""))
    return found


def test_every_test_that_is_named_exists() -> None:
    assert len(named()) >= 25
    for file, test in named():
        text = (ROOT / file).read_text(encoding="utf-8")
        assert f"def {test}(" in text if test else "def test_" in text, (file, test)


def test_every_threat_is_shown_by_a_test() -> None:
    (section,) = re.findall(r"^## What holds\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    rows = [
        line for line in section.splitlines() if line.startswith("| ") and not line.startswith(("| threat", "|---"))
    ]
    assert len(rows) >= 15
    assert all("`tests/" in row for row in rows)
