"""``/logos/``: whole sets of header fields, negotiation, origins, refusals, and that nothing wrong is rendered."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.parts.codings import DECODERS

from .conftest import Api, problem

if TYPE_CHECKING:
    from tests.conftest import FrozenClock

PUBLIC = "public, max-age=300, stale-while-revalidate=86400"


class Partner:
    """An approved participant with one embed of the heart."""

    def __init__(self, api: Api, unlisted: str = "report") -> None:
        self.api = api
        self.participant = api.ready()
        body = {
            "participant": self.participant,
            "logo": "heart",
            "origins": ["https://www.example.org"],
            "unlisted": unlisted,
        }
        answer = api.ask("POST", "/api/v1/embeds", key="portal", json=body)
        assert answer.status_code == 201, answer.text
        self.embed: dict[str, Any] = answer.json

    def get(self, file: str, method: str = "GET", **headers: str) -> Any:
        """Asks for ``{colourway}/{width}.{format}`` of the heart."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.api.ask(method, f"/logos/{self.embed['key']}/heart/{file}", headers=fields)


@pytest.fixture
def partner(api: Api) -> Partner:
    return Partner(api)


@pytest.mark.parametrize("kind", ["png", "webp", "avif"])
def test_width_is_exact_and_height_follows(partner: Partner, kind: str) -> None:
    answer = partner.get(f"blue/200.{kind}")
    assert answer.status_code == 200
    with Image.open(io.BytesIO(answer.data)) as picture:
        assert picture.size == (200, round(200 / partner.api.parts.campaign.logos["heart"].aspect_ratio))
        assert picture.convert("RGBA").getpixel((0, 0))[3] == 0, "transparency is kept"  # type: ignore[index]


def test_the_whole_set_of_fields(partner: Partner) -> None:
    answer = partner.get("blue/64.png")
    base = partner.api.parts.settings.base_url
    assert dict(answer.headers) == {
        "Content-Type": "image/png",
        "Content-Length": str(len(answer.data)),
        "ETag": answer.headers["ETag"],
        "Cache-Control": PUBLIC,
        "Access-Control-Allow-Origin": "*",
        "Link": f'<{base}/en/terms/logo-terms>; rel="license"',
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    assert answer.headers["ETag"].startswith('"')


def test_a_vector_runs_nothing(partner: Partner) -> None:
    answer = partner.get("blue/64.svg")
    assert answer.mimetype == "image/svg+xml"
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; base-uri 'none'; form-action 'none'; sandbox"
    )
    assert b'width="64"' in answer.data


def test_head_is_like_get_without_the_picture(partner: Partner) -> None:
    get, head = partner.get("blue/64.webp"), partner.get("blue/64.webp", "HEAD")
    assert head.data == b""
    assert dict(head.headers) == dict(get.headers)


def test_304_for_who_has_it(partner: Partner) -> None:
    tag = partner.get("blue/64.png").headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = partner.get("blue/64.png", If_None_Match=known)
        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert "Content-Length" not in answer.headers
    assert partner.get("blue/64.png", If_None_Match='"other"').status_code == 200


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "image/png"),
        ("*/*", "image/png"),
        ("image/*", "image/png"),
        ("image/webp,*/*", "image/webp"),
        ("image/webp,*/*;q=0.8", "image/webp"),
        ("image/png", "image/png"),
        ("image/avif;q=0.5, image/png", "image/png"),
        ("image/avif;q=0, image/*", "image/png"),
        ("image/svg+xml, */*", "image/svg+xml"),
        ("image/avif", "image/avif"),
        ("image/jxl", "image/jxl"),
        # At 64 pixels: SVG 321 bytes, JPEG XL 470, WebP 506, PNG 696, AVIF 919.
        ("image/avif,image/webp,*/*;q=0.8", "image/webp"),
        ("image/jxl,image/avif,image/webp,image/apng,*/*;q=0.8", "image/jxl"),
        ("image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "image/svg+xml"),
        ("image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", "image/svg+xml"),
    ],
)
def test_auto_is_the_smallest_of_the_formats_that_are_named(partner: Partner, accept: str, media_type: str) -> None:
    answer = partner.get("blue/64.auto", Accept=accept)
    assert (answer.status_code, answer.mimetype) == (200, media_type)
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"


