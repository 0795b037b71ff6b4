"""A profile picture made in the browser: the photo goes nowhere, and nothing of its EXIF is left."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.parts.demo import Demo

RED, GREEN = (200, 30, 30), (30, 160, 60)
_ORIENTATION, _MAKER = 0x0112, 0x010F


def photo() -> bytes:
    """A photo that lies on its side: green above and red below once it is turned as its EXIF says."""
    upright = Image.new("RGB", (600, 900), RED)
    upright.paste(GREEN, (0, 0, 600, 450))
    exif = Image.Exif()
    exif[_ORIENTATION], exif[_MAKER] = 6, "A camera of somebody"
    out = io.BytesIO()
    upright.transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(one - other) < 40 for one, other in zip(pixel[:3], colour, strict=True))


def saved(page: Page, button: str, folder: Path) -> Image.Image:
    with page.expect_download() as begun:
        page.locator(button).click()
    file = folder / begun.value.suggested_filename
    begun.value.save_as(file)
    return Image.open(file)


@pytest.mark.context(viewport={"width": 390, "height": 844}, has_touch=True)
def test_the_photo_never_leaves_the_browser(page: Page, demo: Demo, tmp_path: Path) -> None:
    page.goto(f"{demo.base_url}/en/wear")
    page.locator("#wear").wait_for(state="visible")
    assert page.locator("#w-ready").is_hidden()
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.context.set_offline(True)
    page.locator("#w-photo").set_input_files({"name": "me.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    page.locator("#w-said").get_by_text("in the picture").wait_for()

    first = saved(page, "#w-png", tmp_path)
    assert (first.format, first.size) == ("PNG", (1024, 1024))
    assert near(first.getpixel((60, 60)), GREEN)
    assert near(first.getpixel((60, 960)), RED), "the photo stands upright"
    assert near(first.getpixel((1000, 762)), (255, 255, 255)), "the logo stands on a white disc"

    canvas = page.locator("#w-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 500, box["y"] - 500, steps=3)  # beyond the edge: it stays inside
    page.mouse.up()
    assert (page.locator("#w-x").input_value(), page.locator("#w-y").input_value()) == ("0", "0")
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("+")
    assert (page.locator("#w-x").input_value(), page.locator("#w-y").input_value()) == ("2", "2")
    page.locator("#w-size").fill("15")  # the smallest that the rules allow
    second = saved(page, "#w-jpeg", tmp_path)
    assert (second.format, second.size, dict(second.getexif())) == ("JPEG", (1024, 1024), {})
    assert near(second.getpixel((1000, 762)), RED), "it has been moved"

    page.locator("#w-frame").check()
    third = saved(page, "#w-png", tmp_path)
    assert near(third.getpixel((10, 10)), (11, 92, 173)), "the frame is of the campaign's blue"
    assert near(third.getpixel((512, 300)), GREEN)
    page.locator("#w-ribbon").check()
    page.locator("#w-y").fill("100")
    fourth = saved(page, "#w-png", tmp_path)
    assert near(fourth.getpixel((10, 1000)), (11, 92, 173))
    assert near(fourth.getpixel((10, 700)), RED)

    page.locator("#w-photo").set_input_files({"name": "me.heic", "mimeType": "image/heic", "buffer": b"no picture"})
    page.locator("#w-said").get_by_text("cannot read").wait_for()
    assert [url for url in asked if not url.startswith("blob:")] == [], "nothing was asked of the network"


@pytest.mark.context(java_script_enabled=False)
def test_without_javascript_there_are_ready_frames(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base_url}/fr/wear")
    assert page.locator("#wear").is_hidden()
    frames = page.locator("#w-ready a[download]")
    assert frames.count() == 2
    for frame in frames.all():
        answer = page.request.get(demo.base_url + str(frame.get_attribute("href")))
        assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
    shown = page.locator("#w-ready img").all()
    assert all(one.evaluate("one => one.complete && one.naturalWidth") == 1024 for one in shown)
