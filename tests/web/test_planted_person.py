"""A person with unique words everywhere: after the erasure none is in the database, the storage, a mail or a log line.

What goes into the public log stays there for good, so none of these words may get there in the first place.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from PIL import Image, PngImagePlugin
from sqlalchemy import select

from service.store import schema
from tests.conftest import FrozenClock

from .conftest import Api

if TYPE_CHECKING:
    from pathlib import Path

#: Each where it is given: what a person is called, writes, or is known by.
WORDS = {
    name: f"zq7{name}q7z"
    for name in (
        "name", "mail", "site", "answer", "signatory", "capacity", "keyname", "listed", "member", "membermail",
        "memberrole", "question", "reply", "note", "filename", "pixels", "kept", "decision", "suspension", "why",
        "revoked", "ended", "request", "agent", "overruled", "seen",
    )
}  # fmt: skip
ADDRESS = "203.0.113.77"
MAIL = f"{WORDS['mail']}@{WORDS['site']}.example"


def picture(word: str) -> bytes:
    """A picture with a word in its metadata, as cameras and editors leave."""
    said = PngImagePlugin.PngInfo()
    said.add_text("Author", word)
    file = io.BytesIO()
    Image.new("RGB", (40, 40), "white").save(file, "PNG", pnginfo=said)
    return file.getvalue()


class Person:
    """Somebody who does everything that one can do, through the API, with a word in every place that takes one."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.number = 0

    def ask(self, method: str, path: str, key: str, body: Any = None, wanted: int = 201, **more: Any) -> Any:
        self.number += 1
        headers = {"Idempotency-Key": f"once-{self.number}"} if method == "POST" else {}
        answer = self.api.ask(method, path, key=key, json=body, headers=headers, **more)
        assert answer.status_code == wanted, (method, path, answer.text)
        return answer.json if answer.data and answer.is_json else None

    def live(self) -> str:
        api, ask, word = self.api, self.ask, WORDS
        given = api.application(
            name=f"Robin {word['name']}",
            email=MAIL,
            website=f"https://www.{word['site']}.example/",
            purposes=["commercial"],
        )
        given["answers"]["plan"] = f"We show it at the {word['answer']}."
        me = str(ask("POST", "/api/v1/participants", "portal", given)["id"])
        _, api.keys["partner"] = api.parts.participants.api_keys.create(
            "partner", participant=me, name=word["keyname"], by="staff:cli"
        )
        # A case: a question of staff, an answer, notes and files of both.
        (case,) = ask("GET", f"/api/v1/cases?participant={me}", "staff", wanted=200)["cases"]
        path = f"/api/v1/cases/{case['id']}"
        ask("POST", f"{path}/messages", "staff", {"text": f"What is {word['question']}?", "return": True})
        ask("POST", f"{path}/messages", "partner", {"text": f"It is {word['reply']}."})
        ask("POST", f"{path}/messages", "staff", {"text": f"Known as {word['note']}.", "visible": False})
        for key in ("partner", "staff"):
            sent = {"file": (io.BytesIO(picture(word["pixels"])), f"{word['filename']}.png")}
            ask("POST", f"{path}/files", key, data=sent, content_type="multipart/form-data")
        ask("POST", f"{path}/decisions", "staff", {"outcome": "approved", "reason": f"For {word['decision']}."}, 200)
        # Colleagues, terms, a certificate.
        invited = {"name": word["member"], "email": f"{word['membermail']}@{word['site']}.example"}
        ask("POST", f"/api/v1/participants/{me}/members", "partner", invited | {"capacity": word["memberrole"]})
        for terms in ("logo-terms", "tool-terms"):
            current = ask("GET", f"/api/v1/terms/{terms}", "", wanted=200)
            accepted = {
                "terms": terms,
                "version": current["version"],
                "language": "en",
                "digest": hashlib.sha256(current["text"].encode()).hexdigest(),
                "signatory": {"name": word["signatory"], "capacity": word["capacity"]},
            }
            ask("POST", f"/api/v1/participants/{me}/acceptances", "partner", accepted)
        ask("POST", f"/api/v1/participants/{me}/certificates", "partner", {})
        # Links, a download, embeds, views on a listed and on another site, checks of artwork.
        links = [ask("POST", "/api/v1/links", "partner", {"participant": me, "package": "logo"}) for _ in range(2)]
        agent = {"User-Agent": f"Mozilla/5.0 {word['agent']} Firefox/128.0"}
        got = api.ask("GET", api.path(links[0]), headers=agent, environ_base={"REMOTE_ADDR": ADDRESS})
        assert got.status_code == 200
        ask("DELETE", f"/api/v1/links/{links[1]['id']}?reason={word['revoked']}", "partner", wanted=204)
        listed = {"participant": me, "logo": "heart", "origins": [f"https://{word['listed']}.example"]}
        embeds = [ask("POST", "/api/v1/embeds", "partner", listed) for _ in range(2)]
        for host in (word["listed"], word["seen"]):
            for _ in range(12):
                shown = f"{embeds[0]['base_url'].removeprefix(api.parts.settings.base_url)}/blue/64.png"
                seen = {"Referer": f"https://{host}.example/a/{word['seen']}"}
                assert api.ask("GET", shown, headers=seen).status_code == 200
        ask("DELETE", f"/api/v1/embeds/{embeds[1]['key']}?reason={word['ended']}", "partner", wanted=204)
        drawn = {"file": (io.BytesIO(picture(word["kept"])), f"{word['kept']}.png"), "keep": "true"}
        check = ask("POST", "/api/v1/artwork-checks", "partner", data=drawn, content_type="multipart/form-data")
        overruled = {"verdict": "compliant", "reason": f"It is {word['overruled']}."}
        ask("POST", f"/api/v1/artwork-checks/{check['id']}/overruling", "staff", overruled, 200)
        # A wish for more, a sign-in, an end.
        more = {"kind": "change", "purposes": ["fundraising", "commercial"], "message": f"For {word['request']}."}
        ask("POST", f"/api/v1/participants/{me}/requests", "partner", more)
        sign_in = api.parts.participants.sign_in
        sign_in.confirm(sign_in.issue_url(MAIL).rpartition("/")[2])
        sign_in.request_link(MAIL)
        stop = {"outcome": "suspended", "reason": f"Because of {word['suspension']}."}
        ask("POST", f"/api/v1/participants/{me}/decisions", "staff", stop, 200)
        return me


