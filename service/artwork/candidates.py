"""Candidates: places and poses where a logo may be, from the contours of a picture at several sizes.

Every picture level is cut into regions in several ways that do not depend on the logo's colour; what has the shape
of a template's contour, whatever its position, size, slant and turn, becomes a pose to be aligned. Of a contour
of which only a part is left, or that touches something, the arcs are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from .alignment import Pyramid
from .outlines import covered, evenly, laid, laid_each, poses_of
from .templates import Floats, Template, framed, shape_from

_LEAST, _MOST = 10, 110  # pixels of a contour's longer side in a level
_SMALLEST_LEVEL = 40
_LEAST_OVERLAP = 0.82
_LEAST_FIT = 0.75  # share of a whole contour that has to lie on the outline; one seen from the side is a little off
_LEAST_PARTIAL = 26  # pixels of a contour's longer side in the first level; in later ones those that were too large
_LEAST_ON_OUTLINE = 0.6  # share of a contour that has to lie on a template's outline
_ON_OUTLINE = 0.02  # template units, up to which it does
_LEAST_SEEN = 0.5  # share of the outline that has to be in the contour
_LEAST_PIECE_ON_OUTLINE, _LEAST_PIECE_SEEN = 0.72, 0.28  # the same two of one piece of a logo cut in several
_EVEN = 64  # points that a contour and an outline are compared in
_SURELY_WHOLE = 0.95  # overlap from which on a contour is no part of something larger
_MOST_SPREAD = 0.03  # first affine invariant of what is no line and no lace


Shared = tuple[Template, list[Template]]


@dataclass(frozen=True)
class Candidate:
    """A pose to be tried, in the picture's pixels; ``quality`` from 0 to 1 tells how alike the shapes are."""

    template: Template
    pose: Floats
    quality: float
    place: tuple[float, float, float]  # centre and size of the contour, in the picture's pixels
    contour: Floats  # (n, 2), in pixels of its level
    grain: tuple[float, float]  # pixels of the picture for one of the level's, across and down
    partial: bool = False  # only a part of the shape is there
    fit: float = 1.0  # share of the contour that lies on the template's outline


def masks(level: npt.NDArray[np.uint8], inks: list[Floats]) -> Iterator[npt.NDArray[np.uint8]]:
    """The level in black and white, in several ways."""
    smooth = np.asarray(cv2.GaussianBlur(level, (3, 3), 0), np.uint8)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
    for channel, steps in ((0, (10, 40)), (1, (9,)), (2, (9,))):
        plane = cv2.extractChannel(lab, channel)
        local = cv2.blur(plane, (161, 161), borderType=cv2.BORDER_REFLECT)
        for difference in (cv2.subtract(plane, local), cv2.subtract(local, plane)):
            for step in steps:
                yield np.asarray(cv2.threshold(difference, step, 1, cv2.THRESH_BINARY)[1], np.uint8)
    keys = (smooth[::2, ::2] >> 4).astype(np.int32) @ np.array([256, 16, 1])
    counts = np.bincount(keys.ravel(), minlength=4096)
    used: list[Floats] = []
    for key in np.argsort(-counts)[:24]:
        if len(used) >= 5 or counts[key] < 0.004 * keys.size:
            break
        chosen = keys == key
        colour = smooth[::2, ::2][chosen].mean(axis=0)
        if any(np.abs(colour - other).max() < 24 for other in used):
            continue
        used.append(colour)
    for colour, reach in [*((colour, 36) for colour in used), *((ink, 60) for ink in inks)]:
        low, high = np.clip(colour - reach, 0, 255), np.clip(colour + reach, 0, 255)
        yield np.asarray(cv2.inRange(smooth, low, high), np.uint8)


def candidates(pyramid: Pyramid, templates: tuple[Template, ...], inks: list[Floats]) -> list[Candidate]:
    """All poses worth trying, the likeliest first."""
    found: list[Candidate] = []
    spans, shared = _spans(templates), _shared(templates)
    parts: set[tuple[int, ...]] = set()
    number = 0
    while True:
        level = pyramid.level(number)
        if number and max(level.shape[:2]) < _SMALLEST_LEVEL:
            break
        scale = np.diag([pyramid.width / level.shape[1], pyramid.height / level.shape[0], 1.0])
        least = _LEAST if number == 0 else _LEAST + 12
        seen: set[tuple[int, ...]] = set()
        zoom = 2**number
        for mask in masks(level, inks):
            contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
            for contour in contours:
                if 2 * least <= len(contour) <= 9 * _MOST:
                    points = np.asarray(contour[:, 0, :], np.int32)
                    if _is_new(points, seen, least):
                        found.extend(_of(points, templates, shared, scale, spans, parts, zoom))
        number += 1
        if max(level.shape[:2]) < 2 * _SMALLEST_LEVEL:
            break
    return _fitted(_distinct(found))


