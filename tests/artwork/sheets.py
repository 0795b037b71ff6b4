"""A third generator of labelled artwork: sheets laid out and drawn by Typst, with what people print and post.

It shares no layout, effect, look-alike or picture with the others, and another program draws it. ``sheet`` makes flat
pieces with a logo, ``decoy`` the same without one.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import typst
from PIL import Image

from service.artwork import colours
from service.campaign import Campaign

from . import lookalikes
from .clutter import fonts
from .filters import different, hex_of
from .grounds import Array, Random, colour_of
from .inks import ink_box, wide
from .pieces import _APART, RULES, Piece, Truth
from .wrongs import EFFECTS, Placing, covered, crowding, with_effect

_SIZES = ((595, 842), (420, 595), (900, 450), (360, 640), (760, 760), (1080, 566), (500, 700), (728, 182))
_PHOTO_RULES = ("recoloured", "cropped", "flipped")


def scene(width: int, height: int, random: Random) -> Array:
    """A picture by procedure: people before a window, cobbles, cloth in folds, or a shore at dusk."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    kind = int(random.integers(4))
    one, two = colour_of(random, lightness=(0.15, 0.5)), colour_of(random, lightness=(0.5, 0.9))
    if kind == 0:
        made = one + (x / width)[..., None] * (two - one)
        for _ in range(int(random.integers(2, 7))):
            where, r = random.random(2) * [width, height], random.uniform(0.05, 0.16) * height
            skin = np.array([205, 160, 130], np.float32) * random.uniform(0.45, 1.15)
            coat = colour_of(random, lightness=(0.1, 0.6))
            body = ((x - where[0]) / (1.9 * r)) ** 2 + ((y - where[1] - 3.1 * r) / (2.1 * r)) ** 2 < 1
            head = ((x - where[0]) / r) ** 2 + ((y - where[1]) / (1.25 * r)) ** 2
            made = np.where(body[..., None], coat * (1 - 0.2 * (x - where[0]) / width)[..., None], made)
            made = np.where((head < 1)[..., None], skin * (1 - 0.35 * head)[..., None], made)
    elif kind == 1:
        seeds = random.random((int(random.integers(60, 220)), 2)) * [width, height]
        canvas = np.full((height, width), 255, np.uint8)
        for sx, sy in seeds:
            canvas[min(int(sy), height - 1), min(int(sx), width - 1)] = 0
        away, labels = cv2.distanceTransformWithLabels(canvas, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        tones = random.uniform(0.7, 1.2, int(labels.max()) + 1)
        made = one * tones[labels][..., None] * (1.25 - 0.5 * away / max(1.0, float(away.max())))[..., None]
    elif kind == 2:
        folds = sum(
            np.sin((x * np.cos(a) + y * np.sin(a)) / random.uniform(0.02, 0.09) / width + random.uniform(0, 6))
            for a in random.uniform(-0.6, 0.6, 4)
        )
        made = one + (0.5 + 0.12 * folds)[..., None] * (two - one)
    else:
        made = two + (y / height)[..., None] * (one - two)
        waves = np.sin(y * y / (0.02 * height * height) * 9 + 3 * np.sin(x / width * 9)) * (y > 0.6 * height)
        made = made + 22 * waves[..., None]
        sun = np.exp(
            -(((x - random.uniform(0, width)) / (0.1 * width)) ** 2 + ((y - 0.5 * height) / (0.1 * width)) ** 2)
        )
        made = made + sun[..., None] * np.array([120, 90, 40], np.float32)
    made = cv2.GaussianBlur(np.asarray(made, np.float32), (0, 0), random.uniform(0.6, 1.6))
    return np.clip(made + random.standard_normal((height, width, 3)) * random.uniform(0.5, 3), 0, 255).astype(
        np.float32
    )


@dataclass(frozen=True)
class _Ground:
    colour: Array
    paint: str  # Typst's
    picture: Array | None = None


class SheetMaker:
    """The making of one sheet."""

    def __init__(
        self,
        campaign: Campaign,
        random: Random,
        *,
        logo: bool = True,
        photographed: bool = False,
        rule: str | None = None,
    ) -> None:
        """``logo`` tells whether there is one, ``rule`` is the one to break."""
        self.campaign, self.brand, self.random = campaign, campaign.brand, random
        self.logo, self.photographed, self.rule = logo, photographed, rule

    def make(self) -> tuple[Array, list[Truth]]:
        """The sheet's pixels and its logo; a layout that does not come out is drawn again."""
        for _ in range(120):
            made = self._try()
            if made is not None:
                return made
        raise AssertionError("cannot be laid out")

    def _wanted(self) -> set[str]:
        random = self.random
        if self.rule is not None:
            return {self.rule}
        if self.photographed:
            return {str(random.choice(_PHOTO_RULES))} if random.random() < 0.35 else set()
        if random.random() < 0.45:
            return set()
        found = {str(random.choice(RULES))}
        other = str(random.choice(RULES))
        if random.random() < 0.12 and not any({other, *found} <= apart for apart in _APART):
            found.add(other)
        return found

    def _try(self) -> tuple[Array, list[Truth]] | None:
        random = self.random
        width, height = _SIZES[int(random.integers(len(_SIZES)))]
        logo = str(random.choice(list(self.campaign.logos)))
        wanted = self._wanted() if self.logo else set()
        colourway = str(random.choice(self.brand.logo(logo).colourways))
        ink = colours.rgb(self.brand.colourways[colourway].hex).astype(np.float32)
        effect = str(random.choice(EFFECTS)) if "effect" in wanted else ""
        ground = self._ground(width, height, colourway, ink, wanted, effect)
        if ground is None:
            return None
        if "recoloured" in wanted:
            painted = self._other_ink(ground.colour)
            if painted is None:
                return None
            ink = painted
        taken: list[tuple[float, float, float, float]] = []
        truths, over, zone = [], "", (0.0, 0.0, float(width), float(height))
        if self.logo:
            placed = self._placed(logo, wanted, width, height)
            if placed is None:
                return None
            box, margin = placed.box, 1.12 * placed.space + 3
            zone = (box[0] - margin, box[1] - margin, box[0] + box[2] + margin, box[1] + box[3] + margin)
            taken.append(zone)
            if ground.picture is not None and not effect and not self._loud(ground.picture, zone, ink):
                return None
            made = self._drawn(placed, wanted, ink, ground.colour, effect, (width, height))
            if made is None:
                return None
            over = made
            truths = [Truth(logo, colourway, box, frozenset(wanted), note=effect)]
        source = self._page(ground, width, height, taken, over)
        scale = 1.6 if self.photographed else self._scale(truths)
        drawn = typst.compile(source.encode(), format="png", ppi=72 * scale, font_paths=_fonts())
        assert isinstance(drawn, bytes)
        pixels = np.asarray(Image.open(io.BytesIO(drawn)).convert("RGB"), np.float32)
        for truth in truths:
            x, y, w, h = (edge * scale for edge in truth.box)
            truth.box = (x, y, w, h)
        return pixels, truths

    def _scale(self, truths: list[Truth]) -> float:
        """Pixels a point: a sheet may be exported larger than a screen shows it, where size is not the matter."""
        if not truths or truths[0].violations & {"too_small"}:
            return 1.0
        return float(self.random.choice([1.0, 1.0, 1.0, 1.25, 1.5, 2.0]))

    # The ground.

    def _ground(
        self, width: int, height: int, colourway: str, ink: Array, wanted: set[str], effect: str
    ) -> _Ground | None:
        random, limits = self.random, self.brand.colourways[colourway].backgrounds
        for _ in range(300):
            colour = colour_of(random)
            if random.random() < 0.4:
                colour = np.array(
                    random.choice([[255] * 3, [250, 248, 243], [241, 245, 249], [15, 23, 42], [32, 32, 32]]), np.float32
                )
            light, a, b = (float(value) for value in colours.lab(colour))
            ratio, chroma, most = float(colours.contrast(colour, ink)), float(np.hypot(a, b)), limits.most_chroma
            allowed = self.brand.colourway_allowed(colourway, colours.written(colour))
            plain = f'rgb("{hex_of(colour)}")'
            if "low_contrast" in wanted:
                if 1.25 < ratio < 2 and colours.difference(colour, ink) > 8:
                    return _Ground(colour, plain)
            elif "background" in wanted:
                if random.random() < 0.1:
                    picture = scene(width, height, random)
                    return _Ground(np.median(picture, axis=(0, 1)).astype(np.float32), plain, picture)
                far = light < limits.least_lightness - 5 or (most is not None and chroma > most + 6)
                if not allowed and far and ratio > 3.4:
                    return _Ground(colour, plain)
            elif (
                allowed
                and ratio > 3.5
                and (light > limits.least_lightness + 2.6 or not limits.least_lightness)
                and (most is None or chroma < most - 3.1)
            ):
                if effect == "see_through":
                    picture = colour + random.choice([-1, 1]) * 65 * self._stripes(width, height)[..., None]
                    return _Ground(colour, plain, np.clip(picture, 0, 255).astype(np.float32))
                return _Ground(colour, self._quiet(colour, plain, colourway, ink, "recoloured" in wanted))
        return None

    def _stripes(self, width: int, height: int) -> Array:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        step, angle = self.random.uniform(14, 40), self.random.uniform(0, np.pi)
        return np.asarray(np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / step) > 0, np.float32)

    def _quiet(self, colour: Array, plain: str, colourway: str, ink: Array, free: bool) -> str:
        """One colour, a gradient round a point or about an angle, or a faint pattern."""
        random = self.random
        other = np.clip(colour + random.uniform(-26, 26, 3), 0, 255)
        fits = free or self.brand.colourway_allowed(colourway, colours.written(other))
        far = f'rgb("{hex_of(other)}")'
        if not fits or float(colours.contrast(other, ink)) < 3.5 or random.random() < 0.5:
            return plain
        kind = int(random.integers(3))
        if kind == 0:
            return f"gradient.radial({plain}, {far})"
        if kind == 1:
            return f"gradient.linear({plain}, {far}, angle: {random.uniform(0, 360):.0f}deg)"
        faint = f'rgb("{hex_of(np.clip(colour + random.choice([-6, 6]), 0, 255))}")'
        return (
            "tiling(size: (16pt, 16pt))[#place(rect(width: 16pt, height: 16pt, fill: "
            f"{plain}))#place(dx: 5pt, dy: 5pt, circle(radius: 2pt, fill: {faint}))]"
        )

    def _loud(self, picture: Array, zone: tuple[float, ...], ink: Array) -> bool:
        """Whether the picture is busy everywhere round the logo, and dark or light enough for it."""
        left, top, right, bottom = (max(0, int(edge)) for edge in zone)
        part = picture[top:bottom, left:right]
        if min(part.shape[:2]) < 9:
            return False
        blocks = [block for rows in np.array_split(part, 3) for block in np.array_split(rows, 3, axis=1)]
        rough = [float(colours.lab(block[::2, ::2])[..., 0].std()) for block in blocks]
        return (
            float(np.median(rough)) > 11
            and min(float(colours.contrast(b.mean(axis=(0, 1)), ink)) for b in blocks) > 3.2
        )

    def _other_ink(self, ground: Array) -> Array | None:
        own = [colours.rgb(colourway.hex) for colourway in self.brand.colourways.values()]
        least = 26 if self.photographed else 12
        for _ in range(300):
            ink = colour_of(self.random)
            if min(float(colours.difference(ink, one)) for one in own) > least and colours.contrast(ink, ground) > 3.4:
                if self.photographed and float(np.hypot(*colours.lab(ink)[1:])) < 25:
                    continue  # lightness alone may be the light
                return ink
        return None

    # The logo.

    def _placed(self, logo: str, wanted: set[str], width: int, height: int) -> Placing | None:
        random, rules = self.random, self.brand.logo(logo)
        aspect, least = self.campaign.logos[logo].aspect_ratio, float(rules.minimum.px)
        low = max(42.0, 1.1 * least)
        if wanted & {"effect", "cropped", "clear_space", "background"}:
            low = max(low, 76.0 if logo == "heart" else 130.0)
        if self.photographed:
            low = 0.28 * width
        high = min(0.72 * width, 0.5 * height * aspect)
        if high <= low:
            return None
        across = float(np.exp(random.uniform(np.log(low), np.log(high))))
        if "too_small" in wanted:
            across = least * random.uniform(0.6, 0.79)
        down = across / aspect
        if "stretched" in wanted:
            factor = random.uniform(1.065, 1.4)
            across, down = (across * factor, down) if random.random() < 0.5 else (across, down * factor)
        angle = np.radians(random.choice([-1, 1]) * random.uniform(4.2, 30)) if "rotated" in wanted else 0.0
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        made = np.eye(3)
        made[:2, :2] = turn @ np.diag([-across if "flipped" in wanted else across, down])
        half = np.abs(made[:2, :2]).sum(axis=1) / 2 + 5
        if half[0] * 2 > width or half[1] * 2 > height:
            return None
        places = ([0.03, 0.04], [0.97, 0.04], [0.5, 0.05], [0.03, 0.96], [0.97, 0.96], [0.5, 0.5], random.random(2))
        shares = np.array(places[int(random.integers(len(places)))])
        made[:2, 2] = half + shares * (np.array([width, height]) - 2 * half) - made[:2, :2] @ [0.5, 0.5]
        box = ink_box(wide(self.campaign, logo), made)
        return Placing(logo, made, box, rules.clear_space.around(across, down))

    def _drawn(
        self, placed: Placing, wanted: set[str], ink: Array, ground: Array, effect: str, size: tuple[int, int]
    ) -> str | None:
        """The logo as SVG, with what crowds or covers it; None where that does not come out."""
        shown = with_effect(self.campaign, placed, self.random, ink, ground, effect)
        if "clear_space" in wanted:
            beside = crowding(placed, self.random, ground, size)
            return None if beside is None else shown + beside
        if "cropped" in wanted:
            paint = hex_of(different(self.random, ground, ink))
            return covered(self.campaign, placed, self.random, shown, paint, size)
        return shown

    # The rest of the sheet.

    def _page(
        self, ground: _Ground, width: int, height: int, taken: list[tuple[float, float, float, float]], over: str
    ) -> str:
        random = self.random
        back = f"{ground.paint}"
        parts = [
            f"#set page(width: {width}pt, height: {height}pt, margin: 0pt, fill: {back})\n#set par(leading: 4pt)\n"
        ]
        if ground.picture is not None:
            parts.append(f"#place(top + left)[{_pictured(ground.picture, width, height)}]\n")
        light = ground.colour.mean() > 128
        text = colour_of(random, lightness=(0, 0.3) if light else (0.8, 1), vivid=0.6)
        accent = different(random, ground.colour, ground.colour)
        y = 0.04 * height
        while y < 0.96 * height:
            high = float(random.choice([0.06, 0.1, 0.18, 0.28]) * height)
            columns = int(random.choice([1, 2, 3, 4]))
            for column in range(columns):
                across = 0.92 * width / columns
                box = (0.04 * width + column * across, y, across - 0.02 * width, min(high, 0.97 * height - y))
                edges = (box[0], box[1], box[0] + box[2], box[1] + box[3])
                free = not any(
                    edges[0] < t[2] and t[0] < edges[2] and edges[1] < t[3] and t[1] < edges[3] for t in taken
                )
                if free and min(box[2:]) > 14 and random.random() < 0.8:
                    if random.random() < 0.12:
                        shown = _pictured(scene(240, 180, random), *box[2:])
                        parts.append(f"#place(top + left, dx: {box[0]:.1f}pt, dy: {box[1]:.1f}pt)[{shown}]\n")
                    else:
                        parts.append(lookalikes.block(random, box, text, accent, ground.colour))
            y += high + 0.02 * height
        if over:
            parts.append(f"#place(top + left)[{lookalikes.drawn(over, width, height)}]\n")
        return "".join(parts)


