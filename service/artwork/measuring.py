"""Measuring: the rendering of a logo at its pose is compared with the picture, one figure for each rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..campaign.brand import BrandRules
from . import colours
from .alignment import MOST_SAME_INK, SAMPLED, Pyramid, Work, box_of, noise_of, scale_of, tone_of
from .grounding import Ground, Mask, Zone, foreign_of, ground_of, zone_of
from .lighting import lit_difference
from .proving import FoundLogo
from .templates import Floats, Image, apply

_FINEST = 200  # working pixels of a logo's shorter side, at most
_CAMERA = 0.55  # sRGB steps of noise
_LIT, _LENS = 2.5, 0.65  # of colour difference from end to end of the ink; pixels of softness of its edges
_SHADE, _DRAWN_GROUND, _DRAWN_INK = 1.5, 0.3, 1.0  # sRGB steps; colour differences, up to which nothing is uneven
_MOST_UNEVEN = 4.5  # of colour difference, that light and noise make of one ink
_THIN = 0.35  # coverage of the middle of a stroke, below which nothing is said of it
_COVERED = 0.04  # share of the ink under another thing, from which on its surroundings are that thing's
_GRADED = 8.0  # of colour difference from end to end
_MOST_GRADED = 4000  # pixels that a gradient is fitted to
_WAYS, _FACING, _LEAST_FACING = 16, 0.6, 15  # directions, cosine, points of the outline
_SOFTENED, _SURELY = 2.0, 0.95  # how much softer a fit may be than edges are, and confidence of no doubt
_GAPS, _GAP = 110, 0.14  # working pixels of a mark in which gaps are looked at; their width, in template units
_HALO = 0.09  # of the logo's height: how far an effect reaches


@dataclass(frozen=True)
class Measured:
    """Measurements of one logo. Shares are from 0 to 1, colours are sRGB."""

    width: float  # pixels of the picture, of the logo as drawn upright
    stretch: float
    degrees: float
    mirrored: bool
    colourway: str
    delta_e: float
    lit_colourway: str  # the same two as a camera may have seen them, see ``lighting``
    lit_delta_e: float
    ink: Floats
    ground: Floats
    free: float  # share of the clear space that is free on all sides
    contrast: float
    worst_contrast: float
    missing: float  # share of the ink cut off or covered
    outside: float  # the part of it that is outside the picture
    uneven: float  # of the ink: root mean square of colour difference
    graded: float  # of the ink: colour difference from one end of it to the other, where it changes evenly
    relief: float  # of the ink: change of lightness with the direction of the edge
    halo: float  # share of the outline along which something hugs the logo
    busy: float
    softness: float  # of edges, in pixels of the picture
    neighbour: float  # share of the clear space up to the nearest other logo; 1 where none is in it
    filled: float  # share of the gaps in the ink that have ink, where edges are sharp and fit only softened ones
    grain: float  # of the ink: standard deviation from one pixel to the next, in sRGB steps
    shade: float  # sRGB steps by which the ground differs from one side of the logo to another

    @property
    def photographed(self) -> bool:
        """Tell whether the ink has the noise of a camera, or its soft edges and uneven light: no drawing has those."""
        lit = self.graded > _LIT and self.softness > _LENS
        even = self.uneven < _MOST_UNEVEN + self.grain and self.graded < _GRADED + 2 * self.grain
        return (self.grain > _CAMERA or lit) and even

    @property
    def drawn(self) -> bool:
        """Tell whether ground and ink are as even as no light makes them, however soft edges are: enlarged, that is."""
        return self.shade < _SHADE and self.busy < _DRAWN_GROUND and self.uneven < _DRAWN_INK and self.grain < _CAMERA

    def under_light(self) -> Measured:
        """The same of a photograph, in which colours are those of the print under an unknown light."""
        return replace(self, colourway=self.lit_colourway, delta_e=self.lit_delta_e)

    def at(self, scale: float) -> Measured:
        """The same for a picture shown at another scale."""
        return replace(self, width=self.width * scale, softness=self.softness * scale)


def measure(pyramid: Pyramid, found: FoundLogo, brand: BrandRules, others: Sequence[FoundLogo] = ()) -> Measured:
    """All figures for one found logo; ``others`` are the other logos in the picture."""
    template, rules = found.template, brand.logo(found.template.logo)
    across, down = found.parts.across, found.parts.down
    width, height = across * template.aspect, down
    space = rules.clear_space.around(width, height)
    box = box_of(template, found.pose)
    shorter = min(box[2] - box[0], box[3] - box[1])
    longer = max(box[2] - box[0], box[3] - box[1])
    scale = min(1.0, _FINEST / shorter)
    margin = (1.15 * space + 6 / scale) / longer
    work = pyramid.around(box, max(8, round(longer * scale)), margin)
    scale = float(work.matrix[0, 0])
    softness = min(found.softness, _sharpest(pyramid, found))
    soft = max(0.35, softness * scale)
    alpha = template.render(work.matrix @ found.pose, *work.size)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), soft), np.float32)
    local = tuple(float(v) for v in apply(work.matrix, np.array(box).reshape(2, 2)).ravel())
    zone = zone_of(alpha, work.valid, local, space * scale)  # type: ignore[arg-type]
    close = 1.0 + soft
    halo = _HALO * down * scale + close
    ground = ground_of(work.pixels, zone, close, halo)
    inks, solid = _inks(work, found, alpha, soft)
    ground_colour = ground.colour if ground is not None else 255.0 - inks[0]
    colourway, delta_e = _nearest(found, brand, inks)
    missing, outside, covered = _missing(work, alpha, inks, ground_colour)
    graded = _graded(work, solid) if len(inks) == 1 else 0.0
    if graded > _GRADED:
        # Then its ends differ from its middle, and nothing covers them.
        missing, covered = outside, np.zeros(alpha.shape, np.bool_)
    whole = ~cv2.dilate(covered.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(np.bool_)
    uneven, relief = _inside(work, alpha, solid & whole, whole, soft, inks, ground_colour)
    hugged, halo_mask = (
        (0.0, np.zeros(alpha.shape, np.bool_))
        if ground is None
        else _hugged(found, work, ground, zone, close, down * scale)
    )
    free = 1.0
    contrast = worst = float(min(colours.contrast(ink, ground_colour) for ink in inks))
    if ground is not None:
        free = _free(ground, zone, close, scale, down * scale, halo_mask if hugged > 0.2 else None, missing > 0.02)
        each = np.min([colours.contrast(ground.by_sector, ink) for ink in inks], axis=0)
        worst = float(np.quantile(each, 0.15))
    if missing - outside > _COVERED:
        # What lies on the logo is told as that; it is beside it, hugs it and changes the ground as well.
        hugged, free, worst = 0.0, 1.0, contrast
    lit_colourway, lit_delta_e = _nearest(
        found, brand, inks, ground.by_sector if ground is not None else ground_colour[None]
    )
    main = inks[0]
    return Measured(
        width=width,
        stretch=found.parts.stretch,
        degrees=found.parts.degrees,
        mirrored=found.parts.mirrored,
        colourway=colourway,
        delta_e=delta_e,
        lit_colourway=lit_colourway,
        lit_delta_e=lit_delta_e,
        ink=main,
        ground=np.asarray(ground_colour, np.float64),
        free=free,
        contrast=contrast,
        worst_contrast=worst,
        missing=missing,
        outside=outside,
        uneven=uneven,
        graded=graded,
        relief=relief,
        halo=hugged,
        busy=ground.busy if ground is not None else 0.0,
        softness=softness,
        neighbour=_neighbour(box, space, others),
        filled=_filled(pyramid, found, softness),
        grain=_grain(pyramid, work, alpha),
        shade=float(np.ptp(ground.by_sector, axis=0).max()) if ground is not None else 255.0,
    )


def _inks(work: Work, found: FoundLogo, alpha: Image, soft: float) -> tuple[list[Floats], Mask]:
    """The colour of each ink, from where it is whole, and the mask of whole ink."""
    solid = _solid(alpha, work.valid, soft)
    made = []
    masks = (
        found.template.paint_masks(work.matrix @ found.pose, *work.size) if len(found.template.paints) > 1 else [alpha]
    )
    for mask in masks:
        here = solid & (mask > 0.9)
        if here.sum() < 4:
            here = work.valid & (mask >= 0.9 * float(mask.max()))
        made.append(np.median(work.pixels[here].astype(np.float64), axis=0))
    return made, solid


def _sharpest(pyramid: Pyramid, found: FoundLogo) -> float:
    """How soft the sharper edges across the outline are, in pixels of the picture.

    Where an outline or a hard shadow makes two edges of one, each of them is sharp though both together look soft.
    """
    template = found.template.core or found.template
    spots = apply(found.pose, template.outline)
    ahead = apply(found.pose, template.outline + 1e-3 * template.normals) - spots
    normal = ahead / np.maximum(np.linalg.norm(ahead, axis=1), 1e-9)[:, None]
    offsets = np.linspace(-1, 1, 25) * min(6.0, max(2.5, 0.05 * found.parts.down))
    x = (spots[:, 0:1] + normal[:, 0:1] * offsets - 0.5).astype(np.float32)
    y = (spots[:, 1:2] + normal[:, 1:2] * offsets - 0.5).astype(np.float32)
    seen = cv2.remap(pyramid.level(0), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float64)
    steepest = np.linalg.norm(seen[:, 2:] - seen[:, :-2], axis=2).max(axis=1) / float(offsets[2] - offsets[0])
    step = np.linalg.norm(seen[:, :3].mean(axis=1) - seen[:, -3:].mean(axis=1), axis=1)
    usable = step > 12
    if usable.sum() < 20:
        return found.softness
    # A step that is soft by s rises at most by 1 / (s * sqrt(2 pi)) of it a pixel.
    widths = step[usable] / np.maximum(steepest[usable], 1e-6) / np.sqrt(2 * np.pi)
    return max(SAMPLED, float(np.quantile(widths, 0.3)))


def _filled(pyramid: Pyramid, found: FoundLogo, softness: float) -> float:
    """The share of a mark's gaps, such as a slit, in which the picture has ink; 0 where the edges fit as they are.

    A heart broken by a zigzag is nearly ours where both are softened; but its edges are sharp.
    """
    if found.confidence > _SURELY or (found.softness < _SOFTENED * softness and not found.partial):
        return 0.0
    mark = found.template.core or found.template
    work = pyramid.around(box_of(mark, found.pose), _GAPS)
    pose = work.matrix @ found.pose
    sharp = mark.render(pose, *work.size)
    tone = tone_of(work, sharp)
    if tone is None:
        return 0.0
    reach = int(_GAP * scale_of(pose)) | 1
    closed = cv2.morphologyEx(
        (sharp > 0.5).astype(np.uint8), cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    )
    gaps = (closed > 0) & (sharp < 0.35) & work.valid
    if np.count_nonzero(gaps) < 20:
        return 0.0
    soft = cv2.GaussianBlur(sharp, (0, 0), max(0.35, softness * float(work.matrix[0, 0])))
    filled = tone.values[gaps] - soft[gaps] > 0.4
    if found.partial:  # what lies on it may be nearer to the ink than to the ground, and is still no ink
        filled &= np.linalg.norm(work.pixels[gaps] - tone.ink, axis=1) < MOST_SAME_INK
    return float(filled.mean())


def _solid(alpha: Image, valid: Mask, soft: float) -> Mask:
    """Return where the ink is whole and its edge is not near; of thin lines, their middle."""
    inner = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    for depth, least in ((3.0 + 1.5 * soft, 0.995), (1.5 + soft, 0.98), (0.0, 0.95), (0.0, 0.85)):
        solid = (inner > depth) & (alpha > least) & valid
        if solid.sum() >= max(24, 0.12 * float(alpha[valid].sum())):
            return solid
    return (alpha >= 0.9 * float(alpha.max())) & valid


def _nearest(
    found: FoundLogo, brand: BrandRules, inks: list[Floats], lit_grounds: Floats | None = None
) -> tuple[str, float]:
    """The colourway that the inks are nearest to, and how far they are from it; in a photograph beside its grounds."""
    best, least = "", np.inf
    for name in brand.logo(found.template.logo).colourways:
        wanted = [paint.colours[name] for paint in found.template.paints]
        away = max(
            float(colours.difference(ink, want)) if lit_grounds is None else lit_difference(ink, want, lit_grounds)
            for ink, want in zip(inks, wanted, strict=True)
        )
        if away < least:
            best, least = name, away
    return best, least


def _missing(work: Work, alpha: Image, inks: list[Floats], ground: Floats) -> tuple[float, float, Mask]:
    """The share of the ink that is not in the picture, the part of it that lies outside, and where it is covered.

    What covers a logo goes on beside it, or is of the ground's colour, or of one colour; a gradient or relief is not.
    """
    total = float(alpha.sum())
    none = np.zeros(alpha.shape, np.bool_)
    if total <= 0:
        return 0.0, 0.0, none
    outside = float(alpha[~work.valid].sum()) / total
    body = (alpha > 0.9) & work.valid
    lab = colours.lab(work.pixels)
    away = np.full(alpha.shape, np.inf)
    for ink in inks:
        away = np.minimum(away, np.sqrt(((lab - colours.lab(ink)) ** 2).sum(axis=2)))
    step = float(np.sqrt(((colours.lab(inks[0]) - colours.lab(ground)) ** 2).sum()))
    gone_at = max(14.0, min(0.4 * step, 22.0))
    gone = (body & (away > gone_at)).astype(np.uint8)
    gone = np.asarray(cv2.morphologyEx(gone, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(gone)
    covered = none.copy()
    for number in range(1, count):
        if stats[number, cv2.CC_STAT_AREA] < max(4, 0.003 * total):
            continue
        part = labels == number
        beside = (
            cv2.dilate(part.astype(np.uint8), np.ones((11, 11), np.uint8)).astype(np.bool_)
            & (alpha < 0.02)
            & work.valid
        )
        colour = np.median(lab[part], axis=0)
        even = float(np.sqrt(np.mean(((lab[part] - colour) ** 2).sum(axis=1)))) < 6
        goes_on = beside.sum() > 5 and float(np.linalg.norm(np.median(lab[beside], axis=0) - colour)) < 18
        as_ground = float(np.linalg.norm(colours.lab(ground) - colour)) < 12
        if goes_on or as_ground or (even and stats[number, cv2.CC_STAT_AREA] > 0.02 * total):
            covered |= part
    covered |= _thin(work, alpha, lab, inks, ground, gone_at)
    # Of thin strokes only the middle is whole ink: their edges are counted where the middle is gone.
    edges = cv2.dilate(covered.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.bool_) & (gone_at < away)
    share = float(alpha[(covered | edges) & work.valid].sum()) / max(1.0, float(alpha[work.valid].sum()))
    return outside + share * (1 - outside), outside, covered


def _thin(work: Work, alpha: Image, lab: Floats, inks: list[Floats], ground: Floats, gone_at: float) -> Mask:
    """Return where strokes that blur leaves no whole ink of are gone: not even near by is what they would look like."""
    wide = cv2.morphologyEx((alpha > 0.9).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    middle = (alpha > _THIN) & (alpha >= cv2.dilate(alpha, np.ones((3, 3), np.uint8)) - 0.1) & work.valid
    middle &= cv2.dilate(wide, np.ones((9, 9), np.uint8)) == 0
    away = np.full(alpha.shape, np.inf)
    for ink in inks:
        seen = ground + alpha[..., None] * (ink - ground)
        away = np.minimum(away, np.sqrt(((lab - colours.lab(seen)) ** 2).sum(axis=2)))
    nearest = cv2.erode(away.astype(np.float32), np.ones((5, 5), np.uint8))
    return np.asarray(cv2.dilate((middle & (nearest > gone_at)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)


def _inside(
    work: Work, alpha: Image, solid: Mask, whole: Mask, soft: float, inks: list[Floats], ground: Floats
) -> tuple[float, float]:
    """Return how uneven the ink is, and how much its lightness follows the direction of the edges, as in relief.

    ``solid`` is ink away from its edges, ``whole`` leaves out what covers it.
    """
    if solid.sum() < 30 or len(inks) > 1:
        return 0.0, 0.0
    lab = colours.lab(work.pixels)
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.0)
    rest = smooth - colours.lab(inks[0])
    away = np.sqrt((rest**2).sum(axis=2))
    step = float(np.sqrt(((colours.lab(inks[0]) - colours.lab(ground)) ** 2).sum()))
    uneven = float(np.sqrt(np.mean(np.minimum(away[solid], max(14.0, 0.8 * step)) ** 2)))
    inner = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    height = float(np.ptp(np.nonzero(alpha > 0.5)[0]) + 1)
    band = (inner > 1.5 + 2 * soft) & (inner < max(3.5 + 2 * soft, 0.07 * height)) & work.valid & whole
    relief = 0.0
    if band.sum() > 40:
        blurred = cv2.GaussianBlur(alpha, (0, 0), max(2.0, 0.03 * height))
        nx, ny = cv2.Sobel(blurred, cv2.CV_32F, 1, 0), cv2.Sobel(blurred, cv2.CV_32F, 0, 1)
        length = np.hypot(nx, ny) + 1e-6
        design = np.column_stack([np.ones(int(band.sum())), (nx / length)[band], (ny / length)[band]])
        solved, *_ = np.linalg.lstsq(design, np.clip(rest[..., 0][band], -40, 40), rcond=None)
        relief = float(np.hypot(solved[1], solved[2]))
    return uneven, relief


def _graded(work: Work, solid: Mask) -> float:
    """How far the ink's colour goes evenly from one end of it to the other; 0 where a gradient does not explain it."""
    rows, columns = np.nonzero(solid)
    if len(rows) < 60:
        return 0.0
    chosen = slice(None, None, 1 + len(rows) // _MOST_GRADED)
    rows, columns = rows[chosen], columns[chosen]
    values = colours.lab(work.pixels[rows, columns])
    u, v = (columns - columns.mean()) / np.ptp(columns), (rows - rows.mean()) / max(1, np.ptp(rows))
    design = np.column_stack([np.ones_like(u), u, v])
    weight = np.ones(len(u))
    away = np.zeros(len(u))
    solved = np.zeros((3, 3))
    for _ in range(6):
        scaled = design * weight[:, None]
        solved = np.linalg.solve(scaled.T @ design + 1e-6 * np.eye(3), scaled.T @ values)
        away = np.linalg.norm(values - design @ solved, axis=1)
        weight = 1 / (1 + (away / max(4.0, 2 * float(np.median(away)))) ** 2) ** 2
    plane = design[:, 1:] @ solved[1:]
    reach = float(np.linalg.norm(np.quantile(plane, 0.97, axis=0) - np.quantile(plane, 0.03, axis=0)))
    plain = np.linalg.norm(values - np.median(values, axis=0), axis=1)
    # What lies on the ink makes a step and no slope: then one colour explains as much of it.
    explains = float((away < 0.25 * reach + 2).mean()) > 0.8 and float(np.median(away)) < 0.6 * float(np.median(plain))
    return reach if explains else 0.0


def _neighbour(box: tuple[float, float, float, float], space: float, others: Sequence[FoundLogo]) -> float:
    """Return how much of the clear space is free of other logos."""
    nearest = 1.0
    for other in others:
        left, top, right, bottom = other.box
        away = max(left - box[2], box[0] - right, top - box[3], box[1] - bottom, 0.0)
        nearest = min(nearest, away / max(space, 1e-6))
    return nearest


def _grain(pyramid: Pyramid, work: Work, alpha: Image) -> float:
    """Return how much pixels differ where the ink is widest: next to nothing in a drawing, noise in a photograph."""
    inner = cv2.distanceTransform(((alpha > 0.98) & work.valid).astype(np.uint8), cv2.DIST_L2, 5)
    row, column = np.unravel_index(int(inner.argmax()), inner.shape)
    scale = float(work.matrix[0, 0])
    reach = int(min(24, 0.6 * float(inner.max()) / scale - 1.5))
    if reach < 5:
        return pyramid.grain
    middle: Floats = np.array([[float(column) + 0.5, float(row) + 0.5]], np.float64)
    back: Floats = np.asarray(np.linalg.inv(work.matrix), np.float64)
    x, y = apply(back, middle)[0]
    whole = pyramid.level(0)
    part = whole[max(0, int(y) - reach) : int(y) + reach, max(0, int(x) - reach) : int(x) + reach].astype(np.float32)
    if min(part.shape[:2]) < 5:
        return 0.0
    # The middle of all: ripples of compression beside an edge are few.
    return noise_of(part)


def _hugged(
    found: FoundLogo, work: Work, ground: Ground, zone: Zone, close: float, height: float
) -> tuple[float, Mask]:
    """The share of the outline outside which the ground is changed, and where that is."""
    pose = work.matrix @ found.pose
    spots = apply(pose, found.template.outline)
    ahead = apply(pose, found.template.outline + 1e-3 * found.template.normals) - spots
    normal = ahead / np.maximum(np.linalg.norm(ahead, axis=1), 1e-9)[:, None]
    near = np.linspace(close + 0.5, max(close + 2.5, 0.05 * height), 6)
    far = np.linspace(0.2, 0.26, 4) * height + close

    def changes(reach: Floats, least: int) -> tuple[Floats, Mask]:
        x = (spots[:, 0:1] + normal[:, 0:1] * reach - 0.5).astype(np.float32)
        y = (spots[:, 1:2] + normal[:, 1:2] * reach - 0.5).astype(np.float32)
        off = cv2.remap(zone.off_ink, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        inside = cv2.remap(zone.valid.astype(np.float32), x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
        usable = (off > close) & (inside > 0.5)
        seen = np.stack([cv2.remap(ground.signed[..., i], x, y, cv2.INTER_LINEAR) for i in range(3)], axis=-1)
        counts = usable.sum(axis=1)
        return (seen * usable[..., None]).sum(axis=1) / np.maximum(counts, 1)[:, None], counts >= least

    mean, known = changes(near, 3)
    away, seen_away = changes(far, 2)
    # What goes on further out is the ground itself and no halo.
    step = np.where(seen_away, np.linalg.norm(mean - away, axis=1), np.inf)
    strong = known & (np.minimum(np.linalg.norm(mean, axis=1), step) > max(4.5, 2.0 * ground.busy))
    if known.sum() < 20:
        return 0.0, np.zeros(zone.off_ink.shape, np.bool_)
    mask = (zone.off_ink < _HALO * height * 2 + close) & (ground.residual > 3.0)
    return max(float(strong.sum() / known.sum()), 0.5 * _one_sided(normal, strong, known)), mask


def _one_sided(normal: Floats, strong: Mask, known: Mask) -> float:
    """The share of the outline that faces one way along which something hugs it, for the way where it is largest."""
    most = 0.0
    for angle in np.linspace(0, 2 * np.pi, _WAYS, endpoint=False):
        facing = known & (normal @ np.array([np.cos(angle), np.sin(angle)]) > _FACING)
        if facing.sum() >= max(_LEAST_FACING, 0.08 * known.sum()):
            most = max(most, float(strong[facing].mean()))
    return most


def _free(
    ground: Ground, zone: Zone, close: float, scale: float, size: float, halo: Mask | None, covered: bool
) -> float:
    """The share of the clear space that is free on every side."""
    foreign, labels = foreign_of(ground, zone, close + 1.5 * scale, scale, size)
    if halo is not None:
        foreign = foreign & ~halo
    if covered:
        # What lies on the logo is told as that, not as something beside it.
        touching = np.unique(labels[foreign & (zone.off_ink < close + 4 * scale + 2)])
        foreign = foreign & ~np.isin(labels, touching[touching > 0])
    outside = foreign & (zone.distance > 0)
    if (foreign & (zone.distance <= 0)).sum() > max(12, (0.05 * size) ** 2):
        return 0.0
    if not outside.any():
        return 1.0
    values = np.sort(zone.distance[outside])
    return float(min(1.0, values[min(len(values) - 1, 2)]))
