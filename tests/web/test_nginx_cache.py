"""The nginx of docs/deploy in front of a running Emblem: shares what may be shared, and nothing for too long."""

from __future__ import annotations

import http.client
import random
import re
import ssl
import struct
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.parts.codings import decoded
from tests.parts.demo import Answer, Client, Demo
from tests.parts.nginx import DeployedNginx
from tests.parts.processes import wait_until
from tests.parts.walk import Walk

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
FIREFOX = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
OLDER = "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"
OLDEST = "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"
SITE = "https://partner.example.org"
FOREIGN = "https://elsewhere.example.net"


@dataclass
class Front:
    """A demo, the nginx before it, and one embed of each logo."""

    demo: Demo
    nginx: DeployedNginx
    walk: Walk

    def __post_init__(self) -> None:
        self.who = self.walk.participant()
        self.key = self.embed()["key"]
        self.cached = Client(self.nginx.url)
        self.direct = Client(self.demo.base_url)
        self._seen = 0

    def embed(self, logo: str = "heart", unlisted: str = "report") -> dict[str, Any]:
        """A new embed of the participant."""
        body = {"participant": self.who, "logo": logo, "origins": [SITE], "unlisted": unlisted}
        made = self.walk.portal.post("/api/v1/embeds", body)
        assert made.status == 201, made
        return dict(made.json())

    def path(self, file: str, key: str = "") -> str:
        """The path of a variant of the blue heart."""
        return f"/logos/{key or self.key}/heart/blue/{file}"

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[Answer, str]:
        """What comes through nginx, and what its cache said of it."""
        before = len(self.nginx.statuses()) if self.nginx.log.exists() else 0
        answer = self.cached.request(method, path, headers={n.replace("_", "-"): v for n, v in headers.items()})
        wait_until(lambda: len(self.nginx.statuses()) > before, 60, "nginx logs the request")
        return answer, self.nginx.statuses()[-1]

    def in_force(self, path: str, status: int, **headers: str) -> None:
        """Waits until every worker answers so, as it does from then on."""

        def ask(_: int) -> int:
            return self.direct.request("GET", path, headers=headers).status

        def everywhere() -> bool:
            with ThreadPoolExecutor(16) as threads:
                return set(threads.map(ask, range(32))) == {status}

        wait_until(everywhere, 60, "the change is in force", every=0.5)

    def grow_old(self, seconds: int = 301) -> None:
        """Makes all that the cache holds so much older, as the time in its files says; as shipped, too old."""
        for file in self.nginx.cache.rglob("*"):
            if file.is_file():
                with file.open("r+b") as opened:
                    version, valid_until = struct.unpack("<QQ", opened.read(16))
                    assert version == 5, "another format of nginx's cache files"
                    opened.seek(8)
                    opened.write(struct.pack("<Q", max(valid_until - seconds, 1)))


@pytest.fixture
def front(demo: Demo, tmp_path: Path) -> Iterator[Front]:
    nginx = DeployedNginx(tmp_path / "nginx", urlsplit(demo.base_url).netloc)
    yield Front(demo, nginx, Walk(demo))
    nginx.close()


def test_the_second_request_is_a_hit_with_the_same_answer(front: Front) -> None:
    path = front.path("131.png")
    (first, missed), (second, hit) = front.get(path), front.get(path)
    direct = front.direct.get(path)
    assert (missed, hit) == ("MISS", "HIT")
    assert first.body == second.body == direct.body
    for name in ("content-type", "content-length", "etag", "cache-control", "link", "access-control-allow-origin"):
        assert second.headers[name] == direct.headers[name]


def test_only_on_and_space_make_another_object(front: Front) -> None:
    plain = front.path("132.png")
    assert front.get(plain)[1] == "MISS"
    for query in ("?utm_source=x", "?v=1&w=2", "?space=0", "?space", "?on1=ffffff", "?to=a%20b+c&u=%6Fn=000000"):
        assert front.get(plain + query)[1] == "HIT", query
    spaced, said = front.get(plain + "?space=1&utm_source=x")
    assert said == "MISS"
    assert spaced.body == front.direct.get(plain + "?space=1").body
    assert front.get(plain + "?space=1")[1] == "HIT"
    assert front.get(plain + "?on=ffffff")[1] == "MISS"
    assert front.get(plain + "?utm=1&on=ffffff")[1] == "HIT"
    for _ in range(2):
        refused, said = front.get(plain + "?on=000000")
        assert (refused.status, refused.slug, said) == (422, "colourway-not-allowed-on-background", "MISS")


