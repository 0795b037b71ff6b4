"""Making one file of a package from its source: taken as it is, rendered, or compiled.

The fonts are those inside typst and a text face for each script that are installed with the service (Latin,
Cyrillic, Arabic): what the machine has of its own never shows in a package, and a character that none of them has
is an error.
"""

from __future__ import annotations

import io
import os
import re
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyvips
import typst
from PIL import Image

from ..campaign.manifests import FileRule
from ..campaign.print_condition import PrintCondition
from ..png import optimised
from ..svg import DrawingError, read
from ..typesetting import ALPHABETS
from .inks import Inks
from .pdfx import as_pdfx
from .separation import SeparationError, separated

Optimise = Callable[[bytes], bytes]  # a PNG, and the same picture in fewer bytes
_ONE_POINT_PER_PIXEL = 72.0
_EPOCH = 315532800  # 1 January 1980, as in the archive: documents that ask for the date get this one


class MakingError(Exception):
    """A file cannot be made from its source. ``line`` is that of the source, 0 if unknown."""

    def __init__(self, source: str, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.source = source
        self.line = line


class Maker:
    """Makes the files of packages from a folder laid out like ``assets/``. Safe to share between threads."""

    def __init__(
        self,
        root: Path,
        inks: Inks | None = None,
        condition: PrintCondition | None = None,
        optimise: Optimise = optimised,
    ) -> None:
        """``inks`` are those that documents for print are made with; with a ``condition`` they are PDF/X-4.

        ``optimise`` is what makes a PNG smaller: ``optimised``, or the same in other processes.
        """
        self.root = root
        self._inks = inks or {}
        self._condition = condition
        self._optimise = optimise
        self._fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=True,
            font_paths=list(ALPHABETS),
        )
        self._local = threading.local()
        self._displayed: set[tuple[object, ...]] = set()

    def make(self, rule: FileRule) -> bytes:
        """Return the bytes of the file; MakingError where the source does not give it."""
        if rule.making == "copy":
            return (self.root / rule.source).read_bytes()
        if rule.making == "render":
            assert rule.width is not None
            return render_svg((self.root / rule.source).read_bytes(), rule.width, rule.source, self._optimise)
        if rule.width is None:
            return self._for_print(rule, self._compile(rule, "pdf"))
        return self._optimise(self._compile(rule, "png"))

    def check(self, rule: FileRule) -> None:
        """MakingError where ``make`` would raise it; pictures are laid out and not drawn, which is much faster."""
        if rule.making == "render":
            render_svg((self.root / rule.source).read_bytes(), 64, rule.source)
        elif rule.making == "compile":
            made = self._compile(rule, "svg" if rule.width else "pdf")
            if rule.print_form is not None:
                self._for_print(rule, made)

    def _for_print(self, rule: FileRule, document: bytes) -> bytes:
        if rule.print_form is None:
            return document
        try:
            made = separated(document, self._inks, rule.print_form)
            if self._condition is None or rule.print_form == "eps":
                return made
            return as_pdfx(made, self._condition)
        except SeparationError as error:
            raise MakingError(rule.source, str(error)) from error

    def _compile(self, rule: FileRule, form: str) -> bytes:
        if not hasattr(self._local, "compiler"):
            nowhere = self.root / "no-packages"  # nothing is fetched: there are no packages but the assets
            self._local.compiler = typst.Compiler(
                root=self.root,
                font_paths=self._fonts,
                ignore_system_fonts=True,
                package_path=nowhere,
                package_cache_path=nowhere,
            )
        inputs = dict(rule.inputs)
        if rule.width is not None and rule.height is not None:
            inputs |= {"width": str(rule.width), "height": str(rule.height)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", typst.TypstWarning)
            try:
                made: Any = self._local.compiler.compile(
                    self.root / rule.source,
                    format=form,
                    ppi=_ONE_POINT_PER_PIXEL,
                    sys_inputs=inputs,
                    timestamp=_EPOCH,
                )
            except typst.TypstError as error:
                raise _explained(self.root, rule, error) from error
            self._check_glyphs(rule, inputs)
        if isinstance(made, list):
            raise MakingError(rule.source, f"it has {len(made)} pages, a picture has one")
        assert isinstance(made, bytes)
        return _sized(made, rule) if rule.width else made

    def _check_glyphs(self, rule: FileRule, inputs: dict[str, str]) -> None:
        """MakingError for a character that no font has; looked for once for all sizes of a picture.

        Only with a standard that asks for it does typst tell of one; its other demands are not made here.
        """
        words = (rule.source, *sorted(item for item in inputs.items() if item[0] not in ("width", "height")))
        if words in self._displayed:
            return
        try:
            self._local.compiler.compile(
                self.root / rule.source, format="pdf", pdf_standards=["a-2b"], sys_inputs=inputs, timestamp=_EPOCH
            )
        except typst.TypstError as error:
            if "could not be displayed" in str(error):
                raise _explained(self.root, rule, error) from error
        self._displayed.add(words)


def render_svg(svg: bytes, width: int, source: str = "", optimise: Optimise = optimised) -> bytes:
    """Return a PNG of exactly ``width`` pixels, transparent where the drawing is; MakingError for a bad drawing."""
    try:
        drawing = read(svg)
        image = pyvips.Image.svgload_buffer(drawing.document(width, drawing.height(width), fill=True))
        rendered: bytes = image.pngsave_buffer(compression=1, strip=True)
    except DrawingError as error:
        said = " ".join(f"{fault.message}. {fault.fix}." for fault in error.faults)
        raise MakingError(source, said, error.faults[0].line) from error
    except pyvips.Error as error:
        raise MakingError(source, f"it cannot be rendered: {str(error).strip().splitlines()[-1]}") from error
    return optimise(rendered)


def _sized(picture: bytes, rule: FileRule) -> bytes:
    """Return the PNG or SVG picture if it has the size that was asked for; one point is one pixel."""
    if picture.startswith(b"<svg"):
        found = re.search(rb' width="([0-9.]+)pt" height="([0-9.]+)pt"', picture)
        assert found is not None
        size = (round(float(found[1])), round(float(found[2])))
    else:
        with Image.open(io.BytesIO(picture)) as image:
            size = image.size
    if size != (rule.width, rule.height):
        message = f"its page has {size[0]} by {size[1]} points; make it sys.inputs width by height"
        raise MakingError(rule.source, message)
    return picture


def _explained(root: Path, rule: FileRule, error: typst.TypstError) -> MakingError:
    # typst names the place as "┌─ path:line:column", the path as seen from the working directory.
    place = re.search(rf"┌─ .*{re.escape(root.name)}[/\\](.+):(\d+):\d+", str(error.diagnostic))
    source, line = (place[1], int(place[2])) if place else (rule.source, 0)
    return MakingError(source, str(error.message).replace(f"{root}{os.sep}", ""), line)
