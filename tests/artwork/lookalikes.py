"""What a page by Typst is full of: text, tables, charts, cards, badges of health, hearts of others, stickers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .filters import hex_of
from .grounds import Array, Random, colour_of

_HEAD = (
    "M12 21.4C6.100 16.700 1.600 12.700 1.600 7.900 1.600 4.700 4.100 2.300 7.100 2.300c1.900 0 3.700.900 4.900 2.500"
)
_HEART = f"{_HEAD} 1.200-1.600 3-2.500 4.900-2.500 3 0 5.500 2.400 5.500 5.600 0 4.800-4.500 8.800-10.400 13.500Z"
#: 24 by 24, filled by the rule of even and odd
_SIGNS = {
    "heart": _HEART,
    "care": f"{_HEART}M10.500 6.800h3v3h3v3h-3v3h-3v-3h-3v-3h3Z",
    "pulse": f"{_HEART}M0 11h7l2-5 3 10 2.200-6 .800 1h9v1.300h-9.800l-2-1-2.400 7-3-10-1.100 3.700H0Z",
    "apart": "M11.300 21C5.500 16.400 1.500 12.600 1.500 7.900 1.500 4.700 4 2.300 7 2.300c1.700 0 3.300.700 4.300 2Z"
    "M12.700 21V4.300c1-1.300 2.600-2 4.300-2 3 0 5.500 2.400 5.500 5.600 0 4.700-4 8.500-9.800 13.100Z",
    "slanted": "M9.800 20C4.800 16 1.500 12.300 1.500 7.900 1.500 4.700 4 2.300 7 2.300c2.200 0 4.200"
    " 1.200 5.200 3.200Z"
    "M12 21.400l3.200-17.200c1-.800 2-1.200 3-1.200 2.700 0 5 2.400 5 5.400 0 4.400-4.500 8.400-11.200 13Z",
    "brush": "M11 22C3 16 0 11 1 6.500 2 2.500 7 1 9.500 4.500c2 3 1.500 8-2 12C12 13 13.500 9 12.700 5.800"
    " 12.500 5 13 3.500 14.500 2.600 18 .500 23 3 23 8c0 6-6 10-12 14Z",
    "line": f"{_HEART}M12 18.800c5-4 8.300-7.200 8.300-10.900 0-2-1.500-3.500-3.400-3.500-1.900 0-3.400"
    " 1.200-4.900 3.400"
    "-1.500-2.200-3-3.400-4.900-3.400-1.900 0-3.400 1.500-3.400 3.500 0 3.700 3.300 6.900 8.300 10.900Z",
    "in a disc": "M12 0a12 12 0 1 1 0 24a12 12 0 0 1 0-24ZM12 18.500c-3.900-3-6.900-5.700-6.900-8.900"
    " 0-2.100 1.600-3.700 3.600-3.700"
    " 1.300 0 2.500.600 3.300 1.700.800-1.100 2-1.700 3.300-1.700 2 0 3.600 1.600 3.600 3.700 0"
    " 3.200-3 5.900-6.900 8.900Z",
    "two": "M8 19C4 16 1 13 1 9.800 1 7.500 2.800 6 4.800 6 6.100 6 7.300 6.600 8 7.700 8.700 6.600"
    " 9.900 6 11.200 6c2 0 3.800 1.500 3.800 3.800"
    " 0 3.200-3 6.200-7 9.200ZM17 14c-2.700-2-5-4-5-6.200C12 6 13.200 5 14.600 5c1 0 1.900.500"
    " 2.400 1.300C17.500 5.500 18.400 5 19.400 5"
    "c1.400 0 2.600 1 2.600 2.800 0 2.200-2.300 4.200-5 6.200Z",
    "spade": "M12 1.500c5 6 9.500 8.500 9.500 12.800 0 2.700-2 4.400-4.200 4.400-1.600 0-3-.700-3.900-2"
    " .300 2.300 1.100 4 2.900 5.800H7.700"
    "c1.800-1.800 2.600-3.500 2.900-5.800-.900 1.300-2.300 2-3.900 2-2.200"
    " 0-4.200-1.700-4.200-4.400C2.500 10 7 7.500 12 1.500Z",
    "bow": "M9 1h6c3 3 2 7-1 11l5 11h-4l-3-7-3 7H5l5-11C7 8 6 4 9 1Zm3 8c1.500-2.500 2-4 1.500-5.500"
    "h-3C10 5 10.500 6.500 12 9Z",
    "apple": "M12 7c2-2 8-2 9 4 0 5-4 11-7 11-1 0-1-.500-2-.500S11 22 10 22C7 22 3 16 3 11c1-6 7-6 9-4Z"
    "m0-1c0-3 2-5 4-5 0 3-2 5-4 5Z",
    "wing": "M2 20C0 10 6 3 14 2c-3 4-3 6-2 8 2-4 5-7 10-8-1 10-6 17-20 18Z",
    "drop": "M12 1.500c4.500 6 7.500 9.300 7.500 13.500a7.500 7.500 0 0 1-15 0C4.500 10.800 7.500 7.500 12 1.500Z",
    "bubble": "M2 3h20v14H11l-6 5v-5H2Z",
    "cross": "M9 2h6v7h7v6h-7v7H9v-7H2V9h7Z",
}
SIGNS = tuple(_SIGNS)
_FACES = ("Libertinus Serif", "New Computer Modern", "DejaVu Sans Mono", "Onest", "Hanken Grotesk", "DejaVu Serif")
_SAYINGS = (
    "Neighbours who listen",
    "Know the signs",
    "30 July, doors open at nine",
    "Four talks and a film",
    "Where to find help",
    "Your rights at work",
    "Bring a friend",
    "Registration is free of charge",
    "Thank you for standing with us",
)
Box = tuple[float, float, float, float]  # left, top, width, height


def sign(name: str, box: Box, colour: str, turned: float = 0.0) -> str:
    """One of ``SIGNS`` as SVG, to fill this box."""
    left, top, width, height = box
    return (
        f"<g transform='translate({left} {top}) scale({width / 24} {height / 24}) rotate({turned} 12 12)'>"
        f"<path fill-rule='evenodd' fill='{colour}' d='{_SIGNS[name]}'/></g>"
    )


def beat(box: Box, colour: str, thick: float) -> str:
    """The line of a heart's monitor, as SVG."""
    left, top, width, height = box
    shape = ((0, 0.55), (0.3, 0.55), (0.36, 0.4), (0.42, 0.55), (0.47, 0.95), (0.55, 0.05), (0.62, 0.75), (0.67, 0.55))
    points = " ".join(f"{left + x * width:.1f},{top + y * height:.1f}" for x, y in (*shape, (1, 0.55)))
    return f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='{thick}'/>"


