"""Photographs of printed matter, made by procedure: a print seen by a camera, in uneven light, a little blurred."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from service.campaign import Campaign

from . import clutter, grounds
from .grounds import Random
from .inks import Placed, ink_box, wide
from .pieces import Flat, Piece, Truth, encoded

_ALLOWED = ("recoloured", "cropped", "flipped")
_MOST_TILT = 35


class _Print(Flat):
    """A flat piece that will be photographed: large enough, and wrong only in what a photograph can show."""

    def __init__(self, campaign: Campaign, seed: int) -> None:
        super().__init__(campaign, seed)
        self.random = np.random.default_rng([seed, 3])
        self.scale = 1.0
        ratio = float(self.random.choice([0.7, 0.75, 1.0, 1.4, 2.0]))
        self.width, self.height = 1000, int(1000 * ratio)

    def _try(self) -> grounds.Array | None:
        random = self.random
        logo = str(random.choice(list(self.campaign.logos)))
        wanted = {str(random.choice(_ALLOWED))} if random.random() < 0.35 else set()
        colourway, ink, canvas, _, _ = self._ground(logo, wanted)
        if canvas is None:
            return None
        if not self._place(canvas, logo, colourway, ink, wanted, ""):
            return None
        clutter.beside(canvas, self.taken, random, canvas, 0.15)
        return canvas

    def _placed(self, logo: str, wanted: set[str]) -> Placed | None:
        found = super()._placed(logo, wanted)
        return found if found is not None and found.width > 220 else None


def seen_from_the_side(width: int, height: int, size: tuple[int, int], random: Random) -> npt.NDArray[np.float64]:
    """The homography of a print of ``width`` by ``height`` that a camera sees from the side."""
    yaw, pitch = (np.radians(random.uniform(-_MOST_TILT, _MOST_TILT)) for _ in range(2))
    tilt = np.arccos(np.cos(yaw) * np.cos(pitch))
    if tilt > np.radians(_MOST_TILT):
        yaw, pitch = yaw * np.radians(_MOST_TILT) / tilt, pitch * np.radians(_MOST_TILT) / tilt
    roll = np.radians(random.uniform(-6, 6))
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    turn = about_z @ about_x @ about_y
    focal = size[0] * random.uniform(0.8, 1.5)
    half = max(width, height) / 2
    distance = focal * 2 * half / (min(size) * random.uniform(0.65, 1.1))
    camera = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
    plane = np.column_stack(
        [turn[:, 0], turn[:, 1], [random.uniform(-0.1, 0.1) * half, random.uniform(-0.1, 0.1) * half, distance]]
    )
    made = camera @ plane @ np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    return np.asarray(made / made[2, 2], np.float64)


def photo(campaign: Campaign, seed: int) -> Piece:
    """A photograph of a poster, a badge or a screen."""
    made = _Print(campaign, seed)
    random = np.random.default_rng([seed, 4])
    for _ in range(60):
        made.truths, made.taken = [], []
        canvas = made._try()
        if canvas is None:
            continue
        size = (int(random.choice([800, 1000, 1280, 1600])), int(random.choice([700, 900, 1100])))
        matrix = seen_from_the_side(made.width, made.height, size, random)
        box = _mapped(made.truths[0].box, matrix)
        across = box[2]
        if (
            across > 70
            and box[0] > 4
            and box[1] > 4
            and box[0] + box[2] < size[0] - 4
            and box[1] + box[3] < size[1] - 4
        ):
            break
    else:
        raise AssertionError(f"seed {seed} cannot be laid out")
    room = (
        grounds.picture(*size, random)
        if random.random() < 0.5
        else grounds.graded(grounds.colour_of(random, vivid=0.4), grounds.colour_of(random, vivid=0.4), *size, random)
    )
    seen = cv2.warpPerspective(canvas, matrix, size, flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.ones(canvas.shape[:2], np.float32), matrix, size)[..., None]
    scene = room * (1 - inside) + seen * inside
    scene *= _light(size, random)
    scene *= 1 + random.uniform(-0.04, 0.04, 3)
    scene = cv2.GaussianBlur(scene, (0, 0), random.uniform(0.5, 1.8))
    scene = scene + random.standard_normal(scene.shape) * random.uniform(0.8, 4)
    truth = made.truths[0]
    exact = ink_box(wide(campaign, truth.logo), matrix @ made.last.matrix())
    pixels = np.clip(scene, 0, 255).astype(np.float32)
    logos = [Truth(truth.logo, truth.colourway, exact, truth.violations, "perspective")]
    return Piece(f"photo-{seed}", encoded(pixels, random), size[0], size[1], logos)


def _mapped(
    box: tuple[float, float, float, float], matrix: npt.NDArray[np.float64]
) -> tuple[float, float, float, float]:
    x, y, w, h = box
    points = np.array([[x, y, 1], [x + w, y, 1], [x, y + h, 1], [x + w, y + h, 1]]) @ matrix.T
    points = points[:, :2] / points[:, 2:]
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)


def _light(size: tuple[int, int], random: Random) -> npt.NDArray[np.float64]:
    """Light that falls off to one side, with a soft spot."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float64)
    angle = random.uniform(0, 2 * np.pi)
    along = (x / size[0] - 0.5) * np.cos(angle) + (y / size[1] - 0.5) * np.sin(angle)
    fall = 1 - random.uniform(0.05, 0.4) * (along + 0.5)
    spot = np.exp(
        -(((x - random.uniform(0, size[0])) / size[0]) ** 2 + ((y - random.uniform(0, size[1])) / size[1]) ** 2) * 4
    )
    return np.asarray((fall * (0.88 + 0.12 * spot))[..., None], np.float64)
