from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.clients.site import is_loopback, origin_of
from service.embeds import check_origins
from service.embeds.origins import normalise
from service.problems import InvalidRequest


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://example.org", "https://example.org"),
        ("https://Example.ORG", "https://example.org"),
        ("HTTPS://example.org", "https://example.org"),
        ("https://example.org:443", "https://example.org"),
        ("https://example.org:0443", "https://example.org"),
        ("https://example.org:8443", "https://example.org:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://faß.example", "https://xn--fa-hia.example"),
        ("https://مثال.example", "https://xn--mgbh0fb.example"),
        ("https://例え.example", "https://xn--r8jz45g.example"),
        ("https://my_site.example", "https://my_site.example"),
        ("https://192.0.2.7", "https://192.0.2.7"),
        ("https://[2001:DB8:0:0::1]", "https://[2001:db8::1]"),
        ("http://localhost", "http://localhost"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://app.localhost:5000", "http://app.localhost:5000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://localhost:80", "https://localhost:80"),
    ],
)
def test_sites_are_brought_into_the_form_that_browsers_send(written: str, origin: str) -> None:
    assert check_origins([written]) == (origin,)


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("", "https://www.example.org"),
        ("example.org", "https://www.example.org"),
        ("//example.org", "https://www.example.org"),
        ("ftp://example.org", "https://www.example.org"),
        ("javascript:alert(1)", "https://www.example.org"),
        ("null", "https://www.example.org"),
        ("https://", "https://www.example.org"),
        ("https:/example.org", "https://www.example.org"),
        (" https://example.org", "https://www.example.org"),
        ("https://example.org ", "https://www.example.org"),
        ("https://exam ple.org", "https://www.example.org"),
        ("https://example.org\n", "https://www.example.org"),
        ("https://example.org:", "https://www.example.org"),
        ("https://example.org:https", "https://www.example.org"),
        ("https://example.org:٤٤٣", "https://www.example.org"),
        ("https://exa%6dple.org", "https://www.example.org"),
        ("https://example.org\\@evil.example", "@"),
        ("https://example.org/", "https://example.org"),
        ("https://example.org/logo", "path"),
        ("https://example.org?a=b", "path"),
        ("https://example.org#top", "path"),
        ("https://user@example.org", "@"),
        ("https://user:secret@example.org", "@"),
        ("https://*.example.org", "wildcard"),
        ("*", "wildcard"),
        ("http://example.org", "https://"),
        ("http://192.0.2.7", "https://"),
        ("http://localhost.example.org", "https://"),
        ("http://notlocalhost", "https://"),
        ("https://example.org:0", "65535"),
        ("https://example.org:65536", "65535"),
        ("https://-example.org", "host"),
        ("https://example..org", "host"),
        ("https://.example.org", "host"),
        ("https://example.org.", "host"),
        (f"https://{'a' * 64}.example", "host"),
        (f"https://{'.'.join(['a' * 60] * 5)}", "host"),
        ("https://xn--\u00fc.example", "host"),
        ("https://xn--a-.example", "host"),
        ("https://256.1.1.1", "host"),
        ("https://127.1", "host"),
        ("https://2130706433", "host"),
        ("https://0x7f.0.0.0x1", "host"),
        ("https://[::g]", "https://www.example.org"),
        ("https://[:::]", "host"),
        ("https://exa\u200bmple.org:99999", "65535"),
    ],
)
def test_whatever_is_no_site_is_refused_with_what_to_do(written: str, hint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_origins(["https://fine.example", written])
    (error,) = caught.value.errors
    assert error.pointer == "/origins/1"
    assert hint in error.detail


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_origins(["nonsense", "https://a.example", "http://b.example", "https://A.example:443"])
    assert [error.pointer for error in caught.value.errors] == ["/origins/0", "/origins/2", "/origins/3"]
    assert "already" in caught.value.errors[2].detail


def test_at_most_fifty_sites_and_as_few_as_none() -> None:
    sites = [f"https://site{number}.example" for number in range(51)]
    assert check_origins([]) == ()
    assert check_origins(sites[:50]) == tuple(sites[:50])
    with pytest.raises(InvalidRequest) as caught:
        check_origins(sites)
    assert [error.pointer for error in caught.value.errors] == ["/origins"]


labels = st.from_regex(r"\A[a-z]([a-z0-9-]{0,10}[a-z0-9])?\Z").filter(lambda label: not label.startswith("xn--"))
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)
ports = st.integers(1, 65_535)


@given(hosts, ports, st.booleans())
def test_origins_are_compared_exactly_with_origin_and_else_with_the_origin_of_referer(
    host: str, port: int, loud: bool
) -> None:
    written = f"https://{host.upper() if loud else host}:{port}"
    (origin,) = check_origins([written])
    sent = f"https://{host}" + ("" if port == 443 else f":{port}")  # as browsers serialise it
    assert origin == sent
    assert origin_of(sent, None) == origin
    assert origin_of(sent, "https://elsewhere.example/page") == origin
    assert origin_of(None, f"{sent}/some/page?with=query#and") == origin
    assert origin_of(None, f"{sent}/") == origin
    assert check_origins([origin]) == (origin,)


@given(st.text(max_size=60) | st.text(max_size=60).map("https://".__add__))
@example("https://a.example\x00")
@example("https://\u2488com")
@example("http://ⓛocalhost")
def test_whatever_is_taken_is_an_origin_and_its_own_normal_form(text: str) -> None:
    try:
        origin = normalise(text)
    except ValueError:
        return
    assert normalise(origin) == origin
    parts = urlsplit(origin)
    assert origin.isascii()
    assert origin == origin.lower()
    assert origin == f"{parts.scheme}://{parts.netloc}"
    assert parts.scheme == "https" or is_loopback(parts.netloc.rpartition(":")[0] if parts.port else parts.netloc)
    assert "@" not in origin
    assert "*" not in origin
    assert len(origin) <= 300
