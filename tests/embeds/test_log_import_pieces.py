"""A log imported in pieces, in any order and with interruptions, gives what one clean import of it gives."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from service.embeds import log_beginnings
from service.embeds.log_import import Importer
from service.store.audit_tables import LogImportCount
from service.store.tables import LedgerEntry, LogoUse

from ..audit.conftest import Deployment, add_embed

_numbers = itertools.count(1)
SITES = ("https://a.example", "https://b.example:8443", "http://xn--bcher-kva.example", "")
WIDTHS = (64, 128)


class Request(NamedTuple):
    """A request as a cache logs it; ``counts`` if it is a view that the cache answered by itself."""

    minute: int
    width: int
    site: str
    counts: bool

    @property
    def path(self) -> str:
        return f"/logos/{{embed}}/heart/blue/{self.width}.png"

    @property
    def page(self) -> str:
        return f"{self.site}/page" if self.site else "-"

    @property
    def at(self) -> tuple[str, str]:
        return "2026-11-25", f"{8 + self.minute // 60:02d}:{self.minute % 60:02d}:07"

    @property
    def use(self) -> tuple[str, str, str]:
        """Hour, variant and site, as they are to be counted."""
        return f"2026-11-25T{8 + self.minute // 60:02d}", f"blue/{self.width}.png", self.site


def nginx(requests: list[Request]) -> Iterator[str]:
    for one in requests:
        cache = "HIT" if one.counts else "MISS"
        yield f'{"T".join(one.at)}+00:00 "GET {one.path} HTTP/1.1" 200 99 "{one.page}" "-" "{cache}"'


def combined(requests: list[Request]) -> Iterator[str]:
    for number, one in enumerate(requests):
        status = 200 if one.counts else 304
        more = ' "gzip" 0.002' if number % 3 == 0 else ""
        time = f"25/Nov/2026:{one.at[1]} +0000"
        yield f'192.0.2.7 - - [{time}] "GET {one.path} HTTP/2.0" {status} 99 "{one.page}" "A \\"B\\" C"{more}'


def json_lines(requests: list[Request]) -> Iterator[str]:
    for one in requests:
        values = {"time": f"{'T'.join(one.at)}Z", "method": "GET", "path": one.path, "http_referer": one.page}
        yield json.dumps(values | {"status": 200 if one.counts else 304})


def s3(requests: list[Request]) -> Iterator[str]:
    for one in requests:
        status = 200 if one.counts else 304
        time = f"25/Nov/2026:{one.at[1]} +0000"
        yield (
            f"79a5 bucket [{time}] 192.0.2.3 - 3E57 REST.GET.OBJECT {one.path[1:]} "
            f'"GET {one.path} HTTP/1.1" {status} - 1234 1234 7 6 "{one.page}" "curl/8" - abc= SigV4 ECDHE h -'
        )


COLUMNS = ("date", "time", "cs-method", "cs-uri-stem", "sc-status", "x-edge-result-type", "cs(Referer)")


def cloudfront(requests: list[Request]) -> Iterator[str]:
    """Two files in one: the columns change their order in the middle."""
    for number, one in enumerate(requests):
        order = COLUMNS if number < len(requests) / 2 else COLUMNS[::-1]
        if number == 0 or order != (COLUMNS if number - 1 < len(requests) / 2 else COLUMNS[::-1]):
            yield "#Version: 1.0"
            yield f"#Fields: {' '.join(order)}"
        result = "Hit" if one.counts else "Miss"
        page = one.page.replace(":", "%3A")
        values = dict(zip(COLUMNS, (*one.at, "GET", one.path, "200", result, page), strict=True))
        yield "\t".join(values[name] for name in order)


def cloudfront_json(requests: list[Request]) -> Iterator[str]:
    for one in requests:
        values = (*one.at, "GET", one.path, "200", "Hit" if one.counts else "Miss", one.page)
        yield json.dumps(dict(zip(COLUMNS, values, strict=True)))


WRITERS: dict[str, tuple[str, Callable[[list[Request]], Iterator[str]]]] = {
    "nginx": ("nginx", nginx),
    "combined": ("combined", combined),
    "json": ("json", json_lines),
    "s3": ("s3", s3),
    "cloudfront": ("cloudfront", cloudfront),
    "cloudfront as JSON": ("cloudfront", cloudfront_json),
}


class Killed(BaseException):
    """The process ends here."""


def run(deployment: Deployment, content: bytes, form: str, *, packed: bool, die_at: int, after: bool) -> None:
    """Import the bytes as a file of some name; end at a change of the database, before or after it."""
    path = deployment.folder / f"{next(_numbers)}.log"
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    importer = Importer(deployment.database, deployment.folder, deployment.clock)
    importer.commit_every = 2
    write, calls = deployment.database.write, itertools.count(1)

    def dying(work: Callable[[Any], Any]) -> Any:
        now = next(calls) == die_at
        if now and not after:
            raise Killed
        done = write(work)
        if now:
            raise Killed
        return done

    deployment.database.write = dying  # type: ignore[method-assign]
    try:
        with suppress(Killed):
            importer.run(path, form)
    finally:
        deployment.database.write = write  # type: ignore[method-assign]
        path.unlink()


def stored(deployment: Deployment, embed: str) -> Counter[tuple[str, str, str]]:
    """Views by hour, variant and site."""
    with deployment.database.read() as session:
        assert session.scalar(select(func.count()).where(LogImportCount.embed == embed)) == 0
        rows = session.scalars(select(LogoUse).where(LogoUse.embed == embed))
        return sum(
            (Counter({(f"{row.hour:%Y-%m-%dT%H}", row.variant, row.origin): row.views}) for row in rows), Counter()
        )


def entered(deployment: Deployment, embed: str) -> Counter[tuple[str, str, str]]:
    """Views in the ledger by hour, variant and site."""
    found: Counter[tuple[str, str, str]] = Counter()
    with deployment.database.read() as session:
        for body in session.scalars(select(LedgerEntry.body).where(LedgerEntry.kind == "logo.used")):
            entry = json.loads(body)
            if entry["embed"] == embed:
                found[entry["hour"][:13], entry["variant"], entry["origin"] or ""] += entry["views"]
    return found


requests = st.builds(
    Request, st.integers(0, 70), st.sampled_from(WIDTHS), st.sampled_from(SITES), st.sampled_from([True, True, False])
)
# Where a piece ends (in millionths of the file, there or behind the next mark or blank), packed or not, and where its
# import is interrupted.
pieces = st.tuples(
    st.tuples(st.integers(0, 1_000_000), st.booleans()),
    st.booleans(),
    st.sampled_from([0, 0, 1, 2, 3, 4, 5]),
    st.booleans(),
)
_MARK_OR_BLANK = re.compile(rb"[^\w/.:-]")


def beginning(whole: bytes, millionths: int, *, at_mark: bool) -> bytes:
    """Return a piece of a file from its first byte on."""
    end = len(whole) * millionths // 1_000_000
    mark = _MARK_OR_BLANK.search(whole, end) if at_mark else None
    return whole[: mark.end() if mark else end]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("dense", [True, False], ids=["every line is known", "some lines are known"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    written=st.lists(requests, min_size=1, max_size=14),
    imports=st.lists(pieces, max_size=6),
    ended=st.booleans(),
    block=st.sampled_from([1, 50, 400]),
)
def test_pieces_in_any_order_with_interruptions_are_one_clean_import(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    dense: bool,
    written: list[Request],
    imports: list[tuple[tuple[int, bool], bool, int, bool]],
    ended: bool,
    block: int,
) -> None:
    monkeypatch.setattr(log_beginnings, "_BLOCK", block)
    if not dense:
        monkeypatch.setattr(log_beginnings, "DENSE", 4)
        monkeypatch.setattr(log_beginnings, "SPARSE", 4)
    form, writer = WRITERS[name]
    number = str(next(_numbers))
    embed = f"ebd_{number}"
    add_embed(deployment.database, number)
    text = "\n".join(writer(written)).replace("{embed}", embed).encode()
    whole = text + b"\n"
    for (end, at_mark), packed, die_at, after in imports:
        piece = beginning(whole, end, at_mark=at_mark)
        run(deployment, piece, form, packed=packed, die_at=die_at, after=after)
    if not ended:
        run(deployment, text, form, packed=False, die_at=0, after=False)
    run(deployment, whole, form, packed=False, die_at=0, after=False)
    expected = Counter(one.use for one in written if one.counts)
    assert stored(deployment, embed) == expected
    assert entered(deployment, embed) == expected
    run(deployment, whole, form, packed=True, die_at=0, after=False)
    assert stored(deployment, embed) == expected


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["line feeds", "carriage returns too"])
@pytest.mark.parametrize("name", WRITERS)
def test_a_file_cut_off_wherever_its_first_line_may_seem_whole_is_the_same_file(
    deployment: Deployment, name: str, end: bytes
) -> None:
    """The piece before the file or after it: behind the user agent, say, where a log has more fields than that."""
    form, writer = WRITERS[name]
    written = [Request(7, 64, SITES[0], counts=True), Request(8, 64, SITES[1], counts=True)]
    text = "\n".join(writer(written)).encode()
    line_end = text.rindex(b"\n")
    cuts = [mark.end() for mark in _MARK_OR_BLANK.finditer(text, line_end - 40, line_end + 1)]
    for cut, piece_first in itertools.product([*cuts, len(text)], [True, False]):
        number = str(next(_numbers))
        add_embed(deployment.database, number)
        whole = text.replace(b"{embed}", f"ebd_{number}".encode())
        piece = whole[: cut + len(whole) - len(text)].replace(b"\n", end)
        whole = whole.replace(b"\n", end) + end
        for content in (piece, whole) if piece_first else (whole, piece):
            run(deployment, content, form, packed=False, die_at=0, after=False)
        assert stored(deployment, f"ebd_{number}") == Counter(one.use for one in written), (cut, piece_first)


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("s3", "cloudfront")])
def test_a_last_line_that_is_whole_but_for_its_end_is_counted_at_once(deployment: Deployment, name: str) -> None:
    """Also where it is the file's only one. Amazon's files come whole, with their last line end."""
    add_embed(deployment.database)
    form, writer = WRITERS[name]
    (line,) = writer([Request(7, 64, SITES[0], counts=True)])
    text = line.replace("{embed}", "ebd_one").encode()
    if name == "combined":
        text = text.removesuffix(b' "gzip" 0.002')
    for content in (text, text, text + b"\n", text + b"\r\n"):
        run(deployment, content, form, packed=False, die_at=0, after=False)
        assert sum(stored(deployment, "ebd_one").values()) == 1
