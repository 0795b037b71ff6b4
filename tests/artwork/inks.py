"""Logos as the generator draws them: coverage at any position, size, turn and mirror image, by supersampling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import pyvips

from service.campaign import Campaign
from service.svg import Drawing

Array = npt.NDArray[np.float32]
_WIDE = 1600  # pixels of the coverage that all sizes are made from
_SUPER = 4


@dataclass(frozen=True)
class Placed:
    """Where a logo was put: centre, width and height of its view box before turning, degrees clockwise."""

    logo: str
    x: float
    y: float
    width: float
    height: float
    degrees: float = 0.0
    mirrored: bool = False

    def matrix(self, times: float = 1.0) -> npt.NDArray[np.float64]:
        """From the unit square of the view box to pixels."""
        angle = np.radians(self.degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        size = np.diag([self.width * (-1 if self.mirrored else 1), self.height])
        made = np.eye(3)
        made[:2, :2] = turn @ size
        made[:2, 2] = np.array([self.x, self.y]) - made[:2, :2] @ [0.5, 0.5]
        made[:2] *= times
        return made


@lru_cache(maxsize=16)
def _wide(drawing: Drawing) -> Array:
    """The coverage of a master, ``_WIDE`` pixels wide."""
    document = drawing.document(_WIDE, drawing.height(_WIDE), fill=True)
    image = pyvips.Image.svgload_buffer(document).extract_band(3)
    return np.asarray(image.numpy() / 255, np.float32)


def wide(campaign: Campaign, logo: str) -> Array:
    """The coverage of a logo at a large size; every colourway of it has the same shape."""
    found = campaign.logos[logo]
    return _wide(found.drawing(found.colourways[0]))


def coverage(source: Array, matrix: npt.NDArray[np.float64], width: int, height: int) -> Array:
    """The coverage in a picture of this size, with ``matrix`` from the unit square of the source to pixels."""
    rows, columns = source.shape
    corners = matrix @ np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1]], dtype=np.float64)
    corners = corners[:2] / corners[2]
    left, top = np.floor(corners.min(axis=1)).astype(int) - 2
    right, bottom = np.ceil(corners.max(axis=1)).astype(int) + 2
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    made = np.zeros((height, width), np.float32)
    if right <= left or bottom <= top:
        return made
    across = float(np.hypot(*(corners[:, 1] - corners[:, 0])))
    small = source
    while small.shape[1] > 3 * across * _SUPER and small.shape[1] > 64:
        half = (small.shape[1] // 2, small.shape[0] // 2)
        small = np.asarray(cv2.resize(small, half, interpolation=cv2.INTER_AREA), np.float32)
    rows, columns = small.shape
    unit = np.diag([1 / columns, 1 / rows, 1.0])
    unit = unit @ np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    times = _SUPER if (right - left) * (bottom - top) < 1_000_000 else 2
    shift = np.array([[times, 0, -left * times - 0.5], [0, times, -top * times - 0.5], [0, 0, 1.0]])
    size = ((right - left) * times, (bottom - top) * times)
    warped = cv2.warpPerspective(small, shift @ matrix @ unit, size, flags=cv2.INTER_LINEAR)
    made[top:bottom, left:right] = cv2.resize(warped, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    return made


def ink_points(source: Array) -> npt.NDArray[np.float64]:
    """Points (n, 2) along the outline of a coverage, in the unit square of its view box."""
    rows, columns = source.shape
    found, _ = cv2.findContours((source > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.vstack([contour[:, 0, :] for contour in found]).astype(np.float64) + 0.5
    return np.asarray(points / [columns, rows], np.float64)


def ink_box(source: Array, matrix: npt.NDArray[np.float64]) -> tuple[float, float, float, float]:
    """The upright box round all of the ink, left, top, width, height, even where it is outside the picture."""
    points = ink_points(source)
    points = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    points = points[:, :2] / points[:, 2:]
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)