def _fitted(found: list[Candidate]) -> list[Candidate]:
    """The candidates, of which those that are whole are laid onto their outline; those that cannot be are left out."""
    made = [one for one in found if one.partial]
    of: dict[str, list[Candidate]] = {}
    for one in found:
        if not one.partial:
            of.setdefault(one.template.logo, []).append(one)
    for ones in of.values():
        core = ones[0].template.core or ones[0].template
        grain = np.array([one.grain for one in ones])
        contours = np.array([evenly(one.contour, _EVEN) for one in ones]) + 0.5
        poses, away = laid_each(core.away, np.array([one.pose for one in ones]), grain[:, None] * contours)
        unit = grain[:, 0] / np.sqrt(
            np.maximum(np.abs(np.linalg.det(poses[:, :2, :2])), 1e-9)
        )  # template units a pixel
        fits = (away < np.maximum(_ON_OUTLINE, 0.9 * unit)[:, None]).mean(axis=1)
        made += [
            replace(one, pose=pose, fit=float(fit))
            for one, pose, fit in zip(ones, poses, fits, strict=True)
            if fit > _LEAST_FIT
        ]
    return sorted(made, key=lambda one: -one.quality)


def _is_new(contour: npt.NDArray[np.int32], seen: set[tuple[int, ...]], least: int) -> bool:
    """Tell whether a contour has a size worth a look and is none that another mask of the level has shown already."""
    left, top, width, height = cv2.boundingRect(contour)
    if not least <= max(width, height) <= _MOST or min(width, height) < 0.15 * max(width, height):
        return False
    # To a pixel in small ones and to more in large ones: masks differ by as much at soft edges.
    grain = max(1, max(width, height) // 24)
    key = (left // grain, top // grain, width // grain, height // grain, int(8 * len(contour) / (width + height)))
    if key in seen:
        return False
    seen.add(key)
    return True


def _is_new_part(box: tuple[int, int, int, int], area: float, seen: set[tuple[int, ...]], zoom: int) -> bool:
    """Tell whether no other mask, of this level or of another, has shown about the same region."""
    grain = max(box[2], box[3]) / 12
    size = round(8 * np.log2(zoom * max(box[2], box[3])))
    places = (edge / grain for edge in (box[0] + box[2] / 2, box[1] + box[3] / 2))
    key = (size, *(round(place) for place in places), round(16 * area / (box[2] * box[3])), round(8 * box[2] / box[3]))
    if key in seen:
        return False
    seen.add(key)
    return True


def _of(
    contour: npt.NDArray[np.int32],
    templates: tuple[Template, ...],
    shared: list[Shared],
    scale: Floats,
    spans: list[tuple[float, float]],
    parts: set[tuple[int, ...]],
    zoom: int,
) -> Iterator[Candidate]:
    left, top, width, height = cv2.boundingRect(contour)
    moments = cv2.moments(contour)
    area = moments["m00"]
    if area < 0.1 * width * height:
        return
    points = contour.astype(np.float64)
    place = (
        float(scale[0, 0] * moments["m10"] / area),
        float(scale[1, 1] * moments["m01"] / area),
        float(scale[0, 0] * np.sqrt(area)),
    )
    grain = float(scale[0, 0]), float(scale[1, 1])
    middle = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    best = 0.0
    i1 = (moments["mu20"] * moments["mu02"] - moments["mu11"] ** 2) / area**4
    if any(low < i1 < high for low, high in spans):
        for template, pose, overlap in _whole(points, moments, i1, templates):
            best = max(best, overlap)
            yield Candidate(template, scale @ middle @ pose, overlap, place, points, grain)
    if (
        best < _SURELY_WHOLE
        and max(width, height) >= (_LEAST_PARTIAL if zoom == 1 else _MOST // 2)
        and area > 0.3 * width * height
        and i1 < _MOST_SPREAD
        and _is_new_part((left, top, width, height), area, parts, zoom)
    ):
        for template, pose, share in _partial(points, shared):
            yield Candidate(template, scale @ middle @ pose, 0.6 * share, place, points, grain, partial=True)


def _whole(
    points: Floats, moments: Mapping[str, float], i1: float, templates: tuple[Template, ...]
) -> Iterator[tuple[Template, Floats, float]]:
    """Poses at which a contour is a template's, with the share in which they overlap."""
    shape = shape_from(moments)
    if shape is None:
        return
    masks_of: dict[bool, npt.NDArray[np.bool_]] = {}
    for template in templates:
        for anchor in template.anchors:
            own = anchor.shape
            if not 0.9 * own.i1 < i1 < 1.12 * own.i1 or (own.fixed and not 0.4 < shape.i3 / own.i3 < 2.2):
                continue
            frame = shape.to_frame if own.fixed else shape.upright
            if own.fixed not in masks_of:
                masks_of[own.fixed] = framed(points, frame)
            mask = masks_of[own.fixed]
            for mirrored, want in ((False, anchor.mask), (True, anchor.mirrored_mask)):
                overlap = float((mask & want).sum() / max(1, (mask | want).sum()))
                if overlap < _LEAST_OVERLAP:
                    continue
                flip = np.eye(3)
                if mirrored:
                    flip = np.diag([1.0, -1.0, 1.0]) if own.fixed else np.diag([-1.0, 1.0, 1.0])
                yield template, np.linalg.inv(frame) @ flip @ (own.to_frame if own.fixed else own.upright), overlap


def _partial(points: Floats, shared: list[Shared]) -> Iterator[tuple[Template, Floats, float]]:
    """Poses at which much of a contour lies on a template's outline: the rest is cut off, covered or joined."""
    if len(points) < 2 * _LEAST_PARTIAL:
        return
    chosen = evenly(points, _EVEN)
    step = float(np.linalg.norm(chosen[1:] - chosen[:-1], axis=1).mean())
    for core, sharing in shared:
        found = _laid(chosen, step, core)
        if found is not None:
            for template in sharing:
                yield template, *found


def _shared(templates: tuple[Template, ...]) -> list[Shared]:
    """Marks, each with the templates that have it: what was found for one logo is found for the others."""
    made: list[Shared] = []
    for template in templates:
        core = template.core or template
        known = next((sharing for other, sharing in made if core.arcs.same(other.arcs)), None)
        if known is None:
            made.append((core, [template]))
        else:
            known.append(template)
    return made


def _laid(chosen: Floats, step: float, core: Template) -> tuple[Floats, float] | None:
    """The pose at which much of a contour lies on an outline, with how much; ``chosen`` are points ``step`` apart."""
    poses = poses_of(core.arcs, chosen)
    if not len(poses):
        return None
    poses, spots, away = laid(core.away, poses, chosen)
    if not len(poses):
        return None
    unit = 1 / np.sqrt(np.maximum(np.abs(np.linalg.det(poses[:, :2, :2])), 1e-9))  # template units a pixel
    near = away < np.maximum(_ON_OUTLINE, 0.9 * unit)[:, None]
    shares = near.mean(axis=1)
    likely = np.argsort(-shares)[:4]
    likely = likely[shares[likely] > _LEAST_ON_OUTLINE]
    if not len(likely):
        return None
    outline = core.outline[:: 1 + len(core.outline) // _EVEN]
    seen = covered(spots[likely], near[likely], outline, np.maximum(0.04, 0.75 * step * unit[likely]))
    best = int((shares[likely] * seen).argmax())
    if seen[best] > _LEAST_SEEN or (seen[best] > _LEAST_PIECE_SEEN and shares[likely[best]] > _LEAST_PIECE_ON_OUTLINE):
        return poses[likely[best]], float(shares[likely[best]] * seen[best])
    return None


def _spans(templates: tuple[Template, ...]) -> list[tuple[float, float]]:
    """Return where the first affine invariant of a contour that is worth a look may lie."""
    spans: list[tuple[float, float]] = []
    for low, high in sorted((0.9 * a.shape.i1, 1.12 * a.shape.i1) for t in templates for a in t.anchors):
        if spans and low <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(high, spans[-1][1]))
        else:
            spans.append((low, high))
    return spans


def _distinct(found: list[Candidate]) -> list[Candidate]:
    """The best of those that say the same: one of each template and handedness in each place, whole and in part.

    What is left of a heart cut straight has nearly the shape of a smaller whole one, which does not speak for it.
    """
    kept: list[Candidate] = []
    seen: dict[tuple[str, bool, bool], list[Floats]] = {}
    for candidate in sorted(found, key=lambda one: -one.quality):
        side = bool(np.linalg.det(candidate.pose[:2, :2]) < 0)
        # A contour may be one of several rings of a logo: then the sizes differ in the same place.
        size = float(np.sqrt(abs(np.linalg.det(candidate.pose[:2, :2]))))
        place = np.array([*candidate.place, 2.0 * candidate.place[2] * np.log(max(size, 1e-6))])
        others = seen.setdefault((candidate.template.logo, side, candidate.partial), [])
        if others and float(np.abs(np.array(others) - place).max(axis=1).min()) < 0.2 * place[2]:
            continue
        others.append(place)
        kept.append(candidate)
    return kept
