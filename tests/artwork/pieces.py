"""Labelled artwork: flat pieces and pictures without a logo, each a function of its seed alone.

Every truth is a property of what was drawn: a piece without a violation keeps a margin to every limit, a violation
is at least as large as a person would call clear.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image

from service.artwork import colours
from service.campaign import Campaign

from . import clutter, effects, grounds
from .grounds import Array, Random
from .inks import Placed, coverage, ink_box, wide

#: violations that need a ground of their own, of which a logo has at most one
_GROUND = ("low_contrast", "background")
RULES = (
    "stretched",
    "rotated",
    "flipped",
    "recoloured",
    "clear_space",
    "too_small",
    "low_contrast",
    "cropped",
    "effect",
    "background",
)
#: what is never drawn together, since one hides the other
_APART = (
    {"recoloured", "effect"},
    {"recoloured", "low_contrast"},
    {"recoloured", "background"},
    {"low_contrast", "background"},
    {"effect", "background"},
    {"effect", "low_contrast"},
    {"effect", "clear_space"},
    {"effect", "too_small"},
    {"clear_space", "background"},
    {"cropped", "clear_space"},
    {"cropped", "too_small"},
    {"cropped", "effect"},
    {"background", "too_small"},
)


@dataclass
class Truth:
    """One logo of a piece, as it was drawn."""

    logo: str
    colourway: str
    box: tuple[float, float, float, float]
    violations: frozenset[str]
    pose: str = "flat"
    note: str = ""


@dataclass
class Piece:
    """A file and what is true of it."""

    name: str
    data: bytes
    width: int
    height: int
    logos: list[Truth] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """What a check has to say."""
        if not self.logos:
            return "logo_not_found"
        return "not_compliant" if any(logo.violations for logo in self.logos) else "compliant"


def encoded(pixels: Array, random: Random) -> bytes:
    """A picture as a file of one of the usual kinds."""
    image = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    file = io.BytesIO()
    kind = random.random()
    if kind < 0.35:
        image.save(file, "PNG", compress_level=1)
    elif kind < 0.85:
        image.save(file, "JPEG", quality=int(random.choice([60, 60, 70, 80, 90, 95])))
    else:
        image.save(file, "WEBP", quality=int(random.choice([70, 80, 90])), method=0)
    return file.getvalue()


def chosen_violations(random: Random) -> set[str]:
    """None in half of the cases, else one, seldom two."""
    roll = random.random()
    if roll < 0.42:
        return set()
    found = {RULES[int(random.integers(len(RULES)))]}
    if roll > 0.9:
        other = RULES[int(random.integers(len(RULES)))]
        if not any({other, *found} <= apart for apart in _APART):
            found.add(other)
    return found


class Flat:
    """The making of one flat piece."""

    def __init__(self, campaign: Campaign, seed: int, rule: str | None = None) -> None:
        """``rule`` is the one to break."""
        self.campaign = campaign
        self.brand = campaign.brand
        self.rule = rule
        self.random = np.random.default_rng([seed, 1])
        self.scale = float(self.random.choice([1, 1, 1, 0.5, 0.62, 0.75, 0.9, 1.25, 1.5]))
        wide_ = self.random.choice([360, 480, 640, 800, 1000, 1200, 1600])
        high = int(wide_ * self.random.choice([0.35, 0.6, 0.75, 1.0, 1.35]))
        self.width, self.height = int(wide_ / self.scale), max(120, int(high / self.scale))
        self.truths: list[Truth] = []
        self.taken: list[clutter.Box] = []
        self.plated = False
        self.last: Placed = Placed("", 0, 0, 1, 1)

    def make(self, seed: int) -> Piece:
        """The piece; a layout that did not come out is drawn again."""
        for _ in range(30):
            self.truths, self.taken, self.plated = [], [], False
            canvas = self._try()
            if canvas is not None:
                break
        else:
            raise AssertionError(f"seed {seed} cannot be laid out")
        if self.scale != 1:
            size = (max(1, round(self.width * self.scale)), max(1, round(self.height * self.scale)))
            how = int(self.random.choice([cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
            if self.scale < 0.8:
                how = cv2.INTER_AREA
            across, down = size[0] / self.width, size[1] / self.height
            canvas = np.clip(cv2.resize(canvas, size, interpolation=how), 0, 255)
            for truth in self.truths:
                x, y, w, h = truth.box
                truth.box = (x * across, y * down, w * across, h * down)
        data = encoded(canvas, self.random)
        return Piece(f"flat-{seed}", data, canvas.shape[1], canvas.shape[0], self.truths)

    # One logo after the other, on one ground.

    def _try(self) -> Array | None:
        random = self.random
        logo = str(random.choice(list(self.campaign.logos)))
        wanted = chosen_violations(random) if self.rule is None else {self.rule}
        colourway, ink, canvas, busy, seen = self._ground(logo, wanted)
        if canvas is None:
            return None
        if not self._place(canvas, logo, colourway, ink, wanted, seen):
            return None
        if self.rule is None and not busy and not wanted & set(_GROUND) and random.random() < 0.2 and not self.plated:
            other = str(random.choice(list(self.campaign.logos)))
            more = wanted & {"recoloured"} or (chosen_violations(random) - {"recoloured", "effect", *_GROUND})
            self._place(canvas, other, colourway, ink, more, "")
        clutter.beside(canvas, self.taken, random, canvas, 0.2)
        return canvas

    def _ground(self, logo: str, wanted: set[str]) -> tuple[str, Array, Array | None, bool, str]:
        random = self.random
        rules = self.brand.logo(logo)
        colourway = str(random.choice(rules.colourways))
        ink = colours.rgb(self.brand.colourways[colourway].hex).astype(np.float32)
        seen = ""
        if "effect" in wanted:
            seen = str(random.choice(effects.EFFECTS))
        base = self._base(colourway, ink, wanted)
        if base is None:
            return colourway, ink, None, False, seen
        if "recoloured" in wanted:
            painted = self._other_ink(base)
            if painted is None:
                return colourway, ink, None, False, seen
            ink = painted
        if (
            "background" in wanted
            and random.random() < 0.5
            and self.brand.colourway_allowed(colourway, colours.written(base))
        ):
            canvas = self._busy(base, ink)
            return colourway, ink, canvas, True, seen
        canvas = self._quiet(base, colourway, ink, wanted, seen)
        return colourway, ink, canvas, False, seen

    def _base(self, colourway: str, ink: Array, wanted: set[str]) -> Array | None:
        random, backgrounds = self.random, self.brand.colourways[colourway].backgrounds
        for _ in range(400):
            base = grounds.colour_of(random)
            if random.random() < 0.25:
                base = np.full(3, random.choice([255, 255, 250, 0, 18, 235]), np.float32)
            ratio = float(colours.contrast(base, ink))
            allowed = self.brand.colourway_allowed(colourway, colours.written(base))
            light, a, b = colours.lab(base)
            inside = light > backgrounds.least_lightness + 2 or backgrounds.least_lightness == 0
            if backgrounds.most_chroma is not None:
                inside = inside and np.hypot(a, b) < backgrounds.most_chroma - 2
            if "low_contrast" in wanted:
                if 1.25 <= ratio <= 2.0 and colours.difference(base, ink) > 8:
                    return base
            elif "background" in wanted and self.brand.colourways[colourway].backgrounds.least_lightness:
                far = light < backgrounds.least_lightness - 5
                if backgrounds.most_chroma is not None:
                    far = far or np.hypot(a, b) > backgrounds.most_chroma + 6
                if ratio > 3.4 and ((not allowed and far) or (allowed and inside)):
                    return base
            elif ratio >= 3.5 and allowed and inside:
                return base
        return None

    def _other_ink(self, base: Array) -> Array | None:
        inks = [colours.rgb(colourway.hex) for colourway in self.brand.colourways.values()]
        for _ in range(400):
            if self.random.random() < 0.3:
                own = inks[int(self.random.integers(len(inks)))]
                ink = (own + self.random.uniform(0.25, 0.6) * (base - own)).astype(np.float32)
            else:
                ink = grounds.colour_of(self.random)
            if min(float(colours.difference(ink, other)) for other in inks) > 12 and colours.contrast(ink, base) > 3.3:
                return ink
        return None

    def _busy(self, base: Array, ink: Array) -> Array | None:
        """A loud ground whose average keeps the contrast."""
        random = self.random
        for _ in range(20):
            if random.random() < 0.5:
                other = effects.visible_on(base, random, 15)
                canvas = grounds.pattern(base, other, self.width, self.height, random)
            else:
                canvas = grounds.picture(self.width, self.height, random)
                canvas = np.clip(base + 0.8 * (canvas - canvas.mean(axis=(0, 1))), 0, 255).astype(np.float32)
            if float(colours.contrast(canvas.mean(axis=(0, 1)), ink)) > 3.3:
                return canvas
        return None

    def _quiet(self, base: Array, colourway: str, ink: Array, wanted: set[str], seen: str) -> Array:
        random, width, height = self.random, self.width, self.height
        if seen == "see_through":
            other = np.clip(base + random.choice([-1, 1]) * random.uniform(50, 90), 0, 255).astype(np.float32)
            return grounds.pattern(base, other, width, height, random)
        if wanted & {"low_contrast", "background"}:
            return grounds.flat(base, width, height)
        kind = random.random()
        canvas = grounds.flat(base, width, height)
        if kind < 0.45:
            return canvas
        for _ in range(20):
            if kind < 0.6:
                made = grounds.graded(base, grounds.colour_of(random), width, height, random)
            elif kind < 0.8:
                made = grounds.paper(base, width, height, random, random.uniform(1, 4))
            elif kind < 0.85:
                other = np.clip(base + random.uniform(-9, 9), 0, 255).astype(np.float32)
                made = grounds.pattern(base, other, width, height, random)
            else:
                photo = grounds.picture(width, height, random)
                made = np.clip(base + random.uniform(0.06, 0.2) * (photo - photo.mean(axis=(0, 1))), 0, 255)
                made = made.astype(np.float32)
            if self._fits_everywhere(made, colourway, ink, "recoloured" in wanted):
                return made
        return canvas

    def _fits_everywhere(self, canvas: Array, colourway: str, ink: Array, free: bool) -> bool:
        small = cv2.resize(canvas, (24, 24), interpolation=cv2.INTER_AREA).reshape(-1, 3)
        light = colours.lab(canvas[::7, ::7])[..., 0]
        local = light - cv2.blur(light, (9, 9))
        if float(local.std()) > 4:
            return False
        if float(colours.contrast(small, ink).min()) < 3.4:
            return False
        return free or all(self.brand.colourway_allowed(colourway, colours.written(colour)) for colour in small[::5])

    def _place(self, canvas: Array, logo: str, colourway: str, ink: Array, wanted: set[str], seen: str) -> bool:
        random = self.random
        placed = self._placed(logo, wanted)
        if placed is None:
            return False
        source = wide(self.campaign, logo)
        box = ink_box(source, placed.matrix())
        rules = self.brand.logo(logo)
        space = rules.clear_space.around(placed.width, placed.height)
        zone = (
            box[0] - space * 1.08 - 2,
            box[1] - space * 1.08 - 2,
            box[0] + box[2] + space * 1.08 + 2,
            box[1] + box[3] + space * 1.08 + 2,
        )
        if any(zone[0] < t[2] and t[0] < zone[2] and zone[1] < t[3] and t[1] < zone[3] for t in self.taken):
            return False
        if "background" in wanted and not self._is_wrong_ground(canvas, zone, colourway):
            return False
        alpha = coverage(source, placed.matrix(), self.width, self.height)
        total = float(
            coverage(
                source,
                Placed(logo, placed.width, placed.height, placed.width, placed.height).matrix(),
                int(placed.width * 2),
                int(placed.height * 2),
            ).sum()
        )
        if (
            not self.taken
            and "clear_space" not in wanted
            and "cropped" not in wanted
            and not wanted & {"low_contrast", "background", "effect"}
            and random.random() < 0.1
        ):
            self._plate(canvas, zone, space)
        effects.draw(canvas, alpha, ink, placed, seen, random)
        if "cropped" in wanted and not self._cover(canvas, alpha, total, box, space):
            return False
        if "clear_space" in wanted and not self._crowd(canvas, box, space, ink):
            return False
        self.taken.append(zone)
        self.last = placed
        self.truths.append(Truth(logo, colourway, box, frozenset(wanted), note=seen))
        return True

    def _is_wrong_ground(self, canvas: Array, zone: clutter.Box, colourway: str) -> bool:
        """Whether the ground in this place is loud, or of a colour that is forbidden; a loud one has quiet places."""
        left, top, right, bottom = (max(0, int(edge)) for edge in zone)
        part = canvas[top:bottom:2, left:right:2]
        if not self.brand.colourway_allowed(colourway, colours.written(part.mean(axis=(0, 1)))):
            return True
        halves = [half for rows in np.array_split(part, 2) for half in np.array_split(rows, 2, axis=1)]
        return all(float(colours.lab(half)[..., 0].std()) > 9 for half in halves)

    def _plate(self, canvas: Array, zone: clutter.Box, space: float) -> None:
        """An even field of the ground's colour round the clear space, on something else."""
        self.plated = True  # and what is round it is no ground for another
        left, top, right, bottom = (int(edge) for edge in zone)
        left, top = max(0, left), max(0, top)
        own = canvas[top:bottom, left:right].copy()
        more = int(space * 0.3 + 4)
        busy = grounds.picture(self.width, self.height, self.random)
        keep = canvas.copy()
        canvas[:] = busy
        l2, t2 = max(0, left - more), max(0, top - more)
        canvas[t2 : bottom + more, l2 : right + more] = keep[t2 : bottom + more, l2 : right + more]
        canvas[top:bottom, left:right] = own

    def _placed(self, logo: str, wanted: set[str]) -> Placed | None:
        random, rules = self.random, self.brand.logo(logo)
        aspect = self.campaign.logos[logo].aspect_ratio
        least = rules.minimum.px / self.scale
        width = self._width(least, wanted)
        if width is None:
            return None
        height = width / aspect
        stretch, degrees, mirrored = 1.0, 0.0, "flipped" in wanted
        if "stretched" in wanted:
            stretch = 1 + random.uniform(0.06, 0.35)
            if random.random() < 0.5:
                width *= stretch
            else:
                height *= stretch
        if "rotated" in wanted:
            degrees = float(random.choice([-1, 1])) * random.uniform(4, 30)
            if random.random() < 0.12:
                degrees = float(random.choice([90, 180, -90]))
        placed = Placed(logo, 0, 0, width, height, degrees, mirrored)
        left, top, w, h = ink_box(wide(self.campaign, logo), placed.matrix())
        if "cropped" in wanted and random.random() < 0.4:
            return self._off_edge(placed, w, h)
        if w > self.width - 4 or h > self.height - 4:
            return None
        if "clear_space" in wanted and (w > self.width * 0.75 or h > self.height * 0.7):
            return None
        x = random.uniform(2 - left, self.width - 2 - left - w)
        y = random.uniform(2 - top, self.height - 2 - top - h)
        if random.random() < 0.3:
            x, y = round(x), round(y)
        return Placed(logo, x, y, width, height, degrees, mirrored)

    def _width(self, least: float, wanted: set[str]) -> float | None:
        random = self.random
        if "too_small" in wanted:
            return float(least * random.uniform(0.55, 0.8))
        low, high = max(40 / self.scale, least * 1.08), self.width * 0.95
        if wanted & {"effect", "cropped", "clear_space"}:
            low = max(low, 60 / self.scale)
        return float(np.exp(random.uniform(np.log(low), np.log(high)))) if high > low else None

    def _off_edge(self, placed: Placed, w: float, h: float) -> Placed | None:
        random = self.random
        if w > self.width * 0.9 or h > self.height * 0.9:
            return None
        side = int(random.integers(4))
        out = random.uniform(0.1, 0.35)
        x = random.uniform(w / 2, self.width - w / 2)
        y = random.uniform(h / 2, self.height - h / 2)
        if side == 0:
            x = w * (0.5 - out)
        elif side == 1:
            x = self.width - w * (0.5 - out)
        elif side == 2:
            y = h * (0.5 - out)
        else:
            y = self.height - h * (0.5 - out)
        return Placed(placed.logo, x, y, placed.width, placed.height, placed.degrees, placed.mirrored)

    def _cover(
        self, canvas: Array, alpha: Array, total: float, box: tuple[float, float, float, float], space: float
    ) -> bool:
        """Cuts a part off by the picture's edge, by a round crop, or by something that lies on it."""
        random = self.random
        inside = float(alpha.sum()) / total
        if inside < 0.93:
            return 0.62 < inside < 0.92
        x, y, w, h = box
        for _ in range(30):
            mask = np.zeros((self.height, self.width), np.float32)
            kind = random.integers(3)
            if kind == 0:
                r = random.uniform(0.35, 0.6) * max(w, h)
                cv2.circle(mask, (int((x + w / 2) * 16), int((y + h / 2) * 16)), int(r * 16), 1.0, -1, cv2.LINE_AA, 4)
                mask = 1 - mask
            elif kind == 1:
                r = random.uniform(0.2, 0.45) * h
                corner = (x + w * random.choice([0.05, 0.95]), y + h * random.choice([0.1, 0.9]))
                cv2.circle(mask, (int(corner[0] * 16), int(corner[1] * 16)), int(r * 16), 1.0, -1, cv2.LINE_AA, 4)
            else:
                cut = random.uniform(0.08, 0.3)
                if random.random() < 0.5:
                    cv2.rectangle(mask, (0, int(y + h * (1 - cut))), (self.width, int(y + h * 1.4)), 1.0, -1)
                else:
                    cv2.rectangle(mask, (int(x - w * 0.3), 0), (int(x + w * cut), self.height), 1.0, -1)
            gone = float((alpha * mask).sum()) / total
            if 0.085 < gone < 0.35:
                ground = np.median(canvas[alpha < 0.01], axis=0)
                ink = np.median(canvas[alpha > 0.95], axis=0)
                clutter.over(
                    canvas, mask, effects.visible_on(ground.astype(np.float32), random, 15, ink.astype(np.float32))
                )
                return True
        return False

    def _thing(self, kind: int, size: tuple[int, int]) -> Array:
        """Where a text, an icon, a heart or a full field has paint, on a tile of this height and width."""
        tile, one = np.zeros((*size, 3), np.float32), np.ones(3, np.float32)
        where = (0.0, 0.0, float(size[1]), float(size[0]))
        if kind <= 1:
            clutter.text(tile, where, one, self.random)
        elif kind == 2:
            clutter.icon(tile, where, one, self.random)
        elif kind == 3:
            clutter.plain_heart(tile, where, one, self.random)
        else:
            tile[:] = 1
        return tile[..., 0]

    def _crowd(self, canvas: Array, box: tuple[float, float, float, float], space: float, ink: Array) -> bool:
        """Puts something closer than the clear space allows, but not onto the ink's box."""
        random = self.random
        gap = random.uniform(0.12, 0.6) * space
        if gap < 2:
            return False
        x, y, w, h = box
        across, high = random.uniform(0.5, 1.2) * h + 14, random.uniform(0.35, 1.0) * h + 8
        side = int(random.choice([0, 1, 2, 3]))
        tile = (int(min(max(high, 12), self.height)), int(min(max(across, 20), self.width)))
        ground = np.median(canvas, axis=(0, 1)).astype(np.float32)
        kind = int(random.integers(5))
        mask = self._thing(kind, tile)
        used = np.argwhere(mask > 0.5)
        if len(used) < 12:
            return False
        (top, left), (bottom, right) = used.min(axis=0), used.max(axis=0) + 1
        mask = mask[top:bottom, left:right]
        rows = (int(bottom - top), int(right - left))
        row = y + random.uniform(0, max(0.0, h - rows[0]))
        column = x + random.uniform(0, max(0.0, w - rows[1]))
        if side == 0:
            column = x - gap - rows[1]
        elif side == 1:
            column = x + w + gap
        elif side == 2:
            row = y - gap - rows[0]
        else:
            row = y + h + gap
        row, column = round(row), round(column)
        if row < 0 or column < 0 or row + rows[0] > self.height or column + rows[1] > self.width:
            return False
        part = canvas[row : row + rows[0], column : column + rows[1]]
        if kind == 4 and random.random() < 0.5:
            part[:] = grounds.picture(rows[1], rows[0], random)
            if float(colours.difference(part.mean(axis=(0, 1)), ground)) < 15:
                return False
        else:
            colour = ink if random.random() < 0.3 else effects.visible_on(ground, random, 25)
            clutter.over(part, mask, colour)
        return True


def flat(campaign: Campaign, seed: int, rule: str | None = None) -> Piece:
    """A flat piece with one or two logos, or with one that breaks this rule."""
    return Flat(campaign, seed, rule).make(seed)


def bare(campaign: Campaign, seed: int) -> Piece:
    """A picture without any of the campaign's logos, full of what looks like them."""
    random = np.random.default_rng([seed, 2])
    width, height = int(random.integers(360, 1400)), int(random.integers(240, 1000))
    base = grounds.colour_of(random)
    kind = random.random()
    if kind < 0.4:
        canvas = grounds.flat(base, width, height)
    elif kind < 0.6:
        canvas = grounds.picture(width, height, random)
    elif kind < 0.8:
        canvas = grounds.pattern(base, grounds.colour_of(random), width, height, random)
    else:
        canvas = grounds.paper(base, width, height, random, random.uniform(2, 10))
    taken: list[clutter.Box] = []
    for _ in range(2):
        clutter.beside(canvas, taken, random, canvas, 0.45)
    return Piece(f"bare-{seed}", encoded(canvas, random), width, height, [])
