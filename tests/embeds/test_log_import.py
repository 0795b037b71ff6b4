"""Importing server logs: what counts in each format, and that nothing is counted twice."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.alerts.alerts import unlisted_origins, views_after_suspension
from service.audit.query import parse
from service.embeds.crowding import ORIGINS, OTHER, PAIRS
from service.embeds.log_fields import hour, site, target
from service.embeds.log_import import Imported, Importer, LogFileError
from service.store.tables import Decision, Embed, LedgerEntry, LogoUse, Participant

from ..audit.conftest import START, Deployment, add_embed

PATH = "/logos/ebd_one/heart/blue/256.png"
PAGE = "https://Partner.example:443/a/page?x=1"


@pytest.fixture
def site_with_embed(deployment: Deployment) -> Deployment:
    """A deployment with one participant and one embed."""
    add_embed(deployment.database)
    return deployment


def take(deployment: Deployment, text: str | bytes, form: str, name: str = "access.log") -> Imported:
    path = deployment.folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Importer(deployment.database, deployment.folder, deployment.clock).run(path, form)


def uses(deployment: Deployment) -> list[tuple[str, str, str, int]]:
    """Hour, variant, site and views of every use, in order."""
    with deployment.database.read() as session:
        rows = session.scalars(select(LogoUse).order_by(LogoUse.hour, LogoUse.variant, LogoUse.origin))
        return [(f"{row.hour:%Y-%m-%dT%H}", row.variant, row.origin, row.views) for row in rows]


def entries(deployment: Deployment, kind: str) -> list[dict[str, Any]]:
    with deployment.database.read() as session:
        found = session.scalars(select(LedgerEntry.body).where(LedgerEntry.kind == kind).order_by(LedgerEntry.seq))
        return [json.loads(body) for body in found]


def nginx(
    path: str = PATH,
    status: int = 200,
    cache: str = "HIT",
    referer: str = PAGE,
    origin: str = "-",
    method: str = "GET",
    time: str = "2026-11-25T10:59:59+00:00",
) -> str:
    return f'{time} "{method} {path} HTTP/1.1" {status} 1234 "{referer}" "{origin}" "{cache}"\n'


def combined(path: str = PATH, status: int = 200, referer: str = PAGE, method: str = "GET") -> str:
    return (
        f'192.0.2.7 - - [25/Nov/2026:11:59:59 +0100] "{method} {path} HTTP/2.0" {status} 1234 "{referer}" '
        '"Mozilla/5.0 (X11; \\"quoted\\")"\n'
    )


def s3(key: str = PATH[1:], status: int = 200, operation: str = "REST.GET.OBJECT") -> str:
    return (
        f"79a5 bucket [25/Nov/2026:10:59:59 +0000] 192.0.2.3 - 3E57427F3EXAMPLE {operation} {key} "
        f'"GET /{key} HTTP/1.1" {status} - 1234 1234 7 6 "{PAGE}" "curl/8" - abc= SigV4 ECDHE h\n'
    )


def cloudfront(*lines: tuple[str, str, int, str]) -> str:
    fields = (
        "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
        "cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type"
    )
    text = f"#Version: 1.0\n#Fields: {fields}\n"
    for method, path, status, result in lines:
        referer = PAGE.replace(":", "%3A")
        values = ["2026-11-25", "10:59:59", "FRA2", "9", "192.0.2.1", method, "d.example", path, str(status)]
        text += "\t".join([*values, referer, "UA", "-", "-", result]) + "\n"
    return text


HOUR = "2026-11-25T10"
TIME = "2026-11-25T10:59:59Z"
CADDY = {"method": "GET", "uri": PATH, "headers": {"Referer": [PAGE]}}
ONE = [(HOUR, "blue/256.png", "https://partner.example", 1)]


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        (nginx(), True),
        *((nginx(cache=cache), True) for cache in ("STALE", "UPDATING", "REVALIDATED")),
        *((nginx(cache=cache), False) for cache in ("MISS", "EXPIRED", "BYPASS", "-")),
        (nginx(status=304), False),
        (nginx(status=206), False),
        (nginx(method="HEAD"), False),
        (nginx(path="/logos/ebd_one/heart/blue/256.png?on=ffffff"), True),
        (nginx(path="/en/"), False),
        (nginx(path="/logos/ebd_one/other/blue/256.png"), False),
        (nginx(path="/logos/ebd_two/heart/blue/256.png"), False),
        (nginx(path="/logos/ebd_one/heart/blue/0256.png"), False),
        (nginx(path=""), False),
    ],
)
def test_nginx_counts_only_what_the_cache_answered_by_itself(
    site_with_embed: Deployment, line: str, counts: bool
) -> None:
    result = take(site_with_embed, line, "nginx")
    assert (result.views, result.bad) == (int(counts), 0)
    assert uses(site_with_embed) == (ONE if counts else [])


@pytest.mark.parametrize(
    ("form", "text", "views"),
    [
        ("combined", combined() + combined(status=304) + combined(method="POST") + combined(path="/x"), 1),
        ("s3", s3() + s3(status=403) + s3(operation="REST.HEAD.OBJECT") + s3(key="other.txt"), 1),
        ("s3", s3(key="prefix/logos/ebd_one/heart/blue/256.png"), 1),
        (
            "cloudfront",
            cloudfront(
                ("GET", PATH, 200, "Hit"),
                ("GET", PATH, 200, "Miss"),
                ("GET", PATH, 304, "Hit"),
                ("HEAD", PATH, 200, "Hit"),
                ("GET", PATH, 403, "Error"),
            ),
            1,
        ),
        ("cloudfront", cloudfront(("GET", PATH, 200, "RefreshHit")), 1),
        ("json", {"time": TIME, "method": "GET", "path": PATH, "status": 200, "referer": PAGE}, 1),
        ("json", {"time": TIME, "request": f"GET {PATH} HTTP/1.1", "status": "200", "http_referer": PAGE}, 1),
        ("json", {"ts": 1795604399.5, "request": CADDY, "status": 200}, 1),
        ("json", {"time": TIME, "method": "GET", "path": PATH, "status": 304}, 0),
    ],
)
def test_the_other_formats(site_with_embed: Deployment, form: str, text: str | dict[str, Any], views: int) -> None:
    result = take(site_with_embed, text if isinstance(text, str) else json.dumps(text), form)
    assert (result.views, result.bad) == (views, 0)
    assert uses(site_with_embed) == (ONE if views else [])


def test_views_are_added_up_by_hour_variant_and_site(site_with_embed: Deployment) -> None:
    text = (
        nginx() * 3
        + nginx(time="2026-11-25T12:00:00+01:00")
        + nginx(path="/logos/ebd_one/heart/blue/64.svg")
        + nginx(origin="https://other.example", referer="-")
        + nginx(origin="null", referer="-")
    )
    assert take(site_with_embed, text, "nginx").views == 7
    assert uses(site_with_embed) == [
        (HOUR, "blue/256.png", "", 1),
        (HOUR, "blue/256.png", "https://other.example", 1),
        (HOUR, "blue/256.png", "https://partner.example", 3),
        (HOUR, "blue/64.svg", "https://partner.example", 1),
        ("2026-11-25T11", "blue/256.png", "https://partner.example", 1),
    ]


def test_entries_say_what_reports_need_and_reports_count_them(site_with_embed: Deployment) -> None:
    take(site_with_embed, nginx() * 4 + nginx(referer="-"), "nginx")
    used = sorted(entries(site_with_embed, "logo.used"), key=lambda entry: entry["origin"] or "")
    assert {key: used[0][key] for key in used[0] if key not in ("id", "at", "v")} == {
        "kind": "logo.used",
        "hour": "2026-11-25T10:00:00.000000Z",
        "embed": "ebd_one",
        "participant": "par_one",
        "participant_kind": "individual",
        "country": "AT",
        "logo": "heart",
        "variant": "blue/256.png",
        "origin": None,
        "views": 1,
    }
    imported = entries(site_with_embed, "report.imported")
    assert [(item["format"], item["views"], item["first_line"], item["last_line"]) for item in imported] == [
        ("nginx", 5, 1, 5)
    ]
    site_with_embed.sealer.seal()
    report = site_with_embed.reports.run(parse([("by", "day"), ("by", "origin")])).as_json()
    assert [(row["day"], row["origin"], row["logo_views"]) for row in report["rows"]] == [
        ("2026-11-25", "https://partner.example", 4),
        ("2026-11-25", None, 1),
    ]


def test_staff_see_what_a_cache_delivered_after_a_suspension_and_on_which_sites(site_with_embed: Deployment) -> None:
    """Staff see sites not on the embed's list, and logos used after a participant was suspended."""
    suspended = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)

    def suspend(session: Any) -> None:
        session.get_one(Participant, "par_one").status = "suspended"
        session.get_one(Embed, "ebd_one").origins = ["https://partner.example"]
        session.add(
            Decision(participant="par_one", outcome="suspended", rule="r", reasons=[], policy="p", by="s", at=suspended)
        )

    site_with_embed.database.write(suspend)
    before = nginx(time="2026-11-25T09:10:00+00:00") * 5
    after = nginx() * 3 + nginx(referer="https://elsewhere.example/a") * 2 + nginx(referer="-")
    take(site_with_embed, before + after, "nginx")
    (seen,) = views_after_suspension(site_with_embed.database)
    assert (seen["embed"], seen["participant"], seen["views"]) == ("ebd_one", "par_one", 6)
    (site_of,) = unlisted_origins(site_with_embed.database, START)
    assert (site_of["origin"], site_of["embed"], site_of["views"]) == ("https://elsewhere.example", "ebd_one", 2)


