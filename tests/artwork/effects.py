"""Logos drawn with the effects that the rules forbid."""

from __future__ import annotations

import cv2
import numpy as np

from service.artwork import colours

from .grounds import Array, Random, colour_of
from .inks import Placed

EFFECTS = ("shadow", "glow", "outline", "gradient", "relief", "see_through")


def visible_on(ground: Array, random: Random, least: float, *others: Array) -> Array:
    """A colour that differs from the ground, and from others, by at least so much."""
    for _ in range(200):
        colour = colour_of(random)
        if all(colours.difference(colour, other) >= least for other in (ground, *others)):
            return colour
    return np.array([0, 0, 0] if ground.mean() > 128 else [255, 255, 255], np.float32)


def _moved(alpha: Array, x: float, y: float) -> Array:
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    return np.asarray(cv2.warpAffine(alpha, matrix, alpha.shape[::-1]), np.float32)


def draw(canvas: Array, alpha: Array, ink: Array, placed: Placed, kind: str, random: Random) -> None:
    """Paints a logo of this coverage with an effect."""
    size = placed.height
    rows, columns = np.nonzero(alpha > 0.5)
    ground = np.median(canvas[rows, columns], axis=0) if len(rows) else np.full(3, 255.0)
    if kind == "shadow":
        angle, far = random.uniform(0.1, 1.4), random.uniform(0.025, 0.07) * size + 1.0
        blur = random.uniform(0.008, 0.04) * size + 0.5
        moved = _moved(alpha, far * np.cos(angle), far * np.sin(angle))
        shade = np.asarray(cv2.GaussianBlur(moved, (0, 0), blur), np.float32)
        tone = np.zeros(3, np.float32) if ground.mean() > 60 else np.full(3, 255, np.float32)
        _over(canvas, shade * random.uniform(0.45, 0.85), tone)
    elif kind == "glow":
        blur = random.uniform(0.025, 0.08) * size + 1
        light = np.clip(cv2.GaussianBlur(alpha, (0, 0), blur) * random.uniform(1.2, 2), 0, 1)
        _over(canvas, light * random.uniform(0.6, 1), visible_on(ground, random, 25))
    elif kind == "outline":
        radius = max(1.5, random.uniform(0.015, 0.05) * size)
        away = cv2.distanceTransform((alpha < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
        _over(canvas, np.clip(radius + 0.5 - away, 0, 1).astype(np.float32), visible_on(ground, random, 20, ink))
    if kind == "gradient":
        other = visible_on(ground, random, 25, ink)
        y, x = np.mgrid[0 : alpha.shape[0], 0 : alpha.shape[1]].astype(np.float32)
        angle = random.uniform(0, 2 * np.pi)
        along = (x - placed.x) * np.cos(angle) + (y - placed.y) * np.sin(angle)
        span = max(1e-3, float(np.ptp(along[rows, columns]))) if len(rows) else 1.0
        share = np.clip(along / span + 0.5, 0, 1)[..., None]
        _over(canvas, alpha, ink + share * (other - ink))
    elif kind == "relief":
        soft = np.asarray(cv2.GaussianBlur(alpha, (0, 0), max(1.0, random.uniform(0.015, 0.05) * size)), np.float32)
        slope = np.asarray(cv2.Sobel(soft, cv2.CV_32F, 1, 0), np.float32)
        slope += np.asarray(cv2.Sobel(soft, cv2.CV_32F, 0, 1), np.float32)
        slope /= max(1e-6, float(np.abs(slope).max()))
        _over(canvas, alpha, np.clip(ink + random.uniform(70, 130) * slope[..., None], 0, 255))
    elif kind == "see_through":
        _over(canvas, alpha * random.uniform(0.45, 0.75), ink)
    else:
        _over(canvas, alpha, ink)


def _over(canvas: Array, mask: Array, colour: Array) -> None:
    canvas += np.asarray(mask)[..., None] * (colour - canvas)
