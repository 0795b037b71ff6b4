"""Archives depend on nothing but the names and contents of their members."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from service.packages.archive import write_archive

MEMBERS = {"b/two.txt": b"2", "a.txt": b"1" * 1000, "Zoë.txt": b"3"}


def archive(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    write_archive(members, file)
    return file.getvalue()


def test_the_order_of_the_members_given_does_not_matter() -> None:
    assert archive(MEMBERS) == archive(dict(reversed(MEMBERS.items())))


def test_members_are_in_the_order_of_their_bytes_and_read_back() -> None:
    with zipfile.ZipFile(io.BytesIO(archive(MEMBERS))) as opened:
        assert opened.namelist() == ["Zoë.txt", "a.txt", "b/two.txt"]
        assert {name: opened.read(name) for name in opened.namelist()} == MEMBERS
        assert opened.testzip() is None


def test_no_bit_of_the_machine_is_in_it() -> None:
    with zipfile.ZipFile(io.BytesIO(archive(MEMBERS))) as opened:
        for info in opened.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.create_system == 3
            assert info.external_attr >> 16 == 0o100644
            assert info.compress_type == zipfile.ZIP_STORED
            assert not info.extra


def test_the_clock_and_the_umask_do_not_reach_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = archive(MEMBERS)
    monkeypatch.setattr("time.time", lambda: 0.0)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    with (tmp_path / "a.zip").open("wb") as file:
        write_archive(MEMBERS, file)
    assert (tmp_path / "a.zip").read_bytes() == first