# --- twice, grown, interrupted


def test_the_same_file_again_changes_nothing(site_with_embed: Deployment) -> None:
    """Repeating a file changes nothing; neither does it under another name, or packed."""
    text = nginx() * 5
    take(site_with_embed, text, "nginx")
    before = uses(site_with_embed), entries(site_with_embed, "report.imported"), entries(site_with_embed, "logo.used")
    for content, name in ((text, "access.log"), (text, "renamed"), (gzip.compress(text.encode()), "access.log.1.gz")):
        result = take(site_with_embed, content, "nginx", name)
        assert (result.lines, result.before, result.views) == (0, 5, 0)
    after = uses(site_with_embed), entries(site_with_embed, "report.imported"), entries(site_with_embed, "logo.used")
    assert after == before


def test_a_file_that_has_grown_is_taken_from_where_it_was(site_with_embed: Deployment) -> None:
    take(site_with_embed, nginx() * 5, "nginx")
    result = take(site_with_embed, nginx() * 5 + nginx(cache="MISS") + "bad\n" + nginx() * 2, "nginx")
    assert (result.before, result.lines, result.views, result.bad_lines[0][0]) == (5, 4, 2, 7)
    assert sum(use[3] for use in uses(site_with_embed)) == 7
    assert [item["first_line"] for item in entries(site_with_embed, "report.imported")] == [1, 6]


