"""The ladder: the finite set of widths that are offered, so that everything can be cached and made ahead."""

from __future__ import annotations

from collections.abc import Callable

EVERY_UP_TO = 512  # pixels; up to here every whole width is offered, as layouts need exact ones
STEP = 16
LARGEST = 4096
LARGE = 1_000_000  # pixels of one picture from which on it takes much memory, and encoders get less effort
MOST_SIDE = 16_383  # pixels: what a WebP can hold
MOST_PIXELS = 36_000_000  # of one picture with its clear space: what a render may cost in time and memory


def offered(width: int, minimum: int, largest: int = LARGEST) -> bool:
    """Tell whether a width in pixels is on the ladder of a logo with this smallest and largest width."""
    return minimum <= width <= largest and (width <= EVERY_UP_TO or width % STEP == 0)


def nearest(width: int, minimum: int, largest: int = LARGEST) -> tuple[int, int]:
    """The two offered widths around (or next to) one that is not offered, the smaller first."""
    if width < minimum:
        return minimum, _above(minimum)
    if width > largest:
        return _below(largest), largest
    return _below(width), _above(width)


def widths(minimum: int, largest: int = LARGEST) -> list[int]:
    """The whole ladder of a logo, ascending."""
    return [width for width in range(minimum, largest + 1) if offered(width, minimum, largest)]


def common(minimum: int) -> list[int]:
    """The widths that snippets ask for first: common sizes on a page, at one, two and three pixels a point."""
    sizes = [size for size in (96, 128, 160, 192, 240, 256, 320, 384, 480, 512, 640, 768, 960, 1024) if size >= minimum]
    return sorted({minimum, *sizes})


def largest(minimum: int, size: Callable[[int], tuple[int, int]]) -> int:
    """The largest width of a logo: 4096, or less where a picture of ``size(width)`` would be beyond the limits.

    Only logos several times higher than wide, or with much clear space around them, get less.
    """
    for width in reversed(widths(minimum)):
        across, down = size(width)
        if max(across, down) <= MOST_SIDE and across * down <= MOST_PIXELS:
            return width
    return minimum


def _above(width: int) -> int:
    return width + 1 if width < EVERY_UP_TO else width // STEP * STEP + STEP


def _below(width: int) -> int:
    return width - 1 if width <= EVERY_UP_TO else -(-width // STEP) * STEP - STEP