def block(random: Random, box: Box, text: Array, accent: Array, ground: Array) -> str:
    """Typst's markup of something that fills this box and does not leave it."""
    left, top, width, height = box
    makers = (_said, _said, _prose, _table, _bars, _codes, _cards, _signs, _signs, _pips, _sticker, _monitor)
    made = makers[int(random.integers(len(makers)))](random, width, height, text, accent, ground)
    size = f"width: {width:.1f}pt, height: {height:.1f}pt"
    return f"#place(top + left, dx: {left:.1f}pt, dy: {top:.1f}pt, box({size}, clip: true)[{made}])\n"


def drawn(svg: str, width: float, height: float) -> str:
    """Typst's markup of a drawing of this size."""
    whole = f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'>{svg}</svg>"
    return f'#image(bytes("{whole}"), format: "svg", width: {width:.2f}pt, height: {height:.2f}pt)'


def _paint(colour: npt.ArrayLike) -> str:
    return f'rgb("{hex_of(colour)}")'


def _face(random: Random) -> str:
    return _FACES[int(random.integers(len(_FACES)))]


def _said(random: Random, width: float, height: float, text: Array, accent: Array, ground: Array) -> str:
    said = _SAYINGS[int(random.integers(len(_SAYINGS)))]
    size = min(0.7 * height, 1.7 * width / len(said))
    weight = random.choice(["regular", "bold"])
    return f'#text(font: "{_face(random)}", size: {size:.1f}pt, weight: "{weight}", fill: {_paint(text)})[{said}]'


def _prose(random: Random, width: float, height: float, text: Array, accent: Array, ground: Array) -> str:
    size = random.uniform(7, 13)
    columns = 2 if width > 260 and random.random() < 0.4 else 1
    words = int(min(width * height / (3.2 * size * size), 260)) + 4
    body = f'#set text(font: "{_face(random)}", size: {size:.1f}pt, fill: {_paint(text)}); #lorem({words})'
    return f"#columns({columns})[{body}]" if columns > 1 else body


def _table(random: Random, width: float, height: float, text: Array, accent: Array, ground: Array) -> str:
    rows, columns = max(1, int(height / 24)), max(1, int(width / 80))
    cells = ", ".join(f"[{_SAYINGS[int(random.integers(len(_SAYINGS)))].split()[0]}]" for _ in range(rows * columns))
    return (
        f'#set text(font: "{_face(random)}", size: 9pt, fill: {_paint(text)})\n'
        f"#table(columns: (1fr,) * {columns}, stroke: 0.6pt + {_paint(accent)}, {cells})"
    )


def _bars(random: Random, width: float, height: float, text: Array, accent: Array, ground: Array) -> str:
    count = max(2, int(width / 26))
    parts = []
    for number in range(count):
        high = random.uniform(0.15, 0.95) * height
        x = (number + 0.15) * width / count
        parts.append(
            f"<rect x='{x:.1f}' y='{height - high:.1f}' width='{0.7 * width / count:.1f}' height='{high:.1f}'"
            f" fill='{hex_of(accent)}'/>"
        )
    return drawn("".join(parts), width, height)


