"""A second generator of labelled artwork: pages laid out as SVG and drawn by librsvg, and photographs of them.

It shares no drawing with the first one but the grounds' pictures: other layouts, fonts, effects as filters, other
look-alikes, double saving, screenshots scaled afterwards, and a camera with a tone curve and a white balance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape

import cv2
import numpy as np
import numpy.typing as npt
import pyvips

from service.artwork import colours
from service.campaign import Campaign
from service.svg import Drawing

from . import grounds
from .filters import attribute_of, different, hex_of
from .grounds import Array, Random
from .inks import ink_box, wide
from .pieces import _APART, RULES, Truth

_FONTS = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "Hanken Grotesk", "serif", "sans-serif")
_LINES = (
    "Open day on the quay",
    "Every question is welcome",
    "What a safe journey needs",
    "Lunch is served at noon",
    "Volunteers of the district",
    "Ask. Listen. Tell someone.",
    "Season programme",
    "Blue is the colour of the day",
    "Seats are limited, come early",
    "Meet us at the harbour",
)
_PHOTO_RULES = ("recoloured", "cropped", "flipped")
_SIGNS = {
    "emoji": "M12 21C5 15 2 12 2 8a5 5 0 0 1 10-1.5A5 5 0 0 1 22 8c0 4-3 7-10 13Z",
    "brand": "M12 21L3 12C0 8 3 2 8 3c2 .4 3 2 4 3 1-1 2-2.600 4-3 5-1 8 5 5 9Z",
    "slit": "M11 21C5 16 1 12 1 7c0-3 3-5 6-5 2 0 3 1 4 3l-1 6 3-1-2 6"
    " 6-8-3 1 1-6c1-1 2-1 3-1 3 0 5 2 5 5 0 5-4 9-12 15Z",
    "spade": "M12 2c7 6 9 9 9 12a4 4 0 0 1-7.500 2c0 3 1 4 2.500 6H8"
    "c1.500-2 2.500-3 2.500-6A4 4 0 0 1 3 14c0-3 2-6 9-12Z",
    "drop": "M12 2c5 7 7 10 7 13a7 7 0 0 1-14 0c0-3 2-6 7-13Z",
    "leaf": "M3 21C3 9 9 3 21 3c0 12-6 18-18 18Zm2-2C9 13 13 9 17 7",
    "shield": "M12 2l9 3v6c0 6-4 9-9 11-5-2-9-5-9-11V5Z",
    "pin": "M12 22C7 15 5 12 5 9a7 7 0 0 1 14 0c0 3-2 6-7 13Zm0-10a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
}


@dataclass
class _Ground:
    pixels: Array
    colour: Array  # about the middle
    even: bool


@dataclass
class _Page:
    """A page being laid out."""

    campaign: Campaign
    random: Random
    width: int
    height: int
    parts: list[str] = field(default_factory=list)
    defs: list[str] = field(default_factory=list)
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def free(self, box: tuple[float, float, float, float]) -> bool:
        """Whether nothing has been put there."""
        return not any(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3] for t in self.taken)


def _rendered(parts: list[str], defs: list[str], width: int, height: int) -> npt.NDArray[np.float32]:
    """An SVG of this size as straight RGBA, 0 to 255."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}"'
        f' height="{height}"><defs>{"".join(defs)}</defs>{"".join(parts)}</svg>'
    )
    image = pyvips.Image.svgload_buffer(svg.encode(), unlimited=True)
    return np.asarray(image.numpy(), np.float32)


def _laid_over(canvas: Array, rgba: npt.NDArray[np.float32]) -> Array:
    alpha = rgba[..., 3:] / 255
    return np.asarray(canvas * (1 - alpha) + rgba[..., :3] * alpha, np.float32)