@pytest.mark.parametrize(
    "query",
    ["?on=", "?on", "?on=&on=ffffff", "?on=%66fffff", "?%6Fn=000000", "?ON=000000", "?on=ffffff&on=000000", "?on=red",
     "?space=%31", "?SPACE=1", "?space=1&space=0", "?on=ff+fff", "?&&on=000000", "?on=ffffff;space=1"],
)  # fmt: skip
def test_an_unusual_query_is_answered_as_without_the_cache(front: Front, query: str) -> None:
    path = front.path("133.png") + query
    for _ in range(2):
        through, direct = front.get(path)[0], front.direct.get(path)
        assert (through.status, through.slug) == (direct.status, direct.slug)
        if through.status == 200:
            assert through.body == direct.body


@pytest.mark.parametrize(
    "rest",
    ["heart/blue/../white/134.png", "heart/blue/%2e%2e/white/134.png", "heart//blue/134.png", "heart/blue/0134.png",
     "heart/blue/134.PNG", "heart/%62lue/134.png", "heart/blue/134.png/", "heart/blue/134", "heart/blue/%0a134.png",
     "heart/blue/134.png%0a", "heart/blue/134.png%0d%0aX-Accel-Expires:%209",
     "heart/green/134.png", "heart/blue/134.gif", "heart/blue/1.png", "heart/blue/600.png", "bird/blue/134.png"],
)  # fmt: skip
def test_an_unusual_address_never_gets_another_ones_picture(front: Front, rest: str) -> None:
    front.get(front.path("134.png"))
    path = f"/logos/{front.key}/{rest}"
    through, direct = front.cached.get(path), front.direct.get(path)
    if re.search("%|//|/[.]", path):  # what two programs may read differently is for neither
        assert (through.status, through.slug) in ((400, "invalid-request"), (direct.status, direct.slug))
        return
    assert (through.status, through.slug) == (direct.status, direct.slug)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (CHROME, "svg+xml"),
        (FIREFOX, "svg+xml"),
        (OLDER, "svg+xml"),
        (OLDEST, "svg+xml"),
        ("image/webp,*/*", "webp"),
        ("*/*", "png"),
        ("image/webp", "webp"),
        ("image/avif,image/*;q=0.5", "avif"),
        ("image/jxl,image/avif", "jxl"),
    ],
)
def test_each_kind_of_browser_gets_its_format_from_the_cache(front: Front, accept: str, kind: str) -> None:
    path = front.path("135.auto")
    for welcome in (accept, CHROME, OLDER, OLDEST):  # what others are welcome to does not change it
        front.get(path, Accept=welcome)
    answer, said = front.get(path, Accept=accept)
    assert (answer.headers["content-type"], said) == (f"image/{kind}", "HIT")
    assert answer.headers["vary"] == "Accept, Accept-Encoding"
    assert answer.body == front.direct.request("GET", path, headers={"Accept": accept}).body


@pytest.mark.parametrize("file", ["135.svg", "135.auto"])
def test_each_content_coding_of_a_drawing_is_an_object_of_its_own(front: Front, file: str) -> None:
    path, bodies = front.path(file), set()
    for takes, coding in (("", None), ("gzip, deflate", "gzip"), ("gzip, deflate, br, zstd", "br"), ("zstd", "zstd")):
        fields = {"Accept": "image/svg+xml", "Accept_Encoding": takes}
        front.get(path, **fields)
        answer, said = front.get(path, **fields)
        assert (answer.headers.get("content-encoding"), said) == (coding, "HIT")
        bodies.add(answer.body)
    assert len(bodies) == 4
    assert front.get(path, Accept="image/svg+xml", Accept_Encoding="br, identity")[1] == "HIT"


