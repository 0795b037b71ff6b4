"""Finding: candidates are aligned, what the picture does not support is dropped, and each logo is kept once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .alignment import (
    Parts,
    Pyramid,
    Support,
    Work,
    box_of,
    corners_of,
    parts_of,
    pose_of,
    refine,
    support,
)
from .candidates import Candidate, candidates
from .proving import COARSE, FINE, FoundLogo, bends, longest, proved, sane, seen_at, steep
from .templates import Floats, Template, apply
from .wording import by_core, extended, rest_is_there, rest_may_be_there, worded

_MOST_TRIED, _MOST_PARTS_TRIED = 100, 8  # candidates of a picture, whole and partly hidden
_SAME = 0.45  # share of the smaller box in which two logos overlap, from which on they are one
#: of share and match together, less half of what is hidden
_LEAST_PROMISING, _LEAST_SETTLED, _WELL_SETTLED, _SURELY_SETTLED = (1.05, 1.4), 1.6, 1.7, 1.8
_MOST_UNHIDDEN, _STILL_BETTER = 5, 0.02  # times that a pose is improved so, and by how much it has to be each time
_LEAST_ROUGH_SETTLED = 0.5  # the same where only softened pictures were compared
#: of a whole contour before anything is aligned: match of the rendering, and that with how much lies on the outline
_LEAST_FIRST_MATCH, _LEAST_FIRST, _LEAST_FIRST_TILTED = 0.6, 1.6, 1.5
_LEAST_FIRST_PART = 0.85  # the same of one partly hidden, share and match together
_EXACT = 1.98  # share and match together of a pose that needs no softened pictures
_CLEAR = 1.9  # share and match together of a fit that needs no other beside it
_SURE = 0.85  # confidence of a logo in whose place no other is looked for
_LETTER, _LARGER = 24.0, 0.15  # pixels of what is often a letter; by how much each doubling is likelier a logo
_MORE = 0.04  # of quality, by which a logo with more in it goes before one that is a part of it
_LEAST_ROUGH, _LEAST_ROUGH_PART = 1.5, 1.15  # of share and match together, in the small working picture
_LEAST_ROUGH_WORDS = 0.8  # of the match alone, of a logo with words: in the small picture their edges run together
_LEAST_TILTED = 0.76  # match of a plain pose, from which on one with perspective may be much nearer
_LEAST_SETTLED_LARGE, _LEAST_SETTLED_SMALL = (0.55, 0.7), (0.6, 0.76)  # share and match in the small working picture
_LEAST_GAIN = 0.16  # of share and match together: how much the sharp pictures may still add to the softened one's pose
_LEAST_PLAIN = 0.85  # share of the outline, below which a pose without perspective is not yet the right one
_SAME_END = 0.03  # of its size: how far two alignments of the same thing end from each other
_AGAIN = 0.16  # of its size: how far two candidates that are the same may be from each other


def find(pyramid: Pyramid, templates: tuple[Template, ...], inks: list[Floats]) -> list[FoundLogo]:
    """Every use of the logos in a picture, from top to bottom."""
    kept: list[FoundLogo] = []
    refuted: list[_Refuted] = []
    tries = sorted(candidates(pyramid, templates, inks), key=_first)
    for partial, most in ((False, _MOST_TRIED), (True, _MOST_PARTS_TRIED)):
        tried = 0
        for candidate in (one for one in tries if one.partial is partial):
            known = any(_inside(candidate, found) for found in kept if found.confidence > _SURE)
            if known or sum(before.weight for before in refuted if before.says(candidate)) >= 1:
                continue
            made = _verified(pyramid, candidate, refuted)
            if made is not None:
                kept.append(made)
            tried += 1
            if tried == most:
                break
    kept = [worded(pyramid, one, templates) for one in _once(kept)]
    return sorted(_once(kept), key=lambda found: (found.box[1], found.box[0]))


def _first(candidate: Candidate) -> float:
    """Return what candidates are ordered by: the likeliest first, and of two that are as likely the one with more."""
    size = float(np.clip(np.log2(candidate.place[2] / _LETTER), 0, 4)) if candidate.partial else 0.0
    more = _MORE if candidate.template.core is not None else 0.0
    return -candidate.quality * (1 + _LARGER * size) - more


@dataclass(frozen=True)
class _Refuted:
    """A candidate that the picture does not support; the same one from another mask is not tried for ever."""

    candidate: Candidate
    weight: float  # 1 where nothing is to be gained from another try
    settled: Floats | None = None  # the corners of the core where it was aligned best
    whole: bool = True  # the core was there and the logo was not; False where already the core was not

    def says(self, other: Candidate) -> bool:
        """Tell whether another candidate is the same one, about: of logos that share a core, one speaks for all."""
        if self.candidate.partial != other.partial:
            return False
        if self.candidate.template is not other.template and (
            self.whole or not _core(self.candidate).arcs.same(_core(other).arcs)
        ):
            return False
        here, there = _frame(self.candidate), _frame(other)
        return bool(np.abs(here - there).max() < _AGAIN * float(np.ptp(here, axis=0).max()))

    def ended(self, candidate: Candidate, corners: Floats) -> bool:
        """Tell whether this came from elsewhere to the same place."""
        if self.settled is None or self.candidate.template is not candidate.template:
            return False
        off = np.abs(self.settled - corners).max()
        return (
            bool(off < _SAME_END * float(np.ptp(corners, axis=0).max())) and self.candidate.partial == candidate.partial
        )


def _frame(candidate: Candidate) -> Floats:
    """The corners of a candidate's core."""
    return apply(candidate.pose, corners_of(_core(candidate)))


