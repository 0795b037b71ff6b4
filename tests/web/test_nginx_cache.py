"""The nginx of docs/deploy in front of a running Emblem: shares what may be shared, and nothing for too long."""

from __future__ import annotations

import posixpath
import random
import ssl
import struct
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.parts.demo import Answer, Client, Demo
from tests.parts.nginx import DeployedNginx
from tests.parts.processes import wait_until
from tests.parts.walk import Walk

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
FIREFOX = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
OLDER = "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"
OLDEST = "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"
SITE = "https://partner.example.org"


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
        wait_until(lambda: len(self.nginx.statuses()) > before, 5, "nginx logs the request")
        return answer, self.nginx.statuses()[-1]

    def grow_old(self) -> None:
        """Makes all that the cache holds older than its five minutes, as their time in the files says."""
        for file in self.nginx.cache.rglob("*"):
            if file.is_file():
                with file.open("r+b") as opened:
                    version, valid_until = struct.unpack("<QQ", opened.read(16))
                    assert version == 5, "another format of nginx's cache files"
                    opened.seek(8)
                    opened.write(struct.pack("<Q", valid_until - 301))


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
    for query in ("?utm_source=x", "?v=1&w=2", "?space=0", "?space", "?on1=ffffff"):
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
     "heart/green/134.png", "heart/blue/134.gif", "heart/blue/1.png", "heart/blue/600.png", "bird/blue/134.png"],
)  # fmt: skip
def test_an_unusual_address_never_gets_another_ones_picture(front: Front, rest: str) -> None:
    front.get(front.path("134.png"))
    path = f"/logos/{front.key}/{rest}"
    through, direct = front.cached.get(path), front.direct.get(path)
    if through.status == 200:  # nginx takes out .. and // as browsers do; what it sends is then of that address
        direct = front.direct.get(posixpath.normpath(unquote(path)))
        assert through.body == direct.body
    assert (through.status, through.slug) == (direct.status, direct.slug)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [(CHROME, "avif"), (FIREFOX, "avif"), (OLDER, "webp"), (OLDEST, "png"), ("*/*", "avif"), ("image/webp", "webp")],
)
def test_each_kind_of_browser_gets_its_format_from_the_cache(front: Front, accept: str, kind: str) -> None:
    path = front.path("135.auto")
    for welcome in (CHROME, OLDER, OLDEST):  # what others are welcome to does not change it
        front.get(path, Accept=welcome)
    answer, said = front.get(path, Accept=accept)
    assert (answer.headers["content-type"], said) == (f"image/{kind}", "HIT")
    assert answer.headers["vary"] == "Accept"
    assert answer.body == front.direct.request("GET", path, headers={"Accept": accept}).body


def test_any_accept_is_negotiated_as_without_the_cache(front: Front) -> None:
    pick = random.Random(7)
    kinds = ["image/avif", "image/webp", "image/png", "image/svg+xml", "image/*", "*/*", "text/html", "IMAGE/AVIF", "x"]
    weights = ["", "", "", ";q=0.9", ";q=0.5", ";q=0", ";q=1.0", "; q=1", ";v=b3", ";q=x"]
    path = front.path("136.auto")
    for _ in range(300):
        parts = [pick.choice(kinds) + pick.choice(weights) for _ in range(pick.randint(0, 4))]
        accept = pick.choice([",", ", ", " ,"]).join(parts)
        through = front.cached.request("GET", path, headers={"Accept": accept})
        direct = front.direct.request("GET", path, headers={"Accept": accept})
        assert (through.status, through.headers["content-type"]) == (direct.status, direct.headers["content-type"]), (
            accept
        )


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
    wait_until(lambda: len(front.nginx.statuses()) == 50, 5, "nginx logs all")
    assert Counter(front.nginx.statuses())["MISS"] == 1


def test_what_refuses_other_sites_is_never_shared(front: Front) -> None:
    path = front.path("139.png", front.embed(unlisted="refuse")["key"])
    for _ in range(2):
        allowed, said = front.get(path, Origin=SITE)
        assert (allowed.status, said) == (200, "MISS")
        assert allowed.headers["cache-control"] == "private, max-age=300"
        foreign, said = front.get(path, Origin="https://elsewhere.example.net")
        assert (foreign.status, foreign.slug, said) == (403, "origin-not-allowed", "MISS")


