"""AVIF by libaom, colours in full resolution (4:4:4), since halving it blurs every edge."""

from __future__ import annotations

from ..formats import FORMATS
from ..render import Picture
from .pixels import rgba, saved

#: libaom: ``tune=ssim`` saves 5 to 15 % against psnr at the same quality. With colour constant below
#: its alpha (one ink) quality 55 gives 92 to 94; several inks need 62, and gradients 96. ``iq`` saves nothing more.
QUALITY_ONE_INK = 55
QUALITY_FLAT = 62
QUALITY = 96
#: libaom's speed: 3 saves 7 % at 256 pixels and 15 % at 1024, at the same quality, and takes seven times as long.
SPEED, SPEED_AHEAD = 6, 3
#: From the width on at which pictures are drawn finely, what is made ahead of one ink gets speed 1: more quality
#: from fewer bytes than 3 and 55 have, in up to four times the time. Below it saves nothing.
SPEED_WIDE, QUALITY_WIDE = 1, 60
#: The same from so many pixels on: a high drawing has few edges for its size, and scores as much with less.
LARGE, QUALITY_LARGE = 500_000, 58
#: Copying blocks from elsewhere in the picture: for widths on demand it takes a third of the time and saves nothing.
_NO_COPIES = {"enable-intrabc": "0"}


def encode(picture: Picture, ahead: bool) -> bytes:
    """Encode as AVIF."""
    speed, quality = SPEED_AHEAD if ahead else SPEED, QUALITY_FLAT
    if not picture.inks:
        quality = QUALITY
    elif len(picture.inks) == 1:
        quality = QUALITY_ONE_INK
        if ahead and picture.width >= FORMATS["avif"].fine:
            large = picture.width * picture.height >= LARGE
            speed, quality = SPEED_WIDE, QUALITY_LARGE if large else QUALITY_WIDE
    return saved(
        rgba(picture),
        "AVIF",
        quality=quality,
        subsampling="4:4:4",
        speed=speed,
        codec="aom",
        max_threads=1,  # with more, the bytes depend on the number of cores
        autotiling=speed == SPEED_AHEAD,  # tiles take bytes, and nothing is won by them but at that speed
        advanced={"tune": "ssim"} | ({} if ahead else _NO_COPIES),
    )
