"""Masters as templates: coverage at many sizes, the contours to recognise them by, and their inks.

Template units: the view box is ``aspect`` wide and 1 high, so a logo that is not stretched has one scale. A *pose*
is a 3 x 3 matrix from template units to pixels, where pixel (0, 0) covers the square from (0, 0) to (1, 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import pyvips

from ..campaign import Campaign, Logo
from ..svg import Drawing
from .outlines import Arcs, arcs_of, distances

Floats = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]

_LONG = 1024  # pixels of the longer side of the largest rendering
#: Heights at which anchors are traced, and the coverage that counts as ink: narrow gaps close when a logo is small, and
#: a cut that is not half way between ink and ground makes it thicker or thinner.
_CUTS = (
    *((14, cut) for cut in (0.2, 0.5)),
    *((height, cut) for height in (20, 28, 44) for cut in (0.2, 0.5, 0.8)),
    *((height, 0.5) for height in (80, 160)),
)
_LEAST_ANCHOR = 0.3  # of the area of the largest one
_MOST_ANCHORS = 6
_LEAST_TURNED = 0.04
_PLAIN = 1e-9  # perspective up to which a pose has none but what rounding leaves
FRAME = 64  # pixels of the frame in which shapes are compared, for -REACH to REACH standard deviations
REACH = 2.7
_ARC_HEIGHT = 60  # at which the contours are traced whose arcs are compared
_NEAR = 16  # points of an outline that are looked at together


@dataclass(frozen=True)
class Shape:
    """A closed contour without its position, size, slant and turn: affine moments, and the map that takes them away."""

    area: float
    i1: float
    i3: float
    to_frame: Floats  # 3 x 3, from the contour's units to standard deviations, upright by the third moments
    upright: Floats  # the same without the turn
    turned: float  # how far the third moments fix the turn; near 0 for discs and other symmetrical shapes

    @property
    def fixed(self) -> bool:
        """Tell whether the turn can be told from the shape."""
        return self.turned > _LEAST_TURNED


@dataclass(frozen=True)
class Anchor:
    """One contour of a template as seen at one size."""

    height: int
    points: Floats  # (n, 2), template units
    shape: Shape
    mask: npt.NDArray[np.bool_]  # FRAME x FRAME, the filled contour
    mirrored_mask: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Ink:
    """One ink of a logo: where it is, and its colour in each colourway."""

    mask: npt.NDArray[np.bool_]  # at the size of ``Template.mips[0]``
    colours: Mapping[str, Floats]


@dataclass(frozen=True)
class Template:
    """A logo as the check looks for it."""

    logo: str
    aspect: float
    mips: tuple[Image, ...]  # coverage from 0 to 1; each half as large as the one before
    anchors: tuple[Anchor, ...]
    outline: Floats  # (n, 2), points along all contours in template units, evenly spaced
    normals: Floats  # (n, 2), pointing out of the ink
    hull: Floats  # (n, 2), the corners of what goes round all of the ink
    ink: tuple[float, float, float, float]  # left, top, right, bottom of the ink in template units
    paints: tuple[Ink, ...]
    mirror_differs: bool
    core: Template | None  # the part with the anchors alone, in the same units; None where that is all of it
    away: Image  # signed distances from the outline and their slopes, as ``outlines.distances`` makes them
    arcs: Arcs  # of its anchors' contours
    near: npt.NDArray[np.int64]  # (n, 16), for each point of the outline those that are nearest to it

    def render(self, pose: Floats, width: int, height: int, fine: int = 2) -> Image:
        """The coverage in a picture of this size; ``fine`` is 1 where it is blurred afterwards in any case."""
        return self._warped(self.mips, pose, width, height, fine)

    def _warped(self, mips: tuple[Image, ...], pose: Floats, width: int, height: int, fine: int = 2) -> Image:
        scale = scale_of(pose) * fine
        chosen = next((mip for mip in reversed(mips) if mip.shape[0] >= scale), mips[0])
        rows = chosen.shape[0]
        # Pixel centres are at half units; the picture is drawn larger and averaged.
        unit = np.array([[1 / rows, 0, 0.5 / rows], [0, 1 / rows, 0.5 / rows], [0, 0, 1]])
        larger = np.array([[fine, 0, -0.5], [0, fine, -0.5], [0, 0, 1]])
        size = (width * fine, height * fine)
        matrix = larger @ pose @ unit
        if np.abs(pose[2, :2]).max() < _PLAIN * abs(pose[2, 2]):
            drawn = cv2.warpAffine(chosen, matrix[:2] / matrix[2, 2], size, flags=cv2.INTER_LINEAR)
        else:
            drawn = cv2.warpPerspective(chosen, matrix, size, flags=cv2.INTER_LINEAR)
        if fine > 1:
            drawn = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(drawn, np.float32)

    def render_rest(self, pose: Floats, width: int, height: int) -> Image:
        """The coverage of what does not belong to the core."""
        rest = self.render(pose, width, height)
        return rest if self.core is None else np.maximum(rest - self.core.render(pose, width, height), 0)

    def paint_masks(self, pose: Floats, width: int, height: int) -> list[Image]:
        """The coverage of each ink by itself."""
        made = []
        for paint in self.paints:
            mips = _mips(self.mips[0] * paint.mask)
            made.append(self._warped(mips, pose, width, height))
        return made


def scale_of(pose: Floats) -> float:
    """Pixels for one template unit, about, at the template's origin side."""
    return float(np.sqrt(abs(np.linalg.det(pose[:2, :2]))) / abs(pose[2, 2]))


