"""The PDF and the badge of a certificate, made by typst from one template.

The PDF is tagged and claims PDF/UA-1 (ISO 14289-1) and PDF/A-3a (ISO 19005-3), with the receipt of the public log
attached. The faces are those of packages: Latin, Cyrillic, Arabic and simplified Chinese. A character that none of
them has is an error, never a box.
"""

from __future__ import annotations

import io
import json
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..problems import FieldError, InvalidRequest
from ..typesetting import fonts

_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "certificate.typ"
_STANDARDS = ["ua-1", "a-3a"]


@dataclass(frozen=True)
class Shown:
    """Content of a certificate's document. ``facts`` are labels with their values; ``logo`` is an SVG document."""

    id: str
    language: str
    name: str
    campaign: str
    facts: tuple[tuple[str, str], ...]
    url: str
    colour: str
    logo: str
    logo_title: str
    issued_at: int  # seconds since 1970


@cache
def words(language: str) -> Mapping[str, str]:
    """The texts of certificates in a language."""
    written = yaml.safe_load((_HERE / "words.yaml").read_text(encoding="utf-8"))
    return {name: texts[language] for name, texts in written.items()}


def as_pdf(shown: Shown, receipt: str | None) -> bytes:
    """The document, with the receipt attached where there is one. InvalidRequest for a character without a glyph."""
    return _compile(shown, "certificate", receipt, format="pdf", pdf_standards=_STANDARDS)


def as_png(shown: Shown) -> bytes:
    """The badge, 1024 by 1280 pixels. InvalidRequest for a character without a glyph."""
    return _compile(shown, "badge", None, format="png", ppi=144.0)


_local = threading.local()


def _compile(shown: Shown, form: str, receipt: str | None, **options: Any) -> bytes:
    import typst  # here, because only who makes a document needs it, and not every start of the service

    if not hasattr(_local, "compiler"):
        nowhere = _HERE / "no-packages"  # nothing is fetched
        _local.compiler = typst.Compiler(
            root=_HERE,
            font_paths=fonts(),
            ignore_system_fonts=True,
            package_path=nowhere,
            package_cache_path=nowhere,
        )
    told = dict(words(shown.language))
    told["permission"] = told["permission"].format(campaign=shown.campaign)
    data = {
        **{name: getattr(shown, name) for name in ("id", "language", "name", "campaign", "url", "logo", "logo_title")},
        "colour": f"#{shown.colour}",
        "facts": [list(fact) for fact in shown.facts],
        "words": told,
        "receipt": receipt,
        "code": _code(shown.url),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", typst.TypstWarning)
        try:
            made: Any = _local.compiler.compile(
                _TEMPLATE,
                sys_inputs={"data": json.dumps(data, ensure_ascii=False), "form": form},
                timestamp=shown.issued_at,
                **options,
            )
        except typst.TypstError as error:
            if "could not be displayed" not in str(error):
                raise
            detail = (
                "The name has a character that no font of this service shows. Write it in Latin, Cyrillic, Arabic or "
                "simplified Chinese letters."
            )
            raise InvalidRequest(detail, errors=[FieldError("/name", detail)]) from error
    assert isinstance(made, bytes)
    return made


def _code(url: str) -> str:
    """A QR code (dark on light, with its quiet zone) as SVG: nothing stands on it, so phones read it.

    Level M: at Q, with its smaller modules, OpenCV's detector missed 3 of 12 codes at any size, and none at M.
    """
    import segno

    out = io.BytesIO()
    segno.make(url, error="m", micro=False, boost_error=False).save(
        out, kind="svg", scale=8, border=4, light="#fff", xmldecl=False
    )
    return out.getvalue().decode()
