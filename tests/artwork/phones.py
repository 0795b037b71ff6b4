"""Photographs of ``sheets`` by a telephone: a lens that bends, shadows, glare, noise by brightness, and sharpening."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from service.campaign import Campaign

from .grounds import Array, Random
from .inks import ink_points, wide
from .photographs import seen_from_the_side
from .pieces import Piece, Truth
from .sheets import SheetMaker, saved, scene

_SIZES = ((960, 1280), (1280, 960), (1000, 1000), (1440, 810))


class _Lens:
    """A lens that bends straight lines a little: from where a ray meets the picture to where it would without."""

    def __init__(self, size: tuple[int, int], bend: float) -> None:
        self.middle, self.reach = np.array(size) / 2, float(np.hypot(*size)) / 2
        self.bend = bend

    def straight(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Points (n, 2) of the picture as a lens without bend would have them."""
        off = (points - self.middle) / self.reach
        return np.asarray(self.middle + self.reach * off * (1 + self.bend * (off**2).sum(axis=1, keepdims=True)))

    def bent(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The way back, by repetition."""
        found = points
        for _ in range(12):
            found = found + points - self.straight(found)
        return found


def handheld(campaign: Campaign, seed: int) -> Piece:
    """A telephone's photograph of a sheet on a wall, on cloth, or on a screen in the dark."""
    random = np.random.default_rng([seed, 23])
    for _ in range(80):
        page, truths = SheetMaker(campaign, random, photographed=True).make()
        size = _SIZES[int(random.integers(len(_SIZES)))]
        matrix = seen_from_the_side(page.shape[1], page.shape[0], size, random)
        lens = _Lens(size, random.uniform(-0.03, 0.03))
        box = _box(campaign, truths[0], matrix, lens)
        inside = box[0] > 4 and box[1] > 4 and box[0] + box[2] < size[0] - 4 and box[1] + box[3] < size[1] - 4
        if inside and box[2] > 80 and min(box[2:]) > 34:
            break
    else:
        raise AssertionError(f"seed {seed} cannot be laid out")
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float64) + 0.5
    seen = lens.straight(np.column_stack([x.ravel(), y.ravel()]))
    back = np.column_stack([seen, np.ones(len(seen))]) @ np.linalg.inv(matrix).T
    where = (back[:, :2] / back[:, 2:] - 0.5).astype(np.float32).reshape(size[1], size[0], 2)
    # The page is drawn larger than it is seen; without a soft copy it would shimmer.
    smaller = max(0.0, 0.35 * float(np.sqrt(page.shape[1] * page.shape[0] / (size[0] * size[1]))) - 0.2)
    soft = cv2.GaussianBlur(page, (0, 0), smaller) if smaller > 0.3 else page
    print_ = cv2.remap(soft, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    on = (
        (where[..., 0] > -0.5)
        & (where[..., 0] < page.shape[1] - 0.5)
        & (where[..., 1] > -0.5)
        & (where[..., 1] < page.shape[0] - 0.5)
    )
    mask = cv2.GaussianBlur(on.astype(np.float32), (0, 0), 0.7)[..., None]
    room = cv2.GaussianBlur(scene(*size, random), (0, 0), random.uniform(0.8, 5))
    linear = ((room * (1 - mask) + print_ * mask) / 255) ** 2.2
    pixels = _taken(linear, mask, (x / size[0], y / size[1]), random)
    truth = truths[0]
    logos = [Truth(truth.logo, truth.colourway, box, truth.violations, "perspective")]
    return Piece(f"handheld-{seed}", saved(pixels, random, few=False), size[0], size[1], logos)


def _taken(linear: Array, mask: Array, at: tuple[Array, Array], random: Random) -> Array:
    """What the telephone saves of a scene in linear light."""
    x, y = at
    angle, edge = random.uniform(0, 2 * np.pi), random.uniform(-0.3, 0.3)
    along = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) - edge
    shadow = 1 - random.uniform(0, 0.5) / (1 + np.exp(-along / random.uniform(0.01, 0.2)))
    light = shadow * (1 - random.uniform(0, 0.3) * ((x - 0.5) ** 2 + (y - 0.5) ** 2))
    white = np.array([random.uniform(0.93, 1.07), 1, random.uniform(0.93, 1.07)])
    glare = np.exp(-(((x - random.random()) / 0.25) ** 2 + ((y - random.random()) / 0.2) ** 2)) * random.uniform(0, 0.1)
    seen = linear * light[..., None] * white * random.uniform(0.75, 1.1) + glare[..., None] * mask
    blur = random.uniform(0.5, 1.2)
    seen = cv2.GaussianBlur(np.asarray(seen, np.float32), (0, 0), blur, sigmaY=blur * random.uniform(1, 1.8))
    noise = random.standard_normal(seen.shape) * np.sqrt(np.maximum(seen, 0) + 0.02) * random.uniform(0.004, 0.025)
    saved_ = np.clip(seen + cv2.GaussianBlur(noise, (0, 0), 0.5), 0, 1) ** (1 / 2.2)
    sharper = saved_ + random.uniform(0, 0.7) * (saved_ - cv2.GaussianBlur(saved_, (0, 0), 1.6))
    return np.asarray(np.clip(sharper * 255, 0, 255), np.float32)


def _box(
    campaign: Campaign, truth: Truth, matrix: npt.NDArray[np.float64], lens: _Lens
) -> tuple[float, float, float, float]:
    """The upright box of the ink of a logo that lay upright in its own box on the sheet."""
    points = ink_points(wide(campaign, truth.logo))
    if "flipped" in truth.violations:
        points = points * [-1, 1]
    points = (points - points.min(axis=0)) / np.ptp(points, axis=0)
    x, y, w, h = truth.box
    on_page = np.column_stack([points * [w, h] + [x, y], np.ones(len(points))]) @ matrix.T
    seen = lens.bent(on_page[:, :2] / on_page[:, 2:])
    left, top = seen.min(axis=0)
    right, bottom = seen.max(axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)