def _core(candidate: Candidate) -> Template:
    """The part of the logo that a candidate is found by."""
    return candidate.template.core or candidate.template


def _inside(candidate: Candidate, found: FoundLogo) -> bool:
    """Tell whether a candidate says again what has been found, or is a part of it, such as a letter of its words.

    Whether a mark that was found has words beside it is asked once, in the end.
    """
    x, y, size = candidate.place
    left, top, right, bottom = found.box
    within = left < x < right and top < y < bottom
    if within and (found.template.core is not None or _core(candidate).arcs.same(found.template.arcs)):
        return size < 1.1 * max(right - left, bottom - top)
    return False


def _verified(pyramid: Pyramid, candidate: Candidate, refuted: list[_Refuted]) -> FoundLogo | None:
    """The logo that a candidate turns out to be; None where the picture does not support it."""
    template = candidate.template
    settled = _settled(pyramid, candidate, refuted)
    if settled is None:
        return None
    work, pose, model, kind = settled
    core_pose = pose
    ended = apply(pose, corners_of(template.core or template))
    if any(before.ended(candidate, ended) for before in refuted):
        return None
    if template.core is not None:
        work = pyramid.around(box_of(template, pose), longest(template, COARSE))
        if not candidate.partial and not rest_may_be_there(work, template, pose, kind):
            refuted.append(_Refuted(candidate, 1.0, ended))
            return None
        pose = extended(pyramid, work, template, pose, model, kind)
    if not candidate.partial:
        pose, model = _bent(work, template, pose, kind)
    seen = seen_at(work, template, pose, kind, candidate.partial)
    least = _LEAST_ROUGH_PART if candidate.partial else _LEAST_ROUGH
    promising = seen is not None and (
        seen.share + seen.match > least or (template.core is not None and seen.match > _LEAST_ROUGH_WORDS)
    )
    found = _finely(pyramid, candidate, pose, model, kind) if promising else None
    if found is None and template.core is not None and not candidate.partial:
        # The heart is whole; something may lie on the words.
        part = replace(candidate, partial=True)
        found = _finely(pyramid, part, pose, model, kind) or by_core(pyramid, template, core_pose)
    if found is None:
        refuted.append(_Refuted(candidate, 0.5, ended))
    return found


