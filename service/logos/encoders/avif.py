"""AVIF by libaom, colours in full resolution (4:4:4), since halving it blurs every edge."""

from __future__ import annotations

from ..render import Picture
from .pixels import rgba, saved

#: libaom: ``tune=ssim`` saves 5 to 15 % against psnr at the same quality. With colour constant below
#: its alpha (one ink) quality 55 gives 92 to 94; several inks need 62, and gradients 96. ``iq`` saves nothing more.
QUALITY_ONE_INK = 55
QUALITY_FLAT = 62
QUALITY = 96
#: libaom's speed: 3 saves 7 % at 256 pixels and 15 % at 1024, at the same quality, and takes seven times as long.
SPEED, SPEED_AHEAD = 6, 3


def encode(picture: Picture, ahead: bool) -> bytes:
    """Encode as AVIF."""
    return saved(
        rgba(picture),
        "AVIF",
        quality={0: QUALITY, 1: QUALITY_ONE_INK}.get(len(picture.inks), QUALITY_FLAT),
        subsampling="4:4:4",
        speed=SPEED_AHEAD if ahead else SPEED,
        codec="aom",
        max_threads=1,  # with more, the bytes depend on the number of cores
        advanced={"tune": "ssim"},
    )
