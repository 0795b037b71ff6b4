"""Grounds that artwork stands on: flat, graded, textured, patterned, and pictures made by procedure."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Random = np.random.Generator


def colour_of(random: Random, *, lightness: tuple[float, float] = (0, 1), vivid: float = 1.0) -> Array:
    """A colour, 0 to 255."""
    hue, light = random.random(), random.uniform(*lightness)
    return np.array(colorsys.hls_to_rgb(hue, light, random.random() * vivid), np.float32) * 255


def flat(colour: Array, width: int, height: int) -> Array:
    """One colour."""
    return np.broadcast_to(colour, (height, width, 3)).astype(np.float32).copy()


def graded(one: Array, other: Array, width: int, height: int, random: Random) -> Array:
    """From one colour to another, along a line or from a point."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    if random.random() < 0.6:
        angle = random.uniform(0, 2 * np.pi)
        along = x * np.cos(angle) + y * np.sin(angle)
    else:
        along = np.hypot(x - random.uniform(0, width), y - random.uniform(0, height))
    along = (along - along.min()) / max(1e-6, float(np.ptp(along)))
    return np.asarray(one + along[..., None] * (other - one), np.float32)


def noise(width: int, height: int, grain: float, random: Random) -> Array:
    """Smooth noise of about -1 to 1 whose features are ``grain`` pixels wide."""
    rows, columns = max(2, int(height / grain) + 2), max(2, int(width / grain) + 2)
    small = random.standard_normal((rows, columns)).astype(np.float32)
    made = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(made / max(1e-6, float(np.abs(made).max())), np.float32)


def clouds(width: int, height: int, random: Random, *, finest: float = 3.0) -> Array:
    """Noise of many sizes, -1 to 1."""
    made = np.zeros((height, width), np.float32)
    grain, weight = max(width, height) / 2, 1.0
    while grain > finest:
        made += weight * noise(width, height, grain, random)
        grain, weight = grain / 2, weight * random.uniform(0.45, 0.7)
    return np.asarray(made / max(1e-6, float(np.abs(made).max())), np.float32)


def paper(colour: Array, width: int, height: int, random: Random, strength: float) -> Array:
    """A faint texture: grain, fibres or a linen weave."""
    kind = random.integers(4)
    if kind == 0:
        grain = random.standard_normal((height, width)).astype(np.float32)
        grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), random.uniform(0.4, 1.2)), np.float32)
    elif kind == 1:
        grain = random.standard_normal((height, width)).astype(np.float32)
        grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), 6.0, sigmaY=0.7), np.float32)
    elif kind == 2:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        pitch = random.uniform(3, 9)
        grain = np.sin(2 * np.pi * x / pitch) + np.sin(2 * np.pi * y / pitch)
    else:
        grain = clouds(width, height, random, finest=2)
    grain = grain / max(1e-6, float(grain.std()))
    return np.clip(colour + strength * grain[..., None], 0, 255).astype(np.float32)


def pattern(one: Array, other: Array, width: int, height: int, random: Random) -> Array:
    """Stripes, dots, checks or a wallpaper of small signs in two colours."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    pitch = random.uniform(10, 60)
    angle = random.uniform(0, np.pi)
    u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    kind = random.integers(4)
    if kind == 0:
        mask = (u % pitch) / pitch < random.uniform(0.3, 0.6)
    elif kind == 1:
        mask = np.hypot(u % pitch - pitch / 2, v % pitch - pitch / 2) < pitch * random.uniform(0.2, 0.4)
    elif kind == 2:
        mask = ((u // pitch) + (v // pitch)) % 2 < 1
    else:
        mask = ((u % pitch) / pitch < 0.12) | ((v % pitch) / pitch < 0.12)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.6)[..., None]
    return np.asarray(one * (1 - soft) + other * soft, np.float32)


def picture(width: int, height: int, random: Random) -> Array:
    """A photograph made by procedure: a landscape, lights out of focus, a wall of houses, foliage, or fog."""
    kind = random.integers(5)
    y = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    if kind == 0:
        sky, low = colour_of(random, lightness=(0.5, 0.9)), colour_of(random, lightness=(0.6, 0.95))
        made = sky + (y / height)[..., None] * (low - sky)
        for hill in range(int(random.integers(2, 6))):
            ridge = height * (0.35 + 0.12 * hill + 0.1 * noise(width, 2, width / random.uniform(3, 9), random)[0])
            tint = colour_of(random, lightness=(0.1, 0.5), vivid=0.6)
            ground = tint + 30 * clouds(width, height, random)[..., None]
            made = np.where((y > ridge[None, :])[..., None], ground, made)
    elif kind == 1:
        made = flat(colour_of(random, lightness=(0.05, 0.3)), width, height)
        for _ in range(int(random.integers(30, 90))):
            layer = np.zeros((height, width), np.float32)
            where = (int(random.integers(width)), int(random.integers(height)))
            cv2.circle(layer, where, int(random.uniform(4, max(6, width / 14))), 1.0, -1, cv2.LINE_AA)
            made += layer[..., None] * colour_of(random, lightness=(0.4, 0.8)) * random.uniform(0.1, 0.6)
    elif kind == 2:
        made = flat(colour_of(random, lightness=(0.3, 0.8), vivid=0.4), width, height)
        made += 14 * clouds(width, height, random)[..., None]
        step = random.uniform(24, 90)
        for row in np.arange(0, height, step * 1.3):
            for column in np.arange(0, width, step):
                glass = colour_of(random, lightness=(0.1, 0.7), vivid=0.5).tolist()
                corner = (int(column + step * 0.2), int(row + step * 0.2))
                cv2.rectangle(made, corner, (int(column + step * 0.75), int(row + step)), glass, -1)
    elif kind == 3:
        made = flat(colour_of(random, lightness=(0.1, 0.4)), width, height)
        for _ in range(int(random.integers(150, 500))):
            where = (int(random.integers(width)), int(random.integers(height)))
            axes = (int(random.uniform(3, width / 25 + 5)), int(random.uniform(2, width / 60 + 4)))
            leaf = colour_of(random, lightness=(0.15, 0.6)).tolist()
            cv2.ellipse(made, where, axes, float(random.uniform(0, 360)), 0, 360, leaf, -1, cv2.LINE_AA)
    else:
        base, other = colour_of(random, lightness=(0.4, 0.9)), colour_of(random, lightness=(0.2, 0.9))
        share = (clouds(width, height, random, finest=20)[..., None] + 1) / 2
        made = base + share * (other - base)
    soft = np.asarray(cv2.GaussianBlur(np.asarray(made, np.float32), (0, 0), random.uniform(0.5, 2.5)), np.float32)
    grainy = soft + random.standard_normal((height, width, 1)) * random.uniform(0.5, 3)
    return np.asarray(np.clip(grainy, 0, 255), np.float32)
