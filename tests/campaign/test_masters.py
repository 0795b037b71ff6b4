"""A museum of bad masters, each file named after its defect, and what is said of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.campaign import Mistakes
from service.campaign.masters import MOST_BYTES, check_master

MUSEUM = Path(__file__).parent / "masters"
OUTSIDE = "refers to something outside the file"

# What is said of each, and at which line.
SAID = {
    "script": (2, "a script"),
    "event_handler": (2, "onload runs a script"),
    "javascript_link": (2, "holds a link"),
    "picture_from_elsewhere": (3, "holds a picture"),
    "shape_from_elsewhere": (2, OUTSIDE),
    "shape_from_elsewhere_by_xlink": (2, OUTSIDE),
    "paint_from_elsewhere": (2, OUTSIDE),
    "paint_from_elsewhere_quoted": (2, OUTSIDE),
    "style_sheet": (2, "a style sheet"),
    "style_sheet_before_the_drawing": (1, "processing instruction"),
    "text_in_a_font": (2, "text that needs a font"),
    "font_named_on_a_group": (2, "names a font"),
    "foreign_content": (2, "foreign content"),
    "animation": (2, "<animate>"),
    "shadow": (2, "a filter"),
    "left_by_an_editor": (2, "no element of SVG"),
    "svg_in_the_svg": (2, "<svg>"),
    "entities": (1, "DOCTYPE"),
    "no_view_box": (1, "The viewBox is missing"),
    "view_box_of_three_numbers": (1, "not four numbers"),
    "view_box_of_words": (1, "not four numbers"),
    "view_box_without_height": (1, "no size for a logo"),
    "view_box_like_a_thread": (1, "no size for a logo"),
    "view_box_without_end": (1, "no size for a logo"),
    "fixed_size": (1, "has a width"),
    "not_svg": (1, "no SVG"),
    "svg_without_namespace": (1, "no SVG"),
    "cut_off": (2, "not XML"),
    "not_xml": (1, "not XML"),
    "empty": (1, "not XML"),
}


def test_every_piece_of_the_museum_has_its_words() -> None:
    assert {path.stem for path in MUSEUM.iterdir()} == set(SAID)


@pytest.mark.parametrize("defect", SAID)
def test_every_defect_is_told_with_its_line_and_fix(defect: str) -> None:
    mistakes = Mistakes()
    assert check_master(MUSEUM / f"{defect}.svg", mistakes) is None
    line, said = SAID[defect]
    told = [mistake for mistake in mistakes.all() if mistake.line == line and said in mistake.message and mistake.fix]
    assert len(told) == 1, "\n".join(map(str, mistakes.all()))
    assert told[0].file.endswith(f"{defect}.svg")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{content}</svg>'


def test_what_a_drawing_needs_is_allowed(tmp_path: Path) -> None:
    content = (
        "<title>Heart</title><desc>A heart</desc>"
        '<defs><linearGradient id="g"><stop offset="0" stop-color="#00f"/></linearGradient><path id="p" d="M0 0H1Z"/>'
        '<clipPath id="c"><rect width="5" height="5"/></clipPath></defs>'
        '<g clip-path="url(#c)" fill="url(\'#g\')"><use href="#p"/><circle r="2"/></g>'
    )
    mistakes = Mistakes()
    path = write(tmp_path / "fine.svg", SVG.format(box="-1,-2  30.5 1.5e1", content=content))
    assert check_master(path, mistakes) == (-1.0, -2.0, 30.5, 15.0)
    assert not mistakes


def test_a_master_too_large_to_be_a_logo_is_not_even_read(tmp_path: Path) -> None:
    mistakes = Mistakes()
    path = write(tmp_path / "traced.svg", SVG.format(box="0 0 1 1", content="<g/>" * (MOST_BYTES // 4)))
    assert check_master(path, mistakes) is None
    (mistake,) = mistakes.all()
    assert "bytes, more than" in mistake.message


def test_all_mistakes_of_a_master_are_told_at_once(tmp_path: Path) -> None:
    mistakes = Mistakes()
    path = write(tmp_path / "several.svg", SVG.format(box="0 0 1", content="\n<script/>\n<text/>"))
    check_master(path, mistakes)
    assert [mistake.line for mistake in mistakes.all()] == [1, 2, 3]