def work(api: Api) -> None:
    """What the service does by itself meanwhile: mails, alerts, entries, tiles, segments."""
    emblem = api.parts
    emblem.embeds.flush()
    emblem.embeds.enter_uses()
    emblem.alerts.run()
    for one in emblem.alerts.suspicions():
        emblem.desk.misuse.suspect(one.url, one.text, participant=one.participant, source=one.source)
    emblem.mailer.deliver()
    emblem.sealer.seal()
    emblem.segments.write()
    emblem.verdicts.drop()
    emblem.desk.files.drop()
    emblem.certificates.drop_files()


def found(api: Api, folder: Path) -> dict[str, set[str]]:
    """In which places each word is: tables, files of the database, objects of the storage, mails."""
    places: dict[str, set[str]] = {}
    sought = [*WORDS.values(), ADDRESS]

    def look(place: str, content: bytes) -> None:
        lowered = content.lower()
        for word in sought:
            if word.encode() in lowered:
                places.setdefault(word, set()).add(place)

    with api.parts.database.read() as session:
        for table in schema.metadata.sorted_tables:
            for row in session.execute(select(table)):
                for name, value in row._mapping.items():
                    look(f"{table.name}.{name}", value if isinstance(value, bytes) else str(value).encode())
    for path in folder.rglob("*"):
        if path.is_file():
            for content in readings(path):
                look(str(path.relative_to(folder)), content)
    return places


