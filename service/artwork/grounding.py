"""The ground that a logo stands on: its colour, how even it is, and what on it is foreign."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from . import colours
from .templates import Floats, Image

Mask = npt.NDArray[np.bool_]

_SECTORS = 12
_MOST_FITTED = 4000  # pixels that the ground's gradient is fitted to
_FAINT = 9.0  # of colour difference, up to which something is the ground itself
_LEAST_FOREIGN = 20.0  # from which on something stands on the ground; a faint pattern does not reach it


@dataclass(frozen=True)
class Zone:
    """A logo's surroundings in a working picture.

    ``distance`` is how far each pixel is outside the ink's upright box as a share of the required clear space (0
    inside the box), ``off_ink`` how many working pixels it is away from the ink.
    """

    distance: Image
    off_ink: Image
    sector: npt.NDArray[np.int64]
    valid: Mask


@dataclass(frozen=True)
class Ground:
    """Ground round a logo. ``residual`` is each pixel's colour difference from the ground's own gradient."""

    colour: Floats  # sRGB of the middle of it
    by_sector: Floats  # (n, 3), sRGB, of those sectors that have enough of it
    busy: float  # root mean square of the residual, the middle one of all sectors
    residual: Image
    signed: Image  # (h, w, 3), L*a*b* minus the ground's


def zone_of(alpha: Image, valid: Mask, box: tuple[float, float, float, float], space: float) -> Zone:
    """The surroundings of a logo whose ink's box and required space are given in working pixels."""
    height, width = alpha.shape
    left, top, right, bottom = box
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    dx = np.maximum(np.maximum(left - x, x - right), 0)
    dy = np.maximum(np.maximum(top - y, y - bottom), 0)
    distance = np.maximum(dx[None, :], dy[:, None]) / max(space, 1e-6)
    off_ink = cv2.distanceTransform((alpha < 0.02).astype(np.uint8), cv2.DIST_L2, 5)
    angle = np.arctan2(
        (y - (top + bottom) / 2)[:, None] / max(bottom - top, 1),
        (x - (left + right) / 2)[None, :] / max(right - left, 1),
    )
    sector = np.minimum(((angle + np.pi) / (2 * np.pi) * _SECTORS).astype(np.int64), _SECTORS - 1)
    return Zone(distance.astype(np.float32), np.asarray(off_ink, np.float32), sector, valid)


def ground_of(pixels: Image, zone: Zone, close: float, halo: float) -> Ground | None:
    """The ground within the clear space; None where nothing of it is in the picture.

    ``close`` working pixels next to the ink are its blur, ``halo`` is how far an effect on the logo may reach.
    """
    free = zone.valid & (zone.off_ink > close)
    near = free & (zone.distance <= 0.6)
    if near.sum() < 12:
        near = free & (zone.distance <= 1.0)
    if near.sum() < 6:
        return None
    lab = colours.lab(pixels)
    wide = free & (zone.distance <= 1.0) & (zone.off_ink > halo)
    fitted = _fit(lab, wide if wide.sum() > 60 else near, near)
    signed = (lab - fitted).astype(np.float32)
    residual = np.sqrt((signed**2).sum(axis=2))
    quiet = near & (residual < max(_FAINT, 2.5 * float(np.median(residual[near]))))
    chosen = quiet if quiet.sum() > 0.3 * near.sum() else near
    colour = np.median(pixels[chosen].astype(np.float64), axis=0)
    sectors, rough = [], []
    for number in range(_SECTORS):
        here = chosen & (zone.sector == number)
        if here.sum() >= 6:
            sectors.append(np.median(pixels[here].astype(np.float64), axis=0))
        here = free & (zone.distance <= 1.0) & (zone.off_ink > halo) & (zone.sector == number)
        if here.sum() >= 8:
            rough.append(float(np.sqrt(np.mean(np.minimum(residual[here], 50.0) ** 2))))
    busy = float(np.median(rough)) if rough else float(np.sqrt(np.mean(np.minimum(residual[near], 50.0) ** 2)))
    return Ground(colour, np.array(sectors or [colour]), busy, residual.astype(np.float32), signed)


def _fit(lab: Floats, where: Mask, near: Mask) -> Floats:
    """A surface of second order through the ground's colours, which what stands on it does not bend."""
    rows, columns = np.nonzero(where)
    step = 1 + len(rows) // _MOST_FITTED
    rows, columns = rows[::step], columns[::step]
    height, width = lab.shape[:2]

    def terms(r: Floats, c: Floats) -> Floats:
        u, v = c / width - 0.5, r / height - 0.5
        return np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=-1)

    start = np.median(lab[near], axis=0)
    values = lab[rows, columns]
    design = terms(rows.astype(np.float64), columns.astype(np.float64))
    spread = max(1.5, 1.4826 * float(np.median(np.abs(values - start).sum(axis=1))))
    rest = np.sqrt(((values - start) ** 2).sum(axis=1))
    solved = np.zeros((6, 3))
    solved[0] = start
    for _ in range(6):
        weight = 1 / (1 + (rest / (2 * spread)) ** 2) ** 2
        scaled = design * weight[:, None]
        # The higher terms are held back where little of the ground is seen.
        normal = scaled.T @ design + np.diag([0, 1e-3, 1e-3, 1e-2, 1e-2, 1e-2]) * len(rows)
        solved = np.linalg.solve(normal, scaled.T @ values)
        rest = np.sqrt(((values - design @ solved) ** 2).sum(axis=1))
        spread = float(np.clip(1.4826 * np.median(rest), 1.0, spread))
    r, c = np.mgrid[0:height, 0:width].astype(np.float64)
    return np.asarray(terms(r, c) @ solved, np.float64)


def foreign_of(
    ground: Ground, zone: Zone, close: float, scale: float, size: float
) -> tuple[Mask, npt.NDArray[np.int32]]:
    """Return what stands on the ground and is not the logo, and its parts by number (0 is none).

    ``scale`` is working pixels for one of the picture's, ``size`` the logo's height in working pixels.
    """
    least = max(_LEAST_FOREIGN, 3.2 * ground.busy)
    mask = (ground.residual > least) & zone.valid & (zone.off_ink > close)
    # Compression leaves ripples within a block of eight pixels beside strong edges.
    mask &= (zone.off_ink > 8 * scale) | (ground.residual > max(22.0, least))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    area = max(5.0, (0.03 * size) ** 2, 6 * scale * scale)
    keep = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= area)
    keep = keep[keep > 0]
    kept = np.isin(labels, keep)
    return kept, np.where(kept, labels, 0).astype(np.int32)