def test_any_accept_is_negotiated_as_without_the_cache(front: Front) -> None:
    pick = random.Random(7)
    kinds = ["image/avif", "image/webp", "image/png", "image/svg+xml", "image/jxl", "image/*", "*/*", "text/html",
             "IMAGE/AVIF", "x"]  # fmt: skip
    codings = ["gzip", "br", "zstd", "x-gzip", "*", "identity", "deflate", "BR", "y"]
    weights = ["", "", "", ";q=0.9", ";q=0.5", ";q=0", ";q=1.0", "; q=1", ";v=b3", ";q=x"]
    path = front.path("136.auto")
    for _ in range(300):
        parts = [pick.choice(kinds) + pick.choice(weights) for _ in range(pick.randint(0, 4))]
        accept = pick.choice([",", ", ", " ,"]).join(parts)
        takes = ", ".join(pick.choice(codings) + pick.choice(weights) for _ in range(pick.randint(0, 3)))
        fields = {"Accept": accept, "Accept-Encoding": takes}
        answers = [one.request("GET", path, headers=fields) for one in (front.cached, front.direct)]
        through, direct = (
            (one.status, one.headers["content-type"], one.headers.get("content-encoding")) for one in answers
        )
        assert through == direct, fields


def test_two_accept_lines_do_not_spoil_the_picture_of_others(front: Front) -> None:
    path = front.path("137.auto")
    connection = http.client.HTTPConnection("127.0.0.1", front.nginx.port)
    connection.putrequest("GET", path)
    for line in ("image/png", "image/avif"):
        connection.putheader("Accept", line)
    connection.endheaders()
    assert connection.getresponse().status == 200
    connection.close()
    assert front.get(path, Accept="image/png")[0].headers["content-type"] == "image/png"


def test_a_known_picture_is_304_from_the_cache(front: Front) -> None:
    path = front.path("137.webp")
    etag = front.get(path)[0].headers["etag"]
    answer, said = front.get(path, If_None_Match=etag)
    assert (answer.status, answer.body, said) == (304, b"", "HIT")


def test_head_is_answered_from_the_cache_and_never_fills_it(front: Front) -> None:
    path = front.path("138.png")
    cold, said = front.get(path, "HEAD")
    assert (cold.status, cold.body, said) == (200, b"", "MISS")
    assert front.get(path)[1] == "MISS"
    warm, said = front.get(path, "HEAD")
    assert (warm.status, warm.body, said) == (200, b"", "HIT")
    assert warm.headers["content-length"] == cold.headers["content-length"]


def test_fifty_that_ask_for_a_cold_picture_wait_for_one(front: Front) -> None:
    path = front.path("496.avif")
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _: front.cached.get(path), range(50)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    wait_until(lambda: len(front.nginx.statuses()) == 50, 60, "nginx logs all")
    assert Counter(front.nginx.statuses())["MISS"] == 1


def test_what_refuses_other_sites_is_asked_for_every_time(front: Front) -> None:
    path = front.path("139.png", front.embed(unlisted="refuse")["key"])
    allowed, said = front.get(path, Origin=SITE)
    assert (allowed.status, said) == (200, "MISS")
    for site, wanted in ((SITE, 200), (FOREIGN, 403), (FOREIGN, 403), (SITE, 200), (SITE, 200), (FOREIGN, 403)):
        answer, said = front.get(path, Origin=site)
        assert (answer.status, answer.slug) == (wanted, "" if wanted == 200 else "origin-not-allowed")
        assert said in ("REVALIDATED", "EXPIRED"), "Emblem was not asked"
        if wanted == 200:
            assert answer.body == allowed.body
            assert answer.headers["cache-control"] == "private, max-age=300"
    assert front.get(path, Referer=f"{FOREIGN}/page")[0].status == 403


def test_many_sites_at_once_each_get_their_own_answer(front: Front) -> None:
    path = front.path("139.webp", front.embed(unlisted="refuse")["key"])
    sites = [SITE, FOREIGN] * 200
    with ThreadPoolExecutor(32) as threads:
        told = list(threads.map(lambda site: front.cached.request("GET", path, headers={"Origin": site}), sites))
    assert [answer.status for answer in told] == [200, 403] * 200


def test_after_five_minutes_the_old_picture_is_shown_while_one_request_asks_again(front: Front) -> None:
    path = front.path("140.png")
    body = front.get(path)[0].body
    front.grow_old()
    assert front.get(path)[1] == "STALE"
    wait_until(lambda: front.get(path)[1] == "HIT", 60, "nginx has asked Emblem again")
    assert set(front.nginx.statuses()) <= {"MISS", "STALE", "UPDATING", "HIT"}, "nobody waited"
    front.grow_old(2 * 86_400)
    assert [front.get(path)[1] for _ in range(2)] == ["REVALIDATED", "HIT"], "after a day nothing old is shown"
    assert front.get(path)[0].body == body