def apply(pose: Floats, points: Floats) -> Floats:
    """Points (n, 2) through a 3 x 3 matrix."""
    mapped = points @ pose[:, :2].T + pose[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)


def shape_of(points: npt.NDArray[np.float32]) -> Shape | None:
    """The shape of a closed contour (n, 2); None where it has no area."""
    m = cv2.moments(points)
    area = m["m00"]
    if area <= 0:
        return None
    return shape_from(m)


def shape_from(m: Mapping[str, float]) -> Shape | None:
    """The shape with these moments, as OpenCV names them."""
    area = m["m00"]
    u20, u11, u02 = m["mu20"], m["mu11"], m["mu02"]
    determinant = u20 * u02 - u11 * u11
    if area <= 0 or determinant <= 1e-9 * area**4 * 1e-3:
        return None
    u30, u21, u12, u03 = m["mu30"], m["mu21"], m["mu12"], m["mu03"]
    i1 = determinant / area**4
    i3 = (u20 * (u21 * u03 - u12**2) - u11 * (u30 * u03 - u21 * u12) + u02 * (u30 * u12 - u21**2)) / area**7
    cov = np.array([[u20, u11], [u11, u02]]) / area
    values, vectors = np.linalg.eigh(cov)
    white = vectors @ np.diag(1 / np.sqrt(np.maximum(values, 1e-12))) @ vectors.T
    # Third moments after whitening: their complex combination c21 turns with the shape.
    third = np.array([u30, u21, u12, u03]) / area
    tensor = np.empty((2, 2, 2))
    tensor[0, 0, 0], tensor[1, 1, 1] = third[0], third[3]
    tensor[0, 0, 1] = tensor[0, 1, 0] = tensor[1, 0, 0] = third[1]
    tensor[0, 1, 1] = tensor[1, 0, 1] = tensor[1, 1, 0] = third[2]
    t = np.einsum("ijk,ai,bj,ck->abc", tensor, white, white, white)
    c21 = complex(t[0, 0, 0] + t[0, 1, 1], t[0, 0, 1] + t[1, 1, 1])
    angle = np.angle(c21)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = np.eye(3)
    matrix[:2, :2] = turn @ white
    matrix[:2, 2] = -matrix[:2, :2] @ np.array([m["m10"], m["m01"]]) / area
    upright = np.eye(3)
    upright[:2, :2] = white
    upright[:2, 2] = -white @ np.array([m["m10"], m["m01"]]) / area
    return Shape(area, float(i1), float(i3), matrix, upright, abs(c21))


def framed(points: Floats, to_frame: Floats) -> npt.NDArray[np.bool_]:
    """A contour filled in the frame where shapes are compared."""
    mapped = (apply(to_frame, points) / REACH + 1) * (FRAME / 2)
    canvas = np.zeros((FRAME, FRAME), np.uint8)
    cv2.fillPoly(canvas, [np.rint(mapped * 16 - 8).astype(np.int32)], 1, shift=4)
    return canvas.astype(np.bool_)


