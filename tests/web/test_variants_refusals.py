"""``/logos/`` under bad input: whatever is wrong is the contract's problem, after no work that anyone could abuse.

The oracle (``problems_of``) is written from the rules of variants alone: for each request all problems that it has. The
answer has to be one of them, and the picture only where there is none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from .conftest import problem
from .test_variants import Partner

if TYPE_CHECKING:
    from service.deployment import Deployment
    from service.logos import VariantRequest

    from .conftest import Api

FORMATS = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
    "jxl": "image/jxl",
}
COLOURWAYS = ["blue", "white", "black"]
MINIMUM = {"heart": 24, "lockup": 96}


@dataclass
class Work:
    """What the requests of this thread cost: calls that may wait for a disk, a database or an encoder."""

    renders: list[VariantRequest] = field(default_factory=list)
    statements: int = 0
    storage: int = 0

    def reset(self) -> None:
        """Counts from zero."""
        self.renders, self.statements, self.storage = [], 0, 0

    def none(self) -> bool:
        """Whether there was none at all."""
        return (self.renders, self.statements, self.storage) == ([], 0, 0)


@pytest.fixture
def partner(api: Api) -> Partner:
    return Partner(api)


@pytest.fixture
def work(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Counts work from now on; what would be rendered is a few bytes instead, so that good requests cost nothing."""
    return watch(partner.api.parts, monkeypatch)


