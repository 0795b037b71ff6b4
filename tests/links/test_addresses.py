"""The end of a download address: what programs put behind it is named, what was cut off is told as such."""

from __future__ import annotations

import pytest

from service.links.addresses import check_filename
from service.problems import InvalidLink

NAME = "logo-1.0.0.zip"


def told(given: str) -> str:
    with pytest.raises(InvalidLink) as problem:
        check_filename(given, NAME)
    return problem.value.detail


def test_the_name_itself_is_right() -> None:
    check_filename(NAME, NAME)


@pytest.mark.parametrize("surplus", [".", ")", ",", ">", "&amp;", "”", "'", "/", "/x", "。", "*.", "%20"])
def test_what_is_too_much_is_named(surplus: str) -> None:
    assert told(NAME + surplus).startswith(f"Something is too much at the end of this link: “{surplus}”.")


@pytest.mark.parametrize("around", ["{}\r\n", "{}\t", " {}"])
def test_a_line_end_round_it_is_not_repeated(around: str) -> None:
    assert "“.”" in told(NAME + around.format("."))


def test_a_long_text_behind_it_is_repeated_in_part() -> None:
    assert f"“{'x' * 20}”" in told(NAME + "x" * 5000)


@pytest.mark.parametrize(
    "given",
    ["", "l", NAME[:-1], NAME + "\r\n", NAME + "\0", NAME + "\u202e", "/" + NAME, "\n" + NAME, "\r\n/ " + NAME],
)
def test_what_was_cut_off_or_has_only_a_line_end_too_much_is_told_as_altered(given: str) -> None:
    assert told(given) == InvalidLink.help


@pytest.mark.parametrize("given", ["other.zip", "LOGO-1.0.0.zip", "logo-1.0.1.zip", "x" + NAME])
def test_another_file_is_told_as_such(given: str) -> None:
    assert told(given).startswith("This link is for another file.")
