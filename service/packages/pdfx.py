"""PDF/X-4: a PDF that is separated into inks, told for which printing condition (ISO 15930-7:2010).

The standard asks for what ``separation`` sees to already (inks, boxes, embedded fonts, nothing transparent), and for
an output intent with the condition's ICC profile (6.2.3), and metadata that names the standard, says whether the
file is trapped, and when it was made (6.8). The version of the document (``xmpMM:VersionID``) is among its rights,
which are written last.
"""

from __future__ import annotations

import io
import re
from xml.sax.saxutils import escape

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from ..campaign.print_condition import PrintCondition
from .separation import SeparationError

STANDARD = "PDF/X-4"
PDF_VERSION = "1.6"  # the standard's
_MADE = "1980-01-01T00:00:00Z"  # of documents without a date of their own, as in the archive
_NAMES = (
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"'
    ' xmlns:pdfxid="http://www.npes.org/pdfx/ns/id/"'
)
_DATES = ("CreateDate", "ModifyDate", "MetadataDate")


def as_pdfx(content: bytes, condition: PrintCondition) -> bytes:
    """Return the PDF as PDF/X-4 for a printing condition; what is drawn does not change.

    Raises SeparationError for a document without a title, which the standard asks for.
    """
    with pikepdf.open(io.BytesIO(content)) as pdf, io.BytesIO() as out:
        xmp = bytes(pdf.Root.Metadata.read_bytes())
        if b"<dc:title>" not in xmp:
            raise SeparationError(f"it has no title, which {STANDARD} asks for: add #set document(title: …)")
        profile = pdf.make_stream(condition.profile, N=4, Alternate=Name.DeviceCMYK)
        intent = Dictionary(
            Type=Name.OutputIntent,
            S=Name.GTS_PDFX,
            OutputConditionIdentifier=String(condition.identifier),
            OutputCondition=String(condition.name),
            RegistryName=String(condition.registry),
            Info=String(condition.name),
            DestOutputProfile=profile,
        )
        pdf.Root.OutputIntents = Array([pdf.make_indirect(intent)])
        pdf.docinfo[Name.Trapped] = Name("/False")  # nothing overlaps in other inks that would need it
        stream = pikepdf.Stream(pdf, _described(xmp))
        stream.Type, stream.Subtype = Name.Metadata, Name.XML
        pdf.Root.Metadata = pdf.make_indirect(stream)
        pdf.save(out, deterministic_id=True, force_version=PDF_VERSION)
        return out.getvalue()


def _described(xmp: bytes) -> bytes:
    """The metadata with what the standard asks for and it does not say already."""
    xmp = re.sub(rb"<pdf:PDFVersion>[^<]*<", f"<pdf:PDFVersion>{PDF_VERSION}<".encode(), xmp)
    said = {f"xmp:{name}": _MADE for name in _DATES if f"<xmp:{name}>".encode() not in xmp}
    said |= {"pdf:Trapped": "False", "pdfxid:GTS_PDFXVersion": STANDARD}
    properties = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in said.items())
    description = f'<rdf:Description rdf:about="" {_NAMES}>{properties}</rdf:Description>'
    before, end, after = xmp.rpartition(b"</rdf:RDF>")
    return before + description.encode() + end + after
