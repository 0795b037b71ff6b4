"""Packages: built deterministically from ``assets/``, published once, never changed, withdrawn when need be.

``publishing`` is imported by who publishes alone: it brings the renderers, which a server at work does not need.
"""

from __future__ import annotations

from .catalogue import Catalogue
from .publications import Publication, Publications
from .published import ListedVersion, NoSuchFile, PublishedPackage
from .stored import Damage, StoredPackages

__all__ = [
    "Catalogue",
    "Damage",
    "ListedVersion",
    "NoSuchFile",
    "Publication",
    "Publications",
    "PublishedPackage",
    "StoredPackages",
]
