"""Participants for staff: the list, one participant with all that belongs to it, and decisions."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for

from ...campaign.text import msgid
from ...campaign.typed_text import LONGEST_TEXT
from ...participants import STATUSES, ParticipantView
from ..context import actor, deployment
from ..exports import exported
from ..i18n import translate
from ..pages.account import reasons
from ..pages.blueprint import query
from ..pages.check import VERDICT_WORDS
from ..pages.forms import FormMistakes, required, sent
from ..pages.render import private, see_other
from ..security import require_recent, require_session
from .blueprint import PAGE, staff


@staff.get("/participants")
def participants() -> Response:
    """Show all participants, narrowed by status and kind."""
    status, kind = query("status"), query("kind")
    known = [one.id for one in deployment().campaign.eligibility.kinds]
    status, kind = status if status in STATUSES else "", kind if kind in known else ""
    # Auditors see no names, so they do not find by them.
    q = query("q") if require_session().role == "staff" else ""
    found = deployment().participants.listing.list(
        status=status or None, kind=kind or None, q=q or None, cursor=query("cursor") or None, limit=PAGE
    )
    return private("staff/participants.html", page=found, chosen=status, kind=kind, q=q, statuses=STATUSES)


@staff.get("/participants/<participant>")
def participant(participant: str) -> Response:
    """Show one participant: what was said, decided, accepted, linked, embedded and downloaded."""
    return _detail(participant, FormMistakes())


@staff.get("/participants/<participant>/export")
def participant_export(participant: str) -> Response:
    """All that is kept about a participant, as a file; for staff, since names are in it."""
    require_session("staff")
    return exported(participant, staff=True)


@staff.post("/participants/<participant>")
def decide(participant: str) -> Response:
    """Approve, decline, suspend or erase, with the reason that the participant is told."""
    mistakes = FormMistakes()
    outcome = sent("outcome")
    reason = required(mistakes, "reason", msgid("Write the reason; the participant is told."), LONGEST_TEXT, lines=True)
    if outcome not in ("approved", "declined", "suspended", "erased"):
        mistakes.add("outcome", translate(msgid("Choose one.")))
    if outcome == "erased" and sent("sure") != "yes":
        mistakes.add("sure", translate(msgid("Tick the box: what is erased does not come back.")))
    if mistakes:
        return _detail(participant, mistakes, 422)
    if sent("seen") and sent("seen") != _seen(participant):
        mistakes.add("", translate(msgid("Somebody decided meanwhile. Look at the decisions first.")))
        return _detail(participant, mistakes, 412)
    if outcome == "erased":
        require_recent()
        deployment().erasure.erase(participant, reason=reason, by=actor())
    else:
        deployment().desk.deciding.decide_participant(participant, outcome, reason=reason, by=actor())
    return see_other(url_for("staff.participant", participant=participant))


def _seen(participant: str) -> str:
    """Return a mark that changes with every decision, so that a page shown before one is known."""
    found = deployment().participants
    decisions = found.decisions.of(participant)
    return f"{found.listing.get(participant).status}-{len(decisions)}"


def _detail(participant: str, mistakes: FormMistakes, status: int = 200) -> Response:
    found = deployment()
    one = found.participants.listing.get(participant)
    return private(
        "staff/participant.html",
        status,
        one=one,
        seen=_seen(one.id),
        application=shown_application(one),
        decisions=found.participants.decisions.of(one.id),
        acceptances=found.participants.acceptances.of(one.id),
        cases=found.desk.reading.of_participant(one.id, staff=True),
        members=found.participants.members.of(one.id),
        portals=found.participants.access.portals(one.id),
        keys=found.participants.api_keys.list(participant=one.id),
        links=found.links.list(participant=one.id, limit=20),
        downloads=found.links.downloads(participant=one.id, limit=20),
        embeds=found.embeds.list(participant=one.id).items,
        checks=found.verdicts.list(participant=one.id, limit=20),
        verdict_words=VERDICT_WORDS,
        mistakes=mistakes,
        values=request.form,
    )


def shown_application(one: ParticipantView) -> dict[str, Any]:
    """Return what somebody wrote, beside the questions, and what is known of their country."""
    campaign = deployment().campaign
    kind = campaign.eligibility.kind(one.kind)
    given = one.answers or {}
    rows = []
    for field in kind.fields:
        value = given.get(field.name)
        if field.type == "choice":
            value = next((option.label for option in field.options if option.value == value), value)
        rows.append((field, value))
    return {
        "one": one,
        "kind": kind,
        "rows": rows,
        "reasons": reasons(one),
        "party": campaign.parties.get(one.country or ""),
        "purposes": [
            campaign.eligibility.purposes[name] for name in one.purposes if name in campaign.eligibility.purposes
        ],
    }
