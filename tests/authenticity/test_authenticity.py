"""Whether a file is genuine: over the API, on the page, and on the command line."""

from __future__ import annotations

import hashlib
import html
import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from service.authenticity import Authenticity
from service.campaign import LANGUAGES, Campaign
from service.logos import VariantRequest
from service.packages.content_credentials import ContentCredentials, new_credentials
from service.packages.rights import Rights
from tests.conftest import FrozenClock
from tests.parts.posters import poster
from tests.parts.served import served
from tests.web.conftest import Api

pytestmark = pytest.mark.usefixtures("one_kit")


@pytest.fixture
def archive(api: Api) -> dict[str, bytes]:
    """The files of the logo package as they are handed out."""
    published = api.parts.catalogue.current_version("logo")
    with zipfile.ZipFile(io.BytesIO(api.parts.storage.read(published.storage_key))) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def judge(api: Api, data: bytes, name: str = "file", language: str = "en") -> dict[str, Any]:
    form = {"file": (io.BytesIO(data), name)}
    answer = api.ask("POST", "/api/v1/verifications", data=form, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    assert found["reasons"]
    assert html.unescape("".join(found["reasons"])) == "".join(found["reasons"])  # words, not mark-up
    return found


def test_what_was_published_is_genuine_file_by_file_and_as_a_whole(api: Api, archive: dict[str, bytes]) -> None:
    published = api.parts.catalogue.current_version("logo")
    same: dict[str, set[tuple[str, str, str]]] = {}  # a licence is in several packages
    for one in api.parts.catalogue.current():
        for file in one.files:
            same.setdefault(file["sha256"], set()).add((one.id, one.version, file["path"]))
    for data in archive.values():
        found = judge(api, data)
        assert found["verdict"] == "genuine"
        assert (found["package"], found["version"], found["path"]) in same[hashlib.sha256(data).hexdigest()]
    found = judge(api, api.parts.storage.read(published.storage_key))
    assert (found["verdict"], found["path"]) == ("genuine", None)


def test_a_withdrawn_version_is_genuine_and_old(api: Api, archive: dict[str, bytes], clock: FrozenClock) -> None:
    published = api.parts.catalogue.current_version("logo")
    api.parts.catalogue.withdraw("logo", published.version, "A slip of the pen.", by="staff:cli")
    clock.now += timedelta(seconds=1)
    mine = next(data for path, data in archive.items() if path.endswith(".svg"))
    found = judge(api, mine)
    assert found["verdict"] == "genuine_old"
    assert any("withdrawn" in reason for reason in found["reasons"])


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_changed_file_that_states_our_rights_is_altered(api: Api, archive: dict[str, bytes], kind: str) -> None:
    path = next(name for name in archive if name.endswith(kind))
    data = archive[path]
    if kind == "pdf":
        with pikepdf.open(io.BytesIO(data)) as pdf, io.BytesIO() as out:
            pdf.Root.PageLayout = pikepdf.Name.TwoPageLeft
            pdf.save(out)
            changed = out.getvalue()
    elif kind == "svg":
        changed = data.replace(b"<metadata", b"<title>New</title><metadata", 1)
    else:
        changed = data + b"\0"
    assert changed != data
    found = judge(api, changed, path.rpartition("/")[2])
    assert (found["verdict"], found["package"], found["path"]) == ("altered", "logo", path)
    assert any(str(len(data)) in reason for reason in found["reasons"])
    assert judge(api, changed, "renamed")["package"] is None
    for language in LANGUAGES:
        assert judge(api, changed, language=language)["verdict"] == "altered"


def test_a_poster_with_the_logo_carries_the_mark(api: Api) -> None:
    heart = api.parts.variants.get(VariantRequest("heart", "blue", 240, "png")).bytes
    found = judge(api, poster(heart))
    assert (found["verdict"], found["logo"]) == ("carries_mark", "heart")
    assert judge(api, poster(None))["verdict"] == "unknown"
    assert judge(api, b"no picture at all")["verdict"] == "unknown"
    assert judge(api, b"%PDF-1.7 broken")["verdict"] == "unknown"
    assert judge(api, b"\x89PNG\r\n\x1a\nbroken")["verdict"] == "unknown"
    # Nothing is kept: neither file, nor row, nor entry.
    assert api.parts.verdicts.list(participant=None, cursor=None, limit=1).items == ()


def test_certificates_and_badges_are_told_from_forged_ones(api: Api) -> None:
    participant = api.ready()
    made = api.ask("POST", f"/api/v1/participants/{participant}/certificates", key="staff", json={}).json
    files = {}
    for form in ("pdf_url", "badge_url", "credential_url"):
        files[form] = api.ask("GET", made[form].removeprefix(api.parts.settings.base_url)).data
        found = judge(api, files[form])
        assert (found["verdict"], found["certificate"]) == ("genuine", made["id"])
    assert judge(api, files["badge_url"] + b"\0")["verdict"] == "altered"
    with pikepdf.open(io.BytesIO(files["pdf_url"])) as pdf, io.BytesIO() as out:
        pdf.docinfo["/Author"] = "Somebody else"
        pdf.save(out)
        forged = judge(api, out.getvalue())
    assert (forged["verdict"], forged["certificate"]) == ("altered", made["id"])
    body = {"outcome": "suspended", "reason": "Seen by a person."}
    api.ask("POST", f"/api/v1/participants/{participant}/decisions", key="staff", json=body)
    assert judge(api, files["pdf_url"])["verdict"] == "genuine_old"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_it_in_each_language(api: Api, archive: dict[str, bytes], language: str) -> None:
    shown = api.ask("GET", f"/{language}/verify")
    assert shown.status_code == 200
    path, data = next(iter(archive.items()))
    form = {"file": (io.BytesIO(data), path)}
    page = api.ask("POST", f"/{language}/verify", data=form)
    assert page.status_code == 200
    assert path in page.text
    assert ("This file is genuine" in page.text) == (language == "en")
    assert api.ask("POST", f"/{language}/verify", data={}).status_code == 422
    told = judge(api, data, language=language)["reasons"]
    assert (told == ["Its SHA-256 is the one that was published."]) == (language == "en")


def test_the_command_asks_a_deployment_at_an_address(api: Api, archive: dict[str, bytes], tmp_path: Any) -> None:
    from click.testing import CliRunner

    from service.cli.verify import verify

    path = tmp_path / "logo.bin"
    with served(api.app) as address:
        path.write_bytes(next(iter(archive.values())))
        done = CliRunner().invoke(verify, [str(path), "--url", address, "--json"])
        assert (done.exit_code, '"genuine"' in done.output) == (0, True)
        path.write_bytes(b"something else")
        done = CliRunner().invoke(verify, [str(path), "--url", address])
        assert (done.exit_code, "unknown" in done.output) == (1, True)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_content_credentials_tell_what_is_unchanged_and_what_is_not(
    api: Api, archive: dict[str, bytes], kind: str, campaign: Campaign, tmp_path: Path
) -> None:
    """A file of the campaign that was published elsewhere, the same file changed, and one that a stranger signed."""
    parts = api.parts
    version = parts.catalogue.current_version("logo").version
    path = next(name for name in archive if name.endswith(kind))
    rights = Rights.of(parts.campaign.info.rights, campaign.packages["logo"])
    ours, strangers = (_credentials(tmp_path / name) for name in ("ours.pem", "strangers.pem"))
    one = Authenticity(parts.campaign, parts.catalogue, parts.certificates, parts.verdicts, ours.anchor)
    signed = ours.sign(archive[path], path, rights, "logo")
    found = one.check(signed)
    assert (found.verdict, found.package, found.version, found.path) == ("genuine", "logo", version, path)
    changed = signed[:-20] + bytes([signed[-20] ^ 1]) + signed[-19:]
    found = one.check(changed, name="renamed")
    assert (found.verdict, found.package, found.version, found.path) == ("altered", "logo", version, path)
    assert hashlib.sha256(archive[path]).hexdigest() in str(found.reasons[-1])
    assert "changed after they were made" in str(found.reasons[0])
    theirs = one.check(strangers.sign(archive[path], path, rights, "logo"))
    assert theirs.verdict == "altered"
    assert "content credentials" not in str(theirs.reasons[0])


def _credentials(file: Path) -> ContentCredentials:
    file.write_bytes(new_credentials("Somebody", datetime.now(UTC), 400))
    return ContentCredentials.read(file)