def watch(parts: Deployment, monkeypatch: pytest.MonkeyPatch) -> Work:
    spent, me = Work(), threading.get_ident()
    variants, database, storage = parts.variants, parts.database, parts.storage

    def counted(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            if threading.get_ident() == me:
                setattr(spent, name, getattr(spent, name) + 1)
            return original(*arguments, **more)

        return call

    def rendered(plan: VariantRequest) -> bytes:
        spent.renders.append(plan)
        return b"picture"

    for method in ("read", "write"):
        monkeypatch.setattr(database, method, counted("statements", getattr(database, method)))
    for method in ("put_new", "replace", "read", "stream", "stat", "size", "delete", "list"):
        monkeypatch.setattr(storage, method, counted("storage", getattr(storage, method)))
    monkeypatch.setattr(variants, "_rendered", rendered)
    monkeypatch.setattr(variants, "_svg", rendered)
    parts.embeds.start()  # the view of embeds is kept by a thread of its own, as in a server
    return spent


# ---- what the contract says of a request


@dataclass(frozen=True)
class Asked:
    """A request in pieces; ``query`` as it stands in the URL."""

    key: str = "good"  # or a key that no embed has
    logo: str = "heart"
    colourway: str = "blue"
    width: str = "64"
    kind: str = "png"
    query: tuple[tuple[str, str], ...] = ()
    accept: str | None = None
    method: str = "GET"

    def path(self, partner: Partner) -> str:
        """The path, each piece percent-encoded as a client would send it."""
        key = partner.embed["key"] if self.key == "good" else self.key
        pieces = (key, self.logo, self.colourway, f"{self.width}.{self.kind}")
        return "/logos/" + "/".join(quote(piece, safe="", errors="surrogatepass") for piece in pieces)

    def send(self, partner: Partner) -> Any:
        """Asks the application."""
        headers = {} if self.accept is None else {"Accept": self.accept}
        query = urlencode(self.query, errors="surrogatepass")
        return partner.api.app.test_client().open(
            self.path(partner), method=self.method, query_string=query, headers=headers
        )


def problems_of(asked: Asked, partner: Partner) -> set[tuple[int, str]]:
    """Every problem of a request, by the rules of variants."""
    if asked.method not in ("GET", "HEAD"):
        return {(405, "method-not-allowed"), (404, "not-found")}  # 404 where nothing is for any method
    found: set[tuple[int, str]] = set()
    if asked.key != "good":
        found.add((404, "unknown-embed"))
    if asked.logo != "heart":
        found.add((404, "unknown-logo"))
    if asked.colourway not in COLOURWAYS:
        found.add((422, "unknown-colourway"))
    width, _, kind = f"{asked.width}.{asked.kind}".partition(".")
    if kind not in (*FORMATS, "auto"):
        found.add((404, "unknown-format"))
    if kind == "auto" and asked.accept is not None and not welcome(asked.accept):
        found.add((406, "not-acceptable"))
    return found | problems_of_width(width, asked.logo) | problems_of_background(asked, partner)


def problems_of_width(width: str, logo: str) -> set[tuple[int, str]]:
    """Canonical decimal; from the logo's minimum to 512, and multiples of 16 up to 4096."""
    if not (width.isascii() and width.isdecimal() and (width == "0" or width[0] != "0")):
        return {(404, "not-found")}
    if len(width) > 4 or int(width) > 4096 or (int(width) > 512 and int(width) % 16):
        return {(422, "width-not-offered")}
    return {(422, "below-minimum-size")} if int(width) < MINIMUM.get(logo, 0) else set()


def problems_of_background(asked: Asked, partner: Partner) -> set[tuple[int, str]]:
    """``?on=rrggbb``; of several the first."""
    on = next((value for name, value in asked.query if name == "on"), None)
    if on is None:
        return set()
    if len(on) != 6 or not set(on) <= set("0123456789abcdefABCDEF"):
        return {(422, "invalid-background")}
    brand = partner.api.parts.campaign.brand
    if asked.colourway in COLOURWAYS and not brand.colourway_allowed(asked.colourway, on):
        return {(422, "colourway-not-allowed-on-background")}
    return set()


def welcome(accept: str) -> list[str]:
    """The formats that a well-formed ``Accept`` (each range once) welcomes most, by the contract's words."""
    said = {}
    for entry in accept.split(","):
        kind, _, quality = entry.strip().partition(";q=")
        said[kind] = float(quality or 1)

    wildcard = said.get("image/*", said.get("*/*", 0.0))
    liked = {name: said.get(kind, wildcard if name == "png" else 0.0) for name, kind in FORMATS.items()}
    if not accept.strip():
        return ["png"]
    return [name for name, weight in liked.items() if weight == max(liked.values()) > 0]


def mostly(good: list[str], bad: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A good value four times of five, so that many requests have one mistake alone."""
    return st.one_of(*[st.sampled_from(good)] * 4, bad)


text = st.text(max_size=8).filter(lambda value: "/" not in value and value not in (".", ".."))
numbers = st.one_of(
    st.integers(-(10**10), 10**10).map(str),
    st.sampled_from(["0", "00", "1", "23", "513", "4097", "4112", "1000000000", "9" * 5000]),
    st.sampled_from(["064", "+64", "-64", " 64", "64 ", "6 4", "64\n", "6_4", "64e0", "0x40", "64px", "64,5"]),
    st.sampled_from(["٦٤", "६४", "６４", "²", "Ⅷ", "", "NaN", "inf", "%36%34", "64%"]),
    text.filter(lambda value: "." not in value),
)
ranges = st.dictionaries(
    st.sampled_from([*FORMATS.values(), "image/*", "*/*", "text/html", "image/gif"]),
    st.sampled_from(["", ";q=1", ";q=0.9", ";q=0.5", ";q=0.001", ";q=0"]),
    max_size=5,
).map(lambda said: ", ".join(kind + quality for kind, quality in said.items()))
colours = st.one_of(
    st.from_regex(r"[0-9a-fA-F]{6}", fullmatch=True),
    st.sampled_from(
        ["fff", "#ffffff", "white", "ffffff00", "FFFFFF", " ffffff", "ffffff\n", "", "rgb(0,0,0)", "gggggg"]
    ),
    st.sampled_from(["٠" * 6, "ｆｆｆｆｆｆ", "0xffff", "-fffff", "%66" * 6]),
    text,
)
queries = st.lists(
    st.one_of(
        st.tuples(st.just("on"), colours),
        st.tuples(st.just("space"), st.one_of(st.sampled_from(["1", "0", "", "true", "-1", "１", "1 "]), text)),
        st.tuples(text.filter(lambda name: name not in ("on", "space")), text),
    ),
    max_size=3,
).map(tuple)
requests = st.builds(
    Asked,
    key=mostly(["good"], st.sampled_from(["ebd_", "nothing", "ebd_" + "A" * 23, "", "good "])),
    logo=mostly(["heart"], st.one_of(st.sampled_from(["lockup", "Heart", "star", ""]), text)),
    colourway=mostly(COLOURWAYS, st.one_of(st.sampled_from(["Blue", "red", "blue "]), text)),
    width=mostly(["64", "24", "512", "528", "4096"], numbers),
    kind=mostly([*FORMATS, "auto", "auto"], st.one_of(st.sampled_from(["PNG", "jpg", "gif", "png.exe", "png "]), text)),
    query=queries,
    accept=st.one_of(st.none(), ranges),
    method=mostly(["GET"], st.sampled_from(["HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])),
)


@given(asked=requests)
@example(asked=Asked(width="0"))
@example(asked=Asked(width="-1"))
@example(asked=Asked(width="1000000000"))
@example(asked=Asked(width="٦٤"))
@example(asked=Asked(width="064"))
@example(asked=Asked(query=(("on", "fff"),)))
@example(asked=Asked(query=(("on", "0b5cad"), ("on", "ffffff"))))
@example(asked=Asked(query=(("on", "ffffff"), ("on", "0b5cad"))))
@example(asked=Asked(kind="auto", accept="image/*;q=0"))
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_wrong_is_the_contracts_problem_and_never_a_render(
    partner: Partner, work: Work, asked: Asked
) -> None:
    """422 ``below-minimum-size``, ``width-not-offered``, ``colourway-not-allowed-on-background``,
    ``unknown-colourway``, ``invalid-background``; 404 ``unknown-logo``, ``unknown-embed``, ``unknown-format``, and
    for a width that is no canonical decimal; 406. Requests outside the ladder are refused before any work."""
    expected = problems_of(asked, partner)
    work.reset()
    answer = asked.send(partner)
    if not expected:
        assert answer.status_code == 200, (asked, answer.text)
        return
    assert work.none()
    assert answer.status_code in {status for status, _ in expected}, (asked, expected, answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    if answer.mimetype == "text/html":  # a browser asking for HTML gets the same as a page
        assert "text/html" in (asked.accept or "")
        return
    assert answer.mimetype == "application/problem+json"
    if asked.method == "HEAD":
        assert answer.data == b""
        return
    slug = answer.get_json(force=True)["type"].removeprefix("/problems/")
    problem(answer, answer.status_code, slug)
    assert (answer.status_code, slug) in expected, asked


@given(path=st.binary(max_size=60), query=st.binary(max_size=30), inside=st.booleans())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_in_path_and_query_end_in_an_error_of_ours_or_a_render(
    partner: Partner, work: Work, path: bytes, query: bytes, inside: bool
) -> None:
    """Every malformed path: the contract's problem, never a render."""
    before = f"/logos/{partner.embed['key']}/heart/" if inside else "/logos/"
    raw = {"PATH_INFO": before + path.decode("latin-1"), "QUERY_STRING": query.decode("latin-1")}
    work.reset()
    answer = partner.api.app.test_client().open("/", environ_overrides=raw)
    assert answer.status_code in (404, 422)
    assert answer.mimetype == "application/problem+json"
    assert work.none()


@pytest.mark.parametrize(
    ("file", "status"),
    [
        ("blue/%36%34.png", 200),
        ("%62lue/64%2Epng", 200),
        ("blue%2F64.png", 200),  # a server sees the same path
        ("blue/64.png?on=%66%66%66%66%66%66", 200),
        ("blue/64.png?on=FFFFFF", 200),
        ("blue/64.png?on=ffffff&on=nonsense", 200),
        ("blue/64.png?%6Fn=ffffff", 200),
        ("blue/64.png?ON=nonsense", 200),  # names of parameters have a case; an unknown one is ignored
        ("blue/%2536%2534.png", 404),
        ("blue/64.png%00", 404),
        ("blue/64%0A.png", 404),
        ("blue/%2064.png", 404),
        ("blue/+64.png", 404),
        ("blue/%D9%A6%D9%A4.png", 404),
        ("blue/%EF%BC%96%EF%BC%94.png", 404),
        ("blue/%FF%FE.png", 404),
        ("blue//64.png", 404),
        ("../heart/blue/64.png", 404),
        ("blue/..%2F64.png", 404),
        ("blue/64.png/", 404),
        ("blue/64.png;x=1", 404),
        ("blue%00/64.png", 422),
        ("blue/64.png?on=%23ffffff", 422),
        ("blue/64.png?on=fff", 422),
        ("blue/64.png?on", 422),
        ("blue/64.png?on=%FF%FF%FF", 422),
        ("blue/64.png?on=nonsense&on=ffffff", 422),
    ],
)
def test_percent_encoding_is_undone_once_and_nothing_else_is(
    partner: Partner, work: Work, file: str, status: int
) -> None:
    work.reset()
    answer = partner.get(file)
    assert answer.status_code == status, answer.text
    assert len(work.renders) == (status == 200)


@given(ranges)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_auto_is_the_most_welcome_format(partner: Partner, work: Work, accept: str) -> None:
    """``auto``: each format that ``Accept`` names has its weight, wildcards give theirs to PNG alone, the highest
    weight wins; ``Vary: Accept, Accept-Encoding``; 406."""
    best = welcome(accept)
    work.reset()
    answer = partner.get("blue/64.auto", Accept=accept)
    assert "Accept" in answer.headers["Vary"]
    if not best:
        assert answer.status_code == 406
        assert work.none()
    else:
        assert answer.headers["Vary"] == "Accept, Accept-Encoding"
        # All pictures are of one size here, and of such the first of the table is sent.
        assert (answer.status_code, answer.mimetype) == (200, FORMATS[best[0]])


weights = st.sampled_from(
    ["", "0", "1", "0.5", "-1", "2", "1e9", "nan", "inf", ".", "0.1.2", "q", '"', "\u0660.5", "0,5"]
)
malformed = st.one_of(
    st.binary(max_size=80).map(lambda raw: raw.decode("latin-1")),
    st.lists(
        st.tuples(st.sampled_from(["image/png", "*", "image/", "/", "*/*", "image/*", ""]), weights), max_size=6
    ).map(lambda said: ",".join(f"{kind};q={weight}" for kind, weight in said).encode().decode("latin-1")),
    st.tuples(
        st.sampled_from(["a/a,", ",", ";", '"', "image/png;q=0,", "*/*;q=0.1,", "a/a;b="]), st.integers(1, 70_000)
    ).map(lambda said: said[0] * (said[1] // len(said[0]))),
)


@given(malformed)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_accept_that_is_malformed_or_huge_is_read_as_far_as_it_makes_sense(
    partner: Partner, work: Work, accept: str
) -> None:
    """Every malformed ``Accept`` header: a picture or 406, and read no further than a fixed length."""
    work.reset()
    answer = partner.api.app.test_client().open(
        f"/logos/{partner.embed['key']}/heart/blue/64.auto", environ_overrides={"HTTP_ACCEPT": accept}
    )
    assert answer.status_code in (200, 406)
    assert answer.status_code == 200 or work.none()


def test_a_long_accept_counts_up_to_its_last_whole_entry(partner: Partner, work: Work) -> None:
    accept = "image/webp;q=0.5," + "text/plain;q=0.1," * 480 + "image/avif"
    assert 8000 < len(accept) < 8192
    assert partner.get("blue/64.auto", Accept=accept).mimetype == "image/avif"
    longer = accept.replace("image/avif", " " * 120 + "image/avif")
    assert partner.get("blue/64.auto", Accept=longer).mimetype == "image/webp"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_other_methods_are_405_and_do_nothing(partner: Partner, work: Work, method: str) -> None:
    """``GET|HEAD /logos/…``; 405 ``method-not-allowed``."""
    work.reset()
    told = problem(partner.get("blue/64.png", method), 405, "method-not-allowed")
    assert "GET" in told["detail"]
    assert work.none()


def test_the_nearest_right_url_is_in_the_problem_and_answers(partner: Partner, work: Work) -> None:
    """Every refusal explained and the nearest right URL in the problem."""
    base = partner.api.parts.settings.base_url
    for file in ("blue/513.png", "red/64.webp", "blue/7.auto?space=1", "blue/9999.png", "blue/64.png?on=0B5CAD"):
        told = partner.get(file).get_json(force=True)
        url = told["try"]
        assert url.startswith(f"{base}/logos/{partner.embed['key']}/heart/"), told
        assert partner.api.ask("GET", url.removeprefix(base)).status_code == 200, url


def test_what_is_wrong_with_on_is_pointed_at(partner: Partner) -> None:
    """``errors: [{pointer, detail}]`` for bad input (query parameters as ``?name``)."""
    (error,) = problem(partner.get("blue/64.png?on=white"), 422, "invalid-background")["errors"]
    assert error["pointer"] == "?on"


# ---- embeds that may not, and keys that are none


def test_an_embed_that_may_not_show_its_logo_costs_nothing(partner: Partner, work: Work) -> None:
    """403 ``participant-suspended``, 410 ``embed-revoked``: told from what is in memory."""
    key, decisions = partner.embed["key"], f"/api/v1/participants/{partner.participant}/decisions"
    body = {"outcome": "suspended", "reason": "A test."}
    assert partner.api.ask("POST", decisions, key="staff", json=body).status_code == 200
    partner.api.parts.embeds.refresh()
    work.reset()
    problem(partner.get("blue/64.png"), 403, "participant-suspended")
    assert work.none()
    assert partner.api.ask("DELETE", f"/api/v1/embeds/{key}", key="staff").status_code == 204
    work.reset()
    problem(partner.get("blue/64.png"), 410, "embed-revoked")
    assert work.none()


def test_a_site_that_is_refused_costs_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """403 ``origin-not-allowed``."""
    partner = Partner(api, "refuse")
    work = watch(api.parts, monkeypatch)
    work.reset()
    problem(partner.get("blue/64.png", Origin="https://elsewhere.example"), 403, "origin-not-allowed")
    assert work.none()


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=.~ ", max_size=30))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_text_that_is_no_key_is_never_looked_up(partner: Partner, work: Work, key: str) -> None:
    """404 ``unknown-embed``."""
    work.reset()
    answer = partner.api.ask("GET", f"/logos/{quote(f'ebd_{key}')}/heart/blue/64.png")
    problem(answer, 404, "unknown-embed")
    assert work.renders == []
    assert work.statements == (len(key) == 22 and key.replace("-", "").replace("_", "").isalnum())


def test_a_key_that_is_unknown_is_looked_up_once_and_then_known_as_such(partner: Partner, work: Work) -> None:
    work.reset()
    for _ in range(20):
        problem(partner.api.ask("GET", f"/logos/ebd_{'x' * 22}/heart/blue/64.png"), 404, "unknown-embed")
    assert work.statements == 1


def test_who_guesses_keys_is_sent_away(partner: Partner, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown key is looked up, rate-limited: 429 with ``Retry-After`` and no look-up."""
    monkeypatch.setattr(partner.api.parts.limiter, "enabled", True)
    answers = [partner.api.ask("GET", f"/logos/ebd_{number:022}/heart/blue/64.png") for number in range(60)]
    assert {answer.status_code for answer in answers} == {404}
    work.reset()
    refused = partner.api.ask("GET", f"/logos/ebd_{60:022}/heart/blue/64.png")
    problem(refused, 429, "rate-limited")
    assert int(refused.headers["Retry-After"]) > 0
    assert work.none()
    assert partner.get("blue/64.png").status_code == 200, "a key that is known has no such limit"
