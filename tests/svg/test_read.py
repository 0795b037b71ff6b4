"""Reading: what is resolved and left out, by what is written, and no bytes that end in anything but an answer."""

from __future__ import annotations

import re
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.svg import Drawing, DrawingError, read

OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 200 100"'
SQUARE = '<path fill="#0b5cad" d="M10 10h80v80h-80z"/>'
PLAIN = f"{OPEN}>{SQUARE}</svg>"


def drawn(content: str, attributes: str = "") -> Drawing:
    return read(f"{OPEN} {attributes}>{content}</svg>".encode())


def refused(content: str, attributes: str = "") -> list[str]:
    with pytest.raises(DrawingError) as caught:
        drawn(content, attributes)
    return [fault.message for fault in caught.value.faults]


def test_a_plain_drawing_stays_as_it_is() -> None:
    plain = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" fill="#0b5cad"><path d="M0 0h9v9z"/></svg>\n'
    assert read(plain).plain() == plain


@pytest.mark.parametrize(
    "attributes",
    [
        'width="200" height="100"',
        'width="100%" height="9mm" x="5" y="7pt" preserveAspectRatio="none"',
        'width="{size}" height="calc(1px)"',
        'style="width:24px;height:24px"',
        'style="width:100%;height:auto;max-width:300px"',
        'style="background:#ffd700"',
        'style="background-color:red;background-image:url(https://example.org/x.png);border:1px solid red"',
        'style="margin:9px;padding:9px;position:absolute;top:5px;box-shadow:0 0 9px red;outline:9px solid red"',
        'version="1.1" baseProfile="full" id="Layer_1" class="icon" xml:space="preserve" role="img" t="1690000000"',
        'style="enable-background:new 0 0 200 100;overflow:visible" font-family="Arial"',
    ],
)
def test_what_belongs_to_a_box_in_a_page_is_left_out(attributes: str) -> None:
    """Width is exact, and a logo is transparent where nothing is drawn."""
    assert drawn(SQUARE, attributes) == read(PLAIN.encode())


def test_paint_in_srgb_stands_for_what_only_some_renderers_know() -> None:
    both = drawn(
        '<rect width="9" height="9" fill="#0B5CAD" style="fill:#0B5CAD;fill:color(display-p3 .04 .36 .68);'
        'fill-opacity:1"/><circle r="9" fill="#C8102E" style="fill:lab(40% 60 30)"/>'
    )
    assert re.findall(r'fill="([^"]+)"', both.body) == ["#0b5cad", "#c8102e"]
    assert refused('<rect width="9" height="9" style="fill:color(display-p3 1 0 0)"/>')
    assert refused('<rect width="9" height="9" style="fill:currentcolour;fill:color(display-p3 1 0 0)"/>')


@pytest.mark.parametrize(
    ("length", "user"),
    [
        ("1.2in", 115.2),
        ("0.7IN", 67.2),
        ("5mm", 18.897638),
        ("1cm", 37.795276),
        ("4q", 3.7795276),
        ("12pt", 16),
        ("2pc", 32),
        ("16px", 16),
        ("16", 16),
        ("1.6e1", 16),
        ("10%", 20),
        ("2em", 40),
        ("1rem", 16),
    ],
)
def test_lengths_are_user_units_at_96_to_the_inch(length: str, user: float) -> None:
    width = drawn(f'<g font-size="20"><rect width="{length}" height="9"/></g>').body
    assert float(width.partition('width="')[2].partition('"')[0]) == pytest.approx(user, rel=1e-6)
    css = "px" if re.fullmatch(r"[\d.e]+", length) else ""
    if not length.endswith(("e1", "16")):
        assert drawn(f'<g font-size="20"><rect style="width:{length}{css}" height="9"/></g>').body == width


@pytest.mark.parametrize("length", ["5vw", "5vh", "5vmin", "1ex", "1ch", "1lh", "1cap", "calc(5px)", "5 px", "auto5"])
def test_lengths_that_depend_on_the_viewer_are_refused_wherever_they_stand(length: str) -> None:
    gradient = f'<linearGradient id="g" gradientUnits="userSpaceOnUse" x1="{length}"><stop/><stop offset="1"/>'
    for content in (
        f'<rect width="{length}" height="9"/>',
        f'<path d="M0 0h9v9z" stroke="#000" stroke-width="{length}"/>',
        f'<path d="M0 0h9v9z" stroke="#000" stroke-dasharray="{length}"/>',
        f'<g transform-origin="{length}" transform="scale(2)">{SQUARE}</g>',
        f'{gradient}</linearGradient><rect fill="url(#g)" width="9" height="9"/>',
    ):
        assert refused(content), content


