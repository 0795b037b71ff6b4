"""ZIP files whose bytes depend on nothing but the names and contents of their members.

Order is that of the names' bytes; times, permissions and the making system are fixed. Members are stored,
not deflated: whatever is large in a package is compressed already, and so no difference between
compression libraries can reach the bytes.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from typing import BinaryIO

_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that the format knows
_UNIX = 3
_MODE = 0o100644 << 16


def write_archive(members: Mapping[str, bytes], file: BinaryIO, *, compression: int = zipfile.ZIP_STORED) -> None:
    """Write the members, by path, as a ZIP file."""
    with zipfile.ZipFile(file, "w", compression) as archive:
        for path in sorted(members, key=str.encode):
            info = zipfile.ZipInfo(path, _TIME)
            info.create_system = _UNIX
            info.external_attr = _MODE
            info.compress_type = compression
            archive.writestr(info, members[path])
