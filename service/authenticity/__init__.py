"""Authenticity: whether a file is what the campaign published, by its digest, by what it carries, by what it shows."""

from __future__ import annotations

from .authenticity import MOST_BYTES, Authenticity, AuthenticityResult, Reason

__all__ = ["MOST_BYTES", "Authenticity", "AuthenticityResult", "Reason"]
