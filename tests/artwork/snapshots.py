"""Pages of ``layouts`` as they reach a desk: saved twice, scaled, or photographed by a camera with tones of its own."""

from __future__ import annotations

import io

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from service.campaign import Campaign

from . import grounds
from .grounds import Array, Random
from .inks import ink_box, wide
from .layouts import PageMaker
from .photographs import seen_from_the_side
from .pieces import Piece, Truth


def _saved(pixels: Array, random: Random) -> tuple[bytes, int, int]:
    """A file as it comes after some hands: saved once or twice, with coarse colour, or as a screenshot."""
    image = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    kind = random.random()
    file = io.BytesIO()
    if kind < 0.35:
        image.save(file, "PNG", compress_level=1)
        return file.getvalue(), *image.size
    if kind < 0.6:
        image.save(file, "JPEG", quality=int(random.integers(60, 95)), subsampling=2)
        file.seek(0)
        image = Image.open(file).convert("RGB")
        file = io.BytesIO()
    if kind > 0.9:
        image.save(file, "WEBP", quality=int(random.integers(70, 92)), method=0)
    else:
        image.save(file, "JPEG", quality=int(random.choice([60, 72, 85])), subsampling=int(random.choice([0, 2])))
    return file.getvalue(), *image.size


def layout(campaign: Campaign, seed: int, rule: str | None = None) -> Piece:
    """A page with one logo, which breaks this rule where one is named."""
    random = np.random.default_rng([seed, 11])
    pixels, truths = PageMaker(campaign, random, False, rule).make()
    small = bool(truths[0].violations & {"too_small", "cropped"}) or truths[0].box[2] < 2 * _least(campaign, truths[0])
    if not small and random.random() < 0.4:
        scale = random.uniform(0.6, 1.5)
        how = Image.Resampling.LANCZOS if random.random() < 0.5 else Image.Resampling.BILINEAR
        image = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
        size = round(image.width * scale), round(image.height * scale)
        across, down = size[0] / image.width, size[1] / image.height
        pixels = np.asarray(image.resize(size, how), np.float32)
        for truth in truths:
            x, y, w, h = truth.box
            truth.box = (x * across, y * down, w * across, h * down)
    data, width, height = _saved(pixels, random)
    return Piece(f"layout-{seed}", data, width, height, truths)


def _least(campaign: Campaign, truth: Truth) -> float:
    return float(campaign.brand.logo(truth.logo).minimum.px)


def snapshot(campaign: Campaign, seed: int) -> Piece:
    """A photograph of such a page: tilted, in uneven light, with a camera's tones and noise."""
    random = np.random.default_rng([seed, 12])
    for _ in range(60):
        page, truths = PageMaker(campaign, random, True).make()
        size = [(1200, 900), (900, 1200), (1600, 1067), (1080, 1080)][int(random.integers(4))]
        matrix = seen_from_the_side(page.shape[1], page.shape[0], size, random)
        x, y, w, h = truths[0].box
        corners = matrix @ np.array([[x, x + w, x + w, x], [y, y, y + h, y + h], [1, 1, 1, 1]])
        corners = corners[:2] / corners[2]
        (left, top), (right, bottom) = corners.min(axis=1), corners.max(axis=1)
        if left > 4 and top > 4 and right < size[0] - 4 and bottom < size[1] - 4 and right - left > 70:
            break
    wall = cv2.GaussianBlur(grounds.picture(*size, random), (0, 0), random.uniform(1, 8))
    seen = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.ones(page.shape[:2], np.float32), matrix, size)[..., None]
    scene = (wall * (1 - inside) + seen * inside) / 255
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    angle = random.uniform(0, 2 * np.pi)
    along = (x / size[0] - 0.5) * np.cos(angle) + (y / size[1] - 0.5) * np.sin(angle)
    vignette = 1 - random.uniform(0, 0.25) * (np.hypot(x / size[0] - 0.5, y / size[1] - 0.5) / 0.7) ** 2
    light = (1 - random.uniform(0, 0.35) * (along + 0.5)) * vignette
    # Light is linear; what a camera saves of it is curved.
    lit = scene**2.2 * light[..., None] ** 2.2 * (1 + random.uniform(-0.06, 0.06, 3)) * random.uniform(0.75, 1.15)
    toned = np.clip(lit, 0, 1) ** (1 / 2.2)
    bend = random.uniform(0, 0.35)
    toned = toned + bend * (toned * toned * (3 - 2 * toned) - toned)
    blurred = cv2.GaussianBlur(np.asarray(toned, np.float32), (0, 0), random.uniform(0.5, 1.6))
    grain = cv2.GaussianBlur(random.standard_normal((size[1], size[0], 3)).astype(np.float32), (0, 0), 0.6)
    pixels = np.asarray(blurred * 255 + grain * random.uniform(1, 6), np.float32)
    truth = truths[0]
    exact = _exact(campaign, truth, matrix)
    data, width, height = _saved(pixels, random)
    logos = [Truth(truth.logo, truth.colourway, exact, truth.violations, "perspective")]
    return Piece(f"snapshot-{seed}", data, width, height, logos)


def _exact(campaign: Campaign, truth: Truth, matrix: npt.NDArray[np.float64]) -> tuple[float, float, float, float]:
    """The box of a logo that lay upright in its own box on the page."""
    source = wide(campaign, truth.logo)
    left, top, w, h = ink_box(source, np.eye(3))
    x, y, across, down = truth.box
    if "flipped" in truth.violations:
        left = 1 - left - w
        source = source[:, ::-1]
    own = np.array([[across / w, 0, x - left * across / w], [0, down / h, y - top * down / h], [0, 0, 1]])
    return ink_box(source, matrix @ own)
