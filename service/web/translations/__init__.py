"""The interface's catalogues: collecting what is to be translated, and compiling what was.

English is written in the templates and the code. ``messages.po`` of each other language is edited by
people; ``messages.mo`` is compiled from it and committed beside it, because nothing is built at start.
``python -m service.web.translations`` brings both up to date with the texts.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from ...campaign import LANGUAGES
from ...problems import REGISTRY

#: The languages into which the interface is translated.
TRANSLATED = tuple(tag for tag in LANGUAGES if tag != "en")
FOLDER = Path(__file__).resolve().parent
_SERVICE = FOLDER.parent.parent
_NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)
_METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
_KEYWORDS = {
    "_": None,
    "_attr": None,
    "_mark": None,
    "_n": (1, 2),
    "translate": None,
    "translate_plain": None,
    "translate_count": (1, 2),
    "msgid": None,
}
#: Where problems are raised whose details people read on pages; elsewhere they are for programs.
_TOLD_TO_PEOPLE = (
    "web/pages",
    "web/staff",
    "web/security.py",
    "links/addresses.py",
    "participants/sign_in.py",
    "participants/decisions.py",
    "staff_access",
    "verdicts",
    "desk",
    "web/uploads.py",
    "web/errors.py",
    "web/streams.py",
    "web/oembed.py",
    "artwork/reading.py",
    "artwork/checks.py",
    "certificates/certificates.py",
    "embeds/embeds.py",
    "links/links.py",
    "packages/catalogue.py",
    "participants/joining.py",
    "participants/members.py",
    "participants/acceptances.py",
    "audit/query.py",
    "audit/receipts.py",
    "period.py",
)


def template() -> Catalog:
    """Every text of the interface, in the order in which the files name them."""
    found = Catalog(project="Emblem", fuzzy=False)
    for problem in REGISTRY.values():
        for text in (problem.title, problem.help):
            found.add(text, locations=[("problems.py", 0)])
    for folder in ("web", "campaign", "desk", "embeds", "participants", "audit", "authenticity", "alerts"):
        for path, _, words, _, _ in extract_from_dir(_SERVICE / folder, _METHODS, keywords=_KEYWORDS):
            found.add(words, locations=[(f"{folder}/{path}", 0)])
    for path, text in _details():
        found.add(text, locations=[(path, 0)])
    return found


def _details() -> Iterator[tuple[str, str]]:
    """The details of problems, where they are literal texts."""
    names = {problem.__name__: None for problem in REGISTRY.values()}
    for place in _TOLD_TO_PEOPLE:
        path = _SERVICE / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            for _, _, text, _, _ in extract_from_dir(file.parent, [(file.name, "python")], keywords=names):
                if isinstance(text, str) and " " in text and text[0].isupper():  # else it is a name, or a part
                    yield file.relative_to(_SERVICE).as_posix(), text


def po_file(lang: str) -> Path:
    """The file in which a language's texts are written."""
    return FOLDER / lang / "LC_MESSAGES" / "messages.po"


def read(lang: str) -> Catalog:
    """The catalogue of a language as it is written; an empty one where there is none yet."""
    path = po_file(lang)
    if path.is_file():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=lang)
    else:
        catalogue = Catalog(locale=lang, project="Emblem", fuzzy=False)
    # The headers hold dates, which would make each run another file.
    catalogue.creation_date = catalogue.revision_date = _NO_DATE
    return catalogue


def compiled(catalogue: Catalog) -> bytes:
    """Return what ``messages.mo`` holds: the same bytes for the same texts."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def missing(catalogue: Catalog, wanted: Catalog) -> list[str]:
    """The texts of the template that a catalogue does not translate."""
    return [
        message.id[0] if isinstance(message.id, (list, tuple)) else str(message.id)
        for message in wanted
        if message.id and not _translated(catalogue.get(message.id))
    ]


def _translated(message: Message | None) -> bool:
    if message is None or message.fuzzy:
        return False
    return all(message.string) if isinstance(message.string, (list, tuple)) else bool(message.string)


def update(lang: str) -> list[str]:
    """Brings a language's files up to date with the texts; returns those that it does not translate."""
    wanted, catalogue = template(), read(lang)
    catalogue.update(wanted, no_fuzzy_matching=True, update_header_comment=False)
    catalogue.obsolete.clear()
    catalogue.creation_date = _NO_DATE
    path = po_file(lang)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=110, omit_header=False, sort_output=True, no_location=True)
    path.with_suffix(".mo").write_bytes(compiled(catalogue))
    return missing(catalogue, wanted)
