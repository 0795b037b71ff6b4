#!/usr/bin/env bash
# pylibjxl 0.5.0: encode() of the class JXL takes no array that is read-only, which the function encode() does, and says
# something else: "incompatible function arguments", with a list of types that the array has (uint8, C order, on the
# CPU). numpy.asarray of a Pillow image is read-only, and so is numpy.frombuffer of bytes, the two ways by which pictures
# mostly come; only the class lets the number of threads be chosen. What helps: numpy.array, which copies.
# Exits non-zero where both take them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pylibjxl==0.5.0 pillow==13.0.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy
import pylibjxl
from PIL import Image

print("pylibjxl", version("pylibjxl"))
picture = Image.new("RGBA", (20, 10), (11, 92, 173, 255))
shared = numpy.asarray(picture)
assert not shared.flags.writeable
print("encode(), read-only:", len(pylibjxl.encode(shared, lossless=True)), "bytes")
with pylibjxl.JXL(threads=1) as codec:
    print("JXL().encode(), a copy:", len(codec.encode(numpy.array(picture), lossless=True)), "bytes")
    try:
        codec.encode(shared, lossless=True)
    except TypeError as error:
        print("JXL().encode(), read-only:", str(error).splitlines()[0])
    else:
        sys.exit("This has changed: a read-only array is taken.")
PYTHON
