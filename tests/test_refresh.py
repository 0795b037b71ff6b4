"""A running process takes up what is published, as a whole, and keeps what it has where that cannot be read."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service.app import create_app
from service.deployment import assemble, open_publisher
from service.settings import shipped
from service.store.tables import Publication

from .web.conftest import Api, problem

if TYPE_CHECKING:
    from service.settings import Settings

    from .conftest import FrozenClock


@pytest.fixture
def drafts(tmp_path: Path) -> Path:
    """A folder with copies of the policies and the logos, to be edited."""
    folder = tmp_path / "drafts"
    shutil.copytree(shipped("policies"), folder / "policies")
    shutil.copytree(shipped("assets"), folder / "assets")
    return folder


@pytest.fixture
def drafted(settings: Settings, drafts: Path) -> Settings:
    return dataclasses.replace(settings, policies_dir=drafts / "policies", assets_dir=drafts / "assets")


@pytest.fixture
def api(drafted: Settings, clock: FrozenClock) -> Iterator[Api]:
    made = create_app(settings=drafted, clock=clock)
    yield Api(made)
    made.extensions["emblem"].close()


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text, file
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def publish_rules(settings: Settings, clock: FrozenClock) -> None:
    with open_publisher(settings, clock) as publisher:
        assert publisher.publish_rules()


def add_terms(policies: Path) -> None:
    """Drafts a version of the logo's terms that is in force since yesterday."""
    terms = policies / "terms/logo-terms"
    shutil.copytree(terms / "2026-03-01", terms / "2026-11-24")
    listed = (terms / "terms.yaml").read_text(encoding="utf-8")
    newest = '  - version: "2026-03-01"'
    at = listed.index(newest)
    entry = listed[at:].split("\n  - ")[0].rstrip()
    entry = entry.replace("2026-03-01", "2026-11-24")
    (terms / "terms.yaml").write_text(listed[:at] + entry + "\n" + listed[at:], encoding="utf-8")


def test_published_terms_are_in_force_in_a_running_process(api: Api, drafted: Settings, clock: FrozenClock) -> None:
    participant = api.ready()
    link = api.link(participant)
    add_terms(drafted.policies_dir)
    assert not api.parts.refresh(), "a draft is no publication"
    assert api.ask("GET", "/api/v1/terms/logo-terms").json["version"] == "2026-03-01"
    publish_rules(drafted, clock)
    assert api.parts.refresh()
    assert api.ask("GET", "/api/v1/terms/logo-terms").json["version"] == "2026-11-24"
    told = problem(api.ask("GET", api.path(link)), 403, "terms-not-accepted")
    assert told["terms"]["version"] == "2026-11-24"
    assert api.accept(participant).status_code == 201
    assert api.ask("GET", api.path(link)).status_code == 200
    assert not api.parts.refresh()


def test_decisions_name_the_published_digest_whatever_the_drafts_say(
    api: Api, drafted: Settings, clock: FrozenClock
) -> None:
    before = api.parts.campaign.digest
    edit(drafted.policies_dir / "campaign.yaml", "terms_grace_days: 30", "terms_grace_days: 20")
    again = assemble(drafted, clock)  # a worker that starts meanwhile
    assert again.campaign.digest == before
    assert again.campaign.info.terms_grace_days == 30
    again.close()
    publish_rules(drafted, clock)
    assert api.parts.refresh()
    assert api.parts.campaign.digest != before
    participant = api.parts.participants.listing.get(api.join())
    assert participant.policy == api.parts.campaign.digest == api.parts.publication.policies  # type: ignore[union-attr]


def test_a_mistake_in_the_drafts_stops_no_process_from_starting(drafted: Settings, clock: FrozenClock) -> None:
    for broken in (drafted.policies_dir / "brand.yaml", drafted.policies_dir / "alerts.yaml"):
        broken.write_text("about: [\n")
    (drafted.assets_dir / "logos/heart/blue.svg").write_text("<svg")
    (drafted.assets_dir / "tools/posters/manifest.yaml").write_text("id: [")
    made = create_app(settings=drafted, clock=clock)
    assert Api(made).ask("GET", "/en/rules").status_code == 200
    made.extensions["emblem"].close()


