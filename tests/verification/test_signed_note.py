"""Text files as people keep them: what saving does to their form is no tampering, and hides none."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest

from service.ledger.proofs import TileReader, receipt
from service.verification.log_reader import FolderSource
from service.verification.signed_note import MARK, kept_checkpoint, parse_vkey, plain_text
from service.verification.verifier import verify_log, verify_receipt
from tests.audit.conftest import START, Deployment, some_facts

Save = Callable[[bytes], bytes]

SAVED: dict[str, Save] = {
    "as it was": lambda data: data,
    "without its last line end": lambda data: data[:-1],
    "with an empty line at its end": lambda data: data + b"\n",
    "with empty lines before and after": lambda data: b"\n\n" + data + b"\n\n\n",
    "with the line ends of Windows": lambda data: data.replace(b"\n", b"\r\n"),
    "with the line ends of Windows but the last": lambda data: data.replace(b"\n", b"\r\n")[:-2],
    "with the line ends of an old Macintosh": lambda data: data.replace(b"\n", b"\r"),
    "with a byte order mark": lambda data: codecs.BOM_UTF8 + data,
    "by Notepad": lambda data: codecs.BOM_UTF8 + data.replace(b"\n", b"\r\n"),
    "as UTF-16": lambda data: data.decode().encode("utf-16"),
    "as UTF-16, the other way round": lambda data: codecs.BOM_UTF16_BE + data.decode().encode("utf-16-be"),
}


@pytest.fixture
def log(deployment: Deployment) -> Deployment:
    """A log of 41 leaves, the key of which stands beside it."""
    deployment.record(some_facts(40, START))
    deployment.sealer.seal()
    (folder(deployment) / "key").write_text("".join(f"{vkey}\n" for vkey in deployment.sealer.vkeys()))
    return deployment


def folder(log: Deployment) -> Path:
    return log.folder / "storage/log"


def holds(log: Deployment, kept: bytes) -> bool:
    keys = [parse_vkey(vkey) for vkey in log.sealer.vkeys()]
    return verify_log(FolderSource(folder(log)), keys, kept_checkpoint(kept)).ok


@pytest.mark.parametrize("save", SAVED.values(), ids=list(SAVED))
def test_a_kept_checkpoint_is_held_by_what_it_says(log: Deployment, save: Save) -> None:
    """Another root, another size or a signature cut off is refused in every form; the form alone never is."""
    note = (folder(log) / "checkpoint").read_bytes()
    origin, size, root, *rest = note.split(b"\n")
    assert size == b"41"
    assert holds(log, save(note))
    other = (b"A" if root[:1] != b"A" else b"B") + root[1:]
    for changed in ([origin, size, other, *rest], [origin, b"40", root, *rest], [origin + b"x", size, root, *rest]):
        assert not holds(log, save(b"\n".join(changed)))
    for cut in (note[:-2], note[:-20], note[: note.index(b"\n\n") + 2]):
        assert not holds(log, save(cut))
    assert not holds(log, save(note.replace(b"\n\n", b"\n")))
    assert not holds(log, save(note.replace(b"\n", b" \n", 1)))


@pytest.mark.parametrize("save", SAVED.values(), ids=list(SAVED))
def test_a_checkpoint_in_its_mail_may_be_saved_anyhow(log: Deployment, save: Save) -> None:
    note = (folder(log) / "checkpoint").read_text(encoding="utf-8")
    mail = f"Subject: The checkpoint of today\n\nKeep it.\n\n{MARK}\n{note}{MARK}\nThank you.\n".encode()
    assert holds(log, save(mail))
    assert not holds(log, save(mail.replace(b"\n41\n", b"\n40\n")))


@pytest.mark.parametrize("save", SAVED.values(), ids=list(SAVED))
def test_a_receipt_is_held_by_what_it_says(log: Deployment, save: Save) -> None:
    head = log.reports.checkpoint(None)
    text = receipt(TileReader(log.storage, head.size), 7, head).encode()
    keys = [parse_vkey(vkey) for vkey in log.sealer.vkeys()]
    verdict, entry = verify_receipt(save(text), keys)
    assert verdict.ok, verdict.findings
    assert entry == TileReader(log.storage, head.size).entry(7)
    assert not verify_receipt(save(text.replace(b"index 7", b"index 8")), keys)[0].ok
    assert not verify_receipt(save(text[:-9]), keys)[0].ok


@pytest.mark.parametrize("name", ["checkpoint", "key"])
@pytest.mark.parametrize("save", SAVED.values(), ids=list(SAVED))
def test_the_text_files_of_an_export_are_held_by_what_they_say(log: Deployment, name: str, save: Save) -> None:
    """A version control that changes line ends is no forger."""
    keys = [parse_vkey(vkey) for vkey in log.sealer.vkeys()]
    path = folder(log) / name
    text = path.read_bytes()
    log.damaged = True  # its files are saved anew
    path.write_bytes(save(text))
    assert verify_log(FolderSource(folder(log)), keys).ok
    path.write_bytes(save(text[:-9]))
    assert not verify_log(FolderSource(folder(log)), keys).ok


def test_what_is_no_text_stays_as_it_is() -> None:
    assert plain_text(b"") == plain_text(b"\n\r\n") == b""
    half = codecs.BOM_UTF16_LE + b"\x00"
    assert plain_text(half) == half
    assert plain_text(b" a \n\n b ") == b" a \n\n b \n"
