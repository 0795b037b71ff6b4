"""PDF/X-4: with the profile of a printing condition in the policies, what the standard asks for, clause by clause."""

from __future__ import annotations

import io
import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
import pyvips

from service.campaign import Mistakes, load
from service.campaign.brand import BrandFile, BrandRules
from service.campaign.print_condition import read_print_condition
from service.campaign.source import read_yaml
from service.packages.building import build, source_digest
from service.packages.inks import print_inks_of
from service.packages.renderers import Maker, MakingError
from tests.parts.system import need, path_of

from .conftest import RIGHTS, Assets

POLICIES = Path(__file__).resolve().parents[2] / "policies"
#: The profile of a proofing device that libvips brings along, which its maker gave into the public domain.
PROFILE = bytes(pyvips.Operation.call("profile_load", "cmyk"))
CONDITION = """
print_condition:
  profile: print/proof.icc
  identifier: CHEMICAL
  name: Chemical proof, coated paper
"""
XMP = {
    "pdfxid:GTS_PDFXVersion": "PDF/X-4",
    "pdf:Trapped": "False",
    "pdf:PDFVersion": "1.6",
    "xmpMM:RenditionClass": "proof",
    "xmpMM:VersionID": "1.0.0",
}
SPOT = """
#set document(title: "A mark", date: auto)
#set page(width: 40mm, height: 30mm, margin: 5mm, bleed: 3mm, fill: rgb("#0b5cad"))
"""


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Policies with a printing condition, beside links to the shipped ones."""
    folder = tmp_path_factory.mktemp("policies")
    for path in POLICIES.iterdir():
        if path.name != "brand.yaml":
            (folder / path.name).symlink_to(path)
    brand = (POLICIES / "brand.yaml").read_text(encoding="utf-8")
    (folder / "brand.yaml").write_text(brand + CONDITION, encoding="utf-8")
    (folder / "print").mkdir()
    (folder / "print/proof.icc").write_bytes(PROFILE)
    return folder


@pytest.fixture(scope="module")
def brand(policies: Path) -> BrandRules:
    return load(policies, POLICIES.with_name("assets")).brand


@pytest.fixture
def kit(assets: Assets) -> Assets:
    """A package with a sheet in process colours and one in a spot colour, each as a PDF for print."""
    sheet = assets.path / "tools/kit/sheet.typ"
    sheet.write_text('#set document(title: "A sheet", date: none)\n' + sheet.read_text())
    (assets.path / "tools/kit/spot.typ").write_text(SPOT)
    assets.edit("tools/kit/manifest.yaml", "from: sheet.typ,", "from: sheet.typ, print: cmyk,")
    entry = '  - {path: "spot.pdf", from: spot.typ, print: spot}\n'
    assets.edit("tools/kit/manifest.yaml", '  - {path: "page-{lang}.png"', entry + '  - {path: "page-{lang}.png"')
    return assets


@pytest.fixture
def made(kit: Assets, brand: BrandRules, tmp_path: Path) -> dict[str, bytes]:
    """The PDFs of the built package, as they are handed out."""
    built = build(kit.package(), kit.path, RIGHTS, tmp_path, print_inks_of(brand), condition=brand.print_condition)
    facts = {file.path: file.as_json() for file in built.files}
    with zipfile.ZipFile(built.path) as archive:
        found = {name: archive.read(name) for name in archive.namelist() if name.endswith(".pdf")}
    for name, file in facts.items():
        said = ("PDF/X-4", "Chemical proof, coated paper") if name in found else (None, None)
        assert (file.get("standard"), file.get("condition")) == said
    return found


def every_object(pdf: Any) -> Iterator[Any]:
    """Every dictionary and stream of a document, nested ones too."""
    waiting = [one for one in pdf.objects if one is not None]
    while waiting:
        one = waiting.pop()
        if isinstance(one, pikepdf.Array):
            waiting += [part for part in one if isinstance(part, pikepdf.Object) and not part.is_indirect]
        elif isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
            yield one
            waiting += [part for part in dict(one.items()).values() if _is_inside(part)]


def _is_inside(part: Any) -> bool:
    return isinstance(part, pikepdf.Array | pikepdf.Dictionary) and not part.is_indirect


def test_every_demand_of_the_standard_holds(made: dict[str, bytes]) -> None:
    """ISO 15930-7:2010, 6.1 to 6.21, as far as a file holds what they are about."""
    assert sorted(made) == ["sheet-en.pdf", "sheet-fr.pdf", "spot.pdf"]
    for content in made.values():
        assert content.startswith(b"%PDF-1.6\n"), "the version of PDF"
        pdf: Any = pikepdf.open(io.BytesIO(content))
        assert len(pdf.trailer.ID) == 2
        assert "/Encrypt" not in pdf.trailer

        (intent,) = pdf.Root.OutputIntents
        assert str(intent.S) == "/GTS_PDFX"
        assert str(intent.OutputConditionIdentifier) == "CHEMICAL"
        assert str(intent.RegistryName) == "http://www.color.org"
        assert str(intent.Info)
        assert int(intent.DestOutputProfile.N) == 4
        assert bytes(intent.DestOutputProfile.read_bytes()) == PROFILE

        assert str(pdf.docinfo.Trapped) == "/False"
        xmp = bytes(pdf.Root.Metadata.read_bytes()).decode()
        assert "/Filter" not in pdf.Root.Metadata, "metadata that no reader has to unpack"
        for name, value in XMP.items():
            assert re.findall(f"<{name}>([^<]*)</{name}>", xmp) == [value], name
        dates = re.findall("<xmp:(Create|Modify|Metadata)Date>([^<]*)</xmp", xmp)
        assert sorted(name for name, _ in dates) == ["Create", "Metadata", "Modify"]
        assert {datetime.fromisoformat(value) for _, value in dates} == {datetime(1980, 1, 1, tzinfo=UTC)}
        assert re.search("<dc:title>.*?<rdf:li[^>]*>[^<]+<", xmp, re.DOTALL)
        assert len(re.findall("<xmpMM:DocumentID>[^<]+<", xmp)) == 1

        for page in pdf.pages:
            assert "/ArtBox" not in page, "TrimBox or ArtBox, not both"
            media, bleed, trim = ([float(edge) for edge in page[f"/{box}Box"]] for box in ("Media", "Bleed", "Trim"))
            assert media[0] <= bleed[0] <= trim[0] < trim[2] <= bleed[2] <= media[2]
            assert media[1] <= bleed[1] <= trim[1] < trim[3] <= bleed[3] <= media[3]
            assert not {"/Annots", "/AA", "/Group", "/PresSteps"} & set(page.keys())
        for one in every_object(pdf):
            kind = {str(one.get(name)) for name in ("/Type", "/Subtype", "/S")}
            assert not kind & {"/JavaScript", "/Launch", "/PS", "/TrapNet", "/Image", "/Form", "/Transparency"}, kind
            assert not {"/OPI", "/TR", "/TR2", "/HTP", "/JS", "/Alternates"} & set(one.keys())
            if str(one.get("/Type")) == "/FontDescriptor":
                assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(one.keys()), "embedded"
            if isinstance(one, pikepdf.Stream):
                assert not {"/F", "/FFilter"} & set(one.keys()), "nothing outside the file"
                assert "LZW" not in str(one.get("/Filter"))
        assert not {"/AcroForm", "/OpenAction", "/AA", "/OCProperties", "/Extensions"} & set(pdf.Root.keys())


def test_other_programs_read_it_and_see_the_standard(made: dict[str, bytes], tmp_path: Path) -> None:
    need("exiftool")
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
        said = subprocess.run([path_of("exiftool"), "-json", tmp_path / name], capture_output=True, check=True).stdout
        (facts,) = json.loads(said)
        assert facts["GTS_PDFXVersion"] == "PDF/X-4"
        assert str(facts["Trapped"]) == "False"
        assert facts["PDFVersion"] == 1.6
        assert facts["Owner"] == RIGHTS.owner
        (page,) = pypdfium2.PdfDocument(content, autoclose=True)
        assert page.render(scale=1).to_pil().getextrema() != ((255, 255),) * 3, "something is drawn"


def test_without_a_condition_a_file_is_no_pdfx_and_does_not_say_so(kit: Assets, brand: BrandRules) -> None:
    for rule in kit.package().files:
        if rule.print_form:
            plain = Maker(kit.path, print_inks_of(brand)).make(rule)
            assert b"PDF/X" not in plain
            assert "/OutputIntents" not in pikepdf.open(io.BytesIO(plain)).Root


def test_a_document_without_a_title_is_refused(kit: Assets, brand: BrandRules) -> None:
    (kit.path / "tools/kit/spot.typ").write_text(SPOT.replace('title: "A mark", ', ""))
    (rule,) = (rule for rule in kit.package().files if rule.path == "spot.pdf")
    maker = Maker(kit.path, print_inks_of(brand), brand.print_condition)
    for attempt in (maker.make, maker.check):
        with pytest.raises(MakingError, match=r"no title, which PDF/X-4 asks for: add #set document"):
            attempt(rule)


def test_another_profile_is_another_package(kit: Assets, brand: BrandRules) -> None:
    """A published version never changes, so a condition that comes or changes asks for a new one."""
    inks, manifest = print_inks_of(brand), kit.package()
    digests = {
        source_digest(manifest, kit.path, RIGHTS, inks, condition) for condition in (None, brand.print_condition)
    }
    assert len(digests) == 2


WRONG = {
    "missing.icc": (None, "is missing"),
    "../proof.icc": (PROFILE, "is no file of the policies folder"),
    "text.icc": (b"not a profile", "is no ICC profile"),
    "short.icc": (PROFILE[:5000], "is cut off"),
    "screen.icc": (bytes(pyvips.Operation.call("profile_load", "srgb")), "is no profile of an output device"),
    "rgb.icc": (PROFILE[:16] + b"RGB " + PROFILE[20:], "is for RGB and not for CMYK"),
    "new.icc": (PROFILE[:8] + b"\x05" + PROFILE[9:], "is of version 5"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_profile_that_is_none_for_print_is_refused_with_its_line(policies: Path, tmp_path: Path, name: str) -> None:
    content, said = WRONG[name]
    folder = tmp_path / "policies"
    folder.mkdir()
    text = (policies / "brand.yaml").read_text(encoding="utf-8").replace("print/proof.icc", name)
    (folder / "brand.yaml").write_text(text, encoding="utf-8")
    if content is not None:
        (folder / name).write_bytes(content)
    mistakes = Mistakes()
    source = read_yaml(folder / "brand.yaml", mistakes)
    assert source is not None
    written = source.read(BrandFile)
    assert written is not None
    assert written.print_condition is not None
    assert read_print_condition(source, written.print_condition, folder) is None
    (mistake,) = mistakes.all()
    assert said in mistake.message
    assert mistake.line == text.splitlines().index(f"  profile: {name}") + 1
    assert mistake.fix
