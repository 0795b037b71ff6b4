"""Checkpoints as signed notes: what is written, and what of a note is refused, and in which words."""

from __future__ import annotations

import base64
import os
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import ledger
from service.ledger import notes
from service.verification.signed_note import BadFormError, parse_checkpoint, parse_vkey

from .conftest import NOON, ORIGIN

ROOT = bytes(range(32))
ROOT_64 = base64.b64encode(ROOT).decode()
HEAD = notes.Head(ORIGIN, 12, ROOT)
(ONE,) = ledger.signers(ledger.new_log_key(), ORIGIN)
(TWO,) = ledger.signers(ledger.new_log_key(), ORIGIN)


def test_a_note_is_three_lines_an_empty_one_and_a_signature_for_each_key() -> None:
    text, _, signed = notes.sign(HEAD, [ONE, TWO], NOON).partition("\n\n")
    assert text == f"{ORIGIN}\n12\n{ROOT_64}"
    lines = signed.splitlines()
    assert [line.split(" ")[:2] for line in lines] == [["\u2014", ORIGIN]] * 2
    for line, signer in zip(lines, (ONE, TWO), strict=True):
        raw = base64.b64decode(line.split(" ")[2])
        assert raw[:4] == signer.verifier.id
        assert signer.verifier.verifies(raw[4:], f"{text}\n".encode())


def test_what_was_written_is_read_and_one_known_key_is_enough() -> None:
    note = notes.sign(HEAD, [ONE, TWO], NOON)
    assert notes.read(note) == HEAD
    for known in ([ONE], [TWO], [ONE, TWO]):
        assert notes.verify(note, [signer.verifier for signer in known]) == HEAD


def test_a_note_that_no_known_key_signed_is_refused() -> None:
    with pytest.raises(notes.NoteError, match=r"^no known key signed this checkpoint$"):
        notes.verify(notes.sign(HEAD, [ONE], NOON), [TWO.verifier])
    with pytest.raises(notes.NoteError, match="no known key"):
        notes.verify(f"{HEAD.text}\n", [ONE.verifier])


@pytest.mark.parametrize(
    "change", [("12", "13"), (ORIGIN, f"{ORIGIN}2"), (ROOT_64, base64.b64encode(bytes(32)).decode())]
)
def test_a_note_that_says_something_else_than_was_signed_is_refused(change: tuple[str, str]) -> None:
    """Where one signature fits and another of a known key does not, the note is refused too."""
    text, _, signed = notes.sign(HEAD, [ONE], NOON).partition("\n\n")
    changed = text.replace(*change) + "\n\n" + signed
    with pytest.raises(notes.NoteError, match="does not fit the checkpoint"):
        notes.verify(changed, [ONE.verifier])
    true = notes.sign(notes.read(changed), [TWO], NOON)
    assert notes.verify(true, [ONE.verifier, TWO.verifier])
    with pytest.raises(notes.NoteError, match="does not fit the checkpoint"):
        notes.verify(true + signed, [ONE.verifier, TWO.verifier])


@pytest.mark.parametrize("size", ["0", "1", "1234567890123456789"])
def test_sizes_that_a_log_can_have(size: str) -> None:
    assert notes.read(f"{ORIGIN}\n{size}\n{ROOT_64}\n\n").size == int(size)


@pytest.mark.parametrize(
    "note",
    [
        "",
        f"{ORIGIN}\n12\n{ROOT_64}\n",  # no empty line
        f"\n12\n{ROOT_64}\n\n",  # no origin
        f"{ORIGIN}\n12\n\n",
        f"{ORIGIN}\n12\n{ROOT_64}\nmore\n\n",
        *(f"{ORIGIN}\n{size}\n{ROOT_64}\n\n" for size in ("", "012", "-1", "1.0", " 1", "1e3", "1" * 20, "٣")),
    ],
)
def test_what_has_not_the_form_of_a_checkpoint_is_told_the_form(note: str) -> None:
    with pytest.raises(notes.NoteError, match=r"^a checkpoint is origin, size and root, one a line"):
        notes.read(note)


@pytest.mark.parametrize(
    ("root", "told"),
    [
        ("!", "^'!' is not base64$"),
        ("QUJD", "^the root is not 32 bytes$"),
        (base64.b64encode(bytes(33)).decode(), "^the root is not 32 bytes$"),
        (ROOT_64[:-2] + "9=", "is not the canonical base64 of its bytes$"),  # bits beyond the last byte
        ("!" * 500, f"^'{'!' * 60}' is not base64$"),  # no more of it than fits a sentence
    ],
)
def test_a_root_that_is_none_is_refused(root: str, told: str) -> None:
    with pytest.raises(notes.NoteError, match=told):
        notes.read(f"{ORIGIN}\n12\n{root}\n\n")


_EXAMPLES = int(os.environ.get("EMBLEM_NOTES", "100"))  # EMBLEM_NOTES=20000 tries as many
_NOTE = notes.sign(HEAD, [ONE, TWO], NOON)
_PIECES = st.sampled_from(
    ["\n", "\n\n", " ", "\u2014 ", "=", "A", "0", "12", "\r", "\0", "\u2028", ORIGIN, ROOT_64, _NOTE]
)


@st.composite
def _altered(draw: st.DrawFn) -> str:
    """The signed note with one to four places cut, doubled, moved or written over."""
    note = _NOTE
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(note)))
        stop = draw(st.integers(start, min(len(note), start + 40)))
        note = (
            note[:start]
            + draw(st.just("") | _PIECES | st.text(max_size=8) | st.just(note[start:stop] * 2))
            + note[stop:]
        )
    return note


@settings(max_examples=_EXAMPLES, deadline=None)
@given(note=_altered() | st.text(max_size=200))
def test_whatever_a_note_is_it_says_what_was_signed_or_is_refused(note: str) -> None:
    """The service's own reader and the verifier, which share nothing."""
    with suppress(notes.NoteError):
        assert notes.verify(note, [ONE.verifier, TWO.verifier]) == HEAD
    with suppress(BadFormError):
        known = [parse_vkey(signer.verifier.vkey) for signer in (ONE, TWO)]
        read = parse_checkpoint(note.encode("utf-8", "surrogatepass"), known)
        assert (read.origin, read.size, read.root) == (ORIGIN, 12, ROOT)
