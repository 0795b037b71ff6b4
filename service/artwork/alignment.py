"""Dense alignment: a pose is improved until the rendering at that pose is the picture, to a fraction of a pixel.

Gauss-Newton on the brightness along the line from the ground's colour to the ink's, in a working picture in which
the logo has a fixed size, so that the cost does not depend on how large it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from .templates import Floats, Image, Template, apply, scale_of

_MARGIN = 0.12  # of the longer side, round the logo, in a working picture
_MOST_SAMPLES = 1000  # pixels that a step is computed from
_MOST_MEDIAN = 601  # pixels that a median colour is taken of
_LONGEST_STEP = 4.0  # working pixels
_NEAR_ENOUGH = 0.1  # working pixels, at which softened pictures have nothing more to say
_INK_REACHES = 25.0, 90.0  # sRGB steps, at least and at most
_INK_REACH = 0.6  # of the contrast, from where on a colour is no ink at all
SAMPLED = 0.48  # pixels of the picture that its own sampling and enlarging blur an edge by: none is sharper


@dataclass(frozen=True)
class Work:
    """A part of a picture at the scale of the work: pixels, and the map from the picture to it."""

    pixels: Image  # (h, w, 3)
    valid: npt.NDArray[np.bool_]  # inside the picture
    matrix: Floats  # 3 x 3, from picture to work
    whole: int  # pixels of the whole picture's longer side

    @property
    def softness(self) -> float:
        """Return how soft the sharpest edge of the picture is here: standard deviation in working pixels."""
        return SAMPLED * max(0.0, float(self.matrix[0, 0]) - 0.3)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.pixels.shape[1], self.pixels.shape[0]


def noise_of(part: Image) -> float:
    """The standard deviation of a picture's noise, by second differences both ways: edges and slopes have none.

    The filter is Immerkaer's (1996), of which the middle value is taken instead of the mean.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    rest = cv2.filter2D(part, cv2.CV_32F, mask)[1:-1, 1:-1]
    return 1.4826 * float(np.median(np.abs(rest))) / 6


class Pyramid:
    """A picture at halves of its size, made when they are first needed."""

    def __init__(self, pixels: npt.NDArray[np.uint8]) -> None:
        self._levels: list[npt.NDArray[np.uint8]] = [pixels]

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self._levels[0].shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self._levels[0].shape[0])

    @cached_property
    def grain(self) -> float:
        """The noise of the picture's quietest parts, in sRGB steps: none in what was drawn, some in a photograph."""
        whole = self._levels[0]
        side = 24
        rows = np.linspace(0, max(0, self.height - side), 9).astype(int)
        columns = np.linspace(0, max(0, self.width - side), 9).astype(int)
        found = []
        for row in rows:
            for column in columns:
                part = whole[row : row + side, column : column + side].astype(np.float32)
                if part.min() > 2 and part.max() < 253:  # what is burnt out or black has no noise
                    found.append(noise_of(part))
        return float(np.quantile(found, 0.1)) if len(found) >= 20 else 0.0

    def level(self, number: int) -> npt.NDArray[np.uint8]:
        """The picture halved so many times."""
        while len(self._levels) <= number:
            last = self._levels[-1]
            size = (max(1, (last.shape[1] + 1) // 2), max(1, (last.shape[0] + 1) // 2))
            self._levels.append(np.asarray(cv2.resize(last, size, interpolation=cv2.INTER_AREA), np.uint8))
        return self._levels[number]

    def around(self, box: tuple[float, float, float, float], longest: int, margin: float = _MARGIN) -> Work:
        """The part of the picture round a box (left, top, right, bottom), its longer side ``longest`` pixels."""
        left, top, right, bottom = box
        span = max(right - left, bottom - top, 1e-6)
        scale = longest / span
        more = margin * span
        left, top, right, bottom = left - more, top - more, right + more, bottom + more
        size = (max(8, int(np.ceil((right - left) * scale))), max(8, int(np.ceil((bottom - top) * scale))))
        number = 0
        while scale * 2 ** (number + 1) <= 1.01 and min(self.width, self.height) >> (number + 1) >= 8:
            number += 1
        source = self.level(number)
        across, down = source.shape[1] / self.width, source.shape[0] / self.height
        matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale], [0, 0, 1]])
        # Pixel centres are at half units in both pictures.
        forth = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
        back = np.array([[1 / across, 0, 0.5 / across], [0, 1 / down, 0.5 / down], [0, 0, 1]])
        total = forth @ matrix @ back
        how = cv2.INTER_LINEAR if scale * 2**number <= 1.2 else cv2.INTER_CUBIC
        pixels = cv2.warpAffine(source, total[:2], size, flags=how, borderMode=cv2.BORDER_REPLICATE)
        x = (np.arange(size[0]) + 0.5) / scale + left
        y = (np.arange(size[1]) + 0.5) / scale + top
        inside = ((y >= 0) & (y <= self.height))[:, None] & ((x >= 0) & (x <= self.width))[None, :]
        return Work(pixels.astype(np.float32), inside, matrix, max(self.width, self.height))


