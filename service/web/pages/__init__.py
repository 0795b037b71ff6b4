"""The pages for people: server-rendered, in six languages, complete without JavaScript."""

from __future__ import annotations

from . import (
    account,
    build,
    campaign,
    cases,
    check,
    coming_terms,
    digest,
    documentation,
    downloads,
    embeds,
    feed,
    join,
    letters,
    members,
    problem_pages,
    report,
    share_pictures,
    shared,
    sign_in,
    tools,
    verify,
    wear,
)
from .blueprint import pages, root

root.record_once(lambda state: shared.install(state.app))

#: What the web entrance registers.
blueprints = (root, pages)

__all__ = [
    "account",
    "blueprints",
    "build",
    "campaign",
    "cases",
    "check",
    "coming_terms",
    "digest",
    "documentation",
    "downloads",
    "embeds",
    "feed",
    "join",
    "letters",
    "members",
    "problem_pages",
    "report",
    "share_pictures",
    "shared",
    "sign_in",
    "tools",
    "verify",
    "wear",
]