@pytest.mark.parametrize(
    "name", ["01", "1e3", "1.0", "Blue gradient 1", "é", "a:b", "a.b", "a/b", "(a)", "a'b", "-", "#a", "a%b"]
)
def test_an_id_is_a_name(name: str) -> None:
    quoted = f"&quot;#{name}&quot;".replace("a%b", "a%25b")
    gradient = f'<linearGradient id="{name}"><stop/><stop offset="1" stop-color="#fff"/></linearGradient>'
    for content in (
        f'{gradient}<rect width="9" height="9" fill="url({quoted})"/>',
        f'<clipPath id="{name}"><rect width="5" height="5"/></clipPath><g clip-path="url( {quoted} )">{SQUARE}</g>',
    ):
        assert 'id="a"' in drawn(content).body
        assert "url(#a)" in drawn(content).body
    used = f'<defs><path id="{name}" d="M0 0h9v9z"/></defs><use href="#{name.replace("%", "%25")}"/>'
    assert 'd="M0 0h9v9z"' in drawn(used).body


def test_an_unquoted_reference_with_blanks_is_none() -> None:
    gradient = '<linearGradient id="a b"><stop/><stop offset="1" stop-color="#fff"/></linearGradient>'
    assert refused(f'{gradient}<rect width="9" height="9" fill="url(#a b)"/>')


def test_latin_1_is_read_as_such() -> None:
    text = f'<?xml version="1.0" encoding="ISO-8859-1"?>{OPEN}><g id="é">{SQUARE}</g></svg>'
    assert read(text.encode("latin-1")) == read(PLAIN.encode())


def test_what_nothing_refers_to_is_left_out_unread() -> None:
    unused = (
        '<filter id="f"><feBlend/></filter><pattern id="p"><image href="https://example.org/x.png"/></pattern>'
        '<marker id="m"/><symbol id="s"><text>x</text></symbol><font><glyph/></font>'
    )
    assert drawn(f"<defs>{unused}</defs>{unused}{SQUARE}") == read(PLAIN.encode())


@pytest.mark.parametrize("name", ["requiredExtensions", "requiredFeatures", "systemLanguage"])
@pytest.mark.parametrize("value", ["", "http://www.w3.org/TR/SVG11/feature#Shape", "en"])
def test_nothing_depends_on_who_looks(name: str, value: str) -> None:
    assert any(name in said for said in refused(SQUARE.replace("<path", f'<path {name}="{value}"')))
    assert any(name in said for said in refused(SQUARE, f'{name}="{value}"'))
    hidden = f'<linearGradient id="g" {name}="{value}"><stop/><stop offset="1" stop-color="#fff"/></linearGradient>'
    assert refused(f'{hidden}<rect width="9" height="9" fill="url(#g)"/>')


@pytest.mark.parametrize(
    "declaration",
    [
        "vector-effect:non-scaling-stroke",
        "filter:url(#gone)",
        "filter:blur(2px)",
        "-webkit-filter:blur(2px)",
        "backdrop-filter:blur(2px)",
        "mix-blend-mode:multiply",
        "paint-order:stroke",
        "marker-start:url(#m)",
        "marker:url(#m)",
        "color-interpolation:linearRGB",
        "clip:rect(0 0 0 0)",
        "clip-path:inset(1px)",
        "clip-path:url(#gone)",
        "-webkit-clip-path:inset(1px)",
        "mask:url(#gone)",
        "mask-image:linear-gradient(red,blue)",
        "-webkit-mask:url(#m)",
        "transform:rotate3d(1,1,1,45deg)",
        "transform:translateZ(2px)",
        "transform:rotate(45)",
        "transform:perspective(2px)",
        "-webkit-transform:rotate(45deg)",
        "rotate:45deg",
        "scale:2",
        "translate:5px",
        "zoom:2",
        "offset-path:path('M0 0h9')",
        "animation:spin 2s",
        "all:unset",
        "fill:var(--a)",
        "fill:env(a)",
        "fill:light-dark(red,blue)",
        "fill:color-mix(in srgb,red,blue)",
        "fill:rgb(from red r g b)",
        "fill:context-stroke",
        "fill:Canvas",
        "fill:url(other.svg#a)",
        "fill:url(#gone) red",
        "fill:revert-layer",
        "stroke-linejoin:arcs",
        "stroke-linecap:inherit2",
        "stroke-width:-1",
        "opacity:calc(.5)",
        "unheard-of:1",
    ],
)
def test_values_that_are_not_drawn_alike_are_refused_wherever_they_are_written(declaration: str) -> None:
    name, _, value = declaration.partition(":")
    shape = '<path d="M0 0h9v9z" stroke="#000" {}/>'
    assert refused(shape.format(f'style="{declaration}"'))
    assert refused(f"<style>path {{ {declaration} }}</style>" + shape.format(""))
    presentation = ("vector-effect", "filter", "clip-path", "mask", "fill", "stroke", "marker-start", "opacity")
    if name in presentation:
        assert refused(shape.replace('stroke="#000"', "").format(f'{name}="{value}"'))


