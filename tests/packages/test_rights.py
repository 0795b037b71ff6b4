"""Rights in the file: read back by exiftool and by a second reader of each kind, and nothing that is shown changes."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pikepdf
import pytest
from PIL import Image, ImageChops

from service.campaign import Campaign, CampaignError
from service.packages.building import build, check
from service.packages.rights import Rights, with_rights
from service.svg import read
from tests.parts.system import need, path_of

from .conftest import RIGHTS, SVG, Assets

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_DC = "{http://purl.org/dc/elements/1.1/}"
_XMP = "{http://ns.adobe.com/xap/1.0/rights/}"
_CC = "{http://creativecommons.org/ns#}"
_MM = "{http://ns.adobe.com/xap/1.0/mm/}"


def files_of(package: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(package) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def by_exiftool(files: dict[str, bytes], folder: Path) -> dict[str, dict[str, Any]]:
    """What exiftool reads of each picture and document."""
    need("exiftool")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    command = [path_of("exiftool"), "-j", "-G1", "-struct", "-lang", "en", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return {entry["SourceFile"]: entry for entry in json.loads(done.stdout)}


def rdf_of(path: str, content: bytes) -> ElementTree.Element:
    """The XMP of a file, found by a reader that did not write it."""
    kind = path.rpartition(".")[2]
    if kind == "png":
        with Image.open(io.BytesIO(content)) as image:
            found = image.info["xmp"] if "xmp" in image.info else image.info["XML:com.adobe.xmp"]
            return ElementTree.fromstring(found if isinstance(found, str) else found.decode())
    if kind == "svg":
        (metadata,) = ElementTree.fromstring(content).iter("{http://www.w3.org/2000/svg}metadata")
        return metadata
    with pikepdf.open(io.BytesIO(content)) as pdf:
        return ElementTree.fromstring(pdf.Root.Metadata.read_bytes())


def told(tree: ElementTree.Element, rights: Rights) -> None:
    """Holds the XMP against the rights."""

    def only(name: str) -> ElementTree.Element:
        (found,) = tree.iter(name)
        return found

    for name in (f"{_XMP}UsageTerms", f"{_DC}rights"):
        *_, element = tree.iter(name)  # typst writes rights of its own nowhere
        said = {item.get(_LANG): item.text for item in element.iter(f"{_RDF}li")}
        assert said == {"x-default": rights.usage_terms["en"], **rights.usage_terms}
    assert [item.text for item in only(f"{_XMP}Owner").iter(f"{_RDF}li")] == [rights.owner]
    assert only(f"{_XMP}WebStatement").text == rights.web_statement
    assert only(f"{_XMP}Marked").text == "True"
    assert only(f"{_CC}license").get(f"{_RDF}resource") == rights.licence
    assert only(f"{_MM}VersionID").text == rights.version


def test_every_picture_and_document_tells_its_rights(assets: Assets, tmp_path: Path) -> None:
    """XMP rights (owner, usage terms, web statement, licence URL, version) in every file of a package."""
    files = files_of(build(assets.package(), assets.path, RIGHTS, tmp_path).path)
    files = {name: content for name, content in files.items() if not name.endswith(".txt")}
    assert {name.rpartition(".")[2] for name in files} == {"png", "svg", "pdf"}
    read_back = by_exiftool(files, tmp_path / "files")
    for name, content in files.items():
        said = read_back[name]
        assert said["XMP-xmpRights:Owner"] == [RIGHTS.owner] or said["XMP-xmpRights:Owner"] == RIGHTS.owner
        assert said["XMP-xmpRights:UsageTerms"] == RIGHTS.usage_terms["en"]
        assert said["XMP-xmpRights:WebStatement"] == RIGHTS.web_statement
        assert said["XMP-cc:License"] == RIGHTS.licence
        assert said["XMP-xmpMM:VersionID"] == RIGHTS.version
        assert not [value for key, value in said.items() if "Warning" in key or "Error" in key], said
        told(rdf_of(name, content), RIGHTS)


def test_the_campaigns_packages_name_the_campaigns_addresses(campaign: Campaign) -> None:
    """Addresses of the campaign from ``policies/campaign.yaml``, so that the bytes are the same everywhere."""
    manifest = campaign.packages["logo"]
    rights = Rights.of(campaign.info.rights, manifest)
    assert rights.licence == f"https://campaign.example.org/en/terms/{manifest.terms}"
    assert rights.version == manifest.version
    assert set(rights.usage_terms) == set(manifest.licence.as_json())


def png() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").save(out, "PNG", optimize=True)
    return out.getvalue()


def pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page(page_size=(200, 100))
        made.save(out)
    return out.getvalue()


FILES: dict[str, Callable[[], bytes]] = {"a.png": png, "a.svg": SVG.encode, "a.pdf": pdf}


@pytest.mark.parametrize("path", FILES)
def test_it_is_the_same_bytes_each_time_and_shows_the_same(path: str) -> None:
    before = FILES[path]()
    after = with_rights(before, path, RIGHTS)
    assert after == with_rights(before, path, RIGHTS)
    assert len(before) < len(after) < len(before) + 3000
    told(rdf_of(path, after), RIGHTS)
    if path == "a.png":
        pictures = [Image.open(io.BytesIO(content)) for content in (before, after)]
        assert ImageChops.difference(*pictures).getbbox() is None
    elif path == "a.svg":
        assert read(after) == read(before)
    else:
        with pikepdf.open(io.BytesIO(before)) as old, pikepdf.open(io.BytesIO(after)) as new:
            assert [page.mediabox for page in new.pages] == [page.mediabox for page in old.pages]


def test_what_carries_none_stays_as_it_is() -> None:
    assert with_rights(b"Terms.", "LICENCE.txt", RIGHTS) == b"Terms."


@pytest.mark.parametrize("path", FILES)
def test_a_file_that_is_not_what_its_name_says_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="this is no"):
        with_rights(b"nothing of the kind", path, RIGHTS)


def test_a_source_that_is_no_picture_is_named_when_checked_and_when_built(assets: Assets, tmp_path: Path) -> None:
    (assets.path / "tools/kit/photo.png").write_bytes(b"nothing of the kind")
    assets.edit("tools/kit/manifest.yaml", "files:\n", "files:\n  - {path: photo.png, from: photo.png}\n")
    for attempt in (lambda: check(assets.package()), lambda: build(assets.package(), assets.path, RIGHTS, tmp_path)):
        with pytest.raises(CampaignError, match=r"photo\.png of kit cannot be made.*this is no PNG"):
            attempt()