def test_the_same_beginning_of_another_file_is_counted_once(site_with_embed: Deployment) -> None:
    take(site_with_embed, nginx() * 3, "nginx")
    take(site_with_embed, nginx() * 3 + nginx(path="/x"), "nginx", "other.log")
    assert sum(use[3] for use in uses(site_with_embed)) == 3


@pytest.mark.parametrize("at", range(1, 8))
def test_an_interrupted_import_goes_on_where_it_was(site_with_embed: Deployment, at: int) -> None:
    """Whichever transaction is the last before the process dies, the next run counts every line once."""
    text = "".join(nginx(path=f"/logos/ebd_one/heart/blue/{width}.png") for width in range(100, 140)) * 3 + "bad\n"
    path = site_with_embed.folder / "access.log"
    path.write_text(text)
    importer = Importer(site_with_embed.database, site_with_embed.folder, site_with_embed.clock)
    importer.commit_every = 1
    write, calls = site_with_embed.database.write, 0

    class Killed(BaseException):
        pass

    def dying(work: Callable[[Any], Any]) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Killed
        return write(work)

    site_with_embed.database.write = dying  # type: ignore[method-assign]
    died = False
    try:
        importer.run(path, "nginx")
    except Killed:
        died = True
    site_with_embed.database.write = write  # type: ignore[method-assign]
    importer.run(path, "nginx")
    assert sum(use[3] for use in uses(site_with_embed)) == 120
    assert len(entries(site_with_embed, "logo.used")) == 40
    assert [(item["views"], item["bad_lines"]) for item in entries(site_with_embed, "report.imported")] == [(120, 1)]
    assert died == (calls >= at)
    assert importer.run(path, "nginx").lines == 0