def templates(campaign: Campaign, only: str | None = None) -> tuple[Template, ...]:
    """The templates of a campaign's logos, the ones with most contours first; of one logo where it is named."""
    made = [template(logo) for name, logo in campaign.logos.items() if only in (None, name)]
    return tuple(sorted(made, key=lambda found: -len(found.outline)))


def template(logo: Logo) -> Template:
    """The template of one logo."""
    drawings = {name: logo.drawing(name) for name in logo.colourways}
    first = next(iter(drawings.values()))
    aspect = first.aspect_ratio
    width = int(_LONG * min(1.0, aspect) + 0.5) if aspect < 1 else _LONG
    pictures = {name: _rgba(drawing, width) for name, drawing in drawings.items()}
    alpha = np.asarray(next(iter(pictures.values()))[..., 3] / 255, np.float32)
    return _template(logo.id, aspect, alpha, _paints(pictures, alpha), _core(alpha))


def _template(logo: str, aspect: float, alpha: Image, paints: tuple[Ink, ...], core: Image | None) -> Template:
    outline, normals = _outline(alpha)
    rows, columns = np.nonzero(alpha > 0.5)
    unit = 1 / alpha.shape[0]
    ink = (columns.min() * unit, rows.min() * unit, (columns.max() + 1) * unit, (rows.max() + 1) * unit)
    left, top, right, bottom = (float(edge) for edge in ink)
    return Template(
        logo,
        aspect,
        _mips(alpha),
        _anchors(alpha),
        outline,
        normals,
        _hull(alpha),
        (left, top, right, bottom),
        paints,
        _mirror_differs(alpha),
        None if core is None else _template(logo, aspect, core, (), None),
        distances(alpha),
        arcs_of(_large(_traced(alpha, _ARC_HEIGHT, 0.5)), (left + right) / 2),
        _nearest(outline),
    )


def _large(contours: list[Floats]) -> list[Floats]:
    """Those contours that are anchors by their size."""
    areas = [cv2.contourArea(points.astype(np.float32)) for points in contours]
    return [points for area, points in zip(areas, contours, strict=True) if area >= _LEAST_ANCHOR * max(areas)]


def _nearest(points: Floats) -> npt.NDArray[np.int64]:
    away = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    return np.asarray(np.argsort(away, axis=1)[:, :_NEAR], np.int64)