def test_a_drawing_is_sent_in_each_content_coding_with_its_own_tag(partner: Partner) -> None:
    """SVG is sent as br, zstd or gzip to whoever takes it (``Vary: Accept-Encoding``, an ETag a coding)."""
    plain = partner.get("blue/64.svg")
    assert "Content-Encoding" not in plain.headers
    tags = {plain.headers["ETag"]}
    for file in ("blue/64.svg", "blue/64.auto"):
        for coding, undo in DECODERS.items():
            fields = {"Accept": "image/svg+xml", "Accept_Encoding": coding}
            answer = partner.get(file, **fields)
            assert answer.headers["Content-Encoding"] == coding
            assert answer.headers["Content-Length"] == str(len(answer.data))
            assert answer.headers["Vary"] == ("Accept, " if "auto" in file else "") + "Accept-Encoding"
            assert undo(answer.data) == plain.data
            assert len(answer.data) < len(plain.data)
            tags.add(answer.headers["ETag"])
            head = partner.get(file, "HEAD", **fields)
            assert (dict(head.headers), head.data) == (dict(answer.headers), b"")
            known = partner.get(file, If_None_Match=answer.headers["ETag"], **fields)
            assert (known.status_code, known.data) == (304, b"")
            assert known.headers["Vary"] == answer.headers["Vary"]
            assert partner.get(file, If_None_Match=answer.headers["ETag"], Accept="image/svg+xml").status_code == 200
    assert len(tags) == 4
    assert "Content-Encoding" not in partner.get("blue/64.png", Accept_Encoding="br").headers


def test_nothing_acceptable_is_406(partner: Partner) -> None:
    problem(partner.get("blue/64.auto", Accept="text/plain"), 406, "not-acceptable")


@pytest.mark.parametrize(
    ("file", "status", "slug"),
    [
        ("blue/23.png", 422, "below-minimum-size"),
        ("blue/0.png", 422, "below-minimum-size"),
        ("blue/513.png", 422, "width-not-offered"),
        ("blue/4112.png", 422, "width-not-offered"),
        ("blue/1000000000.png", 422, "width-not-offered"),
        ("red/64.png", 422, "unknown-colourway"),
        ("blue/64.gif", 404, "unknown-format"),
        ("blue/64.PNG", 404, "unknown-format"),
        ("blue/64", 404, "unknown-format"),
        ("blue/-64.png", 404, "not-found"),
        ("blue/064.png", 404, "not-found"),
        ("blue/6e1.png", 404, "not-found"),
        ("blue/٦٤.png", 404, "not-found"),
        ("blue/64.png/x", 404, "not-found"),
        ("blue/64.png?on=12345", 422, "invalid-background"),
        ("blue/64.png?on=", 422, "invalid-background"),
        ("blue/64.png?on=zzzzzz", 422, "invalid-background"),
        ("blue/64.png?on=0b5cad", 422, "colourway-not-allowed-on-background"),
    ],
)
def test_refusals(partner: Partner, file: str, status: int, slug: str) -> None:
    told = problem(partner.get(file), status, slug)
    if slug == "width-not-offered":
        assert len(told["nearest"]) == 2
    if slug == "colourway-not-allowed-on-background":
        assert "white" in told["use"]


def test_unknown_things(partner: Partner) -> None:
    key = partner.embed["key"]
    problem(partner.api.ask("GET", f"/logos/{key}/star/blue/64.png"), 404, "unknown-logo")
    problem(partner.api.ask("GET", f"/logos/{key}/lockup/blue/256.png"), 404, "unknown-logo")
    problem(partner.api.ask("GET", f"/logos/{key[:-4]}AAAA/heart/blue/64.png"), 404, "unknown-embed")
    problem(partner.api.ask("GET", "/logos/nothing/heart/blue/64.png"), 404, "unknown-embed")
    problem(partner.api.ask("POST", f"/logos/{key}/heart/blue/64.png"), 405, "method-not-allowed")


def test_unknown_parameters_are_ignored_and_space_makes_it_larger(partner: Partner) -> None:
    plain = partner.get("blue/64.png").data
    assert partner.get("blue/64.png?utm=x&on=ffffff").data == plain
    with Image.open(io.BytesIO(partner.get("blue/64.png?space=1").data)) as picture:
        assert picture.width > 64


