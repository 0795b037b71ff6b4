"""A package is what its manifest and sources say, the same bytes wherever it is built."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from PIL import Image

from service.campaign import Campaign, CampaignError
from service.campaign.manifests import PREVIEW_SIZE, load_packages
from service.packages.building import Built, build, check, source_digest
from service.packages.inks import print_inks_of
from service.packages.renderers import Maker, MakingError, render_svg

from .conftest import RIGHTS, SVG, Assets

ROOT = Path(__file__).resolve().parents[2]
BUILD = """
import os, sys
from pathlib import Path
os.umask(int(sys.argv[2], 8))
from service.campaign import load
from service.campaign.manifests import load_packages
from service.packages.building import build
from service.packages.inks import print_inks_of
from tests.packages.conftest import RIGHTS
assets = Path(sys.argv[1])
inks = print_inks_of(load(Path("policies"), Path("assets")).brand)
built = build(load_packages(assets)[sys.argv[3]], assets, RIGHTS, inks=inks)
built.path.unlink()
print(built.sha256, built.source_digest)
"""


@pytest.fixture
def built(assets: Assets, tmp_path: Path) -> Built:
    return build(assets.package(), assets.path, RIGHTS, tmp_path)


def built_elsewhere(assets: Path, package: str, umask: str, **environment: str) -> str:
    """The digests of a package that is built in a process with this umask and environment."""
    command = [sys.executable, "-c", BUILD, str(assets), umask, package]
    environment = {**os.environ, "PYTHONHASHSEED": str(int(umask)), **environment}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def mistakes_of(assets: Assets, tmp_path: Path) -> list[str]:
    """What building says is wrong; checking says the same without building."""
    with pytest.raises(CampaignError) as caught:
        build(assets.package(), assets.path, RIGHTS, tmp_path)
    assert not list(tmp_path.glob("*.zip"))
    with pytest.raises(CampaignError) as checked:
        check(assets.package())
    assert checked.value.mistakes == caught.value.mistakes
    return [str(mistake).removeprefix(f"{assets.path.as_posix()}/") for mistake in caught.value.mistakes]


def test_the_archive_holds_exactly_the_files_that_are_told(built: Built) -> None:
    raw = built.path.read_bytes()
    assert (built.sha256, built.bytes) == (hashlib.sha256(raw).hexdigest(), len(raw))
    with zipfile.ZipFile(io.BytesIO(raw)) as opened:
        assert opened.namelist() == [file.path for file in built.files]
        for file in built.files:
            content = opened.read(file.path)
            assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_files_are_made_by_their_kinds(built: Built, assets: Assets) -> None:
    with zipfile.ZipFile(built.path) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    assert sorted(files) == [
        "LICENCE.txt",
        "README.txt",
        "page-en.png",
        "page-fr.png",
        "png/mark-20.png",
        "png/mark-41.png",
        "sheet-en.pdf",
        "sheet-fr.pdf",
        "svg/blue.svg",
    ]
    assert re.sub("<metadata>.*</metadata>", "", files["svg/blue.svg"].decode()) == SVG
    assert files["README.txt"].decode() == "Cœur bleu\n"
    assert {Image.open(io.BytesIO(files[f"png/mark-{width}.png"])).size for width in (20, 41)} == {(20, 10), (41, 21)}
    assert Image.open(io.BytesIO(files["page-en.png"])).size == (30, 20)
    assert files["page-en.png"] != files["page-fr.png"]
    assert files["sheet-en.pdf"].startswith(b"%PDF-")
    assert {file.media_type for file in built.files} == {
        "text/plain; charset=utf-8",
        "image/png",
        "application/pdf",
        "image/svg+xml",
    }


def test_the_preview_is_a_picture_of_the_agreed_size(built: Built) -> None:
    with Image.open(io.BytesIO(built.preview)) as image:
        assert (image.format, image.size) == ("PNG", PREVIEW_SIZE)


def test_a_rendered_logo_is_transparent_where_the_drawing_is() -> None:
    with Image.open(io.BytesIO(render_svg(SVG.encode(), 40))) as image:
        pixels = image.convert("RGBA")
    assert pixels.getpixel((1, 18)) == (0, 0, 0, 0) or pixels.getpixel((1, 18))[3] == 0  # type: ignore[index]
    assert pixels.getpixel((30, 3)) == (11, 92, 173, 255)


@pytest.mark.parametrize("width", [1, 7, 24, 33, 100, 1023])
def test_a_rendered_logo_is_exactly_as_wide_as_asked(width: int) -> None:
    with Image.open(io.BytesIO(render_svg(SVG.encode(), width))) as image:
        assert image.width == width
        assert abs(image.height - width / 2) < 1


@pytest.mark.parametrize("box", ["0 0 20.5 10", "-5,-5,1.4,1", "0 0 33333 9999"])
def test_the_size_of_the_view_box_does_not_matter(box: str) -> None:
    with Image.open(io.BytesIO(render_svg(SVG.replace("0 0 20 10", box).encode(), 120))) as image:
        assert image.width == 120


@pytest.mark.parametrize(
    "drawing", [b"no drawing", b'<svg viewBox="0 0 10 10">', SVG.replace(' viewBox="0 0 20 10"', "").encode()]
)
def test_a_drawing_that_cannot_be_rendered_is_a_making_error(drawing: bytes) -> None:
    with pytest.raises(MakingError):
        render_svg(drawing, 10)


def test_every_process_zone_and_umask_gives_the_same_bytes(assets: Assets, built: Built) -> None:
    """Publishing builds a deterministic ZIP: the same input gives the same bytes."""
    said = {
        built_elsewhere(assets.path, "kit", TZ="Pacific/Kiritimati", LC_ALL="tr_TR.UTF-8", umask="000"),
        built_elsewhere(assets.path, "kit", TZ="America/Anchorage", LC_ALL="C", umask="077"),
    }
    assert said == {f"{built.sha256} {built.source_digest}"}


def test_a_shipped_package_is_the_same_in_another_process(campaign: Campaign, tmp_path: Path) -> None:
    assets = ROOT / "assets"
    built = build(campaign.packages["event-kit"], assets, RIGHTS, tmp_path, print_inks_of(campaign.brand))
    said = built_elsewhere(assets, "event-kit", TZ="Asia/Kathmandu", umask="027")
    assert said == f"{built.sha256} {built.source_digest}"


def test_the_age_and_order_of_the_files_do_not_matter(assets: Assets, built: Built, tmp_path: Path) -> None:
    other = Assets(tmp_path / "elsewhere" / "assets")
    for number, path in enumerate(sorted(other.path.rglob("*"), reverse=True)):
        os.utime(path, (number, number))
    again = build(other.package(), other.path, RIGHTS, tmp_path)
    assert (again.sha256, again.source_digest) == (built.sha256, built.source_digest)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("tools/kit/README.txt", "Cœur", "Coeur"),
        ("tools/kit/sheet.typ", "4mm", "5mm"),
        ("tools/_shared/style.typ", "0b5cad", "0b5cae"),
        ("logos/mark/blue.svg", "V10", "V9"),
        ("tools/kit/manifest.yaml", "Some files", "Other files"),
        ("tools/kit/manifest.yaml", "41", "42"),
    ],
)
def test_whatever_a_package_is_made_of_changes_its_digest(assets: Assets, file: str, old: str, new: str) -> None:
    before = source_digest(assets.package(), assets.path, RIGHTS)
    assets.edit(file, old, new)
    assert source_digest(assets.package(), assets.path, RIGHTS) != before


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("tools/kit/.sheet.typ.swp", "hidden"),
        ("tools/kit/sheet.typ~", "an editor's copy"),
        ("tools/other.txt", "beside the packages"),
    ],
)
def test_what_a_package_is_not_made_of_does_not(assets: Assets, file: str, text: str) -> None:
    before = source_digest(assets.package(), assets.path, RIGHTS)
    assets.write(file, text)
    assert source_digest(assets.package(), assets.path, RIGHTS) == before


def test_comments_and_the_day_of_showing_are_no_content(assets: Assets) -> None:
    before = source_digest(assets.package(), assets.path, RIGHTS)
    assets.edit("tools/kit/manifest.yaml", "kind: tool", "# for everyone\nkind:   tool\nvisible_from: 2027-01-01")
    assert source_digest(assets.package(), assets.path, RIGHTS) == before


def test_what_can_be_built_passes_the_check(assets: Assets) -> None:
    check(assets.package())


@pytest.mark.parametrize("package", ["logo", "posters", "web-banners"])
def test_shipped_packages_pass_the_check(campaign: Campaign, package: str) -> None:
    check(load_packages(ROOT / "assets")[package], inks=print_inks_of(campaign.brand))


def test_a_moved_file_is_another_source(assets: Assets) -> None:
    assets.write("tools/kit/a.txt", "x")
    before = source_digest(assets.package(), assets.path, RIGHTS)
    (assets.path / "tools/kit/a.txt").rename(assets.path / "tools/kit/b.txt")
    assert source_digest(assets.package(), assets.path, RIGHTS) != before


def test_a_mistake_in_a_source_is_told_with_its_line(assets: Assets, tmp_path: Path) -> None:
    assets.edit("tools/kit/sheet.typ", "#text(font", "#unknown(font")
    first, *_ = mistakes_of(assets, tmp_path)
    assert first.startswith("tools/kit/sheet.typ:4: sheet-en.pdf of kit cannot be made: unknown variable: unknown")


def test_a_picture_of_another_size_is_told_at_its_entry(assets: Assets, tmp_path: Path) -> None:
    assets.edit("tools/kit/page.typ", "width: float(sys.inputs.width)", "width: 2 * float(sys.inputs.width)")
    told = mistakes_of(assets, tmp_path)
    assert told[0].startswith("tools/kit/manifest.yaml:10: preview.png of kit cannot be made: its page has 1280 by 400")
    assert told[1].startswith("tools/kit/manifest.yaml:17: page-en.png of kit cannot be made: its page has 60 by 20")


def test_a_picture_of_several_pages_is_told(assets: Assets, tmp_path: Path) -> None:
    assets.edit("tools/kit/page.typ", "#sys", "#pagebreak()\n#sys")
    assert "it has 2 pages, a picture has one" in mistakes_of(assets, tmp_path)[0]


def test_a_character_that_no_font_has_is_told(assets: Assets, tmp_path: Path) -> None:
    """In documents and in pictures, where a hollow box would be printed instead."""
    assets.edit("tools/kit/sheet.typ", "sys.inputs.lang", "[\u84dd\u5fc3]")
    assets.edit("tools/kit/page.typ", '#sys.inputs.at("lang", default: "preview")', "#sys.inputs.width \u84dd")
    told = mistakes_of(assets, tmp_path)
    assert {line.split(" of kit")[0].rpartition(" ")[2] for line in told} == {
        "preview.png",
        "sheet-en.pdf",
        "sheet-fr.pdf",
        "page-en.png",
        "page-fr.png",
    }
    assert all("could not be displayed" in line for line in told)


@pytest.mark.parametrize("lang", ["ar", "en", "es", "fr"])
def test_pictures_begin_at_the_side_where_the_language_begins(lang: str) -> None:
    """The signature's heart stands before its words: on the left, and on the right in Arabic."""
    rule = next(
        file
        for file in load_packages(ROOT / "assets")["email-and-letterhead"].files
        if file.path == f"signature-wear-{lang}.png"
    )
    with Image.open(io.BytesIO(Maker(ROOT / "assets").make(rule))) as opened:
        picture = opened.convert("RGB")
    blue = [x for x in range(picture.width) if picture.getpixel((x, picture.height // 2)) == (11, 92, 173)]
    assert len(blue) > 20
    assert (min(blue) > picture.width * 0.8) if lang == "ar" else (max(blue) < picture.width * 0.2)


def test_files_outside_the_sources_cannot_be_read(assets: Assets, tmp_path: Path) -> None:
    assets.write("tools/secret.typ", "#let blue = red")
    assets.edit("tools/kit/sheet.typ", "/tools/_shared/style.typ", "/tools/secret.typ")
    assert "file not found (searched at tools/secret.typ)" in mistakes_of(assets, tmp_path)[0]


def test_the_rules_sheet_has_the_figures_in_force() -> None:
    """Brand rules are one source; the sheet in the logo package only repeats them."""
    sheet = yaml.safe_load((ROOT / "assets/tools/logo/figures.yaml").read_text(encoding="utf-8"))
    brand = yaml.safe_load((ROOT / "policies/brand.yaml").read_text(encoding="utf-8"))
    assert sheet["minimum"] == {name: logo["minimum"] for name, logo in brand["logos"].items()}
    for logo in brand["logos"].values():
        assert (logo["clear_space"]["fraction"], logo["clear_space"]["of"]) == (sheet["clear_space"], "height")
    for name, colour in brand["colourways"].items():
        shown = sheet["colours"][name]
        assert (shown["hex"], shown["cmyk"]) == (colour["hex"], colour["cmyk"])
        assert bytes(shown["rgb"]).hex() == shown["hex"]
        assert colour["backgrounds"]["contrast"] == sheet["contrast"]
