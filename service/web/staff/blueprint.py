"""The blueprint of the staff pages, and who may enter: staff to work, auditors to read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, current_app, g, request
from markupsafe import Markup

from ...campaign import LANGUAGES
from ...campaign.text import msgid
from ...desk.replies import BY_LETTER
from ...participants.staff import staff_id
from ...problems import Forbidden
from ..context import deployment
from ..i18n import translate
from ..security import current_session, require_session

PAGE = 50  # rows of a list
#: Who else than a person of the staff acts, in words.
_OTHERS = {
    BY_LETTER: msgid("whom the letter went to"),
    "rule": msgid("a rule"),
    "page": msgid("the public page"),
    "participant": msgid("the participant"),
    "staff:cli": msgid("the command line"),
    "alert": msgid("an alert"),
    "unlisted-site": msgid("the count of views, on a site that no embed lists"),
}
_KEYS = {"portal": msgid("the portal %(key)s"), "partner": msgid("the participant’s own key %(key)s")}

staff = Blueprint("staff", __name__, url_prefix="/staff")

#: The navigation of the staff pages: endpoint and words.
NAVIGATION = (
    ("staff.queue", msgid("Review queue")),
    ("staff.participants", msgid("Participants")),
    ("staff.links", msgid("Links")),
    ("staff.downloads", msgid("Downloads")),
    ("staff.embeds", msgid("Embeds")),
    ("staff.artwork", msgid("Artwork checks")),
    ("staff.catalogue", msgid("Catalogue")),
    ("staff.terms", msgid("Terms")),
    ("staff.publishing", msgid("Publishing")),
    ("staff.audit", msgid("Audit")),
    ("staff.webhooks", msgid("Webhooks")),
    ("staff.outbox", msgid("Outbox")),
    ("staff.keys", msgid("API keys")),
    ("staff.passkeys", msgid("Passkeys")),
)
_STAFF_ALONE = {"staff.publishing", "staff.outbox", "staff.passkeys"}  # auditors do not see these


def acted(by: str | None) -> Markup:
    """Return who acted, for the console: staff see their own people's names, auditors the ids."""
    if not by:
        return Markup("–")
    found, session = staff_id(by), current_session()
    if found is not None and session is not None and session.role == "staff" and (label := _label(found)):
        return Markup('<bdi title="{}">{}</bdi>').format(found, label)
    if by in _OTHERS:
        return translate(_OTHERS[by])
    role, _, number = by.partition(":")
    if role in _KEYS and number.startswith("key_"):
        return translate(_KEYS[role], key=Markup("<code>{}</code>").format(number))
    return Markup("<code>{}</code>").format(by)


def names_of(participants: Iterable[str]) -> dict[str, str]:
    """Return the names of participants by id for staff; none for auditors, who see no names."""
    session = current_session()
    if session is None or session.role != "staff":
        return {}
    return deployment().participants.listing.names(one for one in participants if one)


def _label(member: str) -> str | None:
    if "staff_names" not in g:
        g.staff_names = deployment().participants.staff.names()
    found: str | None = g.staff_names.get(member)
    return found


@staff.before_request
def enter() -> None:
    """Staff may do everything here, auditors only read; anybody else is turned away."""
    session = require_session("staff", "auditor")
    if request.method not in ("GET", "HEAD") and session.role != "staff":
        raise Forbidden("Auditors read everything here and change nothing.")


@staff.url_defaults
def keep_language(endpoint: str, values: dict[str, Any]) -> None:
    """Return a language that was chosen with ``?lang=`` stays chosen from page to page."""
    if (wished := request.args.get("lang")) in LANGUAGES:
        values.setdefault("lang", wished)


@staff.context_processor
def shared() -> dict[str, Any]:
    """Return what every staff page knows: its navigation, and whether its reader may see names and change things."""
    session = current_session()
    is_staff = session is not None and session.role == "staff"
    return {
        "navigation": [
            (endpoint, words)
            for endpoint, words in NAVIGATION
            if endpoint in current_app.view_functions
            and (is_staff or endpoint not in _STAFF_ALONE)
            and (endpoint != "staff.outbox" or deployment().mailer.mailbox is not None)
        ],
        "is_staff": is_staff,
        "nobody": Markup("–"),
        "signed_in_as": _label(session.staff) if session and session.staff else None,
        "acted": acted,
        "names_of": names_of,
    }
