"""Content credentials: read back by the reference library and by another implementation, broken by any change."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import c2pa
import pikepdf
import pytest
import rfc8785
from PIL import Image, ImageChops

from service.campaign import Campaign
from service.packages.building import Built, build
from service.packages.content_credentials import ContentCredentials, new_credentials
from service.packages.inks import print_inks_of
from service.packages.renderers import render_svg
from service.problems import ConfigurationError
from service.settings import shipped
from service.store import Database
from tests.conftest import FrozenClock
from tests.parts import node

from .conftest import RIGHTS, SVG, Assets, Drafted
from .test_catalogue import entries

_READ_IN_JAVASCRIPT = """
import { readFile } from 'node:fs/promises';
const [days, ...paths] = process.argv.slice(2);
const Now = Date;
globalThis.Date = class extends Now {
  constructor(...given) { super(...(given.length ? given : [Now.now() + days * 864e5])); }
  static now() { return Now.now() + days * 864e5; }
};
const { PNG } = await import('@trustnxt/c2pa-ts/asset');
const { SuperBox } = await import('@trustnxt/c2pa-ts/jumbf');
const { ManifestStore } = await import('@trustnxt/c2pa-ts/manifest');

const told = {};
for (const path of paths) {
  const asset = new PNG(await readFile(path));
  const store = ManifestStore.read(SuperBox.fromBuffer(asset.getManifestJUMBF()));
  const result = await store.validate(asset);
  told[path] = { valid: result.isValid, codes: result.statusEntries.map((entry) => entry.code) };
}
console.log(JSON.stringify(told));
"""


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> ContentCredentials:
    file = tmp_path_factory.mktemp("key") / "key.pem"
    file.write_bytes(new_credentials("Mark & Friends", datetime.now(UTC), 400))
    return ContentCredentials.read(file)


def read_back(path: str, content: bytes, anchor: str) -> dict[str, Any]:
    """What the C2PA project's own reader says of a file, with one certificate trusted and nothing fetched."""
    settings = {"trust": {"trust_anchors": anchor}, "verify": {"remote_manifest_fetch": False}}
    with (
        c2pa.Context.from_dict(settings) as context,
        c2pa.Reader(path.rpartition(".")[2], io.BytesIO(content), context=context) as reader,
    ):
        return dict(json.loads(reader.json()))


def files_of(built: Built) -> dict[str, bytes]:
    with zipfile.ZipFile(built.path) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_every_picture_and_document_of_a_package_says_who_made_it(
    assets: Assets, credentials: ContentCredentials, tmp_path: Path
) -> None:
    """As the last step after every optimiser, without the automatic thumbnail, and the rights stay in the file."""
    plain = files_of(build(assets.package(), assets.path, RIGHTS, tmp_path))
    built = build(assets.package(), assets.path, RIGHTS, tmp_path, credentials=credentials)
    signed = files_of(built)
    carriers = [name for name in signed if not name.endswith(".txt")]
    assert {name.rpartition(".")[2] for name in carriers} == {"png", "svg", "pdf"}
    for name in carriers:
        told = read_back(name, signed[name], credentials.anchor)
        assert told["validation_state"] == "Trusted", told
        (manifest,) = told["manifests"].values()
        assert "thumbnail" not in manifest
        assert manifest["signature_info"]["issuer"] == "Mark & Friends"
        (metadata,) = [one["data"] for one in manifest["assertions"] if one["label"] == "cawg.metadata"]
        assert metadata["dc:identifier"] == f"kit/1.0.0/{name}"
        assert metadata["xmpRights:WebStatement"] == RIGHTS.web_statement
        assert RIGHTS.web_statement.replace("&", "&amp;").encode() in signed[name] or name.endswith(".pdf")
        assert len(signed[name]) - len(plain[name]) < 8000
    assert signed["README.txt"] == plain["README.txt"]


def test_an_implementation_in_another_language_reads_them(credentials: ContentCredentials, tmp_path: Path) -> None:
    good = credentials.sign(render_svg(SVG.encode(), 40), "a.png", RIGHTS, "kit")
    pixels = good.index(b"IDAT") + 6
    (tmp_path / "good.png").write_bytes(good)
    (tmp_path / "changed.png").write_bytes(good[:pixels] + bytes([good[pixels] ^ 1]) + good[pixels + 1 :])
    told = node.run(_READ_IN_JAVASCRIPT, tmp_path, "0", "good.png", "changed.png")
    assert {"claimSignature.validated", "assertion.dataHash.match"} <= set(told["good.png"]["codes"])
    assert "assertion.dataHash.mismatch" in told["changed.png"]["codes"]
    assert not told["changed.png"]["valid"]


