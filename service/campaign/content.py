"""Texts of the campaign's pages: who it is, how to join, what to do, the Protocol in a nutshell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Literal, Self

from pydantic import EmailStr, model_validator
from pydantic import Field as Setting

from .kinds import Name
from .source import Source, Strict
from .text import Text

Days = Annotated[int, Setting(ge=1, le=3650)]
Slug = Annotated[str, Setting(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]


class Section(Strict):
    """A heading with its text; paragraphs are separated by empty lines."""

    id: Slug
    title: Text
    text: Text


class Use(Strict):
    """Use that somebody wants the logo for, and the file that is right for it: ``path`` in the current version."""

    id: Slug
    title: Text
    text: Text
    package: Slug
    path: Annotated[str, Setting(min_length=1, max_length=150)]


class Home(Strict):
    """The texts of the home page, in the order in which they stand there."""

    lead: Text
    why: Section
    join: Section
    steps: Annotated[tuple[Section, ...], Setting(min_length=1)]
    who: Section
    groups: Annotated[tuple[Section, ...], Setting(min_length=1)]
    wear: Section
    download: Section
    uses: tuple[Use, ...] = ()
    day: Section


class Retention(Strict):
    """For how many days what is known of a download's client is kept, and a participant's checks of artwork.

    ``reporter_days`` are counted from the end of a case: then the mailbox of whoever reported a misuse is dropped.
    ``downloads_days`` says when downloads leave the database: lists no longer show them, while reports, exports and the
    log have them for ever. Without it they stay.
    """

    client_hash_days: Days
    client_prefix_days: Days
    artwork_days: Days = 365
    reporter_days: Days = 90
    downloads_days: Days | None = None

    @model_validator(mode="after")
    def _clients_first(self) -> Self:
        if self.downloads_days is not None and self.downloads_days < max(
            self.client_hash_days, self.client_prefix_days
        ):
            raise ValueError("downloads_days is shorter than what is kept of a download's client: make it as long")
        return self


class RightsStatement(Strict):
    """Rights that files of packages state, beside the licence of their package.

    The addresses are the campaign's, whichever deployment hands the file out; ``{terms}`` in ``licence`` stands for
    the id of the package's terms.
    """

    owner: Annotated[str, Setting(min_length=1, max_length=200)]
    web_statement: Annotated[str, Setting(pattern=r"^https://[^\s]+$", max_length=500)]
    licence: Annotated[str, Setting(pattern=r"^https://[^\s]+$", max_length=500)]


class Info(Strict):
    """``campaign.yaml``: the campaign itself."""

    id: Slug
    sample: bool
    sample_note: Text
    name: Text
    title: Text
    tagline: Text
    summary: Text
    contact_email: EmailStr
    rights: RightsStatement
    terms_grace_days: Annotated[int, Setting(ge=0, le=365)]
    retention: Retention
    home: Home
    privacy_written: Annotated[tuple[Section, ...], Setting(min_length=1, alias="privacy")]

    @property
    def privacy(self) -> tuple[Section, ...]:
        """The sections of the privacy notice, with the days of retention filled in."""
        days = {name: str(value) for name, value in self.retention.model_dump().items()}
        return tuple(
            section.model_copy(
                update={"text": section.text.filled(**{name: _same(text) for name, text in days.items()})}
            )
            for section in self.privacy_written
        )


class Action(Strict):
    """One thing that a participant can do for the campaign."""

    id: Slug
    title: Text
    text: Text
    effort: Literal["minutes", "hours", "days"]


class ActionGroup(Strict):
    """The suggested actions of one kind of participant."""

    lead: Text
    actions: Annotated[tuple[Action, ...], Setting(min_length=1)]


class ActionsFile(Strict):
    """``actions.yaml``."""

    about: Text
    kinds: dict[Name, ActionGroup]


class Protocol(Strict):
    """``protocol.yaml``: the Protocol in a nutshell."""

    title: Text
    full_title: Text
    lead: Text
    about: Text
    sections: Annotated[tuple[Section, ...], Setting(min_length=1)]


def _same(text: str) -> Callable[[str], str]:
    return lambda _language: text


def check_actions(source: Source, written: ActionsFile, kinds: tuple[str, ...]) -> None:
    """Notes kinds without actions and ids that stand twice."""
    for kind in kinds:
        if kind not in written.kinds:
            source.mistake(("kinds",), f"{kind} has no actions", f"Add {kind}: with its lead and actions")
    for kind, group in written.kinds.items():
        if kind not in kinds:
            source.mistake(("kinds", kind), f"There is no kind {kind}", f"Use one of {', '.join(kinds)}")
        check_ids(source, ("kinds", kind, "actions"), [action.id for action in group.actions])


def check_uses(source: Source, uses: tuple[Use, ...], files: Mapping[str, Collection[str]]) -> None:
    """Notes ids that stand twice, and paths that a package has not.

    ``files`` are the paths of each package that is at hand; others may have been published before.
    """
    check_ids(source, ("home", "uses"), [use.id for use in uses])
    for index, use in enumerate(uses):
        if use.package in files and use.path not in files[use.package]:
            fix = f"Use one of its paths, such as {min(files[use.package])}"
            source.mistake(("home", "uses", index, "path"), f"{use.package} has no file {use.path}", fix)


def check_ids(source: Source, where: tuple[str | int, ...], ids: list[str]) -> None:
    """Notes ids that stand twice in a list."""
    for index, name in enumerate(ids):
        if name in ids[:index]:
            source.mistake((*where, index, "id"), f"{name} stands here twice", "Give each an id of its own")
