"""A small assets folder of its own: one logo and one package in which every way of making a file occurs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from service.campaign import Campaign
from service.campaign.manifests import PackageManifest, load_packages
from service.clock import Clock
from service.packages import Catalogue, PublishedPackage
from service.packages.content_credentials import ContentCredentials
from service.packages.publishing import Publisher
from service.packages.rights import Rights
from service.settings import shipped
from service.storage import Storage
from service.store import Database

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10" fill="#0b5cad"><path d="M0 0H20V10Z"/></svg>\n'
PAGE = """#set document(date: none)
#set page(width: float(sys.inputs.width) * 1pt, height: float(sys.inputs.height) * 1pt, margin: 0pt)
#set text(font: "Hanken Grotesk", size: 6pt)
#sys.inputs.at("lang", default: "preview")
"""
SHEET = """#import "/tools/_shared/style.typ": blue
#set document(date: none)
#set page(width: 60mm, height: 40mm, margin: 4mm, fill: blue)
#text(font: "Hanken Grotesk", fill: white, sys.inputs.lang)
"""
MANIFEST = """id: kit
kind: tool
version: 1.0.0
terms: logo-terms
title: {en: Kit, fr: Trousse}
description: {en: Some files}
licence: {en: Not for sale}
languages: [en, fr]
filename: kit-{version}.zip
preview: {from: page.typ}
files:
  - {path: README.txt, from: README.txt}
  - {path: LICENCE.txt, from: ../_shared/LICENCE.txt}
  - {path: "svg/{colourway}.svg", from: "/logos/mark/{colourway}.svg", for: {colourway: [blue]}}
  - {path: "png/mark-{width}.png", from: /logos/mark/blue.svg, width: "{width}", for: {width: [20, 41]}}
  - {path: "sheet-{lang}.pdf", from: sheet.typ, for: {lang: [en, fr]}}
  - {path: "page-{lang}.png", from: page.typ, width: 30, height: 20, for: {lang: [en, fr]}}
"""
RIGHTS = Rights(
    owner="Mark & Friends",
    usage_terms={"en": "Not for sale", "fr": "Pas à vendre"},
    web_statement="https://mark.example.org/rules?a=1&b=2",
    licence="https://mark.example.org/terms/logo-terms",
    version="1.0.0",
)
FILES = {
    "logos/mark/manifest.yaml": "id: mark\ntitle: {en: Mark}\nterms: logo-terms\nmasters: {blue: blue.svg}\n",
    "logos/mark/blue.svg": SVG,
    "tools/_shared/LICENCE.txt": "Terms.\n",
    "tools/_shared/style.typ": '#let blue = rgb("#0b5cad")\n',
    "tools/kit/manifest.yaml": MANIFEST,
    "tools/kit/README.txt": "Cœur bleu\n",
    "tools/kit/sheet.typ": SHEET,
    "tools/kit/page.typ": PAGE,
}


class Assets:
    """An assets folder that a test may change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        """Writes a file below the folder."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replaces the first occurrence, which must exist."""
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        self.write(name, text.replace(old, new, 1))

    def package(self, name: str = "kit") -> PackageManifest:
        """The manifest of a package as it stands."""
        return load_packages(self.path)[name]


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    return Assets(tmp_path / "assets")


class Drafted(Catalogue):
    """A catalogue, and the publishing of what lies in the folders for it."""

    def __init__(self, catalogue: Catalogue, publisher: Publisher) -> None:
        super().__init__(catalogue.database, catalogue.storage, catalogue.campaign, catalogue.clock)
        self.publisher = publisher

    def publish(self, progress: Callable[[int, int], None] | None = None) -> list[PublishedPackage]:
        """Publishes everything; returns the new package versions."""
        return list(self.publisher.publish(progress).packages)

    def check(self) -> tuple[PackageManifest, ...]:
        """The packages that wait to be published."""
        return self.publisher.check()[1]


@pytest.fixture
def open_catalogue(
    assets: Assets, database: Database, campaign: Campaign, clock: Clock, tmp_path: Path
) -> Callable[..., Drafted]:
    """Opens the catalogue with ``assets`` as they stand, as each command of the operator does."""
    from service.storage import open_storage

    def opened(
        storage: Storage | None = None,
        database: Database = database,
        credentials: ContentCredentials | None = None,
        **changes: object,
    ) -> Drafted:
        at = dataclasses.replace(campaign, packages=load_packages(assets.path), **changes)  # type: ignore[arg-type]
        kept = storage or open_storage((tmp_path / "storage").as_uri())
        publisher = Publisher(database, kept, clock, at, shipped("policies"), assets.path, credentials)
        return Drafted(Catalogue(database, kept, at, clock), publisher)

    return opened
