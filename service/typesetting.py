"""The fonts that are installed with the service, for documents and pictures that typst sets.

What the machine has of its own never shows: a face for Latin, one for Cyrillic, one for Arabic, one for simplified
Chinese. A character that none of them has is for the caller to refuse.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import fontpkg_hanken_grotesk
import fontpkg_ibm_plex_sans_arabic
import fontpkg_onest
import pylopdf_fonts_zh_cn

if TYPE_CHECKING:
    import typst

#: The folders of the alphabets' faces; packages are set in these, and in those inside typst.
ALPHABETS = tuple(
    str(face.ROOT / "files") for face in (fontpkg_hanken_grotesk, fontpkg_onest, fontpkg_ibm_plex_sans_arabic)
)
#: The folder of the face for simplified Chinese.
CHINESE = str(pylopdf_fonts_zh_cn.sans_path().parent)


@cache
def fonts() -> typst.Fonts:
    """Return all faces, read once a process."""
    import typst  # here, because only who sets something needs it, and not every start of the service

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[*ALPHABETS, CHINESE])
