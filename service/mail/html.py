"""The HTML of a mail, made from its text, so that both say the same and there is one template for both.

A paragraph of the text is a paragraph, an address that stands alone on its line is a link, lines that begin with
``- `` are a list, what is indented keeps its lines, and what follows the line ``--`` is the footer. Nothing is
loaded from anywhere, and there is no script, picture or style sheet of others: opening a mail tells nobody anything.
"""

from __future__ import annotations

import re
from html import escape

from babel import Locale

_SIGNATURE = "\n-- \n"
_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
#: The one style sheet, whose digest pages that preview a mail allow by their policy.
STYLE = (
    "body{margin:0 auto;max-width:38em;padding:1em;font:1em/1.5 system-ui,sans-serif}"
    "pre{white-space:pre-wrap}footer{font-size:.9em}"
)


def html_of(subject: str, text: str, language: str) -> str:
    """Return the HTML document of a mail with this text, in the direction of its language."""
    body, _, footer = text.partition(_SIGNATURE)
    parts = [_block(one) for one in re.split(r"\n[ \t]*\n", body.strip("\n")) if one.strip()]
    if footer.strip():
        parts.append(f"<hr>\n<footer>{_lines(footer.strip())}</footer>")
    tag, direction = escape(language), Locale.parse(language).text_direction
    return (
        f'<!doctype html>\n<html lang="{tag}" dir="{direction}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(subject)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _block(text: str) -> str:
    lines = text.split("\n")
    if all(line.startswith("- ") for line in lines):
        return "<ul>\n" + "\n".join(f"<li>{_lines(line[2:])}</li>" for line in lines) + "\n</ul>"
    if all(line.startswith(("    ", "\t")) for line in lines):
        return f"<pre>{escape(text)}</pre>"
    return f'<p dir="auto">{_lines(text)}</p>'


def _lines(text: str) -> str:
    return "<br>\n".join(_linked(line) for line in text.split("\n"))


def _linked(line: str) -> str:
    """Return a line as HTML, its addresses as links; each stands between spaces, also in the attribute."""
    made, place = [], 0
    for found in _ADDRESS.finditer(line):
        address = escape(found[0])
        made += [escape(line[place : found.start()]), f'<a dir="ltr" href=" {address} "> {address} </a>']
        place = found.end()
    return "".join([*made, escape(line[place:])])