@cache
def _fonts() -> typst.Fonts:
    """Typst's own fonts and those of installed packages; looked for once."""
    return typst.Fonts(include_system_fonts=False, font_paths=sorted({str(Path(name).parent) for name in fonts()}))


def _pictured(pixels: Array, width: float, height: float) -> str:
    """Typst's markup of a picture that fills this size, cut at its sides."""
    file = io.BytesIO()
    Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)).save(file, "PNG", compress_level=1)
    held = f"href='data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}'"
    size = f"width='{width:.1f}' height='{height:.1f}' preserveAspectRatio='xMidYMid slice'"
    return lookalikes.drawn(f"<image {held} {size}/>", width, height)


def saved(pixels: Array, random: Random, few: bool = True) -> bytes:
    """The file as people have it: a PNG, of ``few`` colours at times, a WebP, an AVIF, or a JPEG."""
    image = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    file, kind = io.BytesIO(), random.random()
    if kind < 0.3:
        image.save(file, "PNG", compress_level=1)
    elif kind < 0.4 and few:
        image.quantize(128, dither=Image.Dither.NONE).save(file, "PNG", compress_level=1)
    elif kind < 0.55:
        image.save(file, "WEBP", quality=int(random.integers(65, 90)), method=0)
    elif kind < 0.65:
        image.save(file, "AVIF", quality=int(random.integers(55, 85)), speed=9)
    else:
        image.save(file, "JPEG", quality=int(random.integers(60, 94)), subsampling=int(random.choice([0, 1, 2])))
    return file.getvalue()


def sheet(campaign: Campaign, seed: int, rule: str | None = None) -> Piece:
    """A sheet with one logo, which breaks this rule where one is named."""
    random = np.random.default_rng([seed, 21])
    pixels, truths = SheetMaker(campaign, random, rule=rule).make()
    return Piece(f"sheet-{seed}", saved(pixels, random), pixels.shape[1], pixels.shape[0], truths)


def decoy(campaign: Campaign, seed: int) -> Piece:
    """A sheet without a logo, full of what looks like one."""
    random = np.random.default_rng([seed, 22])
    pixels, _ = SheetMaker(campaign, random, logo=False).make()
    return Piece(f"decoy-{seed}", saved(pixels, random), pixels.shape[1], pixels.shape[0])