@dataclass(frozen=True)
class Tone:
    """The brightness along the line from ground to ink: 0 is ground, 1 is ink; ``contrast`` in sRGB steps."""

    values: Image
    ink: Floats
    ground: Floats
    contrast: float


def tone_of(work: Work, alpha: Image, kind: str = "line") -> Tone | None:
    """The picture as brightness between the ground's and the ink's colour; None where there is no difference.

    Of kind ``line`` it is the place on the line from one to the other, of kind ``ink`` the nearness to the ink alone,
    which a shadow or glow beside it does not change.
    """
    inside, outside = (alpha > 0.97) & work.valid, (alpha < 0.02) & work.valid
    if np.count_nonzero(inside) < 12:
        inside = (alpha > 0.8) & work.valid
    if np.count_nonzero(inside) < 6 or np.count_nonzero(outside) < 6:
        return None
    ink = _middle(work.pixels, inside)
    # The ground is what lies a little away: close by is the blur of the edge, and whatever a rough pose is off by.
    reach = max(work.size) // 20
    ink_mask = (alpha > 0.5).astype(np.uint8)
    far = cv2.dilate(ink_mask, np.ones((2 * reach + 7, 2 * reach + 7), np.uint8))
    close = cv2.dilate(ink_mask, np.ones((2 * reach // 2 + 3, 2 * reach // 2 + 3), np.uint8))
    ring = outside & (far > 0) & (close == 0)
    ground = _middle(work.pixels, ring if np.count_nonzero(ring) > 20 else outside)
    axis = ink - ground
    length = float(axis @ axis)
    if length < 6.0**2:
        return None
    if kind == "ink":
        ends = float(np.clip(_INK_REACH * np.sqrt(length), *_INK_REACHES))
        values = 1 - np.linalg.norm(work.pixels - ink.astype(np.float32), axis=2) / np.float32(ends)
        return Tone(np.clip(values, 0.0, 1.0), ink, ground, float(np.sqrt(length)))
    values = (work.pixels - ground.astype(np.float32)) @ (axis / length).astype(np.float32)
    return Tone(np.clip(values, -0.6, 1.6), ink, ground, float(np.sqrt(length)))


def _middle(pixels: Image, where: npt.NDArray[np.bool_]) -> Floats:
    """The median colour of these pixels, of about a thousand of them where there are more."""
    places = np.flatnonzero(where)
    chosen = pixels.reshape(-1, pixels.shape[2])[places[:: 1 + len(places) // _MOST_MEDIAN]]
    half = len(chosen) // 2
    return np.asarray(np.partition(chosen, half, axis=0)[half], np.float64)


def _median(values: Floats) -> float:
    """The upper median, which costs a third of NumPy's."""
    half = len(values) // 2
    return float(np.partition(values, half)[half])


@dataclass(frozen=True)
class Parts:
    """A pose as people speak of it. Scales are pixels for a template unit."""

    x: float  # of the view box's centre
    y: float
    across: float
    down: float
    degrees: float  # clockwise
    shear: float
    mirrored: bool

    @property
    def stretch(self) -> float:
        """Return how much wider than its height allows."""
        return self.across / self.down - 1


def parts_of(pose: Floats, aspect: float) -> Parts:
    """The parts of a pose, of a homography at the logo's centre."""
    centre = np.array([[aspect / 2, 0.5]])
    spot = apply(pose, centre)[0]
    step = 1e-3
    along = (apply(pose, centre + np.array([[step, 0.0]]))[0] - spot) / step
    down = (apply(pose, centre + np.array([[0.0, step]]))[0] - spot) / step
    matrix = np.column_stack([along, down])
    mirrored = bool(np.linalg.det(matrix) < 0)
    if mirrored:
        matrix[:, 0] = -matrix[:, 0]
    u, s, vt = np.linalg.svd(matrix)
    turn, size = u @ vt, vt.T @ np.diag(s) @ vt
    degrees = float(np.degrees(np.arctan2(turn[1, 0], turn[0, 0])))
    shear = float(size[0, 1] / np.sqrt(size[0, 0] * size[1, 1]))
    return Parts(float(spot[0]), float(spot[1]), float(size[0, 0]), float(size[1, 1]), degrees, shear, mirrored)


def pose_of(parts: Parts, aspect: float) -> Floats:
    """The matrix of a pose without shear and perspective."""
    angle = np.radians(parts.degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    made = np.eye(3)
    made[:2, :2] = turn @ np.diag([parts.across * (-1 if parts.mirrored else 1), parts.down])
    made[:2, 2] = np.array([parts.x, parts.y]) - made[:2, :2] @ np.array([aspect / 2, 0.5])
    return made


Model = Callable[[Floats, Floats], Floats]  # (start, changes) -> pose


def _rigid(start: Floats, p: Floats) -> Floats:
    """Translation and turn in the picture, scales along the logo's own axes."""
    angle = p[2]
    turn = np.array([[np.cos(angle), -np.sin(angle), p[0]], [np.sin(angle), np.cos(angle), p[1]], [0, 0, 1]])
    return np.asarray(turn @ start @ np.diag([1 + p[3], 1 + p[4], 1.0]), np.float64)


def _affine(start: Floats, p: Floats) -> Floats:
    return np.asarray(start + np.array([[p[2], p[3], p[0]], [p[4], p[5], p[1]], [0, 0, 0]]), np.float64)


def _homography(start: Floats, p: Floats) -> Floats:
    made = start @ np.array([[1 + p[2], p[3], 0], [p[4], 1 + p[5], 0], [p[6], p[7], 1]])
    made = made + np.array([[0, 0, p[0]], [0, 0, p[1]], [0, 0, 0]]) * made[2, 2]
    return np.asarray(made, np.float64)


_AFFINE = np.eye(9)[:, [2, 5, 0, 1, 3, 4]]  # its parameters are entries of the matrix

MODELS: dict[str, tuple[Model, int]] = {"rigid": (_rigid, 5), "affine": (_affine, 6), "homography": (_homography, 8)}


def _centred(template: Template) -> tuple[Floats, Floats]:
    """Template units to units about the ink's centre, and back, in which the parameters hardly depend on each other."""
    left, top, right, bottom = template.ink
    to = np.array([[1, 0, -(left + right) / 2], [0, 1, -(top + bottom) / 2], [0, 0, 1]])
    return to, np.linalg.inv(to)


def corners_of(template: Template) -> Floats:
    """The corners of the ink's box."""
    left, top, right, bottom = template.ink
    return np.array([[left, top], [right, top], [left, bottom], [right, bottom]])


def _softened(image: Image, sigma: float) -> Image:
    return image if sigma < 0.3 else np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def _derivative(build: Model, count: int, current: Floats) -> Floats:
    """How the nine numbers of a pose change with the parameters (9, count)."""
    if build is _affine:
        return _AFFINE
    changes = np.eye(count) * 1e-5
    return np.array([(build(current, change) - current).ravel() / 1e-5 for change in changes]).T


def _step(
    current: Floats,
    build: Model,
    count: int,
    places: npt.NDArray[np.int64],
    images: tuple[Image, Image, Image, Image],
    least_spread: float,
) -> Floats | None:
    """The changes of a pose that bring the coverage nearest to the tone at these pixels, those far off weighted down.

    ``images`` are the coverage, the tone, and the coverage's slopes across and down. None where nothing can be solved.
    """
    alpha, values, across, down = images
    rows, columns = np.divmod(places, alpha.shape[1])
    a, t = alpha.ravel()[places].astype(np.float64), values.ravel()[places].astype(np.float64)
    rest = t - a
    spread = max(least_spread, 1.4826 * _median(np.abs(rest - _median(rest))))
    weight = 1 / (1 + (rest / (2 * spread)) ** 2) ** 2
    gx, gy = across.ravel()[places].astype(np.float64), down.ravel()[places].astype(np.float64)
    x, y = columns + 0.5, rows + 0.5
    unit = np.linalg.inv(current) @ np.vstack([x, y, np.ones_like(x)])
    unit = unit / unit[2]
    depth = current[2] @ unit
    basis = np.concatenate([gx * unit, gy * unit, -(gx * x + gy * y) * unit]) / depth
    derivative = _derivative(build, count, current)
    design = np.empty((len(a), 2 + count))
    design[:, 0], design[:, 1] = 1.0, a
    np.matmul(basis.T, -derivative, out=design[:, 2:])
    weighted = design * weight[:, None]
    normal = weighted.T @ design
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-12))
    # What the picture does not fix, such as the turn of a ring, stays as it is.
    damped = normal / np.outer(scale, scale) + 1e-3 * np.eye(len(scale))
    try:
        solved = np.linalg.solve(damped, (weighted.T @ rest) / scale) / scale
    except np.linalg.LinAlgError:
        return None
    return np.asarray(solved[2:], np.float64)


def refine(
    work: Work,
    template: Template,
    pose: Floats,
    model: str,
    steps: int = 12,
    *,
    blur: float = 0.0,
    soft: float = 0.0,
    kind: str = "line",
) -> Floats:
    """The pose improved, all in the picture's pixels; the same pose where nothing can be improved.

    ``blur`` (working pixels) softens both sides, so that a pose is drawn in from further away; ``soft`` is by how much
    the picture is softer than its pixels make it.
    """
    build, count = MODELS[model]
    to, back = _centred(template)
    width, height = work.size
    current = work.matrix @ pose @ back  # about the ink's centre, in working pixels
    values: Image | None = None
    rough = np.inf
    for step in range(steps):
        alpha = template.render(current @ to, width, height, 1 if blur else 2)
        if values is None or (step in (2, 5) and rough > 0.3):
            tone = tone_of(work, alpha, kind)
            if tone is None:
                break
            values = _softened(tone.values, blur)
        alpha = _softened(alpha, float(np.hypot(np.hypot(blur, soft), work.softness)))
        across = np.asarray(cv2.Sobel(alpha, cv2.CV_32F, 1, 0, ksize=3, scale=0.125), np.float32)
        down = np.asarray(cv2.Sobel(alpha, cv2.CV_32F, 0, 1, ksize=3, scale=0.125), np.float32)
        near = cv2.dilate(cv2.magnitude(across, down), np.ones((5, 5), np.uint8))
        places = np.flatnonzero((near > 0.015) & work.valid)
        if len(places) < 4 * count:
            break
        places = places[:: 1 + len(places) // _MOST_SAMPLES]
        p = _step(current, build, count, places, (alpha, values, across, down), 0.16 if blur else 0.08)
        if p is None:
            break
        corners = apply(to, corners_of(template))
        now = apply(current, corners)
        rough = float(np.abs(apply(build(current, p), corners) - now).max())
        if not np.isfinite(rough):
            break
        if rough > _LONGEST_STEP:
            p = p * (_LONGEST_STEP / rough)
        current = build(current, p)
        if rough < (_NEAR_ENOUGH if blur else 0.02):
            break
    found = np.linalg.inv(work.matrix) @ current @ to
    return np.asarray(found / found[2, 2], np.float64)


@dataclass(frozen=True)
class Support:
    """Score how well a rendering is supported by the picture.

    ``share`` is the weighted share of the outline at which the picture has the same edge, ``parts`` the same for
    each part of the outline (a grid of its box), ``match`` the correlation of coverage and tone near the outline.
    """

    share: float
    match: float
    each: npt.NDArray[np.bool_]
    known: npt.NDArray[np.bool_]
    tone: Tone
    alpha: Image
    valid: npt.NDArray[np.bool_]
    pose: Floats  # to the working picture
    spots: Floats  # (n, 2), the points of the outline in the working picture
    normals: Floats  # (n, 2), pointing out of the ink there
    band: npt.NDArray[np.bool_]  # the pixels near the outline that ``match`` is of
    outside: float  # share of the outline that is outside the picture
    hidden: float = 0.0  # share of the outline that was left out, since something lies on it or it is outside

    def visible(self, template: Template, work: Work) -> Support:
        """The same of what is not hidden, where whole stretches of the outline have no edge in the picture.

        What lies on a logo hides its ink as well: where the ink goes on to the outline and past it, nothing is hidden.
        """
        count = np.maximum(self.known[template.near].sum(axis=1), 1)
        local = self.each[template.near].sum(axis=1) / count
        gone = self.known & (local < _LEAST_LOCAL) & ~self._inked(work)
        hidden = float(gone.mean()) + self.outside
        left = self.known & ~gone
        if not gone.any() or not left.any():
            return replace(self, hidden=hidden)
        mask = np.zeros(self.band.shape, np.uint8)
        radius = max(4, round(_HIDES * max(self.band.shape)))
        for x, y in self.spots[gone]:
            cv2.circle(mask, (int(x), int(y)), radius, 1, -1)
        band = self.band & (mask == 0)
        match = correlation(self.alpha[band], self.tone.values[band]) if np.count_nonzero(band) > 20 else 0.0
        valid = self.valid & (mask == 0)
        return replace(self, share=float(self.each[left].mean()), match=match, hidden=hidden, valid=valid)

    def _inked(self, work: Work) -> npt.NDArray[np.bool_]:
        """For each point of the outline whether the picture has ink a little further in."""
        least = max(_LEAST_SAME_INK, min(_SAME_INK * self.tone.contrast, MOST_SAME_INK))
        near = np.linalg.norm(work.pixels - self.tone.ink.astype(np.float32), axis=2) < least
        ink = near.astype(np.float32)
        inner = (self.spots - self.normals * max(2.0, _INWARDS * scale_of(self.pose)) - 0.5).astype(np.float32)
        seen = cv2.remap(ink, inner[:, :1], inner[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(seen[:, 0] > 0.5)


_SAME_INK = 0.35  # of the contrast, up to which a colour is the ink's
_LEAST_SAME_INK, MOST_SAME_INK = 20.0, 36.0  # sRGB steps, at least and at most
_INWARDS = 0.03  # template units from the outline, at which ink is looked for
_LEAST_LOCAL = 0.45  # share of a stretch of the outline that has its edge, below which something lies on it
_HIDES = 0.05  # of the working picture's size: how far round a hidden point nothing is compared
_OFFSETS = np.linspace(-1.0, 1.0, 9)
_REACH = 3.0  # working pixels to both sides of the outline, more where the picture is enlarged


def support(work: Work, template: Template, pose: Floats, soft: float = 0.0, kind: str = "line") -> Support | None:
    """Return how much of the template's outline the picture has at a pose; None where nothing can be told."""
    current = work.matrix @ pose
    width, height = work.size
    alpha = template.render(current, width, height)
    tone = tone_of(work, alpha, kind)
    if tone is None:
        return None
    alpha = _softened(alpha, float(np.hypot(soft, work.softness)))
    spots = apply(current, template.outline)
    ahead = apply(current, template.outline + 1e-3 * template.normals) - spots
    # A normal stays at right angles to the outline under any map: it is found from the tangent.
    tangent = (
        apply(current, template.outline + 1e-3 * np.column_stack([-template.normals[:, 1], template.normals[:, 0]]))
        - spots
    )
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    normal *= np.sign(np.sum(normal * ahead, axis=1))[:, None]
    normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-9)[:, None]
    offsets = _OFFSETS * max(_REACH, 1.5 * float(np.hypot(soft, work.softness)))
    x = (spots[:, 0:1] + normal[:, 0:1] * offsets - 0.5).astype(np.float32)
    y = (spots[:, 1:2] + normal[:, 1:2] * offsets - 0.5).astype(np.float32)
    seen = cv2.remap(tone.values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float64)
    want = cv2.remap(alpha, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float64)
    inside = cv2.remap(work.valid.astype(np.float32), x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    known = inside.min(axis=1) > 0.5
    outside = 1 - float(known.mean())
    a, b = seen - seen.mean(axis=1, keepdims=True), want - want.mean(axis=1, keepdims=True)
    power = np.sum(b * b, axis=1)
    known &= power > 0.15
    gain = np.sum(a * b, axis=1) / np.maximum(power, 1e-9)
    agree = np.sum(a * b, axis=1) / np.sqrt(np.maximum(np.sum(a * a, axis=1) * power, 1e-9))
    each = known & (agree > 0.88) & (gain > 0.35) & (gain < 1.9)
    band = cv2.dilate((cv2.Laplacian(alpha, cv2.CV_32F) ** 2 > 1e-4).astype(np.uint8), np.ones((5, 5), np.uint8))
    chosen = (band > 0) & work.valid
    match = 0.0
    if np.count_nonzero(chosen) > 20:
        match = correlation(alpha[chosen], tone.values[chosen])
    share = float(each.sum() / max(1, known.sum()))
    return Support(share, match, each, known, tone, alpha, work.valid, current, spots, normal, chosen, outside)


def correlation(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """The correlation of two lists of values; 0 where one of them does not vary."""
    a, b = one - one.mean(), other - other.mean()
    power = float((a @ a) * (b @ b))
    return float(a @ b) / power**0.5 if power > 1e-9 else 0.0


def box_of(template: Template, pose: Floats) -> tuple[float, float, float, float]:
    """The upright box round all of the ink at a pose: left, top, right, bottom."""
    spots = apply(pose, template.hull)
    left, top = spots.min(axis=0)
    right, bottom = spots.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


__all__ = [
    "SAMPLED",
    "Parts",
    "Pyramid",
    "Support",
    "Tone",
    "Work",
    "box_of",
    "corners_of",
    "correlation",
    "noise_of",
    "parts_of",
    "pose_of",
    "refine",
    "scale_of",
    "support",
]