def revoke(front: Front, key: str) -> None:
    """Ends the embed."""
    assert front.walk.portal.request("DELETE", f"/api/v1/embeds/{key}").status == 204


def suspend(front: Front, _: str) -> None:
    """Suspends its participant."""
    body = {"outcome": "suspended", "reason": "A test."}
    assert front.demo.client("staff").post(f"/api/v1/participants/{front.who}/decisions", body).status == 200


@pytest.mark.parametrize(
    ("end", "status", "slug"), [(revoke, 410, "embed-revoked"), (suspend, 403, "participant-suspended")]
)
def test_what_has_ended_is_shown_for_five_minutes_and_one_view_more(
    front: Front, end: Callable[[Front, str], None], status: int, slug: str
) -> None:
    """After revocation a cache shows it for at most five minutes and one view more, however many ask."""
    key = front.embed()["key"]
    path = front.path("141.png", key)
    assert front.get(path)[1] == "MISS"
    end(front, key)
    front.in_force(path, status)
    answer, said = front.get(path)
    assert (answer.status, said) == (200, "HIT")
    front.grow_old()
    answer, said = front.get(path)
    assert (answer.status, said) == (200, "STALE"), "one view more"
    wait_until(lambda: front.get(path)[0].status == status, 60, "nginx has heard of the end")
    with ThreadPoolExecutor(32) as threads:
        told = list(threads.map(lambda _: front.cached.get(path), range(300)))
    assert {(answer.status, answer.slug) for answer in told} == {(status, slug)}
    assert {answer.headers["cache-control"] for answer in told} == {"no-store"}


def test_who_was_suspended_and_is_no_more_is_shown_again(front: Front) -> None:
    path = front.path("142.webp")
    body = front.get(path)[0].body
    suspend(front, front.key)
    front.in_force(path, 403)
    front.grow_old(2 * 86_400)
    assert [front.get(path)[0].status for _ in range(2)] == [403, 403]
    lifted = {"outcome": "approved", "reason": "A test."}
    assert front.demo.client("staff").post(f"/api/v1/participants/{front.who}/decisions", lifted).status == 200
    front.in_force(path, 200)
    answers = [front.get(path) for _ in range(2)]
    assert [(answer.status, answer.body, said) for answer, said in answers] == [
        (200, body, "EXPIRED"),
        (200, body, "HIT"),
    ]


def test_an_embed_that_begins_to_refuse_is_shared_for_one_view_more(front: Front) -> None:
    key = front.embed()["key"]
    path = front.path("142.png", key)
    assert front.get(path, Origin=FOREIGN)[0].status == 200
    assert front.walk.portal.request("PATCH", f"/api/v1/embeds/{key}", {"unlisted": "refuse"}).status == 200
    front.in_force(path, 403, Origin=FOREIGN)
    front.grow_old()
    assert front.get(path, Origin=SITE)[1] == "STALE"
    wait_until(lambda: front.get(path, Origin=FOREIGN)[0].status == 403, 60, "nginx has heard of the change")
    for site, wanted in [(SITE, 200), (FOREIGN, 403)] * 3:
        assert front.get(path, Origin=site)[0].status == wanted


def test_while_emblem_is_away_the_cache_goes_on(new_demo: Callable[..., Demo], tmp_path: Path) -> None:
    demo = new_demo()
    nginx = DeployedNginx(tmp_path / "nginx", urlsplit(demo.base_url).netloc)
    front = Front(demo, nginx, Walk(demo))
    path = front.path("143.png")
    alone = front.path("143.png", front.embed(unlisted="refuse")["key"])
    body = front.get(path)[0].body
    assert front.get(alone, Origin=SITE)[0].status == 200
    front.grow_old()
    demo.stop()
    for _ in range(2):
        answer, said = front.get(path)
        assert (answer.status, answer.body, said) == (200, body, "STALE")
    unavailable(front.cached.request("GET", alone, headers={"Origin": SITE}), alone)  # only Emblem knows who may
    unavailable(front.cached.get("/en/?lang=%22"), "/en/?lang=%22")
    front.grow_old(2 * 86_400)
    unavailable(front.cached.get(path), path)
    demo.start()
    assert [front.get(path)[1] for _ in range(2)] == ["REVALIDATED", "HIT"]
    nginx.close()


