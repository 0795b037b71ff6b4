"""The drawing of the state machine of cases, made from ``service/desk/states.py`` for ``docs/desk.md``."""

from __future__ import annotations

from pathlib import Path

from service.desk.states import CaseAction, State, allowed, follow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "desk.md"
BEGIN = "<!-- states: made from the code by `python -m tests.reference` -->\n"
END = "<!-- end of states -->\n"
_ARROW = 36  # characters from an edge's beginning to its head


def drawing() -> str:
    """Return every state with what leaves it as it is, and with an arrow for each state that can follow."""
    lines = [f"{CaseAction.OPEN.value} ".ljust(_ARROW, "─") + f"► {State.OPEN.value}"]
    for state in State:
        after = {action: follow(state, action) for action in CaseAction if action in allowed(state)}
        stays = [action.value for action, to in after.items() if to is state]
        width = max(len(other.value) for other in State)
        lines += [
            "",
            f"┌─{'─' * width}─┐",
            f"│ {state.value.ljust(width)} │" + (f"  stays so by: {', '.join(stays)}" if stays else ""),
            f"└─{'─' * width}─┘",
        ]
        edges = [
            (", ".join(action.value for action, to in after.items() if to is other), other)
            for other in State
            if other is not state and other in after.values()
        ]
        for number, (actions, other) in enumerate(edges, 1):
            corner = "└" if number == len(edges) else "├"
            lines.append(f"  {corner}─ {actions} ".ljust(_ARROW, "─") + f"► {other.value}")
    return "```\n" + "\n".join(lines) + "\n```\n"


def drawn(page: str) -> str:
    """Return the text of the page with the drawing as the code makes it."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{drawing()}{END}{after}"


def write() -> None:
    """Bring the page up to date."""
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