def test_a_publication_that_cannot_be_read_leaves_the_one_before_in_force(
    api: Api, drafted: Settings, clock: FrozenClock
) -> None:
    before = api.parts.publication
    edit(drafted.policies_dir / "campaign.yaml", "terms_grace_days: 30", "terms_grace_days: 20")
    publish_rules(drafted, clock)
    assert before is not None

    def spoil(session: object) -> None:
        good = session.get(Publication, before.number)  # type: ignore[attr-defined]
        newer = session.get(Publication, before.number + 1)  # type: ignore[attr-defined]
        session.add(  # type: ignore[attr-defined]
            Publication(at=clock(), policies="0" * 64, sha256="0" * 64, files=good.files[:-200])
        )
        session.delete(newer)  # type: ignore[attr-defined]

    api.parts.database.write(spoil)
    for _ in range(2):
        assert not api.parts.refresh()
    assert api.parts.publication == before
    assert api.ask("GET", "/en/").status_code == 200


def test_changed_logos_are_rendered_anew_and_what_was_asked_before_is_answered(
    api: Api, drafted: Settings, clock: FrozenClock
) -> None:
    participant = api.ready()
    embed = api.ask("POST", "/api/v1/embeds", key="portal", json={"participant": participant, "logo": "heart"}).json
    path = embed["base_url"].removeprefix(drafted.base_url) + "/blue/96.svg"
    before, variants = api.ask("GET", path), api.parts.variants
    for colourway in ("blue", "black", "white"):
        master = drafted.assets_dir / f"logos/heart/{colourway}.svg"
        edit(master, "</svg>", '<path d="M0 0h1v1z"/></svg>')
    publish_rules(drafted, clock)
    assert api.parts.refresh()
    after = api.ask("GET", path)
    assert (before.status_code, after.status_code) == (200, 200)
    assert before.headers["ETag"] != after.headers["ETag"]
    assert api.parts.variants.version != variants.version
    edit(drafted.policies_dir / "campaign.yaml", "terms_grace_days: 30", "terms_grace_days: 20")
    same = api.parts.variants
    publish_rules(drafted, clock)
    assert api.parts.refresh()
    assert api.parts.variants is same, "policies alone make no logo anew"


def test_a_rule_that_changed_is_in_force_for_variants(api: Api, drafted: Settings, clock: FrozenClock) -> None:
    participant = api.ready()
    embed = api.ask("POST", "/api/v1/embeds", key="portal", json={"participant": participant, "logo": "heart"}).json
    path = embed["base_url"].removeprefix(drafted.base_url)
    smallest = api.parts.variants.minimum("heart")
    assert api.ask("GET", f"{path}/blue/{smallest}.svg").status_code == 200
    brand = drafted.policies_dir / "brand.yaml"
    edit(brand, f"minimum: {{px: {smallest},", f"minimum: {{px: {smallest + 8},")
    publish_rules(drafted, clock)
    assert api.parts.refresh()
    problem(api.ask("GET", f"{path}/blue/{smallest}.svg"), 422, "below-minimum-size")


def test_without_any_publication_the_files_are_in_force(drafted: Settings, clock: FrozenClock) -> None:
    from sqlalchemy import delete

    first = assemble(drafted, clock)
    first.database.write(lambda session: session.execute(delete(Publication)))
    first.close()
    edit(drafted.policies_dir / "campaign.yaml", "terms_grace_days: 30", "terms_grace_days: 20")
    made = create_app(settings=drafted, clock=clock)
    parts = made.extensions["emblem"]
    assert parts.publication is None
    assert parts.campaign.info.terms_grace_days == 20
    publish_rules(drafted, clock)
    assert parts.refresh()
    assert parts.publication is not None
    parts.close()
