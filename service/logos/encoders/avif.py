"""AVIF by libaom, colours in full resolution (4:4:4), since halving it blurs every edge."""

from __future__ import annotations

from ..render import Picture
from .pixels import rgba, saved

#: libaom: ``tune=ssim`` saves 5 to 15 % against psnr at the same quality on demand. With colour constant below
#: its alpha (one ink) quality 55 gives 92 to 94; several inks need 62, and gradients 96. ``iq`` saves nothing more.
QUALITY_ONE_INK = 55
QUALITY_FLAT = 62
QUALITY = 96
#: libaom's speed: 3 saves 7 % at 256 pixels and 15 % at 1024, at the same quality, and takes seven times as long.
SPEED, SPEED_AHEAD = 6, 3
#: What is made ahead of one ink, by the width in pixels up to which it holds: speed, ``tune`` and quality. Each scores
#: more than speed 3 and 55 in no more bytes, and takes up to four times as long. In the smallest pictures nothing does;
#: in small ones ``ssim`` is better at the same bytes, in middle ones ``psnr``; in wide ones speed 0 saves nothing.
ONE_INK_AHEAD = ((149, 3, "ssim", 55), (319, 0, "ssim", 56), (699, 0, "psnr", 51), (1 << 30, 1, "ssim", 60))
#: The last for pictures of so many pixels: a high drawing has few edges for its size, and scores as much with less.
LARGE, QUALITY_LARGE = 500_000, 58
#: Copying blocks from elsewhere in the picture: for widths on demand it takes a third of the time and saves nothing.
_NO_COPIES = {"enable-intrabc": "0"}


def encode(picture: Picture, ahead: bool) -> bytes:
    """Encode as AVIF."""
    speed, tune, quality = SPEED_AHEAD if ahead else SPEED, "ssim", QUALITY_FLAT
    if not picture.inks:
        quality = QUALITY
    elif len(picture.inks) == 1:
        quality = QUALITY_ONE_INK
        if ahead:
            speed, tune, quality = next(row[1:] for row in ONE_INK_AHEAD if picture.width <= row[0])
            if picture.width * picture.height >= LARGE:
                quality = QUALITY_LARGE
    return saved(
        rgba(picture),
        "AVIF",
        quality=quality,
        subsampling="4:4:4",
        speed=speed,
        codec="aom",
        max_threads=1,  # with more, the bytes depend on the number of cores
        autotiling=speed == SPEED_AHEAD,  # tiles take bytes, and nothing is won by them but at that speed
        advanced={"tune": tune} | ({} if ahead else _NO_COPIES),
    )
