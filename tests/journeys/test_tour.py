"""The tour of the documentation: its pictures are those that are taken, small, and its commands are there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import click
import pytest
from PIL import Image

from service.cli import emblem
from tests.tour import FOLDER, MOST_BYTES, PICTURES

TOUR = (FOLDER.parent / "tour.md").read_text(encoding="utf-8")


def test_the_tour_shows_every_picture_that_is_taken_and_no_other() -> None:
    shown = re.findall(r"!\[[^\]]{20,}\]\(tour/([\w-]+)\.webp\)", TOUR)
    assert len(shown) == TOUR.count("!["), "each picture is one of the tour's, and has its alternative text"
    assert sorted(shown) == sorted(PICTURES) == sorted(file.stem for file in FOLDER.iterdir())
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < MOST_BYTES


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_something(name: str) -> None:
    with Image.open(FOLDER / f"{name}.webp") as picture:
        assert picture.format == "WEBP"
        assert picture.width in (390, 900)
        colours = picture.convert("RGB").resize((64, 64)).getcolors(64 * 64)
        assert colours is not None
        assert len(colours) > 50, "an empty page has few colours"


def test_the_commands_of_the_tour_are_there() -> None:
    commands = re.findall(r"\.venv/bin/(\S+) ([^`\n]+)", TOUR)
    assert len(commands) == 2
    for program, words in commands:
        if program == "emblem":
            assert words.split()[0] in emblem.list_commands(click.Context(emblem))
        else:
            flag, module = words.split()[:2]
            assert (program, flag) == ("python", "-m")
            assert importlib.util.find_spec(module) is not None


def test_what_the_tour_walks_is_a_path_of_its_pictures() -> None:
    walked = Path(__file__).parents[1].joinpath("tour.py").read_text(encoding="utf-8")
    for name in PICTURES:
        assert walked.count(f'"{name}"') >= 2, f"{name} is named in the table, and where it is taken"
