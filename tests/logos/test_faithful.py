"""A drawing is minified where that shows nothing, and sent as it is where it would."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from service.cli import emblem as command
from service.cli.catalogue import check_folders
from service.cli.secrets import make
from service.logos import VariantRequest
from service.logos.faithful import looks_the_same
from service.settings import shipped
from service.svg import Drawing

from .conftest import Made

if TYPE_CHECKING:
    from service.campaign import Campaign


@pytest.fixture
def spoilt(campaign: Campaign) -> Drawing:
    """The heart, with a minified form that lacks a corner of it."""
    drawing = replace(campaign.logos["heart"].drawing("blue"))
    corner = '<path fill="#fff" d="M0 0h9999v9999H0z"/>'
    drawing.__dict__["short_body"] = drawing.short_body + corner
    return drawing


def test_minified_drawings_of_the_campaign_look_the_same(campaign: Campaign) -> None:
    assert all(looks_the_same(logo.drawing(logo.colourways[0])) for logo in campaign.logos.values())


def test_what_would_look_otherwise_is_sent_as_it_is(new_variants: Made, campaign: Campaign, spoilt: Drawing) -> None:
    assert not looks_the_same(spoilt)
    logos = dict(campaign.logos)
    heart = logos["heart"]
    logos["heart"] = replace(heart, masters={**heart.masters, "blue": spoilt})
    variants = new_variants(logos=logos)
    wanted = VariantRequest("heart", "blue", 120, "svg")
    height = spoilt.height(120)
    assert variants.get(wanted).bytes == spoilt.document(120, height, as_is=True) != spoilt.document(120, height)
    white = replace(wanted, colourway="white")
    assert variants.get(white).bytes == heart.drawing("white").document(120, height)


def test_a_drawing_that_cannot_be_drawn_is_not_minified(spoilt: Drawing) -> None:
    assert not looks_the_same(replace(spoilt, body="<path d='M0 0'"))


def test_the_check_says_which_drawings_are_sent_as_they_are(
    campaign: Campaign, spoilt: Drawing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("service.cli.catalogue.load", lambda *_: campaign)
    monkeypatch.setattr("service.cli.catalogue.check_sources", lambda *_, **__: None)  # of packages, for seconds
    monkeypatch.setattr(type(campaign.logos["heart"]), "drawing", lambda *_: spoilt)
    folders = shipped("policies"), shipped("assets")
    check_folders(*folders, as_json=True)
    names = [f"{logo.id}/{colourway}" for logo in campaign.logos.values() for colourway in logo.colourways]
    assert json.loads(capsys.readouterr().out)["not_minified"] == names
    check_folders(*folders, as_json=False)
    said = capsys.readouterr().out
    assert f"{len(names)} drawings are sent as they are, since minified they would look otherwise:" in said
    assert all(f"  {name}\n" in said for name in names)


def test_publishing_says_which_drawings_are_sent_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.cli.catalogue.looks_the_same", lambda _: False)
    monkeypatch.setattr("service.logos.smallest.PROBES", ())  # the sizes of the logos take a moment
    environment = {"EMBLEM_DATA_DIR": str(tmp_path), **make()}
    run = CliRunner().invoke
    assert run(command, ["db", "upgrade"], env=environment).exit_code == 0
    told = run(command, ["catalogue", "reload"], env=environment, catch_exceptions=False)
    assert told.exit_code == 0
    assert "drawings are sent as they are, since minified they would look otherwise:\n" in told.stdout
    assert "  heart/blue\n" in told.stdout
    assert json.loads(run(command, ["catalogue", "reload", "--json"], env=environment).stdout)["not_minified"] == []
