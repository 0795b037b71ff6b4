"""Outlines: arcs of contours that are arcs of a template's, and contours laid onto a template's outline.

What is left of a logo that is cut off or covered has no whole contour, but long arcs of it. An arc is compared with
a template's whatever its position, size, slant and turn: both are brought to a mean of zero and equal moments in all
directions, and the best turn between them is the phase of their product as complex numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]
Complex = npt.NDArray[np.complex64]

FINE, MARGIN = 128, 0.25  # pixels a template unit of a map of distances, and units round the template in it
_POINTS = 12  # of an arc
_STARTS, _QUERIED_STARTS = 64, 16  # places along a closed contour at which arcs begin
_LENGTHS = tuple(0.18 * 1.22**step for step in range(8))  # of a template's contour
_QUERIED_LENGTHS = (0.28, 0.42, 0.6)  # of a contour
_THINNEST = 0.1  # how narrow an arc may be for its length; a line tells nothing
_TOO_PLAIN = 0.985  # likeness to a piece of an ellipse or to a corner: any thing has those
_LEAST_ALIKE = 0.965
_SAME = 0.05  # of a frame's unit, by which two arcs may differ that are of the same outline
_MOST_POSES = 10  # that are laid onto a template's outline, of one contour
_MOST_LOPSIDED = 2.2  # ratio of a pose's scales
_MOST_LAID = 4  # poses of a contour that are improved
_LEAST_NEAR = 0.4  # mean nearness of a contour's points to the outline, from 0 to 1, before a pose is improved
_REACHES = (0.06, 0.04, 0.03, 0.02, 0.015, 0.015)  # template units: residuals from where on a point counts little


@dataclass(frozen=True)
class Arcs:
    """Arcs of a template's contours, as they are and mirrored, each in its own frame of equal moments."""

    shapes: Complex  # (n, points), of unit length
    frames: Floats  # (n, 3, 3), from template units to the frame

    def same(self, other: Arcs) -> bool:
        """Tell whether these are the arcs of the same outline in the same place."""
        return self is other or (
            self.frames.shape == other.frames.shape
            and bool(np.allclose(self.shapes, other.shapes, atol=_SAME))
            and bool(np.allclose(self.frames, other.frames, rtol=_SAME, atol=3 * _SAME))
        )


def distances(alpha: Image) -> Image:
    """The signed distance from the outline in template units, positive outside, and its slopes across and down.

    Of shape (rows, columns, 3), ``FINE`` pixels a unit with ``MARGIN`` units round the template.
    """
    rows, columns = FINE, max(8, round(FINE * alpha.shape[1] / alpha.shape[0]))
    small = cv2.resize(alpha, (columns, rows), interpolation=cv2.INTER_AREA)
    edge = round(FINE * MARGIN)
    small = cv2.copyMakeBorder(small, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    inside = (small > 0.5).astype(np.uint8)
    outer, inner = (cv2.distanceTransform(side, cv2.DIST_L2, 5) for side in (1 - inside, inside))
    signed = (np.maximum(outer - 0.5, 0) - np.maximum(inner - 0.5, 0)) / FINE
    smooth = cv2.GaussianBlur(signed.astype(np.float32), (0, 0), 0.8)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=FINE / 8)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=FINE / 8)
    return np.asarray(np.dstack([smooth, across, down]), np.float32)


def arcs_of(contours: list[Floats], middle: float) -> Arcs:
    """The telling arcs of these closed contours (n, 2) in template units, mirrored ones about x = ``middle`` too."""
    shapes, frames = [], []
    flip = np.array([[-1.0, 0, 2 * middle], [0, 1, 0], [0, 0, 1]])
    for points in contours:
        for mirrored in (False, True):
            own = points * [-1, 1] + [2 * middle, 0] if mirrored else points
            made, to_frame = _told(_cut(own, _STARTS, _LENGTHS))
            shapes.append(made)
            frames.append(to_frame @ flip if mirrored else to_frame)
    return Arcs(np.concatenate(shapes), np.concatenate(frames))


