#!/usr/bin/env bash
# pillow 13.0.0 (libavif 1.4.2 with libaom): the bytes of an AVIF with transparency depend on the number of threads, and
# that is the number of the machine's cores unless max_threads says otherwise. So the same picture, written by the same
# versions, has other bytes and another digest on a machine with one core than on one with two or more; without
# transparency they are the same here. Whoever names files by their digest, compares machines or caches by ETag meets
# it. What helps: max_threads=1.
# Exits non-zero where the bytes no longer depend on it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import hashlib
import io
import sys

import PIL
from PIL import Image, ImageDraw, features

print("pillow", PIL.__version__, "libavif", features.version("avif"))
picture = Image.new("RGBA", (800, 600), (11, 92, 173, 0))
ImageDraw.Draw(picture).ellipse((150, 50, 650, 550), fill=(11, 92, 173, 255))


def digest(threads):
    out = io.BytesIO()
    picture.save(out, "AVIF", quality=60, speed=6, codec="aom", max_threads=threads)
    print(f"{threads} threads: {len(out.getvalue())} bytes, SHA-256 {hashlib.sha256(out.getvalue()).hexdigest()[:16]}")
    return out.getvalue()


one, again, two = digest(1), digest(1), digest(2)
if one != again:
    sys.exit("This has changed: the same call gives other bytes.")
if one == two:
    sys.exit("This has changed: the bytes no longer depend on the number of threads.")
PYTHON
