"""Uploads as no browser sends them: whatever the bytes of a form are, they are refused in words, or taken."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Api, problem

_EXAMPLES = int(os.environ.get("EMBLEM_MULTIPART", "30"))  # EMBLEM_MULTIPART=5000 tries as many
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"
_NAME = st.sampled_from(["file", "logo", "purpose", "keep", 'fi"le', "", "f" * 300, "file\0", "\u202efile"])
_FILENAMES = ["a.png", "..\\..\\a.svg", "", 'a"b', "a\nb", "\udcff.pdf", "x" * 5000]
_FILENAME = st.sampled_from(_FILENAMES) | st.text(max_size=20)
_FIELD = st.sampled_from(["Content-Type: image/png", "Content-Type: x; charset=y", "Content-Length: 9", "X", ": y", ""])
_CONTENTS = [b"", _PNG, b"<svg/>", b"%PDF-1.7\n", b"--b", b"--b--", b"\r\n--b\r\n", b"\0" * 3000]
_CONTENT = st.sampled_from(_CONTENTS) | st.binary(max_size=80)


@st.composite
def _part(draw: st.DrawFn) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{draw(_NAME)}"; filename="{draw(_FILENAME)}"'
    lines = [disposition, *draw(st.lists(_FIELD, max_size=2))]
    end = draw(st.sampled_from(["\r\n", "\n", "\r"]))
    return end.join([*lines, "", ""]).encode("utf-8", "surrogateescape") + draw(_CONTENT)


@st.composite
def _form(draw: st.DrawFn) -> bytes:
    """A form with the boundary ``b``, whole or cut off anywhere."""
    parts = draw(st.lists(_part(), max_size=3))
    whole = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return whole[: draw(st.integers(0, len(whole)))] if draw(st.booleans()) else whole


@settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=_form() | st.binary(max_size=200),
    boundary=st.sampled_from(["b", '"b"', "b; charset=x", "", "\u00e9", "b" * 2000, "x"]),
    path=st.sampled_from(["/api/v1/verifications", "/api/v1/artwork-checks", "/en/verify", "/en/check"]),
)
def test_whatever_an_upload_is_it_is_taken_or_refused_in_words(api: Api, body: bytes, boundary: str, path: str) -> None:
    kind = f"multipart/form-data; boundary={boundary}"
    key = "portal" if path == "/api/v1/artwork-checks" else ""
    answer = api.ask("POST", path, key=key, data=body, headers={"Content-Type": kind, "Sec-Fetch-Site": "same-origin"})
    assert answer.status_code < 500, answer.text[:500]
    if path.startswith("/api/") and answer.status_code >= 400:
        slug = answer.json["type"].rpartition("/")[2]
        problem(answer, answer.status_code, slug)