def _settled(pyramid: Pyramid, candidate: Candidate, refuted: list[_Refuted]) -> tuple[Work, Floats, str, str] | None:
    """The core of a candidate aligned in a small working picture: that, the pose, its model and the kind of tone."""
    core, pose = candidate.template.core or candidate.template, candidate.pose
    box = box_of(core, pose)
    if not sane(box, pyramid) or not _likely(parts_of(pose, candidate.template.aspect)):
        return None
    work = pyramid.around(box, longest(core, COARSE))
    if candidate.partial:
        return _settled_part(pyramid, work, candidate, refuted)
    first = support(work, core, pose)
    large = bends(core, pose)
    least = _LEAST_FIRST_TILTED if large else _LEAST_FIRST
    if first is None or first.match < _LEAST_FIRST_MATCH or first.match + candidate.fit < least:
        return None
    model, kind = "affine", "line"
    moved, second = pose, first
    if first.share + first.match < _EXACT:
        drawn = refine(work, core, pose, model, 6, blur=2.0)
        seen = support(work, core, drawn)
        if seen is not None and seen.share + seen.match >= first.share + first.match:
            moved, second = drawn, seen
    if second.share < 0.86 and second.match > 0.55:
        # Beside the ink something else may change: a shadow, a glow, a loud ground.
        other = refine(work, core, pose, model, 8, blur=1.0, kind="ink")
        seen = support(work, core, other, kind="ink")
        if seen is not None and seen.share + seen.match > second.share + second.match + 0.03:
            moved, second, kind = other, seen, "ink"
    if second.match < 0.72 or second.share < 0.4:
        refuted.append(_Refuted(candidate, 0.5, whole=False))
        return None
    pose = refine(work, core, moved, model, 8, kind=kind)
    if not sane(box_of(candidate.template, pose), pyramid):
        return None
    last = support(work, core, pose, kind=kind)
    large = bends(core, pose)
    if large and (last is None or (last.share < _LEAST_PLAIN and last.match > _LEAST_TILTED)):
        pose, last, kind = _tilted(work, core, pose, last, kind)
    share, match = _LEAST_SETTLED_LARGE if large else _LEAST_SETTLED_SMALL
    if last is None or last.share < share or last.match < match:
        return None
    return work, pose, model, kind


def _settled_part(
    pyramid: Pyramid, work: Work, candidate: Candidate, refuted: list[_Refuted]
) -> tuple[Work, Floats, str, str] | None:
    """The same of a core of which a part is hidden: upright if that fits, else as seen from the side."""
    core = candidate.template.core or candidate.template
    best: tuple[float, Floats, str, str] | None = None
    if not any(_promises(support(work, core, candidate.pose, kind=kind)) for kind in ("line", "ink")):
        refuted.append(_Refuted(candidate, 0.3, whole=False))
        return None
    upright = pose_of(parts_of(candidate.pose, candidate.template.aspect), candidate.template.aspect)
    # What lies on a logo draws a pose away: the fewer ways it has to go, the less.
    ways = ((upright, "rigid", 0.0), (candidate.pose, "affine", 0.05), (None, "homography", 0.1))
    for start, model, more in ways if bends(core, candidate.pose) else ways[:2]:
        if best is not None and best[0] > (_SURELY_SETTLED if model == "affine" else _WELL_SETTLED):
            break
        least = 0.0 if best is None else best[0] + more
        for kind in ("line", "ink"):
            pose = (best[1] if best is not None else candidate.pose) if start is None else start
            pose = refine(work, core, pose, model, 6, blur=1.0, kind=kind)
            seen = seen_at(work, core, pose, kind, partial=True)
            if seen is None or _settledness(seen) < _LEAST_ROUGH_SETTLED:
                continue
            pose, seen = _unhidden(work, core, pose, model, kind, seen)
            if seen is None or not sane(box_of(core, pose), pyramid) or steep(work, core, pose):
                continue
            score = _settledness(seen)
            if score > least:
                best, least = (score, pose, model, kind), score + 0.03
            if score > _SURELY_SETTLED:
                break
        if model != "homography" and (best is None or best[0] < _LEAST_PROMISING[model == "affine"]):
            break
    if best is None or best[0] < _LEAST_SETTLED:
        refuted.append(_Refuted(candidate, 1.0, whole=False))
        return None
    return work, best[1], best[2], best[3]


def _promises(seen: Support | None) -> bool:
    return seen is not None and seen.share + seen.match > _LEAST_FIRST_PART


def _unhidden(
    work: Work, template: Template, pose: Floats, model: str, kind: str, seen: Support | None
) -> tuple[Floats, Support | None]:
    """The pose improved by what is not hidden alone, which shows better each time what is."""
    for time in range(_MOST_UNHIDDEN):
        if seen is None:
            break
        before = _settledness(seen)
        pose = refine(replace(work, valid=seen.valid), template, pose, model, 6, kind=kind)
        seen = seen_at(work, template, pose, kind, partial=True)
        if time and (seen is None or _settledness(seen) < max(before + _STILL_BETTER, _LEAST_PROMISING[0])):
            break
    return pose, seen


def _settledness(seen: Support) -> float:
    return seen.share + seen.match - 0.5 * seen.hidden