def poses_of(arcs: Arcs, points: Floats) -> Floats:
    """Poses (k, 3, 3) from template units at which arcs of a closed contour (n, 2) are arcs of the template."""
    shapes, frames = _told(_cut(points, _QUERIED_STARTS, _QUERIED_LENGTHS))
    if not len(shapes) or not len(arcs.shapes):
        return np.empty((0, 3, 3))
    products = shapes @ arcs.shapes.conj().T
    alike = np.abs(products)
    best = alike.argmax(axis=1)  # for each arc of the contour
    order = np.argsort(-alike[np.arange(len(best)), best])[:_MOST_POSES]
    order = order[alike[order, best[order]] > _LEAST_ALIKE]
    if not len(order):
        return np.empty((0, 3, 3))
    phase = products[order, best[order]]
    phase = phase / np.abs(phase)
    turn = np.zeros((len(order), 3, 3))
    turn[:, 0, 0] = turn[:, 1, 1] = phase.real
    turn[:, 0, 1], turn[:, 1, 0], turn[:, 2, 2] = -phase.imag, phase.imag, 1
    poses = np.linalg.inv(frames[order]) @ turn @ arcs.frames[best[order]]
    sizes = np.linalg.svd(poses[:, :2, :2], compute_uv=False)
    return np.asarray(poses[sizes[:, 0] < _MOST_LOPSIDED * sizes[:, 1]], np.float64)


def laid(map_: Image, poses: Floats, points: Floats) -> tuple[Floats, Floats, Floats]:
    """The likeliest of these poses, improved until a contour's points (n, 2) lie on a template's outline.

    Returns the affine poses, each point's place in template units (k, n, 2) and its distance from the outline (k, n);
    none where no pose is near.
    """
    maps, unit, to_picture = _centred(poses, points[None])
    spots = unit @ maps.transpose(0, 2, 1)
    seen = _looked_up(map_, spots)
    nearness = (1 / (1 + (seen[..., 0] / _REACHES[0]) ** 2)).mean(axis=1)
    best = np.argsort(-nearness)[:_MOST_LAID]
    best = best[nearness[best] > _LEAST_NEAR]
    maps, spots, seen = maps[best], spots[best], seen[best]
    if not len(maps):
        return np.empty((0, 3, 3)), spots, seen[..., 0]
    maps, spots, seen = _improved(map_, maps, unit, spots, seen)
    return _poses_from(maps, to_picture), spots, np.abs(seen[..., 0])


def laid_each(map_: Image, poses: Floats, points: Floats) -> tuple[Floats, Floats]:
    """Poses (k, 3, 3) improved until the points (k, n, 2) of a contour of each lie on a template's outline.

    Returns the affine poses and each point's distance from the outline (k, n) in template units.
    """
    maps, unit, to_picture = _centred(poses, points)
    spots = unit @ maps.transpose(0, 2, 1)
    maps, _, seen = _improved(map_, maps, unit, spots, _looked_up(map_, spots))
    return _poses_from(maps, to_picture), np.abs(seen[..., 0])


def _centred(poses: Floats, points: Floats) -> tuple[Floats, Floats, Floats]:
    """Maps (k, 2, 3) to template units from points of mean 0 and spread 1, those points, and the way back to (…, 3, 3).

    ``points`` are (1, n, 2), or (k, n, 2) where each pose has its own.
    """
    centre, size = points.mean(axis=1), points.std(axis=(1, 2)) + 1e-9
    rest = (points - centre[:, None]) / size[:, None, None]
    unit = np.concatenate([rest, np.ones((*rest.shape[:2], 1))], axis=2)
    to_picture = np.zeros((len(points), 3, 3))
    to_picture[:, 0, 0] = to_picture[:, 1, 1] = size
    to_picture[:, :2, 2], to_picture[:, 2, 2] = centre, 1
    return (np.linalg.inv(poses) @ to_picture)[:, :2], unit, to_picture


def _poses_from(maps: Floats, to_picture: Floats) -> Floats:
    whole = np.concatenate([maps, np.broadcast_to([[[0.0, 0.0, 1.0]]], (len(maps), 1, 3))], axis=1)
    return np.asarray(to_picture @ np.linalg.pinv(whole), np.float64)


def _improved(map_: Image, maps: Floats, unit: Floats, spots: Floats, seen: Floats) -> tuple[Floats, Floats, Floats]:
    """The maps improved by Gauss-Newton, where the points come to lie then, and what the map of distances has there."""
    for reach in _REACHES:
        rest, slope = seen[..., 0], seen[..., 1:]
        weight = 1 / (1 + (rest / reach) ** 2) ** 2
        design = (slope[..., :, None] * unit[:, :, None, :]).reshape(*rest.shape, 6)
        weighted = design * weight[..., None]
        normal = weighted.transpose(0, 2, 1) @ design + 1e-3 * rest.shape[1] * np.eye(6) * 0.1
        changes = np.linalg.solve(normal, -(weighted * rest[..., None]).sum(axis=1)[..., None])
        maps = maps + np.clip(changes.reshape(-1, 2, 3), -0.1, 0.1)
        spots = unit @ maps.transpose(0, 2, 1)
        seen = _looked_up(map_, spots)
    return maps, spots, seen


