"""Reports of browsers: logged in words of ours, bounded, limited; and the policies that make them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from service import paths

from .conftest import Api, problem

if TYPE_CHECKING:
    from service.settings import Settings
    from tests.conftest import FrozenClock

SECRET = "mZq7SECRETlinkq7Zq7Zq7Zq7Zq7Zq7Z"


def send(api: Api, body: Any, kind: str = "application/reports+json", **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return api.ask("POST", paths.BROWSER_REPORTS, data=data, headers={"Content-Type": kind} | headers)


def violation(**changes: Any) -> dict[str, Any]:
    body = {
        "documentURL": f"https://logo.example.org/en/sign-in/{SECRET}?x={SECRET}",
        "referrer": f"https://logo.example.org/{SECRET}",
        "blockedURL": f"https://evil.example/{SECRET}",
        "effectiveDirective": "script-src-elem",
        "originalPolicy": SECRET,
        "sample": SECRET,
        "disposition": "enforce",
        "statusCode": 200,
    }
    return {"type": "csp-violation", "age": 10, "url": f"https://x/{SECRET}", "body": body | changes}


def told(api: Api, *sent: Any, **more: Any) -> list[dict[str, str]]:
    with capture_logs() as lines:
        answer = send(api, *sent, **more)
    assert answer.status_code == 204
    assert not answer.data
    assert SECRET not in str(lines)
    return [
        {name: line[name] for name in ("directive", "blocked", "page")} for line in lines if "refused" in line["event"]
    ]


def test_a_violation_is_logged_by_directive_route_and_kind_and_nothing_that_was_sent_is(api: Api) -> None:
    (line,) = told(api, [violation(), {"type": "deprecation", "body": {}}])
    assert (line["directive"], line["blocked"]) == ("script-src-elem", "https")
    assert line["page"].endswith("/sign-in/<secret>")
    old = {"document-uri": f"https://x/{SECRET}", "violated-directive": "img-src 'self'", "blocked-uri": "inline"}
    assert told(api, {"csp-report": old}, kind="application/csp-report") == [
        {"directive": "img-src", "blocked": "inline", "page": "none"}
    ]
    odd = violation(effectiveDirective=SECRET, blockedURL=SECRET, documentURL=f"http://[{SECRET}")
    assert told(api, [odd]) == [{"directive": "other", "blocked": "other", "page": "none"}]


def test_reports_of_any_site_are_taken_and_few_of_many_are_told(api: Api) -> None:
    assert len(told(api, [violation()] * 30, Origin="null", **{"Sec-Fetch-Site": "cross-site"})) == 20


def test_what_is_no_report_is_refused(api: Api) -> None:
    problem(send(api, [violation()], kind="application/json"), 415, "unsupported-media-type")
    problem(send(api, b"{"), 422, "invalid-request")
    problem(send(api, b"7"), 422, "invalid-request")
    problem(send(api, [violation(sample="x" * 66_000)]), 413, "too-large")
    problem(api.ask("GET", paths.BROWSER_REPORTS), 405, "method-not-allowed")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "body", "csp-report", "blockedURL", "documentURL", "effectiveDirective"]), inner
        )
    ),
    max_leaves=12,
)


def test_whatever_is_sent_no_report_is_a_server_error(api: Api) -> None:
    @given(_ANY | st.lists(_ANY.map(lambda body: {"type": "csp-violation", "body": body}), max_size=3))
    @settings(max_examples=60, deadline=None)
    def check(sent: Any) -> None:
        assert send(api, sent).status_code in (204, 422)

    check()


@pytest.fixture
def limited(settings: Settings, clock: FrozenClock) -> Iterator[Api]:
    """The application with rate limits, under an https address."""
    from service.app import create_app

    changed = dataclasses.replace(settings, rate_limits=True, base_url="https://logo.example.org")
    made = create_app(settings=changed, clock=clock)
    yield Api(made)
    made.extensions["emblem"].close()


def test_reports_are_limited(limited: Api) -> None:
    assert [send(limited, []).status_code for _ in range(21)] == [204] * 20 + [429]


def test_pages_say_where_to_report_and_share_their_process_with_nobody(api: Api, limited: Api) -> None:
    plain, safe = (one.ask("GET", "/en/").headers for one in (api, limited))
    for headers in (plain, safe):
        policy = headers["Content-Security-Policy"]
        assert f"report-uri {paths.BROWSER_REPORTS}" in policy
        assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert "report-to" not in plain["Content-Security-Policy"]  # over http no browser would report at all then
    assert safe["Content-Security-Policy"].endswith("; report-to browser")
    assert safe["Reporting-Endpoints"] == f'browser="{paths.BROWSER_REPORTS}"'


def test_every_answer_over_https_asks_browsers_to_stay_with_it(limited: Api) -> None:
    embed = limited.parts.embeds.create(limited.ready(), "heart", [], "report", by="staff:cli")
    for path in (
        "/en/",
        "/healthz",
        "/nothing",
        "/api/v1/me",
        f"/logos/{embed.key}/heart/blue/64.png",
        f"/logos/{embed.key}/heart/blue/1.png",
    ):
        found = limited.ask("GET", path).headers["Strict-Transport-Security"]
        assert found == "max-age=31536000; includeSubDomains", path