def test_a_refusing_embed_is_for_its_sites_alone(api: Api) -> None:
    partner = Partner(api, "refuse")
    good = partner.get("blue/64.png", Origin="https://www.example.org")
    assert good.headers["Cache-Control"] == "private, max-age=300"
    assert good.headers["Vary"] == "Origin, Referer"
    assert partner.get("blue/64.png").status_code == 200, "a request that names no site is served"
    assert partner.get("blue/64.png", Referer="https://www.example.org/page").status_code == 200
    for bad in ("https://evil.example", "http://www.example.org", "https://www.example.org:8443", "null"):
        problem(partner.get("blue/64.png", Origin=bad), 403, "origin-not-allowed")
    problem(partner.get("blue/64.png", Referer="https://evil.example/www.example.org"), 403, "origin-not-allowed")


def test_a_cache_that_can_is_told_to_ask_each_time(api: Api) -> None:
    """What only Emblem may answer takes the place of what nginx shared before, and is never shared itself."""
    shared, alone = Partner(api), Partner(api, "refuse")
    nginx, site = {"Surrogate_Capability": 'nginx="X-Accel/1.0"'}, {"Origin": "https://www.example.org"}
    assert "X-Accel-Expires" not in shared.get("blue/64.png", **nginx).headers
    assert "X-Accel-Expires" not in shared.get("blue/1.png", **nginx).headers
    tag = alone.get("blue/64.png", **site).headers["ETag"]
    for fields in ({}, {"If_None_Match": tag}, {"Origin": "https://evil.example"}):
        assert "X-Accel-Expires" not in alone.get("blue/64.png", **site | fields).headers
        names = [name for name, _ in alone.get("blue/64.png", **nginx | site | fields).headers]
        assert names.index("X-Accel-Expires") < names.index("Cache-Control"), "older nginx heeds the first"
    assert shared.get("blue/64.png").headers["ETag"] != tag
    api.ask("DELETE", f"/api/v1/embeds/{shared.embed['key']}", key="portal")
    assert shared.get("blue/64.png", **nginx).headers["X-Accel-Expires"] == "@1"
    assert "X-Accel-Expires" not in shared.get("blue/64.png").headers


def test_views_are_counted_by_origin_and_variant(partner: Partner, clock: FrozenClock) -> None:
    for _ in range(3):
        partner.get("blue/64.png", Origin="https://www.example.org")
    tag = partner.get("blue/64.png", Origin="https://elsewhere.example").headers["ETag"]
    partner.get("blue/64.png", Origin="https://www.example.org", If_None_Match=tag)
    partner.get("blue/64.png", "HEAD", Origin="https://www.example.org")
    partner.get("red/64.png", Origin="https://www.example.org")
    parts = partner.api.parts
    parts.embeds.enter_uses(everything=True)
    parts.sealer.seal()
    rows = partner.api.ask("GET", "/api/v1/audit/report?by=origin&by=variant", key="auditor").json["rows"]
    seen = {(row["origin"], row["variant"]): row["logo_views"] for row in rows if row["logo_views"]}
    assert seen == {("https://www.example.org", "blue/64.png"): 3, ("https://elsewhere.example", "blue/64.png"): 1}


def test_the_end_of_an_embed(partner: Partner) -> None:
    key, decisions = partner.embed["key"], f"/api/v1/participants/{partner.participant}/decisions"
    for outcome, status in (("suspended", 403), ("approved", 200)):
        partner.api.ask("POST", decisions, key="staff", json={"outcome": outcome, "reason": "A test."})
        partner.api.parts.embeds.refresh()
        assert partner.get("blue/64.png").status_code == status
    assert partner.api.ask("DELETE", f"/api/v1/embeds/{key}", key="portal").status_code == 204
    problem(partner.get("blue/64.png"), 410, "embed-revoked")


def test_a_warm_variant_touches_no_database(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    partner.get("blue/64.png")

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(partner.api.parts.database, "read", never)
    monkeypatch.setattr(partner.api.parts.database, "write", never)
    assert partner.get("blue/64.png").status_code == 200
