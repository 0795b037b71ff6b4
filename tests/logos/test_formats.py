"""The table of formats: another one is a row and its encoder; one whose library is missing is not offered."""

from __future__ import annotations

import io
from typing import Any, cast

import pytest
from PIL import Image

from service.cli.doctor import OK, WARNING, _formats
from service.logos import formats
from service.logos.formats import FORMATS, RASTERS, TABLE, Format
from service.logos.render import Picture


def test_every_format_has_a_name_and_a_media_type_of_its_own() -> None:
    assert len({row.name for row in TABLE}) == len({row.media_type for row in TABLE}) == len(TABLE)
    assert set(RASTERS) == set(FORMATS) - {"svg"}


@pytest.mark.parametrize("name", RASTERS)
def test_each_encoder_writes_what_its_row_says(name: str) -> None:
    content = FORMATS[name].load().encode(Picture(2, 2, bytes([0, 85, 170, 255]), ((11, 92, 173),)), ahead=False)
    with Image.open(io.BytesIO(content)) as image:
        assert image.get_format_mimetype() == FORMATS[name].media_type
        assert image.size == (2, 2)


def test_what_is_not_installed_is_said_by_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the binding is missing on a platform the format is not offered, and ``doctor`` says so."""
    row = Format("qoi", "image/qoi", "qoi", ("pillow", "emblem-no-such-package"))
    assert row.missing == ("emblem-no-such-package",)
    monkeypatch.setattr(formats, "TABLE", (*TABLE, row))
    said = list(_formats(cast(Any, None)))
    assert [state for state, _ in said] == [WARNING, OK]
    assert "qoi is not offered: install emblem-no-such-package" in said[0][1]
