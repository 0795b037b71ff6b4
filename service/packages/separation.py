"""Files for printers: the colours of a PDF as the inks that the brand rules name, and the same drawing as EPS.

typst writes every colour in RGB, and CMYK in steps of 1/255, where 94 % becomes 0.9412. So what it wrote is read
instruction by instruction, and each colour is replaced by its ink: in DeviceCMYK to the whole percent, or as a
Separation with the spot colour's name (ISO 32000-2, 8.6.4.4 and 8.6.6.4). A colour without an ink is refused, as is
what cannot be separated by replacing colours: gradients, pictures, transparency.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Literal

import pikepdf
from pikepdf import Dictionary, Name, Operator

from .inks import Inks, PrintInk

Form = Literal["cmyk", "spot", "eps"]
_FILL, _STROKE = frozenset({"cs", "sc", "scn", "rg", "g", "k"}), frozenset({"CS", "SC", "SCN", "RG", "G", "K"})
_SPACES = {1: "grey", 3: "rgb", 4: "cmyk"}
_REFUSED = {"sh": "a gradient", "Do": "a picture or a group", "BI": "a picture", "gs": "transparency"}
#: PostScript's names of the operators for paths and painting (ISO 32000-2, annex A; PLRM, chapter 8).
_POSTSCRIPT = {
    "q": "gsave", "Q": "grestore", "m": "moveto", "l": "lineto", "c": "curveto", "h": "closepath", "n": "newpath",
    "f": "fill", "f*": "eofill", "S": "stroke", "W": "clip", "W*": "eoclip", "w": "setlinewidth", "J": "setlinecap",
    "j": "setlinejoin", "M": "setmiterlimit", "k": "setcmykcolor", "K": "setcmykcolor",
}  # fmt: skip
_SILENT = frozenset({"BDC", "BMC", "EMC", "ri", "i"})


class SeparationError(Exception):
    """A file that cannot be made for print; the message says why and what to do."""


Instruction = tuple[list[Any], str]


def separated(content: bytes, inks: Inks, form: Form) -> bytes:
    """The PDF with every colour as its ink, or the only page of it as EPS; SeparationError where that cannot be."""
    with pikepdf.open(io.BytesIO(content)) as pdf, io.BytesIO() as out:
        if form == "eps":
            return _eps(pdf, inks)
        for page in pdf.pages:
            instructions = list(_inked(page, inks, form))
            page.Contents = pdf.make_stream(
                pikepdf.unparse_content_stream([(operands, Operator(name)) for operands, name in instructions])
            )
            _resources(pdf, page, inks, form)
            page.TrimBox = page.get("/TrimBox", page.MediaBox)
            page.BleedBox = page.MediaBox
            if "/Group" in page:
                del page["/Group"]
        pdf.save(out, deterministic_id=True)
        return out.getvalue()


def _inked(page: pikepdf.Page, inks: Inks, form: Form) -> Iterator[Instruction]:
    """The instructions of a page with colours replaced."""
    spaces: list[dict[bool, str]] = [{False: "grey", True: "grey"}]
    for instruction in pikepdf.parse_content_stream(page):
        name, operands = str(instruction.operator), list(instruction.operands)
        if name in _REFUSED and not (name == "gs" and _opaque(page, operands[0])):
            raise SeparationError(
                f"it has {_REFUSED[name]}, which cannot be separated into inks: draw it in even colours"
            )
        if name == "q":
            spaces.append(dict(spaces[-1]))
        elif name == "Q":
            spaces.pop()
        elif name in _FILL | _STROKE:
            stroke = name in _STROKE
            if name.lower() == "cs":
                spaces[-1][stroke] = _space(page, operands[0])
                continue
            space = {"rg": "rgb", "g": "grey", "k": "cmyk"}.get(name.lower(), spaces[-1][stroke])
            yield from _paint(_ink(space, operands, inks), form, stroke)
            continue
        if name != "gs":
            yield operands, name


def _space(page: pikepdf.Page, name: Any) -> str:
    named = {"/DeviceGray": "grey", "/DeviceRGB": "rgb", "/DeviceCMYK": "cmyk"}.get(str(name))
    if named:
        return named
    if name == Name.Pattern:
        raise SeparationError("it has a gradient or a pattern, which is no ink: draw it in even colours")
    space = page.Resources.ColorSpace[name]
    if isinstance(space, pikepdf.Array) and space[0] == Name.ICCBased:
        return _SPACES[int(space[1].N)]
    raise SeparationError(f"it has colours in the space {name}, which have no inks: use even colours in RGB")


def _opaque(page: pikepdf.Page, name: Any) -> bool:
    state = page.Resources.ExtGState[name]
    plain = all(float(state.get(key, 1)) == 1 for key in ("/ca", "/CA"))
    return plain and str(state.get("/SMask", "/None")) == "/None" and str(state.get("/BM", "/Normal")) == "/Normal"


def _ink(space: str, operands: list[Any], inks: Inks) -> PrintInk:
    values = [float(value) for value in operands]
    if space == "cmyk":
        raise SeparationError("it has colours in CMYK already: write them in RGB, and their inks into brand.yaml")
    red, green, blue = values * 3 if space == "grey" else values
    colour = "".join(f"{round(value * 255):02x}" for value in (red, green, blue))
    if colour not in inks:
        raise SeparationError(f"the colour {colour} has no inks: add it to print_colours: in brand.yaml")
    return inks[colour]


def _paint(ink: PrintInk, form: Form, stroke: bool) -> Iterator[Instruction]:
    if form == "spot":
        if ink.spot is None:
            raise SeparationError(f"{ink.name} is no spot colour: add spot: to it in brand.yaml, or print it in CMYK")
        yield [Name("/" + _resource(ink.spot))], "CS" if stroke else "cs"
        yield [1], "SCN" if stroke else "scn"
        return
    yield [Decimal(part) / 100 for part in ink.cmyk], "K" if stroke else "k"


def _resource(spot: str) -> str:
    return "Spot" + "".join(character for character in spot if character.isascii() and character.isalnum())


def _resources(pdf: pikepdf.Pdf, page: pikepdf.Page, inks: Inks, form: Form) -> None:
    """Leaves out what only RGB needed, and describes the spot colours."""
    resources = page.Resources
    for name in ("/ColorSpace", "/ExtGState", "/Pattern"):
        if name in resources:
            del resources[name]
    if form == "spot":
        spots = {ink.spot: ink for ink in inks.values() if ink.spot}
        resources.ColorSpace = Dictionary(
            {f"/{_resource(spot)}": pdf.make_indirect(_separation(spot, ink)) for spot, ink in sorted(spots.items())}
        )


def _separation(spot: str, ink: PrintInk) -> pikepdf.Array:
    """The colour space of a spot colour; where its ink is not there, it is mixed from the four."""
    mixed = [Decimal(part) / 100 for part in ink.cmyk]
    mixing = Dictionary(FunctionType=2, Domain=[0, 1], C0=[0, 0, 0, 0], C1=mixed, N=1)
    return pikepdf.Array([Name.Separation, Name("/" + spot), Name.DeviceCMYK, mixing])


def _eps(pdf: pikepdf.Pdf, inks: Inks) -> bytes:
    """The page in Encapsulated PostScript 3.0 (Adobe technical note 5002), level 2 for CMYK."""
    (page,) = pdf.pages
    left, bottom, right, top = (float(edge) for edge in page.MediaBox)
    lines = [
        "%!PS-Adobe-3.0 EPSF-3.0",
        f"%%BoundingBox: {int(left)} {int(bottom)} {-int(-right // 1)} {-int(-top // 1)}",
        f"%%HiResBoundingBox: {left:g} {bottom:g} {right:.5f} {top:.5f}",
        "%%LanguageLevel: 2",
        "%%DocumentProcessColors: Cyan Magenta Yellow Black",
        "%%EndComments",
        "gsave",
        *_postscript(_inked(page, inks, "cmyk")),
        "grestore",
        "%%EOF",
    ]
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _postscript(instructions: Iterable[Instruction]) -> Iterator[str]:
    clip = ""
    for operands, name in instructions:
        if name in _SILENT:
            continue
        numbers = " ".join(f"{Decimal(str(value)).normalize():f}" for value in operands)
        if name == "cm":
            yield f"[{numbers}] concat"
        elif name == "re":
            x, y, width, height = (float(value) for value in operands)
            corners = ((x, y, "moveto"), (x + width, y, "lineto"), (x + width, y + height, "lineto"))
            yield " ".join(f"{a:g} {b:g} {word}" for a, b, word in (*corners, (x, y + height, "lineto"))) + " closepath"
        elif name in ("W", "W*"):
            clip = _POSTSCRIPT[name]  # it comes before the operator that ends the path, and acts after it
        elif name in _POSTSCRIPT:
            word = _POSTSCRIPT[name]
            yield f"{clip} {word}" if clip and name == "n" else f"{numbers} {word}".strip()
            clip = ""
        else:
            raise SeparationError(f"it has what EPS is not made of here ({name}): make EPS of drawings alone")
