"""The documentation as pages of the service: every file of it is one, and every link, anchor and picture holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pytest

from service import paths
from service.web.documentation import documentation

from .visitor import Html, Visitor

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).resolve().parents[2]


def pages(app: Flask) -> dict[str, Html]:
    """Every page that links lead to from the first one, by its path."""
    client, found, waiting = app.test_client(), dict[str, Html](), ["/docs/"]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, path
        if answer.mimetype != "text/html":
            continue
        found[path] = Html(answer.text)
        for link in found[path].links():
            target = urlsplit(urljoin(path, link))
            if not target.netloc and target.path.startswith("/docs/"):
                waiting.append(target.path)
    return found


def test_every_file_is_a_page_and_every_link_holds(app: Flask) -> None:
    found = pages(app)
    files = len([*(ROOT / "docs").rglob("*.md"), "README.md"])
    assert sorted(found) == sorted(map(paths.docs, documentation().addresses))
    assert len(found) == files
    ids = {path: {one.attributes.get("id") for one in html.elements} for path, html in found.items()}
    for path, html in found.items():
        assert not html.mistakes, (path, html.mistakes[:3])
        (article,) = html.all("article")
        assert (article.attributes["lang"], article.attributes["dir"]) == ("en", "ltr")
        assert len(html.all("h1")) == 1, path
        assert not [one for one in html.elements if "style" in one.attributes or one.tag == "style"], path
        for link in html.links():
            target = urlsplit(urljoin(path, link))
            if target.fragment and not target.netloc and target.path in ids:
                assert target.fragment in ids[target.path], (path, link)
            assert not target.path.endswith(".md"), (path, link)
        for picture in html.all("img"):
            kind = app.test_client().get(picture.attributes["src"]).mimetype
            assert kind in ("image/png", "image/webp", "image/svg+xml"), path


def test_tables_code_and_contents_are_made(app: Flask) -> None:
    visitor = Visitor(app)
    answer = visitor.client.get("/docs/reference/settings")
    assert "<td><code>EMBLEM_BASE_URL</code></td>" in answer.text
    answer = visitor.client.get("/docs/start")
    assert '<pre><code class="language-sh">python3 -m venv' in answer.text
    assert re.search(r'<a href="#the-walk-with-curl">The walk, with curl</a>', answer.text)
    assert '<a href="/docs/partners">partners and developers</a>' in answer.text


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_the_layout_speaks_the_visitors_language_and_caches_may_keep_it(app: Flask, lang: str) -> None:
    client = app.test_client()
    answer = client.get("/docs/partners", headers={"Accept-Language": lang})
    html = Html(answer.text)
    assert html.all("html")[0].attributes == {"lang": lang, "dir": "rtl" if lang == "ar" else "ltr"}
    assert answer.headers["Content-Language"] == lang
    assert {"Accept-Language", "Cookie"} <= set(answer.vary)
    assert "public" in answer.headers["Cache-Control"]
    known = {"Accept-Language": lang, "If-None-Match": answer.headers["ETag"]}
    assert client.get("/docs/partners", headers=known).status_code == 304


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ("/docs", "/docs/"),
        ("/docs/README.md", "/docs/"),
        ("/docs/partners.md", "/docs/partners"),
        ("/docs/deploy", "/docs/deploy/"),
        ("/docs/deploy/README.md", "/docs/deploy/"),
    ],
)
def test_a_file_asked_for_as_it_is_called_leads_to_its_page(app: Flask, asked: str, page: str) -> None:
    answer = app.test_client().get(asked)
    assert answer.status_code in (301, 308)
    assert urlsplit(answer.headers["Location"]).path == page


@pytest.mark.parametrize("path", ["nothing", "../pyproject.toml", "%2e%2e/pyproject.toml", "partners/", "reference/"])
def test_what_is_not_there_is_404_as_a_page(app: Flask, path: str) -> None:
    answer = app.test_client().get(f"/docs/{path}", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_files_beside_it_are_text_that_can_do_nothing(app: Flask) -> None:
    answer = app.test_client().get("/docs/deploy/compose.yaml")
    assert answer.data == (ROOT / "docs/deploy/compose.yaml").read_bytes()
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_footer_account_and_sitemap_lead_there(app: Flask) -> None:
    visitor = Visitor(app)
    visitor.join()
    for page in ("", "account"):
        visitor.get(page)
        assert visitor.html.all("a", href="/docs/"), page
        assert visitor.html.all("a", href="/api/v1/docs"), page
    assert len(visitor.html.all("a", href="/docs/")) == 2, "the account names it by itself"
    sitemap = visitor.client.get("/sitemap.xml").text
    assert f"<loc>{visitor.parts.settings.base_url}/docs/deploy/nginx/</loc>" in sitemap
