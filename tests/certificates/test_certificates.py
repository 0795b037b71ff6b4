"""Certificates over the application: what is issued, who may read it, whether it holds, and what erasure leaves."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

import cv2
import numpy as np
import pikepdf
import pytest
import zxingcpp
from flask import Flask
from openbadgeslib.ob3 import OB3VerificationError, OB3Verifier, decode_encoded_list, set_indices
from PIL import Image

from service.campaign import LANGUAGES
from service.store import tables
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_receipt
from tests.conftest import FrozenClock
from tests.web.conftest import Api, problem


@pytest.fixture
def supporter(api: Api) -> str:
    """An approved participant who accepted the terms of the logo."""
    return accepted(api)


def accepted(api: Api, **changes: Any) -> str:
    participant = api.join(**changes)
    assert api.accept(participant).status_code == 201
    return participant


def issue(api: Api, participant: str, language: str | None = None, key: str = "portal") -> dict[str, Any]:
    body = {"language": language} if language else {}
    answer = api.ask("POST", f"/api/v1/participants/{participant}/certificates", key=key, json=body)
    assert answer.status_code == 201, answer.json
    found: dict[str, Any] = answer.json
    return found


def get(api: Api, url: str) -> Any:
    return api.ask("GET", url.removeprefix(api.parts.settings.base_url))


def states(api: Api, participant: str) -> list[str]:
    answer = api.ask("GET", f"/api/v1/participants/{participant}/certificates", key="auditor").json
    return [one["status"] for one in answer["certificates"]]


def decide(api: Api, participant: str, outcome: str) -> None:
    body = {"outcome": outcome, "reason": "Seen by a person."}
    assert api.ask("POST", f"/api/v1/participants/{participant}/decisions", key="staff", json=body).status_code == 200


def test_who_is_approved_and_has_accepted_gets_one(api: Api, supporter: str) -> None:
    made = issue(api, supporter, "fr")
    assert re.fullmatch(r"crt_[A-Za-z0-9_-]{22}", made["id"])
    assert made["status"] == "valid"
    assert made["url"].endswith(f"/fr/verify/{made['id']}")
    told = api.ask("GET", f"/api/v1/verify/{made['id']}").json
    assert (told["status"], told["name"], told["language"]) == ("valid", "Example Society", "fr")
    assert not {"email", "website", "answers", "purposes", "participant"} & set(told)
    page = get(api, made["url"])
    assert page.status_code == 200
    assert "Example Society" in page.text
    assert made["id"] in page.text
    assert api.ask("GET", "/api/v1/verify/crt_" + "A" * 22).status_code == 404
    # Another portal, and nobody at all, may not list or issue.
    assert api.ask("GET", f"/api/v1/participants/{supporter}/certificates").status_code == 401
    assert api.ask("POST", f"/api/v1/participants/{supporter}/certificates", key="auditor", json={}).status_code == 403


def test_without_approval_acceptance_or_key_there_is_none(app: Flask, api: Api) -> None:
    joined = api.join()
    path = f"/api/v1/participants/{joined}/certificates"
    refused = api.ask("POST", path, key="staff", json={})
    problem(refused, 403, "terms-not-accepted")
    assert refused.json["terms"]["id"]
    decide(api, joined, "suspended")
    problem(api.ask("POST", path, key="staff", json={}), 403, "participant-not-approved")
    assert api.ask("POST", path, key="staff", json={"language": "de"}).status_code == 422
    api.parts.certificates._issuer = None
    off = api.ask("POST", path, key="staff", json={})
    problem(off, 503, "unavailable")
    assert "EMBLEM_CREDENTIAL_KEY" in off.json["detail"]


def test_the_state_follows_the_participant_at_once(api: Api, supporter: str, clock: FrozenClock) -> None:
    first, french = issue(api, supporter, "en"), issue(api, supporter, "fr")
    assert states(api, supporter) == ["valid", "valid"]
    clock.advance(60)
    issue(api, supporter, "en")
    assert sorted(states(api, supporter)) == ["superseded", "valid", "valid"]
    decide(api, supporter, "suspended")
    assert sorted(states(api, supporter)) == ["superseded", "suspended", "suspended"]
    assert api.ask("GET", f"/api/v1/verify/{french['id']}").json["status"] == "suspended"
    assert bits(api, 0) == {number(api, first)}
    assert len(bits(api, 1)) == 2
    decide(api, supporter, "approved")
    assert bits(api, 1) == set()
    decide(api, supporter, "declined")
    assert states(api, supporter)[0] == "revoked"


def test_new_terms_let_it_lapse_until_they_are_accepted(api: Api, supporter: str) -> None:
    issue(api, supporter)

    def forget(session: Any) -> None:
        for row in session.query(tables.Acceptance).filter_by(participant=supporter):
            row.version = "2020-01-01"  # as if the version that was accepted were in force no more

    api.parts.database.write(forget)
    assert states(api, supporter) == ["lapsed"]


def bits(api: Api, number: int) -> set[int]:
    answer = api.ask("GET", f"/status/{number}")
    assert answer.mimetype == "application/vc+jwt"
    assert "max-age=30" in answer.headers["Cache-Control"]
    payload = json.loads(base64.urlsafe_b64decode(answer.text.split(".")[1] + "=="))
    subject = payload["credentialSubject"]
    assert subject["statusPurpose"] == ("revocation", "suspension")[number % 2]
    return set(set_indices(decode_encoded_list(subject["encodedList"])))


def number(api: Api, made: dict[str, Any]) -> int:
    return api.parts.certificates.get(made["id"]).number


def test_the_credential_is_an_open_badge_that_its_did_verifies(api: Api, supporter: str) -> None:
    made = issue(api, supporter)
    token = get(api, made["credential_url"]).text
    document = api.ask("GET", "/.well-known/did.json").get_json(force=True)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["issuer"]["id"] == document["id"]
    assert claims["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert claims["credentialSubject"]["identifier"][0]["identityHash"] == "Example Society"
    verifier = OB3Verifier(api.parts.certificates.issuer._public[0], document["id"])
    assert verifier.verify(token).id == made["credential_url"]
    broken = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    with pytest.raises(OB3VerificationError):
        verifier.verify(broken)
    # The badge carries the same credential.
    baked = OB3Verifier.extract_token_from_png(get(api, made["badge_url"]).data)
    assert baked == token
    # The key is not the log's.
    assert api.parts.settings.credential_key.partition(":")[2] not in api.parts.settings.log_key


def test_the_badge_leads_to_the_page_by_two_readers_of_codes(api: Api, supporter: str) -> None:
    made = issue(api, supporter)
    data = get(api, made["badge_url"]).data
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    assert picture.size == (1024, 1280)
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [made["url"]]
    assert cv2.QRCodeDetector().detectAndDecode(np.asarray(picture)[:, :, ::-1].copy())[0] == made["url"]
    small = picture.resize((320, 400))  # as a phone sees it across a room
    assert [code.text for code in zxingcpp.read_barcodes(small)] == [made["url"]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_document_claims_both_standards_and_holds_what_they_ask(api: Api, language: str) -> None:
    """ISO 14289-1 and 19005-3 by the clauses that a reader sees; veraPDF is no package."""
    names = {"ar": "جمعية المثال", "ru": "Общество примера", "zh": "示例协会"}
    participant = accepted(api, name=names.get(language, "Société d’exemple"))
    made = issue(api, participant, language)
    api.parts.sealer.seal()
    data = get(api, made["pdf_url"]).data
    assert len(data) < 60 * 1024
    with pikepdf.open(io.BytesIO(data)) as pdf:
        metadata = pdf.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert metadata["pdfuaid:part"] == "1"
        root = pdf.Root
        assert bool(root.MarkInfo.Marked)
        assert bool(root.ViewerPreferences.DisplayDocTitle)
        assert str(root.Lang).startswith(language)
        assert root.StructTreeRoot is not None
        assert names.get(language, "Société d’exemple") in str(metadata["dc:title"])
        assert "/OutputIntents" in root
        fonts = [font for page in pdf.pages for font in page.Resources.Font.values()]
        for font in fonts:  # every face is embedded, and every glyph has its text
            descriptor = font.DescendantFonts[0].FontDescriptor if "/DescendantFonts" in font else font.FontDescriptor
            assert any(name in descriptor for name in ("/FontFile2", "/FontFile3"))
            assert "/ToUnicode" in font
        assert [str(item) for item in root.AF[0] if str(item) == "/AFRelationship"]
        receipt = pdf.attachments["receipt.tlog-proof"].get_file().read_bytes()
    verdict, entry = verify_receipt(receipt, [parse_vkey(vkey) for vkey in api.parts.sealer.vkeys()])
    assert verdict.ok
    found = json.loads(entry)
    assert (found["kind"], found["id"], found["participant"]) == ("certificate.issued", made["id"], participant)


def test_a_character_that_no_font_has_is_told_when_it_is_issued(api: Api) -> None:
    participant = accepted(api, name="\U00013000 Society")  # an Egyptian hieroglyph
    refused = api.ask("POST", f"/api/v1/participants/{participant}/certificates", key="staff", json={})
    assert refused.status_code == 422
    assert "no font" in refused.json["errors"][0]["detail"]
    assert states(api, participant) == []


def test_erasure_revokes_and_leaves_no_name(api: Api, supporter: str) -> None:
    made = issue(api, supporter)
    for form in ("pdf_url", "badge_url", "credential_url"):
        assert get(api, made[form]).status_code == 200
    assert len(list(api.parts.storage.list("certificates/"))) == 3
    body = {"reason": "Asked for by letter."}
    answer = api.ask("POST", f"/api/v1/participants/{supporter}/erasure", key="staff", json=body)
    assert answer.json["removed"]["certificates"] == 1
    assert get(api, made["pdf_url"]).status_code == 404
    api.parts.certificates.drop_files()
    assert list(api.parts.storage.list("certificates/")) == []
    told = api.ask("GET", f"/api/v1/verify/{made['id']}").json
    assert (told["status"], told["name"]) == ("revoked", None)
    assert get(api, made["url"]).status_code == 200
    assert get(api, made["pdf_url"]).status_code == 404
    assert bits(api, 0) == {number(api, made)}