def _core(alpha: Image) -> Image | None:
    """The coverage of those parts that the anchors belong to; None where they are all there is."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > 0.3).astype(np.uint8))
    sizes = stats[1:, cv2.CC_STAT_AREA]
    large = [
        number + 1 for number in np.argsort(-sizes)[:_MOST_ANCHORS] if sizes[number] >= _LEAST_ANCHOR * sizes.max()
    ]
    if len(large) == count - 1:
        return None
    return np.asarray(alpha * np.isin(labels, large), np.float32)


def _rgba(drawing: Drawing, width: int) -> npt.NDArray[np.uint8]:
    document = drawing.document(width * 2, drawing.height(width) * 2, fill=True)
    image = pyvips.Image.svgload_buffer(document)
    image = image.premultiply().shrink(2, 2).unpremultiply().rint().cast("uchar")
    return np.asarray(image.numpy(), np.uint8)


def _mips(alpha: Image) -> tuple[Image, ...]:
    made = [alpha]
    while min(made[-1].shape) > 16:
        rows, columns = made[-1].shape
        half = (max(1, columns // 2), max(1, rows // 2))
        made.append(np.asarray(cv2.resize(made[-1], half, interpolation=cv2.INTER_AREA), np.float32))
    return tuple(made)


def _traced(alpha: Image, height: int, cut: float) -> list[Floats]:
    """The contours, outer ones and holes, of a template rendered so high and cut so, in template units."""
    rows, columns = alpha.shape
    width = max(4, round(columns * height / rows))
    small = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    small = cv2.copyMakeBorder(small, 2, 2, 2, 2, cv2.BORDER_CONSTANT)
    small = cv2.GaussianBlur(small, (3, 3), 0)
    found, _ = cv2.findContours((small > cut).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return [(contour[:, 0, :].astype(np.float64) - 2 + 0.5) / height for contour in found if len(contour) > 12]


def _anchors(alpha: Image) -> tuple[Anchor, ...]:
    made: list[Anchor] = []
    for height, cut in _CUTS:
        shapes = []
        for points in _traced(alpha, height, cut):
            shape = shape_of(points.astype(np.float32))
            if shape is not None:
                shapes.append((shape, points))
        shapes.sort(key=lambda found: -found[0].area)
        for shape, points in shapes[:_MOST_ANCHORS]:
            if shape.area < _LEAST_ANCHOR * shapes[0][0].area:
                continue
            frame = shape.to_frame if shape.fixed else shape.upright
            mirrored = np.diag([1.0, -1.0, 1.0]) @ frame if shape.fixed else np.diag([-1.0, 1.0, 1.0]) @ frame
            made.append(Anchor(height, points, shape, framed(points, frame), framed(points, mirrored)))
    return tuple(made)


def _outline(alpha: Image, count: int = 420) -> tuple[Floats, Floats]:
    """Points spread evenly along all contours, with normals out of the ink."""
    padded = cv2.copyMakeBorder(alpha, 4, 4, 4, 4, cv2.BORDER_CONSTANT)
    soft = cv2.GaussianBlur(padded, (0, 0), 2.0)
    across, down = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    found, _ = cv2.findContours((padded > 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    points = [contour[:, 0, :] for contour in found if len(contour) > 8]
    total = sum(len(contour) for contour in points)
    chosen = np.vstack([contour[:: max(1, total // count)] for contour in points])
    slope = np.column_stack([across[chosen[:, 1], chosen[:, 0]], down[chosen[:, 1], chosen[:, 0]]]).astype(np.float64)
    length = np.linalg.norm(slope, axis=1)
    keep = length > 1e-3
    unit = 1 / alpha.shape[0]
    # The contour's pixels are the outermost of the ink; its edge is half a pixel further out.
    normals = -slope[keep] / length[keep, None]
    return (chosen[keep] - 4 + 0.5 + 0.5 * normals) * unit, normals


def _hull(alpha: Image) -> Floats:
    rows, columns = np.nonzero(alpha > 0.5)
    corners = np.vstack([np.column_stack([columns + x, rows + y]) for x in (0, 1) for y in (0, 1)]).astype(np.float32)
    return np.asarray(cv2.convexHull(corners)[:, 0, :] / alpha.shape[0], np.float64)


def _paints(pictures: Mapping[str, npt.NDArray[np.uint8]], alpha: Image) -> tuple[Ink, ...]:
    """The inks of a logo, from the colourway that has most of them."""
    inside = cv2.erode((alpha > 0.99).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.bool_)
    if not inside.any():
        inside = alpha > 0.9
    best: list[npt.NDArray[np.bool_]] = []
    for picture in pictures.values():
        masks: list[npt.NDArray[np.bool_]] = []
        left = inside.copy()
        while left.sum() > 0.02 * inside.sum() and len(masks) < 6:
            keys = picture[left][:, :3].astype(np.int64) @ [65536, 256, 1]
            values, counts = np.unique(keys, return_counts=True)
            colour = values[counts.argmax()]
            near = (
                np.abs(picture[..., :3].astype(np.int16) - [colour >> 16, colour >> 8 & 255, colour & 255]).max(axis=2)
                < 8
            )
            masks.append(near & left)
            left &= ~near
        if len(masks) > len(best):
            best = masks
    made = []
    for mask in best:
        grown = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(np.bool_) & (alpha > 0)
        tints = {name: np.median(picture[mask][:, :3].astype(np.float64), axis=0) for name, picture in pictures.items()}
        made.append(Ink(grown, tints))
    return tuple(made)


def _mirror_differs(alpha: Image) -> bool:
    small = cv2.resize(alpha, (max(8, round(96 * alpha.shape[1] / alpha.shape[0])), 96), interpolation=cv2.INTER_AREA)
    best = -1.0
    for shift in range(-6, 7):
        turned = np.roll(small[:, ::-1], shift, axis=1)
        best = max(best, float(np.corrcoef(small.ravel(), turned.ravel())[0, 1]))
    return best < 0.97
