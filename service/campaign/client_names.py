"""The campaign's names of clients: what is taken off the COUNTER list of robots, and what is added to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field as Setting

from .source import Strict

Name = Annotated[str, Setting(min_length=2, max_length=120)]
SourceOfName = Annotated[str, Setting(min_length=2, max_length=200)]
#: names as they stand in user agents, each with who says so
Names = Annotated[Mapping[Name, SourceOfName], Setting(min_length=1)]


class ClientNames(Strict):
    """``clients.yaml``: names by what they tell. ``service.clients`` says how each is looked for."""

    programs: Names
    agents: Names
    people: Names
    previewers: Names
    robots: Names
