"""Packages: built deterministically from ``assets/``, published once, never changed, withdrawn when need be.

``publishing`` is imported by who publishes alone: it brings the renderers, which a server at work does not need.
"""

from __future__ import annotations

from .bundles import Bundles, StoredBundle, UnknownBundle
from .catalogue import Catalogue
from .publications import Publications, PublicationView
from .published import ListedVersion, NoSuchFile, PublishedFile, PublishedPackage
from .stored import Damage, StoredPackages

__all__ = [
    "Bundles",
    "Catalogue",
    "Damage",
    "ListedVersion",
    "NoSuchFile",
    "PublicationView",
    "Publications",
    "PublishedFile",
    "PublishedPackage",
    "StoredBundle",
    "StoredPackages",
    "UnknownBundle",
]
