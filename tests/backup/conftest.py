"""A participant with everything that one can have, whose end a backup does not know."""

from __future__ import annotations

from ..privacy.conftest import application, erasure, mailer, outbox, people, portal, whole

__all__ = ["application", "erasure", "mailer", "outbox", "people", "portal", "whole"]
