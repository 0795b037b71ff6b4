"""What ``Accept`` and ``Accept-Encoding`` mean for a logo: the headers of real programs, and every odd kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logos.codings import CODINGS
from service.logos.formats import FORMATS
from service.web import negotiation

REAL = [
    line.split("\t")
    for line in (Path(__file__).parent / "accept_headers.tsv").read_text().splitlines()
    if not line.startswith("#")
]
TYPES = {name: row.media_type for name, row in FORMATS.items()}


@pytest.mark.parametrize(("who", "accept", "welcome", "source"), REAL, ids=[row[0] for row in REAL])
def test_each_program_gets_only_what_it_names(who: str, accept: str, welcome: str, source: str) -> None:
    """Each format that ``Accept`` names has its weight, wildcards give theirs to PNG alone."""
    assert who
    assert source
    expected = tuple(name for name in welcome.split() if name in FORMATS)
    assert negotiation.formats("" if accept == "-" else accept) == expected


@pytest.mark.parametrize(
    ("accept", "welcome"),
    [
        ("", ["png"]),
        (" ", ["png"]),
        (",", ["png"]),
        (", ,,", ["png"]),
        ("png", ["png"]),
        ("text/html", []),
        ("image/jpeg, image/gif", []),
        ("image/apng", []),
        ("*/*;q=0", []),
        ("image/*;q=0, */*", []),
        ("image/png;q=0, */*", []),
        ("image/png;q=0, image/*, image/webp;q=0.1", ["webp"]),
        ("image/webp;q=0.9, */*;q=0.8", ["webp"]),
        ("image/webp;q=0.7, */*;q=0.8", ["png"]),
        ("image/avif;q=0.8, image/webp;q=0.8, image/png;q=0.3", ["webp", "avif"]),
        ("image/avif;q=0.001", ["avif"]),
        ("IMAGE/AVIF;Q=0.5", ["avif"]),
        ("image/avif ; q = 0.5 , image/webp;q=0.4", ["avif"]),
        ("image/avif;q=1.000, image/webp", ["webp", "avif"]),
        ("image/avif;q=.5, image/webp;q=0.6", ["webp"]),
        ("image/avif;q=7, image/webp", ["webp", "avif"]),
        ("image/avif;level=5;q=0.2, image/webp;q=0.1", ["avif"]),
        ('image/avif;v="a,image/webp;q=1";q=0.2, image/png;q=0.1', ["avif"]),
        ('image/avif;v="\\",image/webp;q=1";q=0.5', ["avif"]),
        ("image/avif;q=nan, image/webp;q=0.1", ["webp"]),
        ("image/avif;q=-1, image/webp;q=0.1", ["webp"]),
        ("image/avif;q=1e3, image/webp;q=0.1", ["webp"]),
        ("image/avif;q=\u0660.5, image/webp;q=0.1", ["webp"]),
        ("image/avif;q=, image/webp;q=0.1", ["webp"]),
        ("image/avif;q=0.1, image/avif;q=0.9, image/webp;q=0.5", ["avif"]),
        ("image/svg+xml", ["svg"]),
        ("image/svg+xml;charset=utf-8", ["svg"]),
    ],
)
def test_odd_headers_are_read_as_far_as_they_make_sense(accept: str, welcome: list[str]) -> None:
    assert list(negotiation.formats(accept)) == welcome


weights = st.sampled_from(["", ";q=1", ";q=0.9", ";q=0.5", ";q=0.001", ";q=0"])
said = st.dictionaries(st.sampled_from([*TYPES.values(), "image/*", "*/*", "text/html", "image/gif"]), weights)


@given(said)
def test_the_rule_as_it_is_written(entries: dict[str, str]) -> None:
    weight = {kind: float(quality.removeprefix(";q=") or 1) for kind, quality in entries.items()}
    liked = {name: weight.get(kind, 0.0) for name, kind in TYPES.items()}
    if TYPES["png"] not in weight:
        liked["png"] = weight.get("image/*", weight.get("*/*", 0.0 if weight else 1.0))
    best = max(liked.values())
    expected = [name for name in TYPES if liked[name] == best > 0]
    assert list(negotiation.formats(", ".join(kind + quality for kind, quality in entries.items()))) == expected


@pytest.mark.parametrize(
    ("accept_encoding", "chosen"),
    [
        ("", ""),
        ("identity", ""),
        ("deflate", ""),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate, br", "br"),
        ("zstd, gzip", "zstd"),
        ("*", "br"),
        ("*;q=0", ""),
        ("br;q=0, *", "zstd"),
        ("br;q=0.1, gzip;q=0.2", "gzip"),
        ("gzip;q=0", ""),
        ("gzip;q=0.5, identity;q=0.6", ""),
        ("gzip;q=0.5, identity;q=0.5", "gzip"),
        ("identity;q=0", ""),
        ("br;q=x, gzip", "gzip"),
        ("gzip;q=1.0, *;q=0", "gzip"),
    ],
)
def test_a_drawing_is_sent_in_the_most_welcome_coding(accept_encoding: str, chosen: str) -> None:
    assert set(CODINGS) == {"br", "zstd", "gzip"}
    assert negotiation.coding(accept_encoding) == chosen


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_means_something(text: str) -> None:
    assert set(negotiation.formats(text)) <= set(FORMATS)
    assert negotiation.coding(text) in ("", *CODINGS)


def test_a_header_of_8_kilobytes_is_read_to_its_end() -> None:
    long = "text/plain;q=0.1," * 480
    assert 8000 < len(long + "image/webp") < 8192
    assert negotiation.formats(long + "image/webp") == ("webp",)
    assert negotiation.formats("image/webp," + "a/b," * 3000 + "image/avif") == ("webp",), "and no further"


@pytest.mark.parametrize(
    ("accept", "welcome"),
    [
        ('image/webp;x="a, image/avif"', ("webp",)),
        ('image/webp;x="never closed, image/avif', ("webp",)),
        ('image/webp;x="a\\", image/avif;q=1', ("webp",)),
        ('image/webp;x="a\\', ("webp",)),
        ('"' + '\\"' * 4000, ("png",)),
    ],
)
def test_what_stands_in_quotes_is_no_name(accept: str, welcome: tuple[str, ...]) -> None:
    """A quotation that nobody closes goes to the end of the header, so that each letter is looked at once."""
    assert negotiation.formats(accept) == welcome
