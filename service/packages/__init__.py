"""Packages: built deterministically from ``assets/``, published once, never changed, withdrawn when need be.

``publishing`` is imported by who publishes alone: it brings the renderers, which a server at work does not need.
"""

from __future__ import annotations

from .bundles import Bundle, Bundles, UnknownBundle
from .catalogue import Catalogue
from .publications import Publication, Publications
from .published import ListedVersion, NoSuchFile, PublishedFile, PublishedPackage
from .stored import Damage, StoredPackages

__all__ = [
    "Bundle",
    "Bundles",
    "Catalogue",
    "Damage",
    "ListedVersion",
    "NoSuchFile",
    "Publication",
    "Publications",
    "PublishedFile",
    "PublishedPackage",
    "StoredPackages",
    "UnknownBundle",
]