def unavailable(answer: Answer, path: str) -> None:
    """Checks that nginx says as Emblem would that Emblem is away."""
    assert (answer.status, answer.slug) == (503, "unavailable")
    assert answer.json()["instance"] == path
    assert (answer.headers["retry-after"], answer.headers["cache-control"]) == ("5", "no-store")


def test_texts_of_pages_are_coded_and_static_files_kept_in_each_coding(front: Front) -> None:
    (style,) = set(re.findall(r'href="(/static/emblem\.css[^"]*)"', front.direct.get("/en/tools").body.decode()))
    package = front.direct.get("/api/v1/packages/logo").json()
    picture = f"/brand/packages/logo/{package['version']}/384.webp"
    for coding in ("br", "gzip", ""):
        takes = {"Accept-Encoding": coding}
        for path in (style, "/en/tools", "/api/v1/packages", picture):
            plain = front.direct.get(path)
            for _ in range(2):
                through = front.cached.request("GET", path, headers=takes)
                assert through.headers.get("content-encoding", "") == ("" if path == picture else coding)
                assert decoded(through.body, through.headers.get("content-encoding")) == plain.body
                assert path == picture or "accept-encoding" in through.headers["vary"].lower()
    kept = [file.read_bytes()[:2000] for file in front.nginx.cache.rglob("*") if file.is_file()]
    assert sum(b"/static/" in head for head in kept) == 3
    assert not [head for head in kept if b"/en/tools" in head or b"/api/" in head]


def test_what_is_too_large_is_refused_as_emblem_would(front: Front) -> None:
    answer = front.cached.request("POST", "/api/v1/artwork-checks", b"-" * (27 << 20))
    assert (answer.status, answer.slug) == (413, "too-large")
    assert answer.json()["instance"] == "/api/v1/artwork-checks"


def test_the_public_log_is_cached_but_for_its_checkpoint(front: Front) -> None:
    answers = []
    wait_until(lambda: front.direct.get("/log/checkpoint").status == 200, 60, "the log has a checkpoint")
    size = int(front.direct.get("/log/checkpoint").body.split(b"\n")[1])  # how much came together at first is chance
    tile = "/log/tile/0/000" + (f".p/{size}" if size < 256 else "")
    for path in (tile, f"{tile}?x=1", "/log/checkpoint", "/log/checkpoint"):
        answers.append(front.cached.get(path))
        assert answers[-1].status == 200, path
    tiles = [file for file in front.nginx.cache.rglob("*") if file.is_file() and b"/log/" in file.read_bytes()[:1000]]
    assert len(tiles) == 1
    assert answers[0].body == answers[1].body == front.direct.get(tile).body
    for path in ("/log/tile/entries/000.p/1", "/log/tile/0/999"):
        through, direct = front.cached.get(path), front.direct.get(path)
        assert (through.status, through.slug) == (direct.status, direct.slug)
        assert through.status >= 400
    assert front.cached.get("/log/tile/0/000.p/1%0a").status == 400


