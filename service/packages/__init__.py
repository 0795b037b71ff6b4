"""Packages: built deterministically from ``assets/``, published once, never changed, withdrawn when need be."""

from __future__ import annotations

from .building import Built, MadeFile, build, check, source_digest
from .catalogue import Catalogue
from .publications import Publication, Publications
from .published import ListedVersion, NoSuchFile, PublishedPackage
from .publishing import Published, Publisher
from .separation import inks_of
from .stored import Damage, StoredPackages

__all__ = [
    "Built",
    "Catalogue",
    "Damage",
    "ListedVersion",
    "MadeFile",
    "NoSuchFile",
    "Publication",
    "Publications",
    "Published",
    "PublishedPackage",
    "Publisher",
    "StoredPackages",
    "build",
    "check",
    "inks_of",
    "source_digest",
]