# --- bad input


@pytest.mark.parametrize("form", ["nginx", "combined", "json", "cloudfront", "s3"])
@pytest.mark.parametrize("bad", [b"nonsense", b"\xff\xfe\x00", b'"' * 50, b"[" * 3000, b"{}", b"1", b"a\tb"])
def test_bad_lines_are_named_by_number_and_never_fatal(site_with_embed: Deployment, form: str, bad: bytes) -> None:
    good = {
        "nginx": nginx(),
        "combined": combined(),
        "s3": s3(),
        "json": json.dumps({"time": "2026-11-25T10:59:59Z", "method": "GET", "path": PATH, "status": 200}) + "\n",
        "cloudfront": cloudfront(("GET", PATH, 200, "Hit")),
    }[form].encode()
    result = take(site_with_embed, good + bad + b"\n\n" + good, form)
    assert result.views == 2
    assert [number for number, _ in result.bad_lines] == [good.count(b"\n") + 1]
    assert result.bad == 1


@pytest.mark.parametrize("time", ["2026-13-25T10:00:00+00:00", "1970-01-01T00:00:00+00:00", "2026-11-25T10:00:00.0000"])
def test_a_line_without_a_real_time_is_bad(site_with_embed: Deployment, time: str) -> None:
    assert take(site_with_embed, nginx(time=time), "nginx").bad == 1


def test_lines_need_neither_a_last_line_end_nor_a_unix_one(site_with_embed: Deployment) -> None:
    assert take(site_with_embed, (nginx() * 2).replace("\n", "\r\n") + nginx().strip(), "nginx").views == 3


def test_an_empty_file_is_nothing(site_with_embed: Deployment) -> None:
    assert take(site_with_embed, b"", "nginx").lines == 0
    assert entries(site_with_embed, "report.imported") == []


def test_a_packed_file_that_is_cut_off_says_so_and_goes_on_later(site_with_embed: Deployment) -> None:
    packed = gzip.compress("".join(nginx(referer=f"https://s{n}.example/") for n in range(2000)).encode())
    with pytest.raises(LogFileError, match="to its end"):
        take(site_with_embed, packed[:-20], "nginx")
    assert uses(site_with_embed) == []
    assert take(site_with_embed, packed, "nginx").views == 2000


def test_more_than_200_sites_an_hour_are_other(site_with_embed: Deployment) -> None:
    """``origin`` is at most 200 different ones an embed and hour and the rest as ``other``."""
    text = "".join(nginx(referer=f"https://s{n}.example/") * (2 if n < 200 else 1) for n in range(250))
    assert take(site_with_embed, text, "nginx").views == 450
    found = {use[2]: use[3] for use in uses(site_with_embed)}
    assert len(found) == 201
    assert found["other"] == 50
    assert found["https://s0.example"] == 2


def test_one_endless_line_is_bad_and_bounded(site_with_embed: Deployment) -> None:
    result = take(site_with_embed, b"x" * (18 << 20) + b"\n" + nginx().encode(), "nginx")
    assert result.views == 1
    assert result.bad >= 1


