"""Proof: whether a picture supports a logo at a pose, seen straight on or from the side, whole or partly hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .alignment import SAMPLED, Parts, Pyramid, Support, Work, box_of, parts_of, pose_of, refine, support
from .templates import Floats, Template

COARSE, FINE = 56, 160  # pixels of a logo's shorter side in the working pictures, about
_MOST_LONG = 330
_MOST_KEYSTONE = 0.6
_STEEPEST, _WIDEST, _SLACK = 1.2, 0.5, 0.02  # tangent of a tilt; focal length in longer sides of the picture; keystone
_LEAST_SHARE, _LEAST_MATCH = 0.74, 0.82
_SMALL, _LEAST_SMALL_SHARE, _LEAST_SMALL_MATCH = 24, 0.9, 0.88  # a few pixels look like many things
_LEAST_BENT_SHARE, _LEAST_BENT_MATCH = 0.84, 0.9  # a homography bends many a shape into another
_LEAST_PART_SHARE, _LEAST_PART_MATCH = 0.85, 0.86  # of what is not hidden
_MOST_HIDDEN = 0.45  # share of the outline
_DOUBLE = 1.2  # pixels of softness
_CLOSE = 0.985  # match from which on a pose is not looked at again for perspective
_NEARLY = 0.02  # of share and match together, by which a softer rendering may be worse and a still softer one better
_LEAST_SHARP = 36.0  # a logo's shorter side in softnesses of its edges, below which it is as good as small
SOFTNESSES = (0.6, 1.2, 2.0, 3.2)  # pixels of the picture
_LEAST_BENT = 40.0  # pixels of a mark's shorter side in the picture, from which on its perspective shows
_SLANTED = 0.02  # shear, or difference of one side's size to the other's, of what only a camera sees so


@dataclass(frozen=True)
class FoundLogo:
    """One use of a logo: where it is, and how sure that is."""

    template: Template
    pose: Floats
    parts: Parts
    box: tuple[float, float, float, float]  # left, top, right, bottom
    share: float
    match: float
    confidence: float
    softness: float  # how soft its edges are, in pixels of the picture
    perspective: bool = False
    partial: bool = False  # something lies on it, or it is cut off


def proved(
    work: Work,
    template: Template,
    pose: Floats,
    seen: Support,
    partial: bool,
    kind: str,
    most_hidden: float = _MOST_HIDDEN,
    softness: float = SAMPLED,
) -> FoundLogo | None:
    """The logo at a pose, upright or as a camera sees it, whichever the picture supports; None where it does not.

    ``softness``, in pixels of the picture, is what ``seen`` was rendered with.
    """
    if not _plausible(parts_of(pose, template.aspect)):
        return None
    scale = float(work.matrix[0, 0])
    soft, best, pose = _softened(work, template, pose, seen, partial, kind, most_hidden, blur_of(softness))
    if kind == "line" and soft >= _DOUBLE:
        # What looks so soft may be two edges: the ink's own, and that of an outline round it.
        moved = refine(work, template, pose, "affine", 10, kind="ink")
        seen_ink = seen_at(work, template, moved, "ink", partial, 0.0, most_hidden)
        if seen_ink is not None and seen_ink.share + seen_ink.match > best.share + best.match:
            pose, best, soft, kind = moved, seen_ink, 0.0, "ink"
    shown_parts = parts_of(pose, template.aspect)
    if not _enough(best, shown_parts, partial, float(np.hypot(soft, SAMPLED))):
        return None
    upright = pose_of(shown_parts, template.aspect)
    shown = replace(work, valid=best.valid) if partial else work
    rigid = refine(shown, template, upright, "rigid", 8, soft=soft * scale, kind=kind)
    flat = seen_at(work, template, rigid, kind, partial, soft * scale, most_hidden)
    warped = refine(shown, template, pose, "homography", 8, soft=soft * scale, kind=kind)
    bent = seen_at(work, template, warped, kind, partial, soft * scale, most_hidden)
    parts = parts_of(warped, template.aspect)
    keystone = keystone_of(template, warped)
    perspective = bool(
        bent is not None
        and flat is not None
        and (1 - flat.match) > 1.25 * (1 - bent.match) + 0.002
        and (abs(parts.shear) > 0.012 or keystone > 0.012)
    )
    if perspective and bent is not None and (bent.share < _LEAST_BENT_SHARE or bent.match < _LEAST_BENT_MATCH):
        return None
    if perspective and min(parts.across, parts.down) < _SMALL:
        return None  # in a few pixels a map that bends makes a logo of anything
    pose, final = (warped, bent) if perspective else (rigid, flat)
    if final is None or final.match < best.match - 0.05:
        pose, final = (pose, best) if bent is None else (warped, bent)
        # Where something lies on it there may be nothing else to tell that it is seen from the side.
        slant = max(abs(parts_of(pose, template.aspect).shear), keystone_of(template, pose))
        perspective = perspective or (partial and slant > _SLANTED)
    if steep(work, template, pose):
        return None
    return FoundLogo(
        template,
        pose,
        parts_of(pose, template.aspect),
        box_of(template, pose),
        final.share,
        final.match,
        min(final.share, max(0.0, final.match)),
        float(np.hypot(soft, SAMPLED)),
        perspective,
        partial,
    )


def _softened(
    work: Work,
    template: Template,
    pose: Floats,
    seen: Support,
    partial: bool,
    kind: str,
    most_hidden: float,
    start: float,
) -> tuple[float, Support, Floats]:
    """The softness that fits best, with what is seen then and the pose."""
    tries = [(start, seen, pose)]
    if seen.match < 0.995:
        for soft in (more for more in SOFTNESSES if more > start):
            tried = seen_at(work, template, pose, kind, partial, soft * float(work.matrix[0, 0]), most_hidden)
            if tried is None or tried.match + tried.share < _quality(tries[-1]) - _NEARLY:
                break
            tries.append((soft, tried, pose))
    best = max(tries, key=_quality)
    if not partial and best[1].match < _CLOSE and bends(template, pose):
        # A plain pose of what is seen from the side fits a softer rendering better, in which nothing shows of that.
        best = max(best, _sharper(work, template, pose, best[1], kind), key=_quality)
    return best


def blur_of(softness: float) -> float:
    """By how much a picture is softer than its sampling makes it, in its pixels."""
    return float(np.sqrt(max(0.0, softness**2 - SAMPLED**2)))


def _sharper(work: Work, template: Template, pose: Floats, seen: Support, kind: str) -> tuple[float, Support, Floats]:
    """The pose as a camera sees it with the softness that fits it best; the plain one, sharp, where none is seen."""
    scale = float(work.matrix[0, 0])
    tries: list[tuple[float, Support, Floats]] = []
    for soft in (0.0, *SOFTNESSES):
        bent = refine(work, template, pose, "homography", 8, soft=soft * scale, kind=kind)
        tried = support(work, template, bent, soft * scale, kind)
        if tried is None or (tries and tried.match < tries[-1][1].match - _NEARLY):
            break
        tries.append((soft, tried, bent))
    return max(tries, key=_quality, default=(0.0, seen, pose))


def _quality(one: tuple[float, Support, Floats]) -> float:
    return one[1].share + one[1].match


def _part(seen: Support | None, template: Template, work: Work, most: float) -> Support | None:
    """What is seen of a logo of which a part is hidden; None where too much is."""
    if seen is None:
        return None
    seen = seen.visible(template, work)
    return seen if seen.hidden < most else None


def seen_at(
    work: Work,
    template: Template,
    pose: Floats,
    kind: str,
    partial: bool,
    soft: float = 0.0,
    most_hidden: float = _MOST_HIDDEN,
) -> Support | None:
    """How well a pose is supported, of a logo partly hidden by what is not."""
    seen = support(work, template, pose, soft, kind)
    return _part(seen, template, work, most_hidden) if partial else seen


def _enough(seen: Support, parts: Parts, partial: bool, softness: float) -> bool:
    """Tell whether the picture supports a logo; of one partly hidden what is seen has to be the surer.

    In a few pixels, or in a blur, many things look alike.
    """
    size = min(parts.across, parts.down)
    small = size < max(_SMALL, _LEAST_SHARP * softness)
    if partial:
        return not small and seen.share >= _LEAST_PART_SHARE and seen.match >= _LEAST_PART_MATCH
    share, match = (_LEAST_SMALL_SHARE, _LEAST_SMALL_MATCH) if small else (_LEAST_SHARE, _LEAST_MATCH)
    upright = size >= _SMALL or abs(np.log(parts.across / parts.down)) < 0.35
    return seen.share >= share and seen.match >= match and upright


def bends(core: Template, pose: Floats) -> bool:
    """Tell whether perspective can show in a mark: one of a few pixels looks the same in an affine map."""
    left, top, right, bottom = box_of(core, pose)
    return min(right - left, bottom - top) > _LEAST_BENT


def keystone_of(template: Template, pose: Floats) -> float:
    """By how much one side of the logo is seen larger than the other."""
    left, top, right, bottom = template.ink
    depth = np.array([[x, y, 1.0] for x in (left, right) for y in (top, bottom)]) @ pose[2]
    return float(np.ptp(depth) / np.abs(depth).mean())


def steep(work: Work, template: Template, pose: Floats) -> bool:
    """Tell whether one side of a logo would be larger than the other by more than any camera sees it.

    Over a logo the depth changes by its size against the focal length, times the tangent of the tilt. Of a picture
    that was cut out of a larger one the focal length is only larger.
    """
    left, top, right, bottom = box_of(template, pose)
    size = max(right - left, bottom - top)
    most = _SLACK + _STEEPEST * size / (_WIDEST * work.whole)
    return keystone_of(template, pose) > min(most, _MOST_KEYSTONE)


def _plausible(parts: Parts) -> bool:
    """Tell whether a pose is one that people give a logo, or that a camera sees it in."""
    return (
        abs(np.log(parts.across / parts.down)) < 0.55 and abs(parts.shear) < 0.4 and min(parts.across, parts.down) > 9
    )


def sane(box: tuple[float, float, float, float], pyramid: Pyramid) -> bool:
    """Tell whether a logo in this box is large enough to be seen, and mostly inside the picture."""
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    if not np.isfinite([left, top, right, bottom]).all() or wide < 6 or high < 6:
        return False
    across = min(right, pyramid.width) - max(left, 0)
    down = min(bottom, pyramid.height) - max(top, 0)
    return across * down > 0.45 * wide * high and across > 0 and down > 0


def longest(template: Template, shorter: int) -> int:
    """The longer side of a working picture in which the logo's shorter side has about so many pixels."""
    ratio = max(template.aspect, 1 / template.aspect)
    return int(min(shorter * ratio, _MOST_LONG))