@pytest.mark.parametrize("path", ["a.png", "a.svg", "a.pdf"])
def test_a_change_afterwards_breaks_them(path: str, credentials: ContentCredentials, assets: Assets) -> None:
    content = {"a.png": render_svg(SVG.encode(), 40), "a.svg": SVG.encode(), "a.pdf": _pdf()}[path]
    signed = credentials.sign(content, path, RIGHTS, "kit")
    end = len(signed) - 20
    changed = signed[:end] + bytes([signed[end] ^ 1]) + signed[end + 1 :]
    assert read_back(path, signed, credentials.anchor)["validation_state"] == "Trusted"
    assert read_back(path, changed, credentials.anchor)["validation_state"] == "Invalid"
    other = new_credentials("Mark & Friends", datetime.now(UTC), 400)
    stranger = other[other.rindex(b"-----BEGIN CERTIFICATE") :].decode()
    assert read_back(path, signed, stranger)["validation_state"] == "Valid"  # unchanged, by somebody


def _pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page(page_size=(200, 100))
        made.save(out)
    return out.getvalue()


def test_what_is_shown_and_what_is_printed_stays(
    campaign: Campaign, credentials: ContentCredentials, tmp_path: Path
) -> None:
    """A PDF is signed last and keeps its boxes and inks; one for print is not, so that it keeps its standard."""
    manifest = campaign.packages["logo"]
    folder, inks = shipped("assets"), print_inks_of(campaign.brand)
    plain = build(manifest, folder, RIGHTS, tmp_path, inks)
    signed = build(manifest, folder, RIGHTS, tmp_path, inks, credentials)
    assert plain.source_digest == signed.source_digest
    before, after = files_of(plain), files_of(signed)
    for name in before:
        if name.endswith(".png"):
            pictures = [Image.open(io.BytesIO(content)).convert("RGBA") for content in (before[name], after[name])]
            assert ImageChops.difference(*pictures).getbbox() is None
        elif name.endswith(".pdf") and "print" not in name:
            with pikepdf.open(io.BytesIO(before[name])) as old, pikepdf.open(io.BytesIO(after[name])) as new:
                assert new.check_pdf_syntax() == []
                assert old.pdf_version == new.pdf_version
                assert old.Root.Metadata.read_bytes() == new.Root.Metadata.read_bytes()
                assert [_printed(page) for page in old.pages] == [_printed(page) for page in new.pages]
                assert list(new.attachments) == ["Content Credentials"]
        elif not name.endswith(".svg"):
            assert after[name] == before[name]  # files for print among them, which keep what they claim
    assert len(after) == len(before)


def _printed(page: pikepdf.Page) -> tuple[bytes, ...]:
    boxes = [str(page.get(name)) for name in ("/MediaBox", "/TrimBox", "/BleedBox")]
    resources = page.Resources.get("/ColorSpace", pikepdf.Dictionary())
    spaces = sorted(map(str, resources))
    contents = pikepdf.unparse_content_stream(pikepdf.parse_content_stream(page))
    return (contents, *(text.encode() for text in (*boxes, *spaces)))


def test_when_the_certificate_has_ended_readers_refuse_the_file(
    credentials: ContentCredentials, tmp_path: Path
) -> None:
    """Without a time stamp nobody attests when it was signed, so nothing is published under one that ends soon."""
    (tmp_path / "a.png").write_bytes(credentials.sign(render_svg(SVG.encode(), 40), "a.png", RIGHTS, "kit"))
    today, later = (node.run(_READ_IN_JAVASCRIPT, tmp_path, days, "a.png")["a.png"] for days in ("0", "401"))
    assert "signingCredential.expired" not in today["codes"]
    assert "signingCredential.expired" in later["codes"] or "claimSignature.outsideValidity" in later["codes"], later
    assert not later["valid"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no private key"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no private key"),
    ],
)
def test_a_file_that_holds_no_key_is_refused_in_words(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        ContentCredentials.read(tmp_path / "key.pem")


def test_a_key_with_another_ones_certificate_is_refused(tmp_path: Path) -> None:
    one, other = (new_credentials("Mark", datetime.now(UTC), 400) for _ in range(2))
    split = one.index(b"-----BEGIN CERTIFICATE")
    (tmp_path / "key.pem").write_bytes(one[:split] + other[other.index(b"-----BEGIN CERTIFICATE") :])
    with pytest.raises(ValueError, match="not that of the key"):
        ContentCredentials.read(tmp_path / "key.pem")


def test_the_log_binds_each_file_and_the_certificate(
    open_catalogue: Callable[..., Drafted], database: Database, credentials: ContentCredentials
) -> None:
    """Whoever has one file of a package holds its digest against the log, with the list that the API gives."""
    (published,) = open_catalogue(credentials=credentials).publish()
    (entry,) = entries(database, "package.published")
    digests = {file["path"]: file["sha256"] for file in published.files}
    assert entry["files"] == hashlib.sha256(rfc8785.dumps(digests)).hexdigest()
    assert entry["signed_by"] == credentials.digest
    assert open_catalogue().publish() == [], "a key that comes or goes is no new version"


def test_nothing_is_published_under_a_certificate_that_ends_soon(
    open_catalogue: Callable[..., Drafted], database: Database, clock: FrozenClock, tmp_path: Path
) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(new_credentials("Mark", clock(), 89))
    with pytest.raises(ConfigurationError, match="content-credentials FILE"):
        open_catalogue(credentials=ContentCredentials.read(file)).publish()
    assert entries(database, "package.published") == []