def _codes(random: Random, width: float, height: float, text: Array, accent: Array, ground: Array) -> str:
    side = min(width, height)
    step = side / 25
    cells = random.random((21, 21)) < 0.5
    for row, column in ((0, 0), (0, 14), (14, 0)):
        cells[row : row + 7, column : column + 7] = True
        cells[row + 1 : row + 6, column + 1 : column + 6] = False
        cells[row + 2 : row + 5, column + 2 : column + 5] = True
    path = "".join(
        f"M{(c + 2) * step:.2f} {(r + 2) * step:.2f}h{step:.2f}v{step:.2f}h-{step:.2f}z" for r, c in np.argwhere(cells)
    )
    return drawn(f"<rect width='{side}' height='{side}' fill='#fff'/><path d='{path}'/>", width, height)


def _cards(random: Random, width: float, height: float, text: Array, accent: Array, ground: Array) -> str:
    """A hand of playing cards."""
    high = 0.85 * height
    wide, parts = 0.7 * high, []
    for number in range(max(1, min(5, int(width / wide)))):
        suit = str(random.choice(["heart", "heart", "spade", "drop"]))
        colour = str(random.choice(["#c8102e", "#111", "#0b5cad"])) if suit == "heart" else "#111"
        x, y = number * width / max(1, int(width / wide)) + 0.05 * wide, 0.06 * height
        edge = f"rx='{0.06 * high}' fill='#fdfdfb' stroke='#8886'"
        card = f"<rect x='{x}' y='{y}' width='{0.9 * wide}' height='{high}' {edge}/>"
        spots = [(0.28, 0.22), (0.72, 0.22), (0.5, 0.5), (0.28, 0.78), (0.72, 0.78)][: int(random.integers(1, 6))]
        size = 0.2 * high if len(spots) > 1 else 0.45 * high
        for u, v in spots if len(spots) > 1 else [(0.5, 0.5)]:
            where = (x + 0.9 * wide * u - size / 2, y + high * v - size / 2, size, size)
            card += sign(suit, where, colour, 180 if v > 0.6 else 0)
        turn = random.uniform(-9, 9)
        parts.append(f"<g transform='rotate({turn:.1f} {x + wide / 2:.1f} {y + high:.1f})'>{card}</g>")
    return drawn("".join(parts), width, height)


def _signs(random: Random, width: float, height: float, text: Array, accent: Array, ground: Array) -> str:
    """Signs of others in a row: hearts of health, of dating, of games."""
    size = min(0.92 * height, width)
    parts = []
    for number in range(max(1, min(6, int(width / (1.3 * size))))):
        colour = str(random.choice([hex_of(text), hex_of(accent), "#0b5cad", "#1d70b8", "#d6003c"]))
        stretch = random.uniform(0.85, 1.0)
        where = (number * 1.3 * size + 1, 0.04 * height, size * stretch, size)
        turned = float(random.choice([0, 0, random.uniform(-25, 25)]))
        parts.append(sign(SIGNS[int(random.integers(len(SIGNS)))], where, colour, turned))
    return drawn("".join(parts), width, height)


def _pips(random: Random, width: float, height: float, text: Array, accent: Array, ground: Array) -> str:
    """Hearts that are letters of a font."""
    size = min(0.8 * height, 0.8 * width)
    said = "".join(random.choice(["♥", "❤", "♥", "♡", "❥", "☘"]) for _ in range(max(1, int(width / size))))
    colour = str(random.choice([_paint(text), 'rgb("#0b5cad")', 'rgb("#d32f2f")']))
    return f'#text(font: ("DejaVu Sans", "DejaVu Serif"), size: {size:.1f}pt, fill: {colour})[{said}]'


def _sticker(random: Random, width: float, height: float, text: Array, accent: Array, ground: Array) -> str:
    """A round or square sticker with a heart on it, or a word."""
    size = 0.9 * min(width, height)
    paint, other = hex_of(accent), hex_of(colour_of(random))
    round_ = float(random.choice([0.12, 0.5])) * size
    x, y = 0.05 * size, 0.05 * size
    shape = f"x='{x}' y='{y}' width='{size}' height='{size}' rx='{round_}'"
    edge = f"<rect {shape} fill='{paint}' stroke='#fff' stroke-width='{0.05 * size}'/>"
    inner = sign(SIGNS[int(random.integers(10))], (x + 0.22 * size, y + 0.24 * size, 0.56 * size, 0.54 * size), other)
    return drawn(edge + inner, width, height)


def _monitor(random: Random, width: float, height: float, text: Array, accent: Array, ground: Array) -> str:
    line = beat((0, 0, width, height), hex_of(accent), max(1.5, 0.05 * height))
    if random.random() < 0.5:
        size = 0.6 * height
        line += sign("pulse", (0.02 * width, 0.1 * height, size, size), hex_of(accent))
    return drawn(line, width, height)