def _tilted(
    work: Work, core: Template, pose: Floats, seen: Support | None, kind: str
) -> tuple[Floats, Support | None, str]:
    """The pose as a camera sees it from the side, where that is clearly nearer to the picture than a plain one."""
    best = (pose, seen, kind)
    for other in ("line", "ink"):
        least = 0.0 if best[1] is None else best[1].share + best[1].match + 0.08
        bent = refine(work, core, pose, "homography", 6, blur=2.5, kind=other)
        rough = support(work, core, bent, kind=other)
        if rough is None or rough.share + rough.match < least - _LEAST_GAIN:
            continue
        for blur in (1.2, 0.0):
            bent = refine(work, core, bent, "homography", 6, blur=blur, kind=other)
        found = support(work, core, bent, kind=other)
        if found is not None and found.share + found.match > least and not steep(work, core, bent):
            best = (bent, found, other)
            if found.share + found.match > _SURELY_SETTLED:
                break
    return best


def _finely(pyramid: Pyramid, candidate: Candidate, pose: Floats, model: str, kind: str) -> FoundLogo | None:
    """The candidate aligned in the finest working picture, and whether the picture supports it there."""
    template = candidate.template
    box = box_of(template, pose)
    if not sane(box, pyramid):
        return None
    fine = pyramid.around(box, longest(template, FINE))
    ways = [(kind, model), ("line", model), *([(kind, "homography")] if bends(template, pose) else [])]
    best: FoundLogo | None = None
    for kind_, model_ in dict.fromkeys(ways):
        found = _at_last(fine, candidate, pose, model_, kind_)
        if found is not None and (best is None or found.share + found.match > best.share + best.match):
            best = found
        # By the ink alone a pose is a little too small where something lies on it.
        if best is not None and (kind_ == "line" or best.share + best.match > _CLEAR):
            break
    return best


def _at_last(fine: Work, candidate: Candidate, pose: Floats, model: str, kind: str) -> FoundLogo | None:
    template = candidate.template
    before = seen_at(fine, template, pose, kind, candidate.partial)
    moved = refine(fine, template, pose, model, 8, blur=2.5, kind=kind) if candidate.partial else pose
    if candidate.partial:
        seen = seen_at(fine, template, moved, kind, partial=True)
        moved, seen = _unhidden(fine, template, moved, model, kind, seen or before)
    else:
        moved = refine(fine, template, moved, model, 10, kind=kind)
        seen = seen_at(fine, template, moved, kind, partial=False)
    if before is not None and (seen is None or seen.share + seen.match < before.share + before.match - 0.05):
        moved, seen = pose, before
    if seen is None:
        return None
    if template.core is not None and not rest_is_there(fine, template, seen):
        return None
    return proved(fine, template, moved, seen, candidate.partial, kind)


def _bent(work: Work, template: Template, pose: Floats, kind: str) -> tuple[Floats, str]:
    """The pose as a camera sees it, where that is clearly nearer to the picture, and the model that it is of."""
    if not bends(template, pose):
        return pose, "affine"
    plain = support(work, template, pose, kind=kind)
    if plain is None or (plain.share > 0.9 and plain.match > 0.95):
        return pose, "affine"
    bent = pose
    for blur in (2.0, 1.0, 0.0):
        bent = refine(work, template, bent, "homography", 5, blur=blur, kind=kind)
    seen = support(work, template, bent, kind=kind)
    if seen is not None and 1 - seen.match < 0.8 * (1 - plain.match) and not steep(work, template, bent):
        return bent, "homography"
    return pose, "affine"


def _likely(parts: Parts) -> bool:
    """Tell whether a pose is worth a look: letters and specks have the shape of a logo in many odd ones."""
    small = min(parts.across, parts.down) < 26
    turned = abs((parts.degrees + 45) % 90 - 45)
    least = 0.5 if small else 0.9
    return abs(np.log(parts.across / parts.down)) < least and abs(parts.shear) < least and (not small or turned < 35)


def _once(found: list[FoundLogo]) -> list[FoundLogo]:
    """Each place once: the logo with more in it wins where both are there."""
    kept: list[FoundLogo] = []
    order = sorted(found, key=lambda one: -(one.confidence + 0.3 * _area_share(one)))
    for one in order:
        if not any(_overlap(one, other) > _SAME for other in kept):
            kept.append(one)
    return kept


def _area_share(one: FoundLogo) -> float:
    return 1.0 if one.template.core is not None else 0.0


def _overlap(one: FoundLogo, other: FoundLogo) -> float:
    """The shared area as a share of the smaller box."""
    a, b = one.box, other.box
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    least = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return wide * high / least