def covered(spots: Floats, near: npt.NDArray[np.bool_], outline: Floats, reach: Floats) -> Floats:
    """The share of an outline (m, 2) that has one of those points (k, n, 2) that are ``near`` it within reach (k,)."""
    places = np.where(near[..., None], spots, 1e3)
    away = ((outline[None, :, None] - places[:, None]) ** 2).sum(axis=3).min(axis=2)
    return np.asarray((away < (reach * reach)[:, None]).mean(axis=1), np.float64)


def evenly(points: Floats, count: int) -> Floats:
    """So many points evenly spaced along a closed contour."""
    return _along(points, np.arange(count) / count)


def _looked_up(map_: Image, spots: Floats) -> Floats:
    """The distances and slopes at places in template units; far away where the map ends."""
    x = ((spots[..., 0] + MARGIN) * FINE - 0.5).astype(np.float32)
    y = ((spots[..., 1] + MARGIN) * FINE - 0.5).astype(np.float32)
    seen = cv2.remap(map_, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(1.0, 0.0, 0.0))
    return np.asarray(seen, np.float64)


def _along(points: Floats, shares: Floats) -> Floats:
    """The points at these shares, from 0 to 2, of the way round a closed contour."""
    closed = np.vstack([points, points, points[:1]])
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = shares * (way[-1] / 2)
    return np.stack([np.interp(at, way, closed[:, axis]) for axis in (0, 1)], axis=-1)


def _cut(points: Floats, starts: int, lengths: tuple[float, ...]) -> Floats:
    """Arcs (n, points, 2) of a closed contour, which is gone round in one direction whatever it came in."""
    x, y = points.T
    if float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) < 0:
        points = points[::-1]
    begins = (np.arange(starts) / starts)[:, None, None]
    shares = begins + np.array(lengths)[None, :, None] * np.linspace(0, 1, _POINTS)
    return _along(points, shares.reshape(-1, _POINTS))


def _told(arcs: Floats) -> tuple[Complex, Floats]:
    """Those arcs that tell something, in frames of equal moments, and the maps to the frames."""
    shapes, frames, wide = _framed(arcs)
    plain = np.abs(shapes @ _plain_shapes().conj().T).max(axis=1)
    keep = wide & (plain < _TOO_PLAIN)
    return shapes[keep], frames[keep]


def _framed(arcs: Floats) -> tuple[Complex, Floats, npt.NDArray[np.bool_]]:
    """All arcs in their frames, the maps to them, and which are wide enough to have one."""
    middle = arcs.mean(axis=1)
    rest = arcs - middle[:, None]
    spread = rest.transpose(0, 2, 1) @ rest / arcs.shape[1]
    trace = spread[:, 0, 0] + spread[:, 1, 1]
    root = np.sqrt(np.maximum(spread[:, 0, 0] * spread[:, 1, 1] - spread[:, 0, 1] ** 2, 0))
    wide = root > _THINNEST * trace / 2
    root = np.maximum(root, 1e-9 * np.maximum(trace, 1e-9))
    # The square root of a symmetrical 2 x 2 matrix, in closed form.
    half = (spread + root[:, None, None] * np.eye(2)) / np.sqrt(trace + 2 * root)[:, None, None]
    white = np.linalg.inv(half) / np.sqrt(2 * arcs.shape[1])
    even = rest @ white
    frames = np.zeros((len(arcs), 3, 3))
    frames[:, :2, :2] = white
    frames[:, :2, 2] = -(white @ middle[:, :, None])[..., 0]
    frames[:, 2, 2] = 1
    return (even[..., 0] + 1j * even[..., 1]).astype(np.complex64), frames, wide


@cache
def _plain_shapes() -> Complex:
    """Pieces of ellipses, and corners with legs of any lengths."""
    steps = np.linspace(0, 1, _POINTS)
    pieces = [np.column_stack([np.cos(a * steps), np.sin(a * steps)]) for a in np.radians(np.arange(30, 361, 15))]
    legs = np.linspace(0.15, 0.85, 15)
    corners = [np.column_stack([np.maximum(steps - leg, 0), np.maximum(leg - steps, 0)]) for leg in legs]
    return _framed(np.array([*pieces, *corners]))[0]
