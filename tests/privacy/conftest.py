"""The sealed log of the audit's tests with downloads and logo uses of known facts, and people who may be erased."""

from __future__ import annotations

from ..audit.conftest import deployment, make
from ..participants.conftest import application, erasure, mailer, outbox, people, portal

__all__ = ["application", "deployment", "erasure", "mailer", "make", "outbox", "people", "portal"]
