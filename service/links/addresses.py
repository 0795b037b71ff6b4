"""Judge the end of a download address: exactly the file's name, or a refusal that says what happened to it."""

from __future__ import annotations

from ..problems import InvalidLink

_LONGEST_SURPLUS = 20  # characters that a refusal repeats


def check_filename(given: str, filename: str) -> None:
    """Raise InvalidLink where an address does not end in the file's name.

    Mail and chat programs take a full stop or a bracket behind an address for a part of it: then the link is
    right but for that, and the refusal names what is too much. They also break addresses at the end of a line,
    which leaves a part of the name, or a line end behind it.
    """
    if given == filename:
        return
    surplus = given.removeprefix(filename).strip()
    if given.startswith(filename) and surplus and surplus.isprintable():
        raise InvalidLink(
            "Something is too much at the end of this link: “%(surplus)s”. Take that away; the rest is right.",
            values={"surplus": surplus[:_LONGEST_SURPLUS]},
        )
    last = given.rpartition("/")[2].strip()  # the file is the right one, whatever stands before it
    if given.startswith(filename) or filename.startswith(given) or last == filename:
        raise InvalidLink
    raise InvalidLink("This link is for another file. Use it exactly as it was given, or get a new one.")
