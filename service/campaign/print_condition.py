"""The printing condition that files for print are made for: its ICC profile, which the campaign brings along.

With it the PDFs for printers are PDF/X-4 (ISO 15930-7), which asks for an output intent with the profile inside the
file. Without it they have the same inks, and are no PDF/X.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field as Setting

from .mistakes import shown
from .source import Source, Strict

_MOST_BYTES = 4_000_000  # of a profile: it is in every file for print
_HEADER = 128  # bytes, ICC.1:2022, 7.2
_WHERE = ("print_condition", "profile")


class PrintConditionEntry(Strict):
    """``print_condition`` of ``brand.yaml``. ``profile`` is a file of the policies folder.

    ``identifier`` is the name of the condition in the ``registry``, such as FOGRA39; ``name`` says it in words.
    """

    profile: Annotated[str, Setting(min_length=1)]
    identifier: Annotated[str, Setting(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9 ._()-]+$")]
    name: Annotated[str, Setting(min_length=1, max_length=200)]
    registry: Annotated[str, Setting(pattern=r"^https?://\S+$")] = "http://www.color.org"


@dataclass(frozen=True)
class PrintCondition:
    """A printing condition with the bytes of its ICC profile."""

    identifier: str
    name: str
    registry: str
    profile: bytes = field(repr=False)

    def as_json(self) -> list[str]:
        """The condition as a digest of sources counts it."""
        return [self.identifier, self.name, self.registry, hashlib.sha256(self.profile).hexdigest()]


def read_print_condition(source: Source, entry: PrintConditionEntry, folder: Path) -> PrintCondition | None:
    """Read the profile from the policies ``folder``; None with its mistake noted where it is none for print."""
    path = (folder / entry.profile).resolve()
    hidden = any(part.startswith(".") or part.endswith("~") for part in Path(entry.profile).parts)
    if hidden or not path.is_relative_to(folder.resolve()):
        fix = "Copy it there, so that every machine of a deployment has it, and name it from there"
        source.mistake(_WHERE, f"{entry.profile!r} is no file of the policies folder", fix)
        return None
    if not path.is_file():
        fix = "Copy the profile of your printing condition there, or take print_condition: out"
        source.mistake(_WHERE, f"The profile {shown(folder / entry.profile)} is missing", fix)
        return None
    content = path.read_bytes()
    if wrong := _not_for_print(content):
        fix = "Take the output profile of a printing condition in CMYK, as print shops and makers of paper give it"
        source.mistake(_WHERE, f"{entry.profile!r} {wrong}", fix)
        return None
    return PrintCondition(entry.identifier, entry.name, entry.registry, content)


def _not_for_print(profile: bytes) -> str:
    """Return why the bytes are no output profile in CMYK that PDF 1.6 takes (ICC.1:2022, 7.2); empty if they are."""
    if len(profile) < _HEADER or profile[36:40] != b"acsp":
        return "is no ICC profile"
    if int.from_bytes(profile[:4], "big") != len(profile):
        return "is cut off, or has something behind it"
    if len(profile) > _MOST_BYTES:
        return f"has more than {_MOST_BYTES:,} bytes, and would be in every file for print"
    if profile[12:16] != b"prtr":
        return "is no profile of an output device"
    if profile[16:20] != b"CMYK":
        return f"is for {profile[16:20].decode('latin-1').strip()} and not for CMYK"
    if profile[8] not in (2, 4):
        return f"is of version {profile[8]} of ICC profiles, and PDF/X-4 takes 2 and 4"
    return ""
