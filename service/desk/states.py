"""The state machine of a case: its states, what can be done in each, and what follows. ``docs/desk.md`` draws it.

Every change of a case goes through ``follow``, under the lock of its row, so that of two who act at once the second
sees what the first did.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, get_args

from ..campaign.text import msgid
from ..problems import CaseDecided, ChangedMeanwhile, Conflict, Problem

Status = Literal["open", "returned", "decided", "closed"]
STATUSES: tuple[Status, ...] = get_args(Status)


class State(StrEnum):
    """State of a case. ``DECIDING`` is a decision of the console that can still be undone; outside it is open."""

    OPEN = "open"
    RETURNED = "returned"
    DECIDING = "deciding"
    DECIDED = "decided"
    CLOSED = "closed"


class CaseAction(StrEnum):
    """Step that somebody takes with a case; ``case_events`` names them so."""

    OPEN = "opened"
    NOTE = "note"  # staff write something that asks for no answer
    RETURN = "returned"  # staff ask the applicant
    ANSWER = "answered"  # the applicant writes
    ATTACH = "file"
    ASSIGN = "assigned"
    NAME = "named"  # staff say whose use of the logo it is, in a report of misuse
    LETTER = "letter"  # staff write to that participant, who has until a day to end it
    REPLY = "replied"  # the participant answers that letter, by the link in it
    APPROVE_FIRST = "first_approval"
    DECIDE = "decided"
    SUSPENSE = "deciding"  # staff decide in the console, where it can be undone for a while
    UNDO = "undone"
    WITHDRAW = "withdrawn"
    CLOSE = "closed"  # its participant is erased


_O, _R, _G, _D, _C = State
_FOLLOWS: Mapping[tuple[State, CaseAction], State] = MappingProxyType(
    {
        (_O, CaseAction.NOTE): _O,
        (_O, CaseAction.RETURN): _R,
        (_O, CaseAction.ANSWER): _O,
        (_O, CaseAction.ATTACH): _O,
        (_O, CaseAction.ASSIGN): _O,
        (_O, CaseAction.NAME): _O,
        (_O, CaseAction.LETTER): _O,
        (_O, CaseAction.REPLY): _O,
        (_O, CaseAction.APPROVE_FIRST): _O,
        (_O, CaseAction.DECIDE): _D,
        (_O, CaseAction.SUSPENSE): _G,
        (_O, CaseAction.WITHDRAW): _C,
        (_O, CaseAction.CLOSE): _C,
        (_R, CaseAction.NOTE): _R,
        (_R, CaseAction.RETURN): _R,
        (_R, CaseAction.ANSWER): _O,
        (_R, CaseAction.ATTACH): _R,
        (_R, CaseAction.ASSIGN): _R,
        (_R, CaseAction.APPROVE_FIRST): _O,
        (_R, CaseAction.DECIDE): _D,
        (_R, CaseAction.SUSPENSE): _G,
        (_R, CaseAction.WITHDRAW): _C,
        (_R, CaseAction.CLOSE): _C,
        (_G, CaseAction.NOTE): _G,
        (_G, CaseAction.ASSIGN): _G,
        (_G, CaseAction.UNDO): _O,
        (_G, CaseAction.CLOSE): _C,
        (_D, CaseAction.NOTE): _D,
        (_C, CaseAction.NOTE): _C,
    }
)
_QUICKER = {
    _D: msgid("This case is decided already, by %(by)s. Read it; the participant can still be decided about anew."),
    _C: msgid("This case is closed already, by %(by)s. Read it; what is still wanted is asked for anew."),
    _G: msgid("This case is being decided already, by %(by)s. Read it again in a minute."),
}
_ENDED = {
    _D: msgid(
        "This case is decided, by %(by)s, so nothing can be added to it. Ask anew: a new request opens another case."
    ),
    _C: msgid(
        "This case is closed, by %(by)s, so nothing can be added to it. Ask anew: a new request opens another case."
    ),
    _G: msgid("This case is being decided, by %(by)s, so nothing can be added to it. Look again in a minute."),
}
#: What decides, and so says 412 where somebody was quicker.
_DECIDES = (CaseAction.DECIDE, CaseAction.APPROVE_FIRST, CaseAction.SUSPENSE)


def follow(state: str, action: CaseAction, last: tuple[str, str] | None = None) -> State:
    """Return the state after an action; ``last`` is who brought the case into its state, and by which step.

    Raises ChangedMeanwhile for a decision where another one was quicker, CaseDecided for whatever else comes too late,
    and Conflict for an undo that has nothing to undo.
    """
    before = State(state)
    after = _FOLLOWS.get((before, action))
    if after is not None:
        return after
    raise _too_late(before, action, last)


def allowed(state: str) -> frozenset[CaseAction]:
    """Return what can be done in a state."""
    return frozenset(action for (before, action) in _FOLLOWS if before == state)


def shown(state: str) -> Status:
    """Return the status that is seen from outside."""
    return "open" if state == State.DECIDING else State(state).value  # type: ignore[return-value]


def _too_late(state: State, action: CaseAction, last: tuple[str, str] | None) -> Problem:
    more: dict[str, object] = {"case_status": shown(state)}
    by = "somebody"
    if last is not None:
        by, what = last
        more["changed"] = {"by": by, "what": what}
    if action is CaseAction.UNDO:
        detail = "There is no decision that could still be undone: it is in force, or was undone already."
        return Conflict(detail, extra=more)
    if action in _DECIDES:
        return ChangedMeanwhile(_QUICKER[state], values={"by": by}, extra=more)
    return CaseDecided(_ENDED[state], values={"by": by}, extra=more)
