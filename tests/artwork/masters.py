"""Other campaigns' logos, unlike the shipped ones: a round seal with text, a thin line drawing, a word in two inks."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import yaml

from service.campaign import Campaign, load
from service.settings import shipped

#: letters drawn as polygons on a grid of 5 x 7, so that masters need no font
_LETTERS = {
    "O": "M0 0H5V7H0ZM1.4 1.4V5.6H3.6V1.4Z",
    "A": "M0 7L1.9 0H3.1L5 7H3.6L3.2 5.4H1.8L1.4 7ZM2.1 4.1H2.9L2.5 2.3Z",
    "K": "M0 0H1.4V2.9L3.5 0H5L2.6 3.3L5 7H3.4L1.4 4V7H0Z",
    "E": "M0 0H5V1.4H1.4V2.8H4.3V4.2H1.4V5.6H5V7H0Z",
    "T": "M0 0H5V1.4H3.2V7H1.8V1.4H0Z",
    "R": "M0 0H3.6L5 1.4V3L4 4.1L5 7H3.5L2.6 4.4H1.4V7H0ZM1.4 1.4V3H3.1L3.6 2.5V1.9L3.1 1.4Z",
}


def _letter(name: str, matrix: str, fill: str) -> str:
    return f'<path transform="matrix({matrix})" fill="{fill}" fill-rule="evenodd" d="{_LETTERS[name]}"/>'


def seal(ink: str) -> str:
    """A ring with letters round a star."""
    parts = [
        f'<path fill="{ink}" fill-rule="evenodd" d="M100 2A98 98 0 1 1 99.9 2ZM100 14A86 86 0 1 0 100.1 14Z"/>',
        f'<path fill="{ink}" fill-rule="evenodd" d="M100 52A48 48 0 1 1 99.9 52ZM100 58A42 42 0 1 0 100.1 58Z"/>',
    ]
    for number, name in enumerate("OAKTREEOAKTREE"):
        angle = math.radians(360 / 14 * number - 150)
        x, y = 100 + 67 * math.sin(angle), 100 - 67 * math.cos(angle)
        c, s = 2.9 * math.cos(angle), 2.9 * math.sin(angle)
        left, top = x - (c * 2.5 - s * 3.5), y - (s * 2.5 + c * 3.5)
        parts.append(_letter(name, f"{c:.4f} {s:.4f} {-s:.4f} {c:.4f} {left:.3f} {top:.3f}", ink))
    points = []
    for step in range(10):
        reach = 34 if step % 2 == 0 else 14
        angle = math.pi * step / 5
        points.append(f"{100 + reach * math.sin(angle):.2f},{100 - reach * math.cos(angle):.2f}")
    parts.append(f'<polygon fill="{ink}" points="{" ".join(points)}"/>')
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200">{"".join(parts)}</svg>'


def line(ink: str) -> str:
    """A bird in one thin line."""
    path = (
        "M10 96C40 60 70 62 92 84C100 46 140 20 190 12C168 40 160 60 158 84C150 128 108 142 66 128C48 122 30 112 10 96Z"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 150"><g fill="none" stroke="{ink}" stroke-width="5"'
        f' stroke-linejoin="round"><path d="{path}"/><path d="M92 84C112 92 136 92 158 84"/></g></svg>'
    )


def word(first: str, second: str) -> str:
    """A word whose halves have inks of their own."""
    parts = [
        _letter(name, f"10 0 0 10 {4 + 58 * number} 6", first if number < 3 else second)
        for number, name in enumerate("TAKEOR")
    ]
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 352 82">{"".join(parts)}</svg>'


DRAWINGS = {
    "seal": {"green": seal("#1b5e20"), "white": seal("#ffffff")},
    "line": {"green": line("#1b5e20"), "white": line("#ffffff")},
    "word": {"green": word("#1b5e20", "#e65100"), "white": word("#ffffff", "#ffffff")},
}


def other_campaign(folder: Path) -> Campaign:
    """A campaign with these logos, from the shipped policies with other brand rules: data alone."""
    policies, assets = folder / "policies", folder / "assets"
    shutil.copytree(shipped("policies"), policies)
    shutil.copytree(shipped("assets"), assets)
    shutil.rmtree(assets / "logos")
    shutil.rmtree(assets / "tools")
    (assets / "tools").mkdir()
    written = yaml.safe_load((policies / "brand.yaml").read_text(encoding="utf-8"))
    white, blue, heart = written["colourways"]["white"], written["colourways"]["blue"], written["logos"]["heart"]
    written["colourways"] = {"green": blue | {"hex": "1b5e20"}, "white": white}
    written["logos"] = {
        name: heart | {"colourways": ["green", "white"], "minimum": {"px": 48, "mm": 12}} for name in DRAWINGS
    }
    (policies / "brand.yaml").write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
    terms = yaml.safe_load((shipped("assets") / "logos" / "heart" / "manifest.yaml").read_text(encoding="utf-8"))[
        "terms"
    ]
    for name, masters in DRAWINGS.items():
        place = assets / "logos" / name
        place.mkdir(parents=True)
        for colourway, drawing in masters.items():
            (place / f"{colourway}.svg").write_text(drawing, encoding="utf-8")
        manifest = {
            "id": name,
            "title": {"en": name.title()},
            "terms": terms,
            "masters": {colourway: f"{colourway}.svg" for colourway in masters},
        }
        (place / "manifest.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    return load(policies, assets)