def test_after_five_minutes_one_request_asks_again(front: Front) -> None:
    path = front.path("140.png")
    body = front.get(path)[0].body
    front.grow_old()
    assert [front.get(path)[1] for _ in range(2)] == ["REVALIDATED", "HIT"]
    assert front.get(path)[0].body == body


def test_a_revoked_embed_ends_with_its_five_minutes(front: Front) -> None:
    """After revocation a cache shows it for at most five minutes and one view more."""
    key = front.embed()["key"]
    path = front.path("141.png", key)
    front.get(path)
    assert front.walk.portal.request("DELETE", f"/api/v1/embeds/{key}").status == 204
    wait_until(lambda: front.direct.get(path).status == 410, 10, "every worker knows of the end")
    answer, said = front.get(path)
    assert (answer.status, said) == (200, "HIT")
    front.grow_old()
    for _ in range(3):
        answer, said = front.get(path)
        assert (answer.status, answer.slug) == (410, "embed-revoked")


def test_an_embed_that_begins_to_refuse_is_shared_no_longer(front: Front) -> None:
    key = front.embed()["key"]
    path = front.path("142.png", key)
    foreign = {"Origin": "https://elsewhere.example.net"}
    assert front.get(path, **foreign)[0].status == 200
    assert front.walk.portal.request("PATCH", f"/api/v1/embeds/{key}", {"unlisted": "refuse"}).status == 200
    wait_until(lambda: front.direct.request("GET", path, headers=foreign).status == 403, 10, "every worker knows")
    front.grow_old()
    assert front.get(path, Origin=SITE)[0].status == 200
    for _ in range(2):
        assert front.get(path, **foreign)[0].status == 403


def test_while_emblem_is_away_the_cache_goes_on(new_demo: Callable[..., Demo], tmp_path: Path) -> None:
    demo = new_demo()
    nginx = DeployedNginx(tmp_path / "nginx", urlsplit(demo.base_url).netloc)
    front = Front(demo, nginx, Walk(demo))
    path = front.path("143.png")
    body = front.get(path)[0].body
    front.grow_old()
    demo.stop()
    answer, said = front.get(path)
    assert (answer.status, answer.body, said) == (200, body, "STALE")
    demo.start(urlsplit(demo.base_url).port or 0)
    wait_until(lambda: front.get(path)[1] in ("REVALIDATED", "HIT"), 15, "nginx tries Emblem again")
    nginx.close()


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
            assert front.get(auto, Accept="image/webp;q=0.9")[1] == "BYPASS"
            views += 3
        etag = front.get(path, "HEAD")[0].headers["etag"]
        assert front.get(path, If_None_Match=etag)[0].status == 304
        assert front.get(front.path("144.png") + "?on=000000")[0].status == 422
        if turn < 2:
            front.grow_old()
    said = Counter(nginx.statuses())
    assert said["REVALIDATED"] >= 2
    for expected in (said["HIT"] + said["REVALIDATED"], 0):  # the same file again changes nothing
        status, out, error = demo.cli("audit", "import-log", str(nginx.log), "--format", "nginx", "--json")
        assert status == 0, error
        assert ('"views": 0' in out) == (expected == 0), out
    assert demo.cli("audit", "seal")[0] == 0
    status, out, error = demo.cli("audit", "report", "--by", "variant", "--by", "origin", "--format", "csv")
    assert status == 0, error
    counted = {tuple(line.split(",")[:2]): int(line.rsplit(",", 1)[1]) for line in out.splitlines()[1:]}
    assert counted["blue/144.png", SITE] == 12
    # Which format a cache chose for .auto its log does not say: Emblem's own view has it, the cache's have not.
    assert counted["blue/145.avif", "https://other.example.net"] == 1
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
    assert (plain.status, plain.headers["location"]) == (301, "https://127.0.0.1/en/")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{nginx.url}/_emblem/storage/", context=trusting)
    nginx.close()
