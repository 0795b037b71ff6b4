"""Words: a logo with words from the mark that it is found by, and whether its words are there at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from .alignment import SAMPLED, Pyramid, Support, Work, box_of, correlation, refine, support, tone_of
from .proving import (
    COARSE,
    FINE,
    SOFTNESSES,
    FoundLogo,
    bends,
    blur_of,
    longest,
    proved,
    sane,
    seen_at,
    steep,
)
from .templates import Floats, Template

_INKED, _LEAST_INKED = 0.4, 0.03  # of the contrast; share of what is beside the mark
_MOST_WORDS_HIDDEN = 0.62  # share of the outline, where a whole heart says where the words are
_WORDS_INK, _MOST_OTHER_WORDS = 0.35, 0.1  # of the contrast; share of where words are gone that has ink all the same
_LEAST_WORDS, _OWN_OUTLINE = 0.18, 0.02  # share of the words' outline that has to be seen then; template units
_LEAST_ROUGH_REST = 0.2  # the same where the pose is that of the core alone
_LEAST_HALF_REST = 0.4  # the same of one half of it
_ROUGH = 0.05  # of the logo's longer side: how far its words may be from where the core puts them
_LEAST_REST = 0.5  # correlation
_BLURRED, _LEAST_BLURRED = 2.0, 0.8  # softnesses of an edge round words that are looked at; the correlation there


def worded(pyramid: Pyramid, found: FoundLogo, templates: tuple[Template, ...]) -> FoundLogo:
    """The logo with words whose mark was found alone, where its words are where the mark puts them; else the mark."""
    if found.template.core is not None:
        return found
    for template in templates:
        if template.core is not None and template.core.arcs.same(found.template.arcs):
            made = _with_words(pyramid, template, found)
            if made is not None:
                return made
    return found


def _with_words(pyramid: Pyramid, template: Template, found: FoundLogo) -> FoundLogo | None:
    if not _something_beside(pyramid, template, found.pose):
        return None
    starts = []
    for start in _starts(pyramid, template, found):
        starts.append(start)
        rough = _aligned(pyramid, template, start, found, COARSE, (2.5, 1.2))
        fine = None if rough is None else _aligned(pyramid, template, rough[1], found, FINE, (2.5, 0.0))
        if fine is not None:
            made = proved(fine[0], template, fine[1], fine[2], found.partial, "line", softness=found.softness)
            if made is not None:
                return made
    for start in starts:
        made = _with_some_words(pyramid, template, start, found.softness)
        if made is not None:
            return made
    return None


def _with_some_words(pyramid: Pyramid, template: Template, pose: Floats, softness: float) -> FoundLogo | None:
    """The logo of whose words a part is gone, at the pose of its mark."""
    if not sane(box_of(template, pose), pyramid):
        return None
    fine = pyramid.around(box_of(template, pose), longest(template, FINE))
    model = "homography" if bends(template, pose) else "affine"
    return _partly_worded(fine, template, pose, model, softness)


def _aligned(
    pyramid: Pyramid, template: Template, pose: Floats, found: FoundLogo, shorter: int, blurs: tuple[float, ...]
) -> tuple[Work, Floats, Support] | None:
    """The whole logo aligned in a working picture, from the pose of its mark; None where its words are not there."""
    if not sane(box_of(template, pose), pyramid):
        return None
    work = pyramid.around(box_of(template, pose), longest(template, shorter))
    soft, model = found.softness * float(work.matrix[0, 0]), "homography" if bends(template, pose) else "affine"
    for blur in blurs:
        pose = refine(work, template, pose, model, 6, blur=blur, soft=soft)
    seen = seen_at(work, template, pose, "line", found.partial, soft)
    if found.partial and seen is not None:
        pose = refine(replace(work, valid=seen.valid), template, pose, model, 6, soft=soft)
        seen = seen_at(work, template, pose, "line", True, soft)
    if not sane(box_of(template, pose), pyramid) or steep(work, template, pose):
        return None
    return (work, pose, seen) if seen is not None and rest_is_there(work, template, seen) else None


def _something_beside(pyramid: Pyramid, template: Template, pose: Floats) -> bool:
    """Tell whether anything of the mark's colour is round about where the words would be."""
    if not sane(box_of(template, pose), pyramid):
        return True  # seen so much from the side that nothing is known yet
    work = pyramid.around(box_of(template, pose), longest(template, COARSE))
    alpha = template.render(work.matrix @ pose, *work.size)
    tone = tone_of(work, alpha)
    if tone is None:
        return False
    core = alpha - template.render_rest(work.matrix @ pose, *work.size)
    reach = 2 * (max(work.size) // 12) + 1
    near = (cv2.dilate(alpha, np.ones((reach, reach), np.uint8)) > 0.05) & work.valid & (core < 0.02)
    near &= cv2.dilate(core, np.ones((7, 7), np.uint8)) < 0.02
    return bool(near.any()) and float((tone.values[near] > _INKED).mean()) > _LEAST_INKED


def _starts(pyramid: Pyramid, template: Template, found: FoundLogo) -> Iterator[Floats]:
    """Poses at which the words may be, by the mark's own: as it was found, and as a camera sees it."""
    yield found.pose
    core = template.core
    if core is not None and not found.perspective and bends(core, found.pose):
        close = pyramid.around(box_of(core, found.pose), longest(core, FINE))
        yield refine(close, core, found.pose, "homography", 12)


def extended(pyramid: Pyramid, work: Work, template: Template, pose: Floats, model: str, kind: str) -> Floats:
    """The pose of a whole logo from that of its core.

    Words beside a heart are as far away as the heart is wide: seen from the side they are not where an affine map puts
    them, so the core's own perspective is tried as well.
    """
    plain = refine(work, template, pose, model, 5, blur=1.5, kind=kind)
    plain = refine(work, template, plain, model, 5, kind=kind)
    seen = support(work, template, plain, kind=kind)
    core = template.core
    if core is None or model == "rigid" or not bends(core, pose):
        return plain
    if seen is not None and seen.share > 0.8 and seen.match > 0.85:
        return plain
    close = pyramid.around(box_of(core, pose), longest(core, FINE))
    bent = refine(close, core, refine(close, core, pose, "affine", 6, kind=kind), "homography", 12, kind=kind)
    if steep(work, template, bent):
        return plain
    for blur in (2.5, 1.2, 0.0):
        bent = refine(work, template, bent, "homography", 6, blur=blur, kind=kind)
    other = support(work, template, bent, kind=kind)
    return bent if other is not None and (seen is None or other.match > seen.match) else plain


def by_core(pyramid: Pyramid, template: Template, pose: Floats) -> FoundLogo | None:
    """A logo of whose words a part is gone, where its whole core puts them: aligned as a whole, they draw it away."""
    core = template.core
    if core is None or not sane(box_of(template, pose), pyramid):
        return None
    close = pyramid.around(box_of(core, pose), longest(core, FINE))
    pose = refine(close, core, pose, "affine", 8)
    fine = pyramid.around(box_of(template, pose), longest(template, FINE))
    return _partly_worded(fine, template, pose, "affine", SAMPLED)


def _partly_worded(work: Work, template: Template, pose: Floats, model: str, softness: float) -> FoundLogo | None:
    """The logo at a pose, where some of its words are there and nothing else is where the others are gone."""
    soft = blur_of(softness) * float(work.matrix[0, 0])
    seen = seen_at(work, template, pose, "line", True, soft, _MOST_WORDS_HIDDEN)
    for _ in range(2):
        if seen is not None:
            pose = refine(replace(work, valid=seen.valid), template, pose, model, 6, soft=soft)
            seen = seen_at(work, template, pose, "line", True, soft, _MOST_WORDS_HIDDEN)
    if seen is None or not _some_words(work, template, seen):
        return None
    return proved(work, template, pose, seen, True, "line", _MOST_WORDS_HIDDEN, softness)


def _some_words(work: Work, template: Template, seen: Support) -> bool:
    if template.core is None:
        return False
    away = np.linalg.norm(template.outline[:, None] - template.core.outline[None], axis=2).min(axis=1)
    words = away > _OWN_OUTLINE
    if not words.any() or seen.each[words].mean() < _LEAST_WORDS or not rest_is_there(work, template, seen):
        return False
    # Where words are gone there are none in their place.
    rest = template.render_rest(seen.pose, *work.size)
    gone = (cv2.dilate(rest, np.ones((5, 5), np.uint8)) > 0.5) & ~seen.valid & work.valid
    return not gone.any() or float((np.abs(seen.tone.values[gone] - 1) < _WORDS_INK).mean()) <= _MOST_OTHER_WORDS


def rest_may_be_there(work: Work, template: Template, pose: Floats, kind: str) -> bool:
    """Tell whether something like the rest of a logo is about where its core's pose puts it."""
    width, height = work.size
    alpha = template.render(work.matrix @ pose, width, height)
    tone = tone_of(work, alpha, kind)
    if tone is None:
        return False
    rest = template.render_rest(work.matrix @ pose, width, height)
    blur = max(1.5, _ROUGH * max(width, height))
    reach = 2 * int(blur) + 1
    near = (cv2.dilate(rest, np.ones((reach, reach), np.uint8)) > 0.05) & work.valid & (alpha - rest < 0.02)
    if near.sum() < 30:
        return False
    tones = np.clip(tone.values, -0.3, 1.3) * (alpha - rest < 0.5)
    wanted, seen = (np.asarray(cv2.GaussianBlur(image, (0, 0), 0.5 * blur), np.float32) for image in (rest, tones))
    if correlation(wanted[near], seen[near]) > _LEAST_ROUGH_REST:
        return True
    # Something may lie on one end of it.
    rows, columns = np.nonzero(near)
    halves = (columns < np.median(columns), rows < np.median(rows))
    return any(
        part.sum() > 30 and correlation(wanted[near][part], seen[near][part]) > _LEAST_HALF_REST
        for half in halves
        for part in (half, ~half)
    )


def rest_is_there(work: Work, template: Template, seen: Support) -> bool:
    """Tell whether more than the core of a logo is in the picture, which may be softer than its pixels make it."""
    sharp = template.render_rest(seen.pose, seen.alpha.shape[1], seen.alpha.shape[0])
    least = max(3, seen.alpha.shape[0] // 40)
    scale = float(work.matrix[0, 0])
    for soft in (0.0, *SOFTNESSES[:3]):
        blur = soft * scale
        rest = np.asarray(cv2.GaussianBlur(sharp, (0, 0), blur), np.float32) if soft else sharp
        # In a blur strokes run together: then the words show against what is round them.
        for reach, enough in ((least, _LEAST_REST), (int(_BLURRED * np.hypot(blur, work.softness)), _LEAST_BLURRED)):
            if reach < least:
                continue
            near = (cv2.dilate(sharp, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0.05) & seen.valid
            near &= seen.alpha - sharp < 0.05 if enough == _LEAST_BLURRED else True
            if near.sum() < 30:
                continue
            if correlation(rest[near], np.clip(seen.tone.values[near], -0.3, 1.3)) > enough:
                return True
    return False
