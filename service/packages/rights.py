"""Rights in the file: XMP that says whose a picture or document is, and under which terms it may be used.

XMP is ISO 16684-1; where it lies in each kind of file is XMP Specification Part 3. The names are those of XMP Rights
Management (owner, usage terms, web statement), Creative Commons (license) and XMP Media Management (version), which
search engines and picture editors show.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ..campaign.content import RightsStatement
from ..campaign.manifests import PackageManifest

_PNG_HEAD = 33  # bytes of the signature and the first chunk, IHDR
_SVG_ROOT = re.compile(rb"<svg\b[^>]*>")
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_NAMES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "cc": "http://creativecommons.org/ns#",
}


@dataclass(frozen=True)
class Rights:
    """Rights that a file states; texts by language, addresses those of the campaign and not of a deployment."""

    owner: str
    usage_terms: Mapping[str, str]
    web_statement: str
    licence: str
    version: str

    @classmethod
    def of(cls, statement: RightsStatement, manifest: PackageManifest) -> Rights:
        """The rights in the files of a package."""
        return cls(
            owner=statement.owner,
            usage_terms=manifest.licence.as_json(),
            web_statement=statement.web_statement,
            licence=statement.licence.replace("{terms}", manifest.terms),
            version=manifest.version,
        )

    def rdf(self) -> str:
        """The rights as one ``rdf:Description``."""
        names = "".join(f" xmlns:{prefix}={quoteattr(name)}" for prefix, name in _NAMES.items())
        terms = {"x-default": self.usage_terms["en"], **dict(sorted(self.usage_terms.items()))}
        texts = "".join(f"<rdf:li xml:lang={quoteattr(lang)}>{escape(text)}</rdf:li>" for lang, text in terms.items())
        return (
            f'<rdf:Description rdf:about=""{names}>'
            f"<dc:rights><rdf:Alt>{texts}</rdf:Alt></dc:rights>"
            "<xmpRights:Marked>True</xmpRights:Marked>"
            f"<xmpRights:Owner><rdf:Bag><rdf:li>{escape(self.owner)}</rdf:li></rdf:Bag></xmpRights:Owner>"
            f"<xmpRights:UsageTerms><rdf:Alt>{texts}</rdf:Alt></xmpRights:UsageTerms>"
            f"<xmpRights:WebStatement>{escape(self.web_statement)}</xmpRights:WebStatement>"
            f"<cc:license rdf:resource={quoteattr(self.licence)}/>"
            f"<xmpMM:VersionID>{escape(self.version)}</xmpMM:VersionID>"
            "</rdf:Description>"
        )

    def document(self) -> str:
        """The rights as an XMP document."""
        return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">{self.rdf()}</rdf:RDF></x:xmpmeta>'

    def packet(self) -> bytes:
        """The document in the wrapper by which readers find XMP in a file (Part 1, 7.3)."""
        begin = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        return f'{begin}{self.document()}<?xpacket end="r"?>'.encode()


def with_rights(content: bytes, path: str, rights: Rights) -> bytes:
    """The file with its rights in it, where it is of a kind that carries them; else as it is.

    What is shown does not change. ValueError for a file that is not of the kind that its name says.
    """
    write = _WRITERS.get(path.rpartition(".")[2])
    return write(content, rights) if write else content


def _png(content: bytes, rights: Rights) -> bytes:
    # An uncompressed iTXt chunk, as the specification has it: what libvips writes (zTXt) other readers do not find.
    if content[12:16] != b"IHDR":
        raise ValueError("this is no PNG")
    data = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + rights.packet()
    chunk = (len(data) - 4).to_bytes(4, "big") + data + zlib.crc32(data).to_bytes(4, "big")
    return content[:_PNG_HEAD] + chunk + content[_PNG_HEAD:]


def _svg(content: bytes, rights: Rights) -> bytes:
    root = _SVG_ROOT.search(content)
    if root is None or root[0].endswith(b"/>"):
        raise ValueError("this is no SVG with anything in it")
    metadata = b"<metadata>" + rights.document().encode() + b"</metadata>"
    return content[: root.end()] + metadata + content[root.end() :]


def _pdf(content: bytes, rights: Rights) -> bytes:
    import pikepdf  # here, because only building needs it, and not every start of the service

    try:
        pdf = pikepdf.open(io.BytesIO(content))
    except pikepdf.PdfError as error:
        raise ValueError("this is no PDF") from error
    with pdf, io.BytesIO() as out:
        before = bytes(pdf.Root.Metadata.read_bytes()) if "/Metadata" in pdf.Root else b""
        end = before.rfind(b"</rdf:RDF>")
        both = before[:end] + rights.rdf().encode() + before[end:] if end >= 0 else rights.packet()
        stream = pikepdf.Stream(pdf, both)
        stream.Type, stream.Subtype = pikepdf.Name.Metadata, pikepdf.Name.XML
        pdf.Root.Metadata = pdf.make_indirect(stream)
        pdf.save(out, deterministic_id=True)
        return out.getvalue()


_WRITERS: dict[str, Callable[[bytes, Rights], bytes]] = {"png": _png, "svg": _svg, "pdf": _pdf}
