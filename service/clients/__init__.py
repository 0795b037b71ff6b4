"""Tell who asks: the network of an address, the kind of program, and the site of the page. One function for each."""

from __future__ import annotations

from .classifier import Classifier, ClientKind
from .client import Client, hashing_keys
from .site import NAMELESS, origin_of

__all__ = ["NAMELESS", "Classifier", "Client", "ClientKind", "hashing_keys", "origin_of"]
