"""Clients: who asks, known by address network, kind of program and origin of the page."""

from __future__ import annotations

from .client import Client, hashing_keys

__all__ = ["Client", "hashing_keys"]
