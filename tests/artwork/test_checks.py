"""Checks in processes of their own: answers, limits, the queue."""

from __future__ import annotations

import hashlib
import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

from service.artwork import ArtworkChecks
from service.artwork.report import ArtworkReport
from service.campaign import Campaign
from service.problems import TooLarge, Unavailable, UnknownLogo, UnsupportedMediaType

from .drawing import drawn, encoded, heart, lockup, paint
from .test_reading import bomb


@pytest.fixture(scope="module")
def picture(campaign: Campaign) -> bytes:
    """A heart that is right and a lockup that is not."""
    canvas = drawn(campaign, heart(120, 110, 110), size=(640, 420))
    paint(canvas, campaign, lockup(260, 420, 290), "d81b60")
    return encoded(canvas)


@pytest.fixture(scope="module")
def checks(campaign: Campaign) -> ArtworkChecks:
    return ArtworkChecks(campaign, variant_url=lambda logo, colourway, width, ground: f"/{logo}/{colourway}/{width}")


def test_the_answer_has_what_the_api_promises(checks: ArtworkChecks, picture: bytes) -> None:
    checked = checks.check(picture, lang="fr")
    report = checked.report
    assert (report.verdict, report.width, report.height) == ("not_compliant", 640, 420)
    assert report.sha256 == hashlib.sha256(picture).hexdigest()
    right, wrong = report.logos
    assert (right.logo, right.colourway, right.violations) == ("heart", "blue", ())
    assert right.right is not None
    assert right.right.url == "/heart/blue/120"
    (finding,) = wrong.violations
    assert finding.rule == "recoloured"
    assert finding.required == 5
    assert "couleur" in finding.detail
    fields = json.loads(report.model_dump_json())
    assert {"id", "verdict", "logos", "annotated_url", "width", "height", "seconds"} <= fields.keys()
    logo = {
        "logo",
        "colourway",
        "box",
        "rotation_degrees",
        "aspect_error",
        "delta_e",
        "confidence",
        "violations",
        "right",
    }
    assert logo <= fields["logos"][0].keys()
    assert {"rule", "severity", "measured", "required", "detail"} <= fields["logos"][1]["violations"][0].keys()
    assert ArtworkReport.model_validate(fields) == report


def test_the_picture_is_annotated(checks: ArtworkChecks, picture: bytes) -> None:
    ((page, png),) = checks.check(picture).annotated
    assert page == 1
    image = Image.open(io.BytesIO(png))
    assert image.size == (640, 420)
    plain = Image.open(io.BytesIO(picture)).convert("RGB")
    assert image.convert("RGB").tobytes() != plain.tobytes()


def test_one_logo_alone_can_be_looked_for(checks: ArtworkChecks, picture: bytes) -> None:
    assert {logo.logo for logo in checks.check(picture, logo="lockup", pictures=False).report.logos} == {"lockup"}
    with pytest.raises(UnknownLogo, match="heart"):
        checks.check(picture, logo="moon")


def test_what_is_refused_is_a_problem_with_its_reason(checks: ArtworkChecks) -> None:
    with pytest.raises(TooLarge, match="megapixels"):
        checks.check(bomb(30000, 30000))
    with pytest.raises(UnsupportedMediaType):
        checks.check(b"not a picture")


def test_a_picture_without_a_logo_is_told_so(checks: ArtworkChecks) -> None:
    report = checks.check(encoded(np.full((90, 120, 3), 200, np.float32))).report
    assert (report.verdict, report.logos) == ("logo_not_found", ())


def test_a_full_queue_answers_at_once(campaign: Campaign, picture: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.artwork.checks._LONGEST_WAIT", 600)  # those that wait are checked, however slowly
    checks = ArtworkChecks(campaign, at_once=1)
    told: list[Unavailable] = []

    def ask() -> None:
        try:
            checks.check(picture, pictures=False)
        except Unavailable as error:
            told.append(error)

    threads = [threading.Thread(target=ask) for _ in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 2  # one is checked and four wait
    assert all(error.headers["Retry-After"] for error in told)