class PageMaker:
    """The making of one page with one logo."""

    def __init__(self, campaign: Campaign, random: Random, photographed: bool, rule: str | None = None) -> None:
        """``rule`` is the one to break."""
        self.campaign, self.brand, self.random, self.photographed = campaign, campaign.brand, random, photographed
        self.rule = rule

    def violations(self) -> set[str]:
        random = self.random
        if self.rule is not None:
            return {self.rule}
        if self.photographed:
            return {str(random.choice(_PHOTO_RULES))} if random.random() < 0.4 else set()
        if random.random() < 0.4:
            return set()
        found = {str(random.choice(RULES))}
        if random.random() < 0.12:
            other = str(random.choice(RULES))
            if not any({other, *found} <= apart for apart in _APART):
                found.add(other)
        return found

    def make(self) -> tuple[Array, list[Truth]]:
        for _ in range(80):
            made = self._try()
            if made is not None:
                return made
        raise AssertionError("cannot be laid out")

    def _try(self) -> tuple[Array, list[Truth]] | None:
        random = self.random
        width, height = [(900, 1270), (1200, 628), (728, 200), (1080, 1080), (1280, 720), (640, 960), (1000, 560)][
            int(random.integers(7))
        ]
        logo = str(random.choice(list(self.campaign.logos)))
        wanted = self.violations()
        rules = self.brand.logo(logo)
        colourway = str(random.choice(rules.colourways))
        ink = colours.rgb(self.brand.colourways[colourway].hex).astype(np.float32)
        effect = ""
        if "effect" in wanted:
            effect = str(
                random.choice(["shadow", "hard shadow", "glow", "outline", "gradient", "bevel", "see_through"])
            )
        ground = self._ground(width, height, colourway, ink, wanted, effect)
        if ground is None:
            return None
        if "recoloured" in wanted:
            painted = self._wrong_ink(ground.colour)
            if painted is None:
                return None
            ink = painted
        page = _Page(self.campaign, random, width, height)
        placed = self._placed(logo, wanted, width, height)
        if placed is None:
            return None
        matrix, (across, high) = placed
        source = wide(self.campaign, logo)
        box = ink_box(source, matrix)
        space = rules.clear_space.around(across, high)
        margin = 1.1 * space + 3
        zone = (box[0] - margin, box[1] - margin, box[0] + box[2] + margin, box[1] + box[3] + margin)
        page.taken.append(zone)
        if wanted & {"background", "low_contrast"} and not self._holds(ground, zone, colourway, ink, wanted):
            return None
        drawing = self.campaign.logos[logo].drawing(colourway)
        page.parts.append(self._logo(page, drawing, matrix, ink, ground.colour, effect, "cropped" in wanted))
        if "clear_space" in wanted and not self._crowd(page, box, space, ground.colour):
            return None
        if "cropped" in wanted and not self._cropped(page, source, matrix, box, ground.colour, ink):
            return None
        self._content(page, ground.colour)
        canvas = _laid_over(ground.pixels, _rendered(page.parts, page.defs, width, height))
        return canvas, [Truth(logo, colourway, box, frozenset(wanted), note=effect)]

    # Grounds.

    def _ground(
        self, width: int, height: int, colourway: str, ink: Array, wanted: set[str], effect: str
    ) -> _Ground | None:
        random, kind = self.random, self.random.random()
        backgrounds = self.brand.colourways[colourway].backgrounds
        for _ in range(300):
            colour = grounds.colour_of(random)
            if random.random() < 0.3:
                colour = np.array(
                    random.choice([[255] * 3, [247, 247, 244], [20, 22, 28], [230, 236, 240]]), np.float32
                )
            ratio = float(colours.contrast(colour, ink))
            allowed = self.brand.colourway_allowed(colourway, colours.written(colour))
            light, a, b = (float(v) for v in colours.lab(colour))
            most = backgrounds.most_chroma
            inside = light > backgrounds.least_lightness + 2.6 and (most is None or np.hypot(a, b) < most - 3.1)
            flat = grounds.flat(colour, width, height)
            if "low_contrast" in wanted:
                if 1.25 < ratio <= 2 and colours.difference(colour, ink) > 8:
                    return _Ground(flat, colour, True)
            elif "background" in wanted:
                far = light < backgrounds.least_lightness - 5 or (most is not None and np.hypot(a, b) > most + 6)
                if kind < 0.5 and not allowed and far and ratio > 3.4:
                    return _Ground(flat, colour, True)
                if kind >= 0.5:
                    busy = grounds.picture(width, height, random)
                    if float(colours.contrast(np.median(busy, axis=(0, 1)), ink)) > 3.2:
                        return _Ground(busy, np.median(busy, axis=(0, 1)), False)
            elif allowed and inside and ratio > 3.5:
                if effect == "see_through":
                    return self._striped(colour, width, height)
                return self._quiet(flat, colour, colourway, ink, "recoloured" in wanted)
        return None

    def _striped(self, colour: Array, width: int, height: int) -> _Ground:
        other = np.clip(colour + self.random.choice([-1, 1]) * self.random.uniform(50, 80), 0, 255)
        step = int(self.random.integers(10, 30))
        rows = (np.arange(height)[:, None] + np.arange(width)[None, :]) // step % 2
        return _Ground(np.where(rows[..., None] > 0, colour, other).astype(np.float32), colour, False)

    def _quiet(self, flat: Array, colour: Array, colourway: str, ink: Array, free: bool) -> _Ground:
        random, kind = self.random, self.random.random()
        height, width = flat.shape[:2]
        for _ in range(10):
            if kind < 0.4:
                break
            if kind < 0.65:
                other = np.clip(colour + random.uniform(-40, 40, 3), 0, 255).astype(np.float32)
                made = grounds.graded(colour, other, width, height, random)
            elif kind < 0.8:
                made = np.clip(flat + random.uniform(1, 3) * random.standard_normal((height, width, 1)), 0, 255)
            else:
                picture = cv2.GaussianBlur(grounds.picture(width, height, random), (0, 0), width / 30)
                made = np.clip(colour + 0.25 * (picture - picture.mean(axis=(0, 1))), 0, 255)
            small = cv2.resize(np.asarray(made, np.float32), (16, 16), interpolation=cv2.INTER_AREA).reshape(-1, 3)
            fits = free or all(self.brand.colourway_allowed(colourway, colours.written(one)) for one in small)
            if fits and float(colours.contrast(small, ink).min()) > 3.4:
                return _Ground(np.asarray(made, np.float32), colour, kind < 0.8)
        return _Ground(flat, colour, True)

    def _holds(self, ground: _Ground, zone: tuple[float, ...], colourway: str, ink: Array, wanted: set[str]) -> bool:
        """Whether a ground is as wrong as it is meant to be in this place."""
        left, top, right, bottom = (max(0, int(edge)) for edge in zone)
        part = ground.pixels[top:bottom, left:right]
        if ground.even or "low_contrast" in wanted:
            return True
        blocks = [block for rows in np.array_split(part, 3) for block in np.array_split(rows, 3, axis=1)]
        rough = [float(colours.lab(block[::2, ::2])[..., 0].std()) for block in blocks]
        contrasts = [float(colours.contrast(block.mean(axis=(0, 1)), ink)) for block in blocks]
        return float(np.median(rough)) > 11 and min(contrasts) > 3.1

    def _wrong_ink(self, ground: Array) -> Array | None:
        own = [colours.rgb(colourway.hex) for colourway in self.brand.colourways.values()]
        least = 26 if self.photographed else 12
        for _ in range(300):
            ink = grounds.colour_of(self.random)
            if min(float(colours.difference(ink, other)) for other in own) > least and (
                float(colours.contrast(ink, ground)) > 3.3
            ):
                if self.photographed and min(abs(_hue(ink) - _hue(other)) for other in own[:1]) < 0.5:
                    continue
                return ink
        return None

    # The logo.

    def _placed(
        self, logo: str, wanted: set[str], width: int, height: int
    ) -> tuple[npt.NDArray[np.float64], tuple[float, float]] | None:
        random, aspect = self.random, self.campaign.logos[logo].aspect_ratio
        least = self.brand.logo(logo).minimum.px
        low = max(44.0, 1.1 * least)
        if wanted & {"effect", "cropped", "clear_space"}:
            low = max(low, 80.0)
        if self.photographed:
            low = 260.0
        high = min(0.7 * width, 0.55 * height * aspect)
        if high <= low:
            return None
        across = float(np.exp(random.uniform(np.log(low), np.log(high))))
        if "too_small" in wanted:
            across = least * random.uniform(0.6, 0.79)
        down = across / aspect
        if "stretched" in wanted:
            factor = random.uniform(1.065, 1.4)
            across, down = (across * factor, down) if random.random() < 0.5 else (across, down * factor)
        degrees = 0.0
        if "rotated" in wanted:
            degrees = float(random.choice([-1, 1]) * random.uniform(4.2, 40))
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        made = np.eye(3)
        made[:2, :2] = turn @ np.diag([-across if "flipped" in wanted else across, down])
        half = np.abs(made[:2, :2]).sum(axis=1) / 2 + 4
        if half[0] * 2 > width or half[1] * 2 > height:
            return None
        if random.random() < 0.4:  # where logos usually are: in a corner, or in the middle
            shares = np.array([random.choice([0.04, 0.5, 0.96]), random.choice([0.06, 0.5, 0.94])])
        else:
            shares = random.random(2)
        middle = half + shares * (np.array([width, height]) - 2 * half)
        made[:2, 2] = middle - made[:2, :2] @ [0.5, 0.5]
        return made, (across, down)

    def _logo(
        self,
        page: _Page,
        drawing: Drawing,
        matrix: npt.NDArray[np.float64],
        ink: Array,
        ground: Array,
        effect: str,
        cropped: bool,
    ) -> str:
        """The master's own markup in its place, with an effect as people's programs draw it."""
        random = self.random
        high = float(np.linalg.norm(matrix[:2, 1]))
        document = drawing.document(1000, drawing.height(1000), fill=True).decode()
        inner = document[document.index(">", document.index("<svg")) + 1 : document.rindex("</svg>")]
        sizes = re.search(r'viewBox="([^"]+)"', document)
        assert sizes is not None
        x0, y0, w, h = (float(value) for value in sizes.group(1).split())
        unit = matrix @ np.array([[1 / w, 0, -x0 / w], [0, 1 / h, -y0 / h], [0, 0, 1]])
        a, c, e, b, d, f = unit[:2].ravel()
        inner = re.sub(r'(fill|stroke)="#[0-9a-fA-F]{6}"', r'\1="inherit"', inner)
        extra = attribute_of(page.defs, random, effect, high, ground, ink, (x0, y0, w, h))
        fill = "url(#g)" if effect == "gradient" else hex_of(ink)
        made = f'<g{extra}><g transform="matrix({a} {b} {c} {d} {e} {f})" fill="{fill}">{inner}</g></g>'
        if cropped and random.random() < 0.45:
            made = f'<g clip-path="url(#cut)">{made}</g>'
        return made

    def _cropped(
        self,
        page: _Page,
        source: Array,
        matrix: npt.NDArray[np.float64],
        box: tuple[float, float, float, float],
        ground: Array,
        ink: Array,
    ) -> bool:
        """Cuts a part of the logo off by a frame, or lays a ribbon, a sticker or a photograph's edge on it."""
        random = self.random
        x, y, w, h = box
        clipped = "clip-path" in page.parts[-1]
        rows, columns = np.nonzero(
            cv2.resize(
                source, (160, max(8, round(160 * source.shape[0] / source.shape[1]))), interpolation=cv2.INTER_AREA
            )
            > 0.5
        )
        size = (160, max(8, round(160 * source.shape[0] / source.shape[1])))
        unit = np.stack([(columns + 0.5) / size[0], (rows + 0.5) / size[1], np.ones(len(rows))])
        px, py = (matrix @ unit)[:2]
        for _ in range(40):
            kind = int(random.integers(3))
            if kind == 0:
                r = random.uniform(0.3, 0.55) * max(w, h)
                cx, cy = x + w * random.uniform(0.3, 0.7), y + h * random.uniform(0.3, 0.7)
                gone = np.hypot(px - cx, py - cy) > r
                shape = f'<circle cx="{cx}" cy="{cy}" r="{r}"/>'
                if not clipped:
                    r = random.uniform(0.15, 0.4) * h
                    cx, cy = x + w * random.uniform(0, 1), y + h * random.choice([0.0, 1.0])
                    gone = np.hypot(px - cx, py - cy) < r
                    shape = f'<circle cx="{cx}" cy="{cy}" r="{r}"/>'
            else:
                cut, side = random.uniform(0.08, 0.35), int(random.integers(4))
                left, top = (cut if side == 0 else 0) * w, (cut if side == 1 else 0) * h
                right, bottom = (cut if side == 2 else 0) * w, (cut if side == 3 else 0) * h
                gone = (px < x + left) | (py < y + top) | (px > x + w - right) | (py > y + h - bottom)
                shape = f'<rect x="{x + left}" y="{y + top}" width="{w - left - right}" height="{h - top - bottom}"/>'
                if not clipped:
                    more = 0.35 * h
                    boxes = (
                        (x - more, y - more, left + more, h + 2 * more),
                        (x - more, y - more, w + 2 * more, top + more),
                        (x + w - right, y - more, right + more, h + 2 * more),
                        (x - more, y + h - bottom, w + 2 * more, bottom + more),
                    )
                    bx, by, bw, bh = boxes[side]
                    shape = f'<rect x="{bx}" y="{by}" width="{bw}" height="{bh}"/>'
            if 0.09 < float(gone.mean()) < 0.33:
                if clipped:
                    page.defs.append(f'<clipPath id="cut">{shape}</clipPath>')
                else:
                    page.parts.append(f'<g fill="{hex_of(different(random, ground, ink))}">{shape}</g>')
                return True
        return False

    def _crowd(self, page: _Page, box: tuple[float, float, float, float], space: float, ground: Array) -> bool:
        """Puts a line of text, a rule, a sign or a field into the clear space."""
        random = self.random
        x, y, w, h = box
        gap = random.uniform(0.1, 0.58) * space
        if gap < 2.5:
            return False
        colour = hex_of(different(random, ground, ground))
        kind = int(random.integers(4))
        size = max(8.0, random.uniform(0.25, 0.7) * h)
        side = int(random.integers(4))
        long = max(10.0, random.uniform(0.5, 1.1) * (w if side in (1, 3) else h))
        thick = size if kind else max(2.0, 0.04 * h)
        bw, bh = (long, thick) if side in (1, 3) else (thick, long)
        left = (x - gap - bw, x + w / 2 - bw / 2, x + w + gap, x + w / 2 - bw / 2)[side]
        top = (y + h / 2 - bh / 2, y - gap - bh, y + h / 2 - bh / 2, y + h + gap)[side]
        if left < 0 or top < 0 or left + bw > page.width or top + bh > page.height:
            return False
        if kind <= 1:
            page.parts.append(f'<rect x="{left}" y="{top}" width="{bw}" height="{bh}" fill="{colour}"/>')
        elif kind == 2:
            page.parts.append(_sign(random, left, top, bw, bh, colour))
        else:
            # Capitals on their base line: their box is known without measuring the font.
            page.parts.append(
                f'<svg x="{left}" y="{top}" width="{bw}" height="{bh}" viewBox="0 0 40 10" preserveAspectRatio="none">'
                '<path d="M0 0h2v10h-2zM5 0h7v2h-5v2h4v2h-4v2h5v2h-7zM15 0h2v8h5v2h-7zM25 0h7v10h-7z'
                'M35 0h5v2h-2v8h-1v-8h-2z"'
                f' fill="{colour}"/></svg>'
            )
        return True

    # What else is on the page.

    def _content(self, page: _Page, ground: Array) -> None:
        random, width, height = self.random, page.width, page.height
        dark = ground.mean() > 128
        text = hex_of(grounds.colour_of(random, lightness=(0, 0.35) if dark else (0.75, 1), vivid=0.5))
        accent = hex_of(different(random, ground, ground))
        margin = 0.05 * width
        columns = int(random.choice([1, 2, 3]))
        column_width = (width - margin * (columns + 1)) / columns
        for column in range(columns):
            y = margin
            while y < height - 20:
                left = margin + column * (column_width + margin)
                kind = int(random.integers(7))
                high = float(random.uniform(0.03, 0.16) * height) + 12
                box = (left, y, left + column_width, min(y + high, height - 4.0))
                if box[3] - y > 12 and page.free(box) and random.random() < 0.75:
                    page.taken.append(box)
                    self._block(page, kind, box, text, accent)
                y += high + random.uniform(0.01, 0.05) * height

    def _block(self, page: _Page, kind: int, box: tuple[float, float, float, float], text: str, accent: str) -> None:
        random = self.random
        left, top, right, bottom = box
        w, h = right - left, bottom - top
        if kind <= 2:
            said = escape(_LINES[int(random.integers(len(_LINES)))])
            size = min(0.75 * h, 1.6 * w / len(said)) if kind else max(8.0, 0.2 * h)
            font, weight = _FONTS[int(random.integers(len(_FONTS)))], random.choice(["normal", "bold"])
            rows = 1 if kind else int(h // (1.4 * size))
            for row in range(rows):
                page.parts.append(
                    f'<svg x="{left}" y="{top}" width="{w}" height="{h}"><text x="0" y="{size * (1 + 1.4 * row)}"'
                    f' font-family="{font}" font-weight="{weight}" font-size="{size}" fill="{text}">{said}</text></svg>'
                )
        elif kind == 3:
            radius = random.choice([0, 6, h / 2])
            page.parts.append(f'<rect x="{left}" y="{top}" width="{w}" height="{h}" rx="{radius}" fill="{accent}"/>')
        elif kind == 4:  # a row of partners' signs
            for number in range(int(w // (1.4 * h))):
                page.parts.append(
                    _sign(random, left + number * 1.4 * h, top, h, h, random.choice([text, accent, "#0b5cad"]))
                )
        elif kind == 5:
            page.parts.append(_sign(random, left, top, h, h, random.choice([text, accent, "#0b5cad", "#d32f2f"])))
        else:
            first, last = hex_of(grounds.colour_of(random)), hex_of(grounds.colour_of(random))
            name = f"p{len(page.defs)}"
            page.defs.append(
                f'<linearGradient id="{name}" x2="1" y2="1"><stop stop-color="{first}"/><stop offset="1"'
                f' stop-color="{last}"/></linearGradient>'
            )
            page.parts.append(f'<rect x="{left}" y="{top}" width="{w}" height="{h}" fill="url(#{name})"/>')


def _hue(colour: npt.ArrayLike) -> float:
    _, a, b = colours.lab(colour)
    return float(np.arctan2(b, a))


def _sign(random: Random, left: float, top: float, w: float, h: float, colour: str) -> str:
    path = _SIGNS[str(random.choice(list(_SIGNS)))]
    return (
        f'<svg x="{left}" y="{top}" width="{w}" height="{h}" viewBox="0 0 24 24" preserveAspectRatio="none">'
        f'<path d="{path}" fill="{colour}"/></svg>'
    )