def test_a_second_import_at_the_same_time_waits_for_the_first(
    site_with_embed: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.store.leadership import leadership

    monkeypatch.setattr("service.embeds.log_import._PATIENCE", 0.1)
    with leadership(site_with_embed.database, site_with_embed.folder, name="import") as held:
        assert held is not None
        with pytest.raises(LogFileError, match="Another import"):
            take(site_with_embed, nginx(), "nginx")


# --- fields


@pytest.mark.parametrize(
    ("origin", "referer", "found"),
    [
        (b"", b"", ""),
        (b"-", b"-", ""),
        (b"null", b"https://a.example/x", "https://a.example"),
        (b"https://A.example", b"https://b.example/", "https://a.example"),
        (b"-", b"http://a.example:80/x", "http://a.example"),
        (b"-", b"https://a.example:8443/x", "https://a.example:8443"),
        (b"-", b"https://user:pw@a.example/x", "https://a.example"),
        (b"-", b"android-app://com.example", ""),
        (b"-", b"https://" + b"a" * 400 + b"/", ""),
        (b"-", b"https://a\x01b.example/", ""),
    ],
)
def test_sites(origin: bytes, referer: bytes, found: str) -> None:
    assert site(origin, referer) == found


def test_hours_in_every_way_logs_write_them() -> None:
    at = datetime(2026, 11, 25, 10, tzinfo=UTC)
    for text in (
        "2026-11-25T10:59:59Z",
        "2026-11-25T10:59:59.123456+00:00",
        "2026-11-25T16:29:59+05:30",
        "25/Nov/2026:16:29:59 +0530",
        "25/Nov/2026:05:59:59 -0500",
        "1795604399",
        "1795604399.25",
        "1795604399250",
    ):
        assert hour(text.encode()) == at, text


def test_targets() -> None:
    assert target(b"https://cdn.example/logos/e/heart/blue/1.png?x") == ("e", "heart", "blue/1.png")
    for bad in (b"/logos/e/heart/blue/01.png", b"/logos/e/heart/blue/1.gif", b"/logos/../x", b"/logos/e/heart/1.png"):
        assert target(bad) is None


def test_gzip_with_a_plain_name(tmp_path: Path, site_with_embed: Deployment) -> None:
    assert take(site_with_embed, gzip.compress(nginx().encode()), "nginx", "plain.log").views == 1


# --- columns, line ends, sites: as caches write them

FIELDS = "#Version: 1.0\n#Fields: date time cs-method cs-uri-stem sc-status x-edge-result-type cs(Referer)\n"


def edge(hour_: int) -> str:
    return f"2026-11-28\t{hour_:02d}:11:12\tGET\t{PATH}\t200\tHit\thttps://a.example/\n"


def views(deployment: Deployment) -> int:
    return sum(use[3] for use in uses(deployment))


def test_columns_that_an_earlier_import_has_read_are_known_to_the_next(site_with_embed: Deployment) -> None:
    """An hour without views is a file that has nothing but its header; and a file grows behind its header."""
    assert take(site_with_embed, FIELDS, "cloudfront").bad == 0
    assert take(site_with_embed, FIELDS + edge(1), "cloudfront").bad == 0
    assert views(site_with_embed) == 1
    grown = take(site_with_embed, FIELDS + edge(1) + edge(2) + edge(3), "cloudfront")
    assert (grown.views, grown.bad, grown.before) == (2, 0, 3)


def test_cloudfronts_newer_json_is_read_too(site_with_embed: Deployment) -> None:
    names = ("date", "time", "cs-method", "cs-uri-stem", "sc-status", "x-edge-result-type", "cs(Referer)")
    line = json.dumps(dict(zip(names, edge(10).rstrip("\n").split("\t"), strict=True)))
    assert take(site_with_embed, f"{line}\n{line.replace('Hit', 'Miss')}\n", "cloudfront").views == 1
    assert uses(site_with_embed) == [("2026-11-28T10", "blue/256.png", "https://a.example", 1)]
    told = take(site_with_embed, line + "\n", "json")
    assert "--format cloudfront" in told.bad_lines[0][1]


def test_a_last_line_that_is_still_being_written_is_left_and_not_called_bad(site_with_embed: Deployment) -> None:
    text = nginx() * 2
    cut = take(site_with_embed, text[: len(nginx()) + 75], "nginx")
    assert (cut.views, cut.bad, cut.unended, cut.as_json()["last_line_left"]) == (1, 0, True, True)
    whole = take(site_with_embed, text, "nginx")
    assert (whole.views, whole.before, whole.unended) == (1, 1, False)
    assert views(site_with_embed) == 2


def test_a_shorter_copy_of_a_file_is_known(site_with_embed: Deployment) -> None:
    text = "".join(nginx(path=f"/logos/ebd_one/heart/blue/{100 + number}.png") for number in range(20))
    take(site_with_embed, text, "nginx")
    for lines in (1, 7, 19):
        shorter = take(site_with_embed, "".join(text.splitlines(keepends=True)[:lines]), "nginx")
        assert (shorter.lines, shorter.before) == (0, lines)
    assert views(site_with_embed) == 20


HEAD = f'192.0.2.9 - - [25/Nov/2026:11:59:59 +0100] "GET {PATH} HTTP/1.1"'


@pytest.mark.parametrize(
    ("form", "line", "origin"),
    [
        ("combined", f'{HEAD} 200 9 "https://bücher.example/" "M"', "xn--bcher-kva"),
        ("combined", f'{HEAD} 200 9 "https://b\\xC3\\xBCcher.example/" "M"', "xn--bcher-kva"),
        ("nginx", f'{TIME} "GET {PATH} HTTP/1.1" 200 9 "https://b\\xC3\\xBCcher.example/" "-" "HIT"', "xn--bcher-kva"),
        ("nginx", f'{TIME} "GET {PATH} HTTP/1.1" 200 9 "-" "https://B\\xC3\\x9CCHER.example" "HIT"', "xn--bcher-kva"),
        ("cloudfront", edge(10).replace("a.example", "b%C3%BCcher.example"), "xn--bcher-kva"),
        ("cloudfront", edge(10).replace("https://a", "https%3A%2F%2Fb%25C3"), ""),
        ("combined", f'{HEAD} 200 9 "http://[2001:DB8:0:0::1]:8080/x" "M"', "[2001:db8::1]:8080"),
        ("combined", f'{HEAD} 200 9 "https://<b>spam</b>.example/" "M"', ""),
        ("combined", f'{HEAD} 200 9 "https://a.example\\"><script>/" "M"', ""),
        ("json", json.dumps({"DownstreamStatus": 200, "RequestMethod": "GET", "RequestPath": PATH, "time": TIME,
                             "request_Referer": "https://traefik.example/"}), "traefik"),
        ("json", json.dumps({"DownstreamStatus": 200, "RequestMethod": "GET", "RequestPath": PATH, "time": TIME,
                             "request_Origin": "https://traefik.example"}), "traefik"),
    ],
)  # fmt: skip
def test_sites_of_imported_lines_are_those_of_live_requests(
    site_with_embed: Deployment, form: str, line: str, origin: str
) -> None:
    result = take(site_with_embed, (FIELDS if form == "cloudfront" else "") + line.rstrip("\n") + "\n", form)
    assert (result.views, result.bad) == (1, 0)
    ((_, _, found, _),) = uses(site_with_embed)
    assert found == {"": "", "[2001:db8::1]:8080": "http://[2001:db8::1]:8080"}.get(origin, f"https://{origin}.example")


# --- one bound for all that is seen in an hour


def test_three_imports_of_an_hour_together_name_200_sites(site_with_embed: Deployment) -> None:
    for name in "abc":
        text = "".join(nginx(referer=f"https://{name}{number}.example/") for number in range(250))
        take(site_with_embed, text, "nginx", name)
    named = {use[2] for use in uses(site_with_embed)}
    assert len(named - {OTHER}) == ORIGINS == 200
    assert views(site_with_embed) == 750


def test_pairs_of_site_and_variant_are_bounded_and_every_view_counts(site_with_embed: Deployment) -> None:
    """One public key, with any site and any variant: entries are there for ever."""
    text = "".join(
        nginx(path=f"/logos/ebd_one/heart/blue/{width}.png", referer=f"https://s{site_}.example/")
        for width in range(100, 160)
        for site_ in range(30)
    )
    for part in (text, nginx(path="/logos/ebd_one/heart/blue/400.png") + text):
        take(site_with_embed, part, "nginx")
    found = uses(site_with_embed)
    pairs = {use[1:3] for use in found}
    assert len({pair for pair in pairs if pair[0] != OTHER}) == PAIRS
    assert {variant for variant, _ in pairs} > {OTHER}
    assert len({site_ for _, site_ in pairs}) == 31
    assert views(site_with_embed) == 2 * 1800 + 1
    assert len(entries(site_with_embed, "logo.used")) <= 2 * (PAIRS + ORIGINS + 2)
