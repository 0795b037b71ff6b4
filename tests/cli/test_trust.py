"""What the options of verifications take, and what they say of what they do not take."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from service.cli.trust import token_of

KEY = "emb_Zq7SECRETq7Zq7Zq7Zq7"


@pytest.mark.parametrize("written", [f"{KEY}\n", f"\ufeff{KEY}\r\n", f"  {KEY}  "])
def test_a_key_is_read_however_an_editor_saved_it(tmp_path: Path, written: str) -> None:
    (tmp_path / "key").write_text(written, encoding="utf-8")
    assert token_of(tmp_path / "key") == KEY
    assert token_of(None) is None


@pytest.mark.parametrize("written", ["", f"{KEY}\n{KEY}\n", f"{KEY} {KEY}", f"{KEY}\0", f"{KEY}é", f"key: {KEY}"])
def test_a_file_that_is_no_key_is_named_and_not_shown(tmp_path: Path, written: str) -> None:
    (tmp_path / "key").write_text(written, encoding="utf-8")
    with pytest.raises(click.UsageError) as refused:
        token_of(tmp_path / "key")
    assert str(tmp_path / "key") in refused.value.message
    assert KEY not in refused.value.message
