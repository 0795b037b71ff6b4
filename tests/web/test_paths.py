"""The paths that mails, links, embeds, problems and reports name are routes, and stand in one file."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

from flask import Flask
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

import service
from service import paths
from service.problems import REGISTRY

from .conftest import Api

_SAMPLES: dict[str, object] = {
    "form": "pdf",
    "number": "0",
    "language": "fr",
    "slug": "not-found",
    "purpose": "sign-in",
    "filename": "Blue Heart.zip",
    "logo": "heart",
    "page": 1,
    "width": 240,
}
_FUNCTIONS = {
    name: function for name, function in vars(paths).items() if inspect.isfunction(function) and name != "quote"
}
_ROOT = Path(service.__file__).parent
#: What only routes may spell out: entrances, and the file of paths itself.
_ROUTED = ("web/", "paths.py")
_PATH = re.compile(r"/(api/v1|d/|logos/|staff/|problems/|terms/|account|sign-in|join|grant|embeds/)")


def made(name: str) -> str:
    """The path of a function of ``paths`` with a sample for each of its parameters."""
    parameters = inspect.signature(_FUNCTIONS[name]).parameters
    return str(_FUNCTIONS[name](**{one: _SAMPLES.get(one, "sample-1.0.0") for one in parameters}))


def routed(app: Flask, path: str, method: str = "GET") -> str | None:
    """The endpoint that answers a path itself, without leading elsewhere; None where there is none."""
    try:
        endpoint, _ = app.url_map.bind("localhost").match(path, method=method)
    except (NotFound, RequestRedirect):
        return None
    return str(endpoint)


def test_every_path_is_a_route(app: Flask) -> None:
    given = {name: made(name) for name in _FUNCTIONS}
    given["variants"] += "/blue/64.png"
    assert routed(app, given.pop("verifications"), "POST")
    assert [f"{name}: {path}" for name, path in given.items() if routed(app, path) is None] == []


def test_a_mailed_link_has_a_page_with_a_button(app: Flask) -> None:
    for purpose in ("sign-in", "join", "member", "grant"):
        path = paths.mailed_link("ar", purpose, "secret")
        for method in ("GET", "POST"):
            assert (routed(app, path, method) or "").startswith(f"pages.{purpose.replace('-', '_')}_confirm")


def test_what_a_problem_advises_is_there(app: Flask) -> None:
    named = {path for kind in REGISTRY.values() for path in re.findall(r"/api/v1[\w/-]*", kind.help)}
    assert named
    assert [path for path in named if routed(app, path) is None] == []


def _texts(file: Path) -> list[str]:
    """The texts in a file's code, docstrings left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documented = [
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and isinstance(node.body[0], ast.Expr)
    ]
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documented
    ]


def test_no_room_spells_a_path_out() -> None:
    """Rooms below the entrances take the paths that they name from one file."""
    found = {
        str(file.relative_to(_ROOT))
        for file in _ROOT.rglob("*.py")
        if not str(file.relative_to(_ROOT)).startswith(_ROUTED)
        for text in _texts(file)
        if _PATH.search(text) and " " not in text.strip()
    }
    # Walks the API as a stranger would, who knows only what the documentation says; and reads logs of other servers.
    assert found <= {"cli/walk.py", "embeds/log_fields.py"}


def test_terms_to_accept_are_named_alike_everywhere(api: Api) -> None:
    """403 ``terms-not-accepted`` has ``terms: {id, version, url}``, the same at links, embeds and downloads."""
    participant = api.join(language="fr")
    current = api.ask("GET", "/api/v1/terms/logo-terms").json["version"]
    expected = {
        "id": "logo-terms",
        "version": current,
        "url": f"{api.parts.settings.base_url}/fr/terms/logo-terms",
    }
    wish = {"participant": participant, "package": "logo"}
    assert api.ask("POST", "/api/v1/links", key="portal", json=wish).json["terms"] == expected
    wish = {"participant": participant, "logo": "heart"}
    assert api.ask("POST", "/api/v1/embeds", key="portal", json=wish).json["terms"] == expected
    assert api.ask("GET", f"/{expected['url'].split('/', 3)[3]}").status_code == 200
