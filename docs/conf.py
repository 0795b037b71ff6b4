"""Sphinx: ``docs/`` as a site of its own, with ``sphinx-build docs SITE``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

project = author = "Emblem"
copyright = author  # noqa: A001 - the name that Sphinx reads
root_doc = "README"
source_suffix = {".md": "markdown"}
extensions = ["myst_parser"]
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # mermaid is a drawing, and is shown as its text


def setup(app: Any) -> None:
    """Register what makes a site of pages that are written to be read anywhere."""
    app.connect("source-read", _completed)


def _completed(_app: Any, page: str, source: list[str]) -> None:
    """Make the repository's README, which stands beside this folder, the first page, with the contents below it."""
    source[0] = source[0].replace("(../README.md", "(README.md")
    if page == root_doc:
        first = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
        first = first.replace("(docs/decisions/)", "(decisions/README.md)").replace("(docs/", "(")
        first = first.replace("[MIT licence](LICENSE)", "MIT licence")
        contents = "\n```{toctree}\n:hidden:\n:glob:\n\n**\n```\n"
        source[0] = f"{first}\n#{source[0]}{contents}"
