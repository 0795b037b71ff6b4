"""A partner's site in Flask: the logo by oEmbed, and a download that is licensed at the press of a button."""

# EMBLEM_URL=https://logo.example.org EMBLEM_KEY=emb_… EMBLEM_PARTICIPANT=par_… EMBED=https://…/en/embeds/ebd_… \
#   flask --app partner run

from __future__ import annotations

import json
import os
import urllib.parse
import urllib.request
from typing import Any

from flask import Flask, redirect, render_template_string
from werkzeug.wrappers import Response

app = Flask(__name__)
_PAGE = """<!doctype html><title>Our partner page</title>
<img src="{{ logo.url }}" width="{{ logo.width }}" height="{{ logo.height }}" alt="{{ logo.title }}">
<form method="post" action="/kit"><button>Download the logo</button></form>"""


def ask(path: str, body: dict[str, Any] | None = None) -> Any:
    """One request to Emblem, with the key that only this server knows."""
    request = urllib.request.Request(os.environ["EMBLEM_URL"] + path)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Authorization", "Bearer " + os.environ["EMBLEM_KEY"])
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@app.get("/")
def page() -> str:
    """The logo as an oEmbed consumer gets it: from the address of the embed's page alone."""
    query = urllib.parse.urlencode({"url": os.environ["EMBED"], "maxwidth": 400})
    return render_template_string(_PAGE, logo=ask("/oembed?" + query))


@app.post("/kit")
def kit() -> Response:
    """A link of this visitor's own, which lives for an hour."""
    body = {"participant": os.environ["EMBLEM_PARTICIPANT"], "package": "logo", "expires_in": 3600}
    return redirect(ask("/api/v1/links", body)["url"], 303)
