"""Files for printers: inks in the bytes as the brand rules name them, boxes, fonts, and nothing that needs RGB."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import pikepdf
import pypdfium2
import pytest

from service.packages.inks import Inks, print_inks_of
from service.packages.renderers import Maker, MakingError

from .conftest import Assets

if TYPE_CHECKING:
    from service.campaign import Campaign
    from service.campaign.manifests import FileRule

ASSETS = Path(__file__).resolve().parents[2] / "assets"
COLOUR = {"cs", "CS", "sc", "SC", "scn", "SCN", "rg", "RG", "g", "G", "k", "K", "sh"}
#: What the brand rules say, as it has to stand in the files.
WRITTEN: dict[str, list[float]] = {"blue": [0.94, 0.47, 0, 0.32], "white": [0, 0, 0, 0], "black": [0, 0, 0, 1]}


@pytest.fixture(scope="module")
def inks(campaign: Campaign) -> Inks:
    return print_inks_of(campaign.brand)


def rules_of(campaign: Campaign, package: str, form: str) -> list[FileRule]:
    return [rule for rule in campaign.packages[package].files if rule.print_form == form]


def preflight(content: bytes) -> tuple[Any, list[tuple[str, list[Any]]]]:
    """The document and the operators of colour on its pages, once all that holds for every print file is held."""
    pdf: Any = pikepdf.open(io.BytesIO(content))
    said = []
    for page in pdf.pages:
        assert "/TrimBox" in page
        media, trim, bleed = (list(map(float, page[box])) for box in ("/MediaBox", "/TrimBox", "/BleedBox"))
        assert media[0] <= bleed[0] <= trim[0] < trim[2] <= bleed[2] <= media[2]
        assert media[1] <= bleed[1] <= trim[1] < trim[3] <= bleed[3] <= media[3]
        assert not {"/Group", "/Annots"} & set(page.keys())
        assert set(page.Resources.keys()) <= {"/Font", "/ProcSet", "/ColorSpace"}, "no picture, no transparency"
        for font in page.Resources.get("/Font", {}).values():
            for part in font.get("/DescendantFonts", [font]):
                assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(part.FontDescriptor.keys()), "embedded"
        for instruction in pikepdf.parse_content_stream(page):
            assert str(instruction.operator) not in ("Do", "BI", "gs")
            if str(instruction.operator) in COLOUR:
                said.append((str(instruction.operator), list(instruction.operands)))
    return pdf, said


def test_process_colours_are_those_of_the_brand_rules_to_the_whole_percent(campaign: Campaign, inks: Inks) -> None:
    """PDF in DeviceCMYK with the values of ``brand.yaml`` to the whole percent; black is K alone."""
    rules = rules_of(campaign, "logo", "cmyk")
    assert len(rules) == 6
    for rule in rules:
        content = Maker(ASSETS, inks).make(rule)
        _, said = preflight(content)
        assert {name for name, _ in said} == {"k"}
        for _, operands in said:
            assert [float(part) for part in operands] == WRITTEN[rule.inputs["colourway"]]
        assert Maker(ASSETS, inks).make(rule) == content, "the same bytes each time"


def test_a_spot_colour_is_one_ink_with_its_name_and_what_it_is_mixed_from(campaign: Campaign, inks: Inks) -> None:
    rules = rules_of(campaign, "logo", "spot")
    assert {rule.inputs["colourway"] for rule in rules} == {"blue"}
    for rule in rules:
        pdf, said = preflight(Maker(ASSETS, inks).make(rule))
        assert [operands for name, operands in said if name == "scn"] == [[1]] * (len(said) // 2)
        (space,) = {str(operands[0]) for name, operands in said if name == "cs"}
        kind, name, alternate, mixing = pdf.pages[0].Resources.ColorSpace[space]
        assert [str(kind), str(name), str(alternate)] == ["/Separation", "/Blue Heart Blue", "/DeviceCMYK"]
        assert [float(part) for part in mixing.C1] == WRITTEN["blue"]


#: Where what is drawn goes on to the edge, so that it has to go on beyond it.
TO_THE_EDGE = ("poster-", "roll-up-", "table-card-")
MM = 72 / 25.4  # points


def print_files(campaign: Campaign) -> list[FileRule]:
    """Every PDF for printers of every package, of several languages the first and the last."""
    found = [rule for package in campaign.packages.values() for rule in package.files if rule.print_form]
    return [rule for rule in found if rule.path.endswith(".pdf") and rule.inputs.get("lang", "en") in ("ar", "en")]


def test_every_pdf_for_printers_passes_a_preflight(campaign: Campaign, inks: Inks) -> None:
    """Boxes, colour spaces, fonts embedded, no transparency, and no more ink than coated paper takes (300 %)."""
    rules = print_files(campaign)
    assert {rule.path.split("/")[0] for rule in rules} == {"pdf-print-cmyk", "pdf-print-spot", "print-cmyk"}
    assert len(rules) >= 6 + 2 + 8 + 8 + 2
    maker = Maker(ASSETS, inks)
    allowed = {tuple(part / 100 for part in ink.cmyk) for ink in inks.values()}
    for rule in rules:
        pdf, said = preflight(maker.make(rule))
        assert "/Encrypt" not in pdf.trailer
        assert not {"/AcroForm", "/OpenAction", "/AA"} & set(pdf.Root.keys())
        for page in pdf.pages:
            bleed = [abs(float(a) - float(b)) for a, b in zip(page.TrimBox, page.BleedBox, strict=True)]
            wanted = 3 * MM if rule.path.split("/")[-1].startswith(TO_THE_EDGE) else 0
            assert bleed == pytest.approx([wanted] * 4, abs=0.01), rule.path
        if rule.print_form == "cmyk":
            assert {name for name, _ in said} <= {"k", "K"}
            assert {tuple(float(part) for part in operands) for _, operands in said} <= allowed, rule.path
            assert max(sum(map(float, operands)) for _, operands in said) <= 3


def test_each_package_with_print_files_has_the_same_for_screens(campaign: Campaign) -> None:
    """The RGB set for screens beside print, in folders that say which is for what."""
    for package in campaign.packages.values():
        printed = [rule for rule in package.files if rule.print_form]
        folders = {rule.path.rpartition("/")[0] for rule in printed}
        assert all("print" in folder for folder in folders)
        for rule in package.files:
            if not rule.print_form and rule.path.endswith((".pdf", ".png", ".svg")):
                assert "print" not in rule.path.rpartition("/")[0]
        drawn = {(rule.source, rule.inputs.get("lang")) for rule in package.files if not rule.print_form}
        assert {(rule.source, rule.inputs.get("lang")) for rule in printed} <= drawn


def test_what_is_printed_is_drawn_as_on_screens(campaign: Campaign, inks: Inks) -> None:
    """Another program draws the same shapes; in CMYK its colours are near, and in black exact."""
    files = {rule.path: rule for rule in campaign.packages["logo"].files}
    for name in ("heart-black", "lockup-black"):
        screen, printed = (
            ink_of(Maker(ASSETS, inks).make(files[f"{folder}/{name}.pdf"]))
            for folder in ("pdf-screen", "pdf-print-cmyk")
        )
        # How much of each pixel is covered: the black of printers is drawn a little lighter than that of screens.
        covered = [(255 - picture) / (255 - picture.min()) for picture in (screen, printed)]
        assert screen.min() < 10
        assert printed.min() < 60
        assert numpy.abs(covered[0] - covered[1]).max() < 0.03


def ink_of(content: bytes) -> numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.int64]]:
    (page,) = pypdfium2.PdfDocument(content, autoclose=True)
    return numpy.asarray(page.render(scale=2).to_numpy(), dtype=numpy.int64)[..., 0]


def test_eps_holds_the_same_paths_and_inks(campaign: Campaign, inks: Inks) -> None:
    rules = rules_of(campaign, "logo", "eps")
    assert len(rules) == 6
    for rule in rules:
        text = Maker(ASSETS, inks).make(rule).decode("ascii")
        assert text.startswith("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 ")
        assert text.endswith("%%EOF\n")
        colours: list[tuple[str, ...]] = re.findall(r"^(\S+) (\S+) (\S+) (\S+) setcmykcolor$", text, re.MULTILINE)
        found = {tuple(float(part) for part in colour) for colour in colours}
        assert found == {tuple(map(float, WRITTEN[rule.inputs["colourway"]]))}
        assert text.count("gsave\n") == text.count("grestore\n")
        assert "curveto" in text
        assert "\nfill\n" in text
        width, height = (
            float(edge) for edge in re.findall(r"^%%HiResBoundingBox: 0 0 (\S+) (\S+)$", text, re.MULTILINE)[0]
        )
        assert width / height == pytest.approx(campaign.logos[rule.inputs["logo"]].aspect_ratio, rel=1e-4)


PAGE = "#set document(date: none)\n#set page(width: 60mm, height: 40mm, margin: 4mm)\n"
REFUSED = {
    '#text(fill: rgb("#123456"))[word]': "the colour 123456 has no inks: add it to print_colours: in brand.yaml",
    "#rect(fill: gradient.linear(red, blue))": "a gradient or a pattern",
    '#text(fill: rgb("#0b5cad80"))[word]': "transparency",
    "#text(fill: cmyk(10%, 20%, 30%, 40%))[word]": "in CMYK already",
}


@pytest.mark.parametrize("source", REFUSED)
def test_what_has_no_ink_is_refused_with_what_to_do(assets: Assets, inks: Inks, source: str) -> None:
    (assets.path / "tools/kit/sheet.typ").write_text(PAGE + source)
    assets.edit("tools/kit/manifest.yaml", "from: sheet.typ,", "from: sheet.typ, print: cmyk,")
    rule = next(rule for rule in assets.package().files if rule.print_form)
    for attempt in (Maker(assets.path, inks).make, Maker(assets.path, inks).check):
        with pytest.raises(MakingError, match=REFUSED[source]):
            attempt(rule)