def readings(path: Path) -> Iterator[bytes]:
    """A file as it is, and what is packed in it: gzip, Parquet, streams of a PDF."""
    content = path.read_bytes()
    yield content
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    if path.suffix == ".parquet":
        yield str(duckdb.connect().execute("select * from read_parquet(?)", [str(path)]).fetchall()).encode()
    for piece in content.split(b"stream\r\n" if b"stream\r\n" in content else b"stream\n")[1:]:
        try:
            yield zlib.decompressobj().decompress(piece)
        except zlib.error:
            continue


def in_the_log(place: str, word: str) -> bool:
    """The public log says for good on which sites an organization's embed was listed and seen: docs/security.md."""
    kept = ("ledger_entries.", "storage/log/", "storage/audit/", "storage/segments/", "emblem.sqlite3")
    return word in (WORDS["listed"], WORDS["seen"]) and place.startswith(kept)


@pytest.mark.usefixtures("one_kit", "logging_configured")
def test_nothing_of_an_erased_person_is_found_anywhere(
    either: Api, clock: FrozenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = either.parts.settings.data_dir
    person = Person(either)
    me = person.live()
    clock.advance(7200)
    work(either)
    before = found(either, folder)
    never = {"agent", "why"}  # of a client only a keyed hash is kept; why somebody is erased is said below
    missing = {word for name, word in WORDS.items() if name not in never and word not in before}
    assert not missing, "the person is to be everywhere first"
    export = either.ask("GET", f"/api/v1/participants/{me}/export", key="partner").text.lower()
    for name in ("name", "mail", "site", "answer", "signatory", "capacity", "member", "listed", "reply", "filename"):
        assert WORDS[name] in export, f"the export of one's own data lacks {name}"
    assert WORDS["note"] not in export

    reason = {"reason": f"Asked for by {WORDS['name']}, {WORDS['why']}."}
    assert either.ask("POST", f"/api/v1/participants/{me}/erasure", key="staff", json=reason).status_code == 200
    clock.advance(7200)
    work(either)
    either.parts.database.scrub()
    after = found(either, folder)
    left = {word: {place for place in places if not in_the_log(place, word)} for word, places in after.items()}
    assert {word: places for word, places in left.items() if places} == {}
    told = capsys.readouterr()
    assert [word for word in [*WORDS.values(), ADDRESS] if word in (told.err + told.out).lower()] == []


@pytest.mark.usefixtures("one_kit")
def test_the_sites_of_a_person_are_not_in_the_log_to_begin_with(api: Api, clock: FrozenClock) -> None:
    me = api.join(kind="individual", email=MAIL)
    assert api.accept(me).status_code == 201
    listed = {"participant": me, "logo": "heart", "origins": [f"https://{WORDS['listed']}.example"]}
    embed = api.ask("POST", "/api/v1/embeds", key="portal", json=listed).json
    shown = f"{embed['base_url'].removeprefix(api.parts.settings.base_url)}/blue/64.png"
    for host in (WORDS["listed"], WORDS["seen"]):
        assert api.ask("GET", shown, headers={"Origin": f"https://{host}.example"}).status_code == 200
    clock.advance(7200)
    work(api)
    folder, sites = api.parts.settings.data_dir, {WORDS["listed"], WORDS["seen"]}
    assert {place for word in sites for place in found(api, folder)[word]} >= {"embeds.origins", "logo_uses.origin"}
    reason = {"reason": "Asked for."}
    assert api.ask("POST", f"/api/v1/participants/{me}/erasure", key="staff", json=reason).status_code == 200
    work(api)
    api.parts.database.scrub()
    assert not sites & set(found(api, folder))
    report = api.ask("GET", "/api/v1/audit/report?by=origin", key="staff").json
    assert {row["origin"]: row["logo_views"] for row in report["rows"]} == {"other": 2}