def test_everything_is_told_at_once_with_its_line() -> None:
    with pytest.raises(DrawingError) as caught:
        drawn('\n<text>a</text>\n<image/>\n<g filter="url(#f)">\n<path d="M0"/></g><use href="#x"/>')
    assert [fault.line for fault in caught.value.faults] == [2, 3, 4, 5, 5]
    assert all(fault.fix for fault in caught.value.faults)


def test_entities_are_never_expanded() -> None:
    bomb = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 9}">' for n in range(1, 12))
    with pytest.raises(DrawingError) as caught:
        read(f'<!DOCTYPE svg [<!ENTITY a0 "boom">{bomb}]>\n{OPEN}>\n<title>&a11;</title>{SQUARE}</svg>'.encode())
    assert [fault.line for fault in caught.value.faults] == [1, 3]
    assert "boom" not in str(caught.value)


def answer(raw: bytes) -> Drawing | None:
    """The drawing in a file, which resolves to itself; None where it was refused with something to correct."""
    try:
        drawing = read(raw)
    except DrawingError as error:
        return None if error.faults else pytest.fail("refused without a fault")
    assert read(drawing.plain()) == drawing
    return drawing


PIECES = st.sampled_from(
    [
        *("<svg", "<g>", "</g>", "<path", "<use", "<style>", "</style>", "/>", ">", '"', "'", " ", "\n", "\x00"),
        *(' d="M0 0', ' href="#a"', ' id="a"', ' style="', "fill:url(#a)", "transform:", "rotate(", "\ufeff"),
        *("<!DOCTYPE", "[", "]>", "<!ENTITY", "&a;", "&#0;", "&#xD800;", "<![CDATA[", "]]>", "<!--", "-->", "<?a"),
        *("?>", ' viewBox="0 0 1 1"', 'xmlns="http://www.w3.org/2000/svg"', "{", "}", ";", ":", "%", "1e999", "-"),
        *("NaN", "url(", ")", "@media", "\\"),
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join))
@example("<g>" * 5000)
@example("")
def test_whatever_the_text_is_the_answer_is_a_drawing_or_its_faults(text: str) -> None:
    for whole in (text, f"{OPEN}>{SQUARE}{text}", f"{OPEN}>{SQUARE}<g {text}/></svg>", f"{OPEN} {text}>{SQUARE}</svg>"):
        for encoding in ("utf-8", "utf-16"):
            answer(whole.encode(encoding, "surrogatepass"))


@given(st.binary(max_size=200), st.sampled_from([b"", PLAIN.encode(), PLAIN.encode("utf-16")]), st.integers(0, 200))
def test_whatever_the_bytes_are_the_answer_is_a_drawing_or_its_faults(junk: bytes, base: bytes, at: int) -> None:
    for raw in (junk, base[:at] + junk + base[at:], base[:at]):
        answer(raw)


VALUES = st.text(st.sampled_from("0123456789.-+eE%,() \t;:!#/*\\'urlpxmnatsfoce<>&{}[]@"), max_size=25)
NAMES = st.sampled_from(
    [
        *("d", "transform", "fill", "stroke-width", "stroke-dasharray", "style", "opacity", "clip-path", "x", "rx"),
        *("href", "points", "transform-origin", "font-size", "class", "viewBox", "width", "preserveAspectRatio"),
        "gradientTransform",
    ]
)
TAGS = st.sampled_from(["path", "rect", "g", "use", "svg", "polygon", "linearGradient", "clipPath", "ellipse", "style"])


@given(TAGS, st.dictionaries(NAMES, VALUES, max_size=4))
def test_whatever_an_attribute_holds_the_answer_is_a_drawing_or_its_faults(tag: str, values: dict[str, str]) -> None:
    attributes = " ".join(f"{name}={quoteattr(value)}" for name, value in values.items())
    content = f'<{tag} id="a" {attributes}><stop/><stop offset="1"/><rect width="9" height="9"/></{tag}>'
    answer(f'{OPEN}>{content}{SQUARE}<path d="M0 0h9v9z" fill="url(#a)"/></svg>'.encode())
