"""Pieces made with tools that the generator does not use are judged as a person judges them."""

from __future__ import annotations

from service.artwork.inspecting import Kit, inspect
from service.artwork.judging import verdict_of
from service.artwork.reading import sheets as read

from . import outside


def test_documents_by_typst(kit: Kit) -> None:
    chosen = {"sheet-card", "sheet-small", "sheet-turned", "sheet-dark"}
    for piece, data in outside.drawn_sheets([piece for piece in outside.sheets() if piece.name in chosen]):
        (sheet,) = read(data)
        logos = inspect(kit, sheet.pixels, zoom=sheet.zoom, per_inch=sheet.per_inch, page=1)
        said = {finding.rule for logo in logos for finding in logo.violations}
        assert (piece.name, verdict_of(logos), said) == (piece.name, piece.verdict, set(piece.seen))
