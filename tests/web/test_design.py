"""The tokens of the style sheet: their contrast is what the documentation says, and enough, in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.campaign import colour

ROOT = Path(__file__).resolve().parents[2]
CSS = (ROOT / "service/web/static/emblem.css").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/design.md").read_text(encoding="utf-8")


def tokens(begin: str) -> dict[str, str]:
    """The colours of the first rule after a mark, by the names of their tokens."""
    start = CSS.index(begin)
    return dict(re.findall(r"--([\w-]+): #([0-9a-f]{6});", CSS[start : CSS.index("}", start)]))


LIGHT = tokens(":root {")
DARK = LIGHT | tokens("@media (prefers-color-scheme: dark)")
PAIRS = re.findall(r"^\| `--([\w-]+)` \| `--([\w-]+)` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)


def test_every_colour_is_documented_as_it_is() -> None:
    written = re.findall(r"^\| `--([\w-]+)` \| `#(\w{6})` \| `#(\w{6})` \|", PAGE, re.MULTILINE)
    assert {name: (light, dark) for name, light, dark in written} == {name: (LIGHT[name], DARK[name]) for name in LIGHT}


@pytest.mark.parametrize(("top", "ground", "least", "light", "dark"), PAIRS, ids=str)
def test_what_stands_on_something_has_contrast(top: str, ground: str, least: str, light: str, dark: str) -> None:
    for theme, written in ((LIGHT, light), (DARK, dark)):
        ratio = colour.contrast(theme[top], theme[ground])
        assert ratio >= float(least)
        assert f"{ratio:.2f}" == written


def test_each_text_and_each_ground_is_in_a_pair() -> None:
    assert {"ink", "ink-soft", "link", "on-blue", "good", "warn", "bad"} <= {pair[0] for pair in PAIRS}
    grounds = {"paper", "surface", "tint", "tint-strong", "blue", "blue-deep", "good-tint", "warn-tint", "bad-tint"}
    assert grounds <= {pair[1] for pair in PAIRS}
