"""The documentation that comes with the program, as pages: addresses, titles, contents, and Markdown made into HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.extensions.tables import TableExtension
from markdown.treeprocessors import Treeprocessor
from markupsafe import Markup

from .. import paths
from ..settings import shipped

_README = "README.md"
_CONTENTS = f"docs/{_README}"  # lists the pages in the order in which they are best read


@dataclass(frozen=True)
class DocumentationPage:
    """A page: its address below ``/docs/``, its title and first paragraph as text, its HTML, its second headings.

    ``headings`` are pairs of an id and the heading's HTML; ``leads_to`` the addresses of pages that the text links.
    """

    address: str
    title: str
    summary: str
    html: Markup
    headings: tuple[tuple[str, Markup], ...]
    leads_to: tuple[str, ...]


class Documentation:
    """The files of ``docs/`` and the README, each under one address.

    ``docs/partners.md`` is ``partners``, ``docs/deploy/README.md`` is ``deploy/``, the README itself ``start``; what
    is no Markdown keeps its name.
    """

    def __init__(self, docs: Path, readme: Path) -> None:
        """Take the folder of the documentation, and the README that stands beside it in the repository."""
        found = {f"docs/{file.relative_to(docs).as_posix()}": file for file in docs.rglob("*") if file.is_file()}
        self._files: Mapping[str, Path] = {name: found[name] for name in sorted(found)} | {_README: readme}
        self._sources: Mapping[str, str] = {_address(name): name for name in self._files}

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of all pages."""
        return tuple(address for address, name in self._sources.items() if name.endswith(".md"))

    @cached_property
    def listed(self) -> tuple[tuple[str, str], ...]:
        """Address and title of the pages that the first page leads to, in its order."""
        found = [(address, self._sources[address]) for address in dict.fromkeys(self._rendered(_CONTENTS).leads_to)]
        return tuple((address, self._title(name)) for address, name in found if name.endswith(".md"))

    def page(self, address: str) -> DocumentationPage | None:
        """Return the page of an address; None where there is none."""
        name = self._sources.get(address, "")
        return self._rendered(name) if name.endswith(".md") else None

    def file(self, address: str) -> Path | None:
        """Return the file of an address that is no page, such as a picture or a configuration; None where none is."""
        name = self._sources.get(address, _README)
        return None if name.endswith(".md") else self._files[name]

    def known_as(self, address: str) -> str | None:
        """Return where somebody is led who asks for a page as its file is called, or without its last slash."""
        meant = f"{address}/" if f"{address}/" in self._sources else self.address_of(f"docs/{address}")
        return None if meant == address else meant

    def address_of(self, name: str) -> str | None:
        """Return the address of a file or folder of the repository; None where it is not part of the documentation."""
        for known in (name, f"{name}/{_README}"):
            if known in self._files:
                return _address(known)
        return None

    def _title(self, name: str) -> str:
        text = self._files[name].read_text(encoding="utf-8")
        return next(line for line in text.splitlines() if line.startswith("# "))[2:].replace("`", "")

    @lru_cache(maxsize=256)  # noqa: B019  # there is one documentation a process
    def _rendered(self, name: str) -> DocumentationPage:
        links = _Links(self, name)
        made = Markdown(
            extensions=[TableExtension(use_align_attribute=True), "sane_lists", "fenced_code", "toc", links],
            output_format="html",
        )
        html = made.convert(self._files[name].read_text(encoding="utf-8"))
        (first, *_) = made.toc_tokens  # type: ignore[attr-defined]  # given by the extension toc
        return DocumentationPage(
            address=_address(name),
            title=self._title(name),
            summary=links.summary,
            html=Markup(html),  # noqa: S704  # of our own files
            headings=tuple((one["id"], Markup(one["html"])) for one in first["children"]),  # noqa: S704
            leads_to=tuple(links.leads_to),
        )


def _address(name: str) -> str:
    path = PurePosixPath(name)
    if name == _README:
        return "start"
    inner = path.relative_to("docs")
    if path.name == _README:
        return "" if name == _CONTENTS else f"{inner.parent}/"
    return str(inner.with_suffix("")) if path.suffix == ".md" else str(inner)


class _Links(Extension):
    """Leads links and pictures to the pages' addresses, and makes tables such as the style sheet and screens want."""

    def __init__(self, documentation: Documentation, name: str) -> None:
        super().__init__()
        self.documentation, self.name = documentation, name
        self.leads_to: list[str] = []
        self.summary = ""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # the library's name
        """Register what goes over the tree after headings have their ids."""
        md.treeprocessors.register(_Tree(md, self), "documentation", 4)

    def resolved(self, link: str) -> str | None:
        """Return where a link of this file leads as a page; None where it leads out of the documentation."""
        split = urlsplit(link)
        if split.scheme or not split.path:
            return link
        meant = normpath(str(PurePosixPath(self.name).parent / split.path))
        address = self.documentation.address_of(meant)
        if address is None:
            return None
        self.leads_to.append(address)
        return paths.docs(address) + (f"#{split.fragment}" if split.fragment else "")


class _Tree(Treeprocessor):
    def __init__(self, md: Markdown, links: _Links) -> None:
        super().__init__(md)
        self.links = links

    def run(self, root: Element) -> None:
        paragraphs: Iterable[Element] = root.iter("p")
        self.links.summary = next((" ".join("".join(one.itertext()).split()) for one in paragraphs), "")
        for parent in list(root.iter()):
            for index, child in enumerate(parent):
                if child.tag == "table":
                    parent[index] = _scrolling(child)
        for element in root.iter():
            if element.tag == "a":
                self._link(element, "href")
            elif element.tag == "img":
                self._link(element, "src")
                element.set("loading", "lazy")
            elif element.tag in ("th", "td"):
                _cell(element)

    def _link(self, element: Element, name: str) -> None:
        target = self.links.resolved(element.attrib.pop(name, ""))
        if target is None:
            element.tag = "span"
        else:
            element.set(name, target)


def _scrolling(table: Element) -> Element:
    """Return a box in which a wide table moves sideways, by keyboard too."""
    box: Any = Element("div", {"class": "table-scroll", "tabindex": "0", "role": "group", "aria-label": "Table"})
    box.append(table)
    box.tail, table.tail = table.tail, None
    return box  # type: ignore[no-any-return]


def _cell(cell: Element) -> None:
    if cell.attrib.pop("align", "") == "right":
        cell.set("class", "num")
    if cell.tag == "th":
        if cell.text or len(cell):
            cell.set("scope", "col")
        else:
            cell.tag = "td"  # a heading of nothing


@lru_cache(maxsize=1)
def documentation() -> Documentation:
    """Return the documentation that came with this program."""
    return Documentation(shipped("docs"), shipped(_README))