def test_every_view_is_counted_once_by_emblem_or_from_the_log(new_demo: Callable[..., Demo], tmp_path: Path) -> None:
    """Views: a GET answered 200 is one view; import-log adds what the service itself did not see."""
    demo = new_demo()
    nginx = DeployedNginx(tmp_path / "nginx", urlsplit(demo.base_url).netloc)
    front = Front(demo, nginx, Walk(demo))
    path, auto = front.path("144.png"), front.path("145.auto")
    views = 0
    for turn in range(3):
        for _ in range(4):
            assert front.get(path, Origin=SITE)[0].status == 200
            assert front.get(auto, Accept=CHROME, Referer="https://other.example.net/page")[0].status == 200
            assert front.get(auto, Accept="image/webp;q=0.9")[1] == "-"
            views += 3
        etag = front.get(path, "HEAD")[0].headers["etag"]
        assert front.get(path, If_None_Match=etag)[0].status == 304
        assert front.get(auto, If_None_Match="*", Accept="image/webp;q=0.9")[0].status == 304
        assert front.get(front.path("144.png") + "?on=000000")[0].status == 422
        if turn < 2:
            front.grow_old()
    said = Counter(nginx.statuses())
    assert said["STALE"] >= 2
    seen_by_emblem = 1 + 1 + 12  # the first of each path, and what went past the cache
    for expected in (views - seen_by_emblem, 0):  # the same file again changes nothing
        status, out, error = demo.cli("audit", "import-log", str(nginx.log), "--format", "nginx", "--json")
        assert status == 0, error
        assert f'"views": {expected},' in out or f'"views": {expected}}}' in out, out
    assert demo.cli("audit", "seal")[0] == 0
    status, out, error = demo.cli("audit", "report", "--by", "variant", "--by", "origin", "--format", "csv")
    assert status == 0, error
    counted = {tuple(line.split(",")[:2]): int(line.rsplit(",", 1)[1]) for line in out.splitlines()[1:]}
    assert counted["blue/144.png", SITE] == 12
    # Which format a cache chose for .auto its log does not say: Emblem's own view has it, the cache's have not.
    assert counted["blue/145.svg", "https://other.example.net"] == 1
    assert counted["blue/145.auto", "https://other.example.net"] == 11
    assert counted["blue/145.webp", ""] == 12
    assert sum(counted.values()) == views
    nginx.close()


def test_the_example_speaks_tls_and_sends_downloads_from_the_disk(
    new_demo: Callable[..., Demo], tmp_path: Path
) -> None:
    demo = new_demo(EMBLEM_DELIVERY="x-accel")
    nginx = DeployedNginx(tmp_path / "nginx", urlsplit(demo.base_url).netloc, demo.folder / "storage", tls=True)
    walk = Walk(demo)
    link = walk.link(walk.participant())
    trusting = ssl.create_default_context(cafile=str(tmp_path / "nginx" / "certificate.pem"))
    with urllib.request.urlopen(link["url"].replace(demo.base_url, nginx.url), context=trusting) as answer:
        assert len(answer.read()) == link["package"]["bytes"]
    assert walk.counted(link["id"]) == 1
    plain = Client(nginx.plain_url).get("/en/")
    assert (plain.status, plain.headers["location"]) == (301, "https://logo.example.org/en/")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{nginx.url}/_emblem/storage/", context=trusting)
    nginx.close()


def test_a_file_from_the_disk_has_the_fields_and_ranges_of_one_from_emblem(
    new_demo: Callable[..., Demo], tmp_path: Path
) -> None:
    demo = new_demo(EMBLEM_DELIVERY="x-accel")
    nginx = DeployedNginx(tmp_path / "nginx", urlsplit(demo.base_url).netloc, demo.folder / "storage")
    walk, client = Walk(demo), Client(nginx.url)
    link = walk.link(walk.participant())
    path = urlsplit(link["url"]).path
    of_emblem = demo.client().request("HEAD", path).headers
    of_nginx = client.get(path)
    assert of_nginx.status == 200
    differ = {"date", "server", "connection", "x-request-id"}
    assert of_nginx.headers["x-request-id"]
    assert {name: value for name, value in of_nginx.headers.items() if name not in differ} == {
        name: value for name, value in of_emblem.items() if name not in differ
    }
    whole, etag = of_nginx.body, of_emblem["etag"]
    for fields, status, body in (
        ({"Range": "bytes=5-9"}, 206, whole[5:10]),
        ({"Range": "bytes=-3"}, 206, whole[-3:]),
        ({"Range": "bytes=5-9", "If-Range": etag}, 206, whole[5:10]),
        ({"Range": "bytes=5-9", "If-Range": '"other"'}, 200, whole),
        ({"Range": "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 36, 4))}, 200, whole),
        ({"If-Modified-Since": "Fri, 27 Nov 2099 00:00:00 GMT"}, 200, whole),
        ({"If-None-Match": etag}, 304, b""),
    ):
        answer = client.request("GET", path, headers=fields)
        assert (answer.status, answer.body) == (status, body), fields
        assert answer.headers["etag"] == etag
    two = client.request("GET", path, headers={"Range": "bytes=0-1,4-5"})
    assert (two.status, two.headers["content-type"].partition(";")[0]) == (206, "multipart/byteranges")
    beyond = client.request("GET", path, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status, beyond.slug) == (416, "range-not-satisfiable")
    nginx.close()
