"""A museum of bad manifests, each named after its defect, and what the shipped assets hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.campaign import CampaignError, Mistakes
from service.campaign.manifests import load_logos, load_packages, version_key

from ..packages.conftest import Assets

ROOT = Path(__file__).resolve().parents[2]
KIT = "tools/kit/manifest.yaml"
MARK = "logos/mark/manifest.yaml"


@dataclass(frozen=True)
class Defect:
    """One edit of a file, and what must be said of it at the line that holds ``at`` (0 if it is empty)."""

    name: str
    file: str
    old: str
    new: str
    said: str
    fix: str
    at: str


MUSEUM = (
    Defect("id_of_another_folder", KIT, "id: kit", "id: kits", "not the folder's name", "id: kit", "id: kits"),
    Defect("id_with_capitals", KIT, "id: kit", "id: Kit", "no id", "lower-case", "id: Kit"),
    Defect("kind_unknown", KIT, "kind: tool", "kind: toy", "kind", "'logo' or 'tool'", "kind: toy"),
    Defect("key_misspelt", KIT, "licence:", "license:", "license is not known", "licence", "license:"),
    Defect("title_without_english", KIT, "en: Kit, ", "", "English text is missing", "Add en", "title:"),
    Defect("title_missing", KIT, "title: {en: Kit, fr: Trousse}\n", "", "title is missing", "Add title", "id: kit"),
    Defect("version_of_two_numbers", KIT, "version: 1.0.0", "version: '1.0'", "no version", "1.0.0", "version:"),
    Defect("version_that_is_a_number", KIT, "version: 1.0.0", "version: 1.0", "text is needed", "quotes", "version:"),
    Defect("version_with_leading_zero", KIT, "version: 1.0.0", "version: 1.01.0", "no version", "1.0.0", "version:"),
    Defect("terms_that_do_not_exist", KIT, "terms: logo-terms", "terms: none", "no terms 'none'", "logo-", "terms: no"),
    Defect("language_unknown", KIT, "languages: [en, fr]", "languages: [en, de]", "'de' is no", "ar, en", "languages:"),
    Defect("language_twice", KIT, "languages: [en, fr]", "languages: [en, en]", "twice", "Keep one", "languages:"),
    Defect("no_languages", KIT, "languages: [en, fr]", "languages: []", "at least one item", "Add", "languages:"),
    Defect("filename_without_version", KIT, "kit-{version}.zip", "kit.zip", "the version in it", "kit-{", "filename"),
    Defect("filename_with_a_folder", KIT, "kit-{version}.zip", "a/kit-{version}.zip", "no file name", "", "filename"),
    Defect("filename_of_another_kind", KIT, "{version}.zip", "{version}.tar", "no file name", ".zip", "filename"),
    Defect("date_without_zone", KIT, "id: kit", "id: kit\nvisible_from: 2027-01-01 10:00:00", "instant", "Z", "vis"),
    Defect("date_in_words", KIT, "id: kit", "id: kit\nvisible_from: soon", "no instant", "2026-07-30", "visible"),
    Defect("no_files", KIT, "files:\n", "files: []\nothers:\n", "at least one item", "Add", "files: []"),
    Defect("no_licence_text", KIT, "path: LICENCE.txt", "path: other.txt", "no licence text", "Add a file", "files:"),
    Defect("source_missing", KIT, "from: README.txt", "from: READ.txt", "READ.txt is missing", "Add it", "READ.txt"),
    Defect("source_of_another_package", KIT, "from: README.txt", "from: ../b/README.txt", "outside", "Move", "../b/"),
    Defect("source_outside_the_assets", KIT, "from: README.txt", "from: /../../x.txt", "outside", "Move", "x.txt"),
    Defect("source_absolute", KIT, "from: README.txt", "from: //etc/hostname", "outside", "Move", "hostname"),
    Defect("manifest_as_source", KIT, "from: README.txt", "from: manifest.yaml", "no source", "", "from: manifest"),
    Defect("path_upwards", KIT, "path: README.txt", "path: ../README.txt", "no path for a file", "letters", "../RE"),
    Defect("path_absolute", KIT, "path: README.txt", "path: /README.txt", "no path for a file", "letters", "/README"),
    Defect("path_with_backslash", KIT, "path: README.txt", "path: a\\b.txt", "no path for a file", "letters", "a\\b"),
    Defect("path_hidden", KIT, "path: README.txt", "path: .README.txt", "no path for a file", "letters", ".README"),
    Defect("path_twice", KIT, "path: README.txt", "path: LICENCE.txt", "there already", "of its own", "../_shared"),
    Defect("path_twice_for_some_systems", KIT, "path: README.txt", "path: licence.TXT", "no kind", "Use", "licence.T"),
    Defect("path_that_differs_in_case", KIT, "path: README.txt", "path: licence.txt", "same file", "of its", "../_sh"),
    Defect("kind_that_packages_do_not_hold", KIT, "path: README.txt", "path: README.exe", "no kind", ".svg", "exe"),
    Defect("value_missing_in_path", KIT, "mark-{width}.png", "mark-{size}.png", "no path", "letters", "{size}"),
    Defect("value_not_in_path", KIT, "mark-{width}.png", "mark.png", "there already", "of its own", "mark.png"),
    Defect("pdf_from_svg", KIT, "sheet-{lang}.pdf\", from: sheet.typ", "sheet-{lang}.pdf\", from: /logos/mark/blue.svg",
           "Nothing makes a .pdf from a .svg", ".typ", "/logos/mark/blue.svg, for"),
    Defect("picture_without_width", KIT, ', width: "{width}"', "", "width is missing", "Add width", "png/mark"),
    Defect("picture_without_height", KIT, ", height: 20", "", "height is missing", "Add height", "page-{lang}"),
    Defect("rendered_logo_with_height", KIT, 'width: "{width}"', 'width: "{width}", height: 9', "of no use", "Remove",
           "png/mark"),
    Defect("text_with_width", KIT, "from: README.txt", "from: README.txt, width: 3", "of no use", "Remove", "README"),
    Defect("width_in_words", KIT, "width: 30", "width: wide", "'wide' is no size", "pixels", "width: wide"),
    Defect("width_of_nothing", KIT, "width: 30", "width: 0", "'0' is no size", "pixels from 1", "width: 0"),
    Defect("width_of_a_house", KIT, "width: 30", "width: 100000", "no size", "to 8192", "width: 100000"),
    Defect("more_files_than_a_package_has", KIT, "[20, 41]", str(list(range(1, 2002))), "more than 2000", "several",
           "png/mark"),
    Defect("preview_of_a_text", KIT, "preview: {from: page.typ}", "preview: {from: README.txt}", "Nothing makes a .png",
           ".typ", "preview:"),
    Defect("preview_missing", KIT, "preview: {from: page.typ}", "preview: {from: none.typ}", "missing", "", "preview:"),
    Defect("import_from_elsewhere", "tools/kit/sheet.typ", "#import \"/tools/_shared/style.typ\": blue",
           "#import \"@preview/kit:1.0.0\": blue", "fetched from elsewhere", "assets folder", "@preview"),
    Defect("import_from_elsewhere_in_shared", "tools/_shared/style.typ", "#let", "#include \"@local/a:1.0.0\"\n#let",
           "fetched from elsewhere", "assets folder", "@local"),
    Defect("not_yaml", KIT, "id: kit", "id: [kit", "not valid YAML", "", ""),
    Defect("logo_of_another_folder", MARK, "id: mark", "id: park", "not the folder's name", "id: mark", "id: park"),
    Defect("logo_terms_unknown", MARK, "terms: logo-terms", "terms: other", "no terms 'other'", "logo-terms", "terms:"),
    Defect("no_masters", MARK, "masters: {blue: blue.svg}", "masters: {}", "at least one item", "Add", "masters:"),
    Defect("master_missing", MARK, "blue.svg", "red.svg", "red.svg is missing", "Add it", "masters:"),
    Defect("master_in_another_folder", MARK, "blue.svg", "../mark/blue.svg", "no SVG beside", "blue.svg", "masters:"),
    Defect("master_of_another_kind", MARK, "blue.svg", "blue.png", "no SVG beside", "blue.svg", "masters:"),
    Defect("master_with_a_script", "logos/mark/blue.svg", "<path", "<script/><path", "a script", "Remove", "<script/>"),
)  # fmt: skip


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    return Assets(tmp_path / "assets")


def mistakes_of(assets: Assets) -> Mistakes:
    mistakes = Mistakes()
    load_logos(assets.path, mistakes, ("logo-terms",))
    load_packages(assets.path, mistakes, ("logo-terms",))
    return mistakes


def test_the_assets_that_the_museum_breaks_are_fine(assets: Assets) -> None:
    assert not mistakes_of(assets)


@pytest.mark.parametrize("defect", MUSEUM, ids=[defect.name for defect in MUSEUM])
def test_every_defect_is_told_with_its_line_and_fix(assets: Assets, defect: Defect) -> None:
    assets.edit(defect.file, defect.old, defect.new)
    path = assets.path / defect.file
    text = path.read_text(encoding="utf-8")
    line = text[: text.index(defect.at)].count("\n") + 1 if defect.at else None
    told = [
        mistake
        for mistake in mistakes_of(assets).all()
        if mistake.file == path.as_posix()
        and line in (mistake.line, None)
        and defect.said in mistake.message
        and defect.fix in mistake.fix
        and mistake.fix
    ]
    assert len(told) == 1, "\n".join(map(str, mistakes_of(assets).all()))


def test_names_are_used_once() -> None:
    assert len({defect.name for defect in MUSEUM}) == len(MUSEUM)


def test_all_mistakes_are_told_at_once_and_raised_where_nobody_collects_them(assets: Assets) -> None:
    assets.edit(KIT, "kind: tool", "kind: toy")
    assets.edit(KIT, "version: 1.0.0", "version: one")
    assets.edit(MARK, "id: mark", "id: park")
    assert len(mistakes_of(assets).all()) == 3
    with pytest.raises(CampaignError, match="kind"):
        load_packages(assets.path)
    with pytest.raises(CampaignError, match="park"):
        load_logos(assets.path)


def test_what_has_a_mistake_is_left_out_and_the_rest_is_read(assets: Assets) -> None:
    for name in ("manifest.yaml", "README.txt", "sheet.typ", "page.typ"):
        assets.write(f"tools/other/{name}", (assets.path / "tools/kit" / name).read_text().replace("kit", "other"))
    assets.edit("tools/other/manifest.yaml", "kind: tool", "kind: toy")
    assert set(load_packages(assets.path, Mistakes())) == {"kit"}


def test_two_packages_of_one_filename_are_told(assets: Assets) -> None:
    for name in ("manifest.yaml", "README.txt", "sheet.typ", "page.typ"):
        assets.write(f"tools/other/{name}", (assets.path / "tools/kit" / name).read_text())
    assets.edit("tools/other/manifest.yaml", "id: kit", "id: other")
    (mistake,) = mistakes_of(assets).all()
    assert "kit has this filename too" in mistake.message


def test_colourways_of_one_logo_are_drawn_in_one_view_box(assets: Assets) -> None:
    assets.write("logos/mark/white.svg", (assets.path / "logos/mark/blue.svg").read_text().replace("20 10", "20 11"))
    assets.edit(MARK, "blue: blue.svg", "blue: blue.svg, white: white.svg")
    (mistake,) = mistakes_of(assets).all()
    assert "The viewBox of white is not that of blue" in mistake.message


def test_an_assets_folder_without_its_parts_is_told(tmp_path: Path) -> None:
    mistakes = mistakes_of(Assets(tmp_path / "assets"))
    assert not mistakes
    empty = Mistakes()
    load_logos(tmp_path / "none", empty)
    load_packages(tmp_path / "none", empty)
    assert [mistake.line for mistake in empty.all()] == [0, 0]


def test_a_date_means_midnight_and_an_instant_is_kept(assets: Assets) -> None:
    assets.edit(KIT, "id: kit", "visible_from: 2026-07-30\nid: kit")
    assert assets.package().visible_from == datetime(2026, 7, 30, tzinfo=UTC)
    assets.edit(KIT, "2026-07-30", "2026-07-30T06:00:00+02:00")
    assert assets.package().visible_from == datetime(2026, 7, 30, 4, tzinfo=UTC)


WINDOWS = ("aux.txt", "CON.txt", "docs/nul.txt", "com1.txt", "COM0.txt", "Lpt9.tar.txt", "prn/readme.txt", "a/b./c.txt")
NO_DEVICES = (
    "auxiliary.txt",
    "com10.txt",
    "com.txt",
    "null.txt",
    "lpt.txt",
    "docs/console.txt",
    "a.con.txt",
    "co1.txt",
)


@pytest.mark.parametrize("path", WINDOWS)
def test_names_that_windows_cannot_unpack_are_refused_at_their_line(assets: Assets, path: str) -> None:
    assets.edit(KIT, "files:\n", f'files:\n  - {{path: "{path}", from: README.txt}}\n')
    with pytest.raises(CampaignError) as told:
        load_packages(assets.path)
    (mistake,) = told.value.mistakes
    lines = (assets.path / KIT).read_text(encoding="utf-8").splitlines()
    assert f'"{path}"' in lines[mistake.line - 1]
    assert "Windows" in mistake.message


@pytest.mark.parametrize("path", NO_DEVICES)
def test_names_that_only_look_like_it_are_allowed(assets: Assets, path: str) -> None:
    assets.edit(KIT, "files:\n", f'files:\n  - {{path: "{path}", from: README.txt}}\n')
    assert path in {rule.path for rule in load_packages(assets.path)["kit"].files}


def test_the_archive_itself_has_a_name_for_windows_too(assets: Assets) -> None:
    assets.edit(KIT, "filename: kit-{version}.zip", "filename: aux.{version}.zip")
    with pytest.raises(CampaignError, match="AUX for a device"):
        load_packages(assets.path)


@pytest.mark.parametrize("path", ["readme.txt/more.txt", "A/B.txt", "a/b.txt/c/d.txt"])
def test_a_name_cannot_be_a_file_and_a_folder(assets: Assets, path: str) -> None:
    both = f'  - {{path: a/b.txt/x.txt, from: README.txt}}\n  - {{path: "{path}", from: README.txt}}\n'
    if path != "A/B.txt":
        both = f'  - {{path: "a/b.txt", from: README.txt}}\n  - {{path: "{path}", from: README.txt}}\n'
    assets.edit(KIT, "  - {path: LICENCE.txt", both + "  - {path: LICENCE.txt")
    with pytest.raises(CampaignError, match="is a file and a folder"):
        load_packages(assets.path)


def test_values_fill_path_source_and_inputs(assets: Assets) -> None:
    assets.edit(KIT, "from: sheet.typ, for", 'from: sheet.typ, inputs: {title: "In {lang}"}, for')
    made = {rule.path: rule for rule in assets.package().files}
    assert made["sheet-fr.pdf"].inputs == {"lang": "fr", "title": "In fr"}
    assert made["svg/blue.svg"].source == "logos/mark/blue.svg"
    assert (made["png/mark-41.png"].making, made["png/mark-41.png"].width) == ("render", 41)


def test_versions_are_ordered_by_their_numbers() -> None:
    assert sorted(["1.10.0", "1.9.12", "1.9.2", "0.20.0"], key=version_key) == ["0.20.0", "1.9.2", "1.9.12", "1.10.0"]


# ---- what is shipped


def test_the_shipped_logos_are_the_heart_and_the_lockup() -> None:
    logos = load_logos(ROOT / "assets")
    assert set(logos) == {"heart", "lockup"}
    for logo in logos.values():
        assert logo.colourways == ("blue", "white", "black")
        assert len(logo.drawing("blue").plain()) < 8192
    assert logos["heart"].aspect_ratio == pytest.approx(1.1)
    assert logos["lockup"].aspect_ratio == pytest.approx(2.6)


def test_the_colourways_of_a_shipped_logo_differ_in_colour_alone() -> None:
    for logo in load_logos(ROOT / "assets").values():
        drawn = {logo.drawing(name).body for name in logo.colourways}
        assert len(drawn) == 1


def test_every_shipped_package_has_its_readme_and_licence_and_both_languages() -> None:
    packages = load_packages(ROOT / "assets")
    assert len(packages) >= 6
    assert [package.kind for package in packages.values()].count("logo") == 1
    for package in packages.values():
        assert {"README.txt", "LICENCE.txt"} <= {rule.path for rule in package.files}
        assert {"en", "fr"} <= set(package.languages)
        for text in (package.title, package.description, package.licence):
            assert {"en", "fr"} <= set(text.languages)


def test_the_pages_in_shipped_packages_refer_to_files_beside_them() -> None:
    checked = 0
    for package in load_packages(ROOT / "assets").values():
        paths = {rule.path for rule in package.files}
        for rule in package.files:
            if rule.path.endswith(".html"):
                page = (ROOT / "assets" / rule.source).read_text(encoding="utf-8")
                pictures = set(re.findall(r'src="([^"]+)"', page))
                pictures |= {
                    name for names in re.findall(r'srcset="([^"]+)"', page) for name in re.findall(r"\S+\.png", names)
                }
                assert pictures
                assert pictures <= paths
                checked += 1
    assert checked == 5
