"""A museum of bad masters, each file named after its defect, and what is said of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.campaign import Mistakes
from service.campaign.masters import MOST_BYTES, read_master

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
    "style_sheet": (2, "an @import"),
    "style_sheet_before_the_drawing": (1, "names a style sheet"),
    "text_in_a_font": (2, "text that needs a font"),
    "foreign_content": (2, "foreign content"),
    "animation": (2, "<animate>"),
    "shadow": (3, "filter: url(#f)"),
    "entities": (1, "DOCTYPE"),
    "entity_without_a_doctype": (2, "entity &nbsp;"),
    "illustrator_with_entities": (2, "DOCTYPE"),
    "no_view_box": (1, "The viewBox is missing"),
    "view_box_of_three_numbers": (1, "not four numbers"),
    "view_box_of_words": (1, "not four numbers"),
    "view_box_without_height": (1, "no size for a drawing"),
    "view_box_like_a_thread": (1, "no size for a logo"),
    "view_box_without_end": (1, "no size for a logo"),
    "not_svg": (1, "no SVG"),
    "svg_without_namespace": (1, "no SVG"),
    "cut_off": (2, "not XML"),
    "not_xml": (1, "not XML"),
    "empty": (1, "not XML"),
    "bytes_of_a_picture": (2, "not UTF-8"),
    "encoding_of_many_bytes": (1, "encoding 'GBK'"),
    "encoding_unknown": (1, "encoding 'x-nope'"),
    "encoding_not_as_declared": (3, "not UTF-8"),
    "utf_32": (1, "UTF-32"),
    "compressed": (1, "compressed"),
    "nested_too_deep": (65, "nested more than 64 deep"),
    "stroke_that_keeps_its_pixels": (2, "vector-effect: non-scaling-stroke"),
    "stroke_that_keeps_its_pixels_in_style": (2, "vector-effect: non-scaling-stroke"),
    "class_without_its_style_sheet": (2, "class='cls-1'"),
    "filter_that_is_gone": (2, "filter: url(#gone)"),
    "filter_function": (2, "filter: drop-shadow"),
    "paint_that_is_gone": (2, "#gone, which is not in the file"),
    "clip_that_is_gone": (2, "#gone, which is not in the file"),
    "use_of_what_is_gone": (3, "#gone, which is not in the file"),
    "use_of_itself": (3, "draws itself"),
    "use_of_many_uses": (2, "too large"),
    "shown_to_some_viewers": (2, "requiredExtensions"),
    "choice_by_the_viewer": (2, "<switch>"),
    "colour_of_a_wide_gamut": (2, "color(display-p3 1 0 0)"),
    "colour_of_the_system": (2, "'CanvasText'"),
    "colour_by_a_variable": (3, "var(--brand)"),
    "colour_scheme_of_the_viewer": (3, "@media"),
    "hover": (3, "path:hover"),
    "blend_mode": (3, "mix-blend-mode: multiply"),
    "stroke_below_the_fill": (2, "paint-order: stroke"),
    "length_of_the_window": (2, "5vw"),
    "length_of_a_font": (2, "5ex"),
    "length_that_is_calculated": (2, "calc(1px + 2px)"),
    "transform_in_space": (2, "rotateX(20deg)"),
    "clip_of_a_shape_function": (2, "circle(3px)"),
    "path_that_breaks_off": (2, "'L 3'"),
    "dashes_by_path_length": (2, "pathLength"),
    "paint_of_its_context": (2, "context-fill"),
    "marker": (3, "marker-end"),
    "pattern": (3, "a pattern"),
    "group_in_a_clip": (3, "clips nothing"),
    "reference_into_a_hidden_part": (3, "hidden part"),
    "nothing_to_see": (1, "shows nothing"),
    "hidden_root": (1, "is hidden"),
    "zoomed": (2, "zoom: 2"),
    "moved_along_a_path": (2, "offset-path"),
    "radial_gradient_that_goes_on": (2, "beyond its circle"),
    "clip_of_shapes_that_overlap": (2, "overlap"),
    "clip_of_two_rules": (2, "different rules"),
    "clip_on_a_nested_drawing": (3, "on a <svg>"),
    "number_without_its_digits": (2, "'.V10Z'"),
    "too_many_rules": (1, "too many rules"),
    "values_nested_too_deep": (1, "nested too deep"),
    "transform_out_of_sight": (2, "too large a number"),
}


def test_every_piece_of_the_museum_has_its_words() -> None:
    assert {path.stem for path in MUSEUM.iterdir()} == set(SAID)


@pytest.mark.parametrize("defect", SAID)
def test_every_defect_is_told_with_its_line_and_fix(defect: str) -> None:
    mistakes = Mistakes()
    assert read_master(MUSEUM / f"{defect}.svg", mistakes) is None
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
    drawing = read_master(path, mistakes)
    assert drawing is not None
    assert drawing.view_box == (-1.0, -2.0, 30.5, 15.0)
    assert not mistakes


def test_a_master_too_large_to_be_a_logo_is_not_even_read(tmp_path: Path) -> None:
    mistakes = Mistakes()
    path = write(tmp_path / "traced.svg", SVG.format(box="0 0 1 1", content="<g/>" * (MOST_BYTES // 4)))
    assert read_master(path, mistakes) is None
    (mistake,) = mistakes.all()
    assert "bytes, more than" in mistake.message


def test_all_mistakes_of_a_master_are_told_at_once(tmp_path: Path) -> None:
    mistakes = Mistakes()
    path = write(tmp_path / "several.svg", SVG.format(box="0 0 1", content="\n<script/>\n<text>A</text>"))
    read_master(path, mistakes)
    assert [mistake.line for mistake in mistakes.all()] == [1, 2, 3]


def test_a_doctype_ends_no_reading() -> None:
    """Everything that is wrong is told in one run; entities are never expanded."""
    mistakes = Mistakes()
    assert read_master(MUSEUM / "illustrator_with_entities.svg", mistakes) is None
    said = {mistake.line: mistake.message for mistake in mistakes.all()}
    assert set(said) == {2, 6, 8, 9, 12}
    assert "http://ns.example.com" not in str(mistakes.all())
