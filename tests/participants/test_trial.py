"""Policies tried on past applications: who would be decided otherwise, who would accept again, and nothing written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import func, select

from service import settings
from service.campaign import Campaign, load
from service.participants import Participants, Signatory
from service.participants.trial import try_policies
from service.store import Database, tables

from ..conftest import FrozenClock
from .conftest import Make


def draft(tmp_path: Path) -> Path:
    """A copy of the shipped policies."""
    return Path(shutil.copytree(settings.shipped("policies"), tmp_path / "draft"))


def read(policies: Path) -> Campaign:
    """The campaign of a draft."""
    return load(policies, settings.shipped("assets"), packages=False)


def written(database: Database) -> int:
    """How many decisions and entries there are."""
    with database.read() as session:
        return sum(
            session.scalar(select(func.count()).select_from(t)) or 0 for t in (tables.Decision, tables.LedgerEntry)
        )


def test_the_same_policies_change_nothing(
    people: Participants, application: Make, database: Database, campaign: Campaign, clock: FrozenClock, tmp_path: Path
) -> None:
    for purposes in (["information"], ["fundraising"]):
        people.joining.join(application(purposes=purposes), via="staff:stf_x")
    before = written(database)
    trial = try_policies(database, campaign, read(draft(tmp_path)), clock)
    assert (trial.applications, trial.otherwise, trial.accept_again) == (2, (), 0)
    assert written(database) == before


def test_a_stricter_rule_names_whom_it_would_decide_otherwise(
    people: Participants, application: Make, database: Database, campaign: Campaign, clock: FrozenClock, tmp_path: Path
) -> None:
    society = people.joining.join(application(), via="staff:stf_x")
    people.joining.join(application("individual"), via="staff:stf_x")
    held = people.joining.join(application(purposes=["fundraising"]), via="staff:stf_x")
    people.decisions.decide(held.id, "approved", reason="Fine.", by="staff:stf_x")  # the rule's word is compared
    policies = draft(tmp_path)
    text = (policies / "eligibility.yaml").read_text(encoding="utf-8")
    first = text.index("rules:\n")
    end = text.index("  - id:", text.index("  - id:", first) + 1)
    rule = "  - {id: societies, when: {kind: [civil_society]}, decision: review, reason: {en: Looked at.}}\n"
    (policies / "eligibility.yaml").write_text(text[:end] + rule + text[end:], encoding="utf-8")
    (changed,) = try_policies(database, campaign, read(policies), clock).otherwise
    assert (changed.participant, changed.before, changed.after, changed.after_rule) == (
        society.id,
        "approved",
        "review",
        "societies",
    )


@pytest.mark.parametrize("effective", ["2026-11-20", "2027-01-01"])
def test_new_terms_are_accepted_again_also_those_to_come(
    effective: str,
    people: Participants,
    application: Make,
    database: Database,
    campaign: Campaign,
    clock: FrozenClock,
    tmp_path: Path,
) -> None:
    joined = people.joining.join(application(), via="staff:stf_x")
    current = campaign.terms.current("logo-terms", clock())
    people.acceptances.accept(
        joined.id,
        terms="logo-terms",
        version=current.version,
        language="en",
        digest=current.digest("en"),
        signatory=Signatory("Anne", "Chair"),
        via="staff:stf_x",
    )
    policies = draft(tmp_path)
    folder = policies / "terms" / "logo-terms"
    shutil.copytree(folder / current.version, folder / "2026-11-20")
    listed = (folder / "terms.yaml").read_text(encoding="utf-8")
    entry = '  - {version: "2026-11-20", effective: 2026-11-20T00:00:00Z, languages: [en], changes: {en: Shorter.}}'
    version = entry.replace("effective: 2026-11-20", f"effective: {effective}")
    (folder / "terms.yaml").write_text(listed.replace("versions:\n", f"versions:\n{version}\n"), encoding="utf-8")
    for file in (folder / "2026-11-20").glob("*.md"):
        if file.name != "en.md":
            file.unlink()
    new = read(policies)
    assert try_policies(database, campaign, new, clock).accept_again == 1
    assert try_policies(database, new, new, clock).accept_again == 0, "what is published asks nobody anew"
