#!/usr/bin/env bash
# pyvips 3.2.0 with libvips 8.18.7: XMP of a PNG is written into a zTXt chunk. The XMP specification (part 3, 1.1.5) and
# the PNG specification's list of keywords have it in an iTXt chunk, uncompressed, since XMP is UTF-8 and zTXt is
# Latin-1. Pillow 13.0.0 finds no XMP in such a file: info has no "xmp" and getxmp() gives nothing, though the same
# packet in an iTXt chunk is found. What helps: write the chunk oneself.
# Exits non-zero where libvips writes another chunk, or Pillow finds it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pyvips[binary]==3.2.0" pyvips-binary==8.18.7 pillow==13.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys
import zlib

import pyvips
from PIL import Image

packet = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmpRights:Marked="True"/>'
    "</rdf:RDF></x:xmpmeta>"
).encode()
picture = pyvips.Image.black(10, 10, bands=3).copy(interpretation="srgb")
picture.set_type(pyvips.GValue.blob_type, "xmp-data", packet)
png = picture.pngsave_buffer()
chunks, place = {}, 8
while place < len(png):
    size = int.from_bytes(png[place : place + 4], "big")
    chunks[png[place + 4 : place + 8].decode()] = png[place + 8 : place + 8 + size]
    place += 12 + size
with_xmp = [name for name, content in chunks.items() if content.startswith(b"XML:com.adobe.xmp")]
print("libvips", ".".join(str(pyvips.version(part)) for part in range(3)), "writes XMP into", with_xmp)
data = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + packet
right = png[:33] + (len(data) - 4).to_bytes(4, "big") + data + zlib.crc32(data).to_bytes(4, "big") + png[33:]
found = {name: "xmp" in Image.open(io.BytesIO(file)).info for name, file in (("zTXt", png), ("iTXt", right))}
print("Pillow finds XMP:", found)
if with_xmp != ["zTXt"] or found != {"zTXt": False, "iTXt": True}:
    sys.exit("This has changed.")
PYTHON
