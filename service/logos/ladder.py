"""The ladder: the finite set of widths that are offered, so that everything can be cached and made ahead."""

from __future__ import annotations

EVERY_UP_TO = 512  # pixels; up to here every whole width is offered, as layouts need exact ones
STEP = 16
LARGEST = 4096


def offered(width: int, minimum: int) -> bool:
    """Whether a width in pixels is on the ladder of a logo with this minimum width."""
    return minimum <= width <= EVERY_UP_TO or (EVERY_UP_TO < width <= LARGEST and width % STEP == 0)


def nearest(width: int, minimum: int) -> tuple[int, int]:
    """The two offered widths around (or next to) one that is not offered, the smaller first."""
    if width < minimum:
        return minimum, minimum + 1
    if width > LARGEST:
        return LARGEST - STEP, LARGEST
    below = width // STEP * STEP
    return below, below + STEP


def widths(minimum: int) -> list[int]:
    """The whole ladder of a logo, ascending."""
    return [*range(minimum, EVERY_UP_TO + 1), *range(EVERY_UP_TO + STEP, LARGEST + 1, STEP)]


def common(minimum: int) -> list[int]:
    """The widths that snippets ask for first: common sizes on a page, at one, two and three pixels a point."""
    sizes = [size for size in (96, 128, 160, 192, 240, 256, 320, 384, 480, 512, 640, 768, 960, 1024) if size >= minimum]
    return sorted({minimum, *sizes})
