"""A museum of bad policies, each named after its defect: every one is told with its file, its line and the fix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from service.campaign import CampaignError

from .conftest import Copy
from .museum import MUSEUM, Defect

PIECES = [pytest.param(file, defect, id=defect.name) for file, defects in MUSEUM.items() for defect in defects]


def line_of(path: Path, at: str) -> int:
    """The line that holds a text: the first, or with a star the last one."""
    text = path.read_text(encoding="utf-8")
    position = text.rindex(at[1:]) if at.startswith("*") else text.index(at)
    return text[:position].count("\n") + 1


@pytest.mark.parametrize(("file", "defect"), PIECES)
def test_every_defect_is_told_with_its_line_and_fix(copy: Copy, file: str, defect: Defect) -> None:
    copy.edit(file, defect.old, defect.new)
    path = copy.policies / file
    told = [
        mistake
        for mistake in copy.mistakes()
        if mistake.file == path.as_posix()
        and defect.said in mistake.message
        and defect.fix in mistake.fix
        and (not defect.at or mistake.line == line_of(path, defect.at))
    ]
    assert len(told) == 1, "\n".join(map(str, copy.mistakes()))


def test_names_are_used_once() -> None:
    names = [defect.name for defects in MUSEUM.values() for defect in defects]
    assert len(names) == len(set(names))


def only(copy: Copy) -> str:
    """The one mistake in a copy, as it is printed, from the file's name within the policies."""
    with pytest.raises(CampaignError) as caught:
        copy.load()
    (mistake,) = caught.value.mistakes
    return str(mistake).removeprefix(f"{copy.policies.as_posix()}/")


def remove(file: str) -> Callable[[Path], object]:
    return lambda policies: (policies / file).unlink()


def write(file: str, content: bytes) -> Callable[[Path], object]:
    def change(policies: Path) -> None:
        (policies / file).parent.mkdir(parents=True, exist_ok=True)
        (policies / file).write_bytes(content)

    return change


NEST = b"- " * 3000
BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (ord("a") + n, ord("a") + n, b",".join([b"*%c" % (ord("a") + n - 1)] * 9)) for n in range(1, 9)
)
DE = "terms/logo-terms/2026-03-01/de.md"
EN = "terms/logo-terms/2026-03-01/en.md"


FILES = [
    pytest.param(remove("clients.yaml"), "clients.yaml:0: The file is missing.", id="file_missing"),
    pytest.param(write("clients.yaml", b""), "clients.yaml:1: The file is empty.", id="file_empty"),
    pytest.param(write("clients.yaml", b"# nothing\n"), "clients.yaml:1: The file is empty.", id="only_a_comment"),
    pytest.param(write("clients.yaml", b"- a\n"), "clients.yaml:1: named values are needed", id="a_list"),
    pytest.param(write("clients.yaml", b"x\n\xff\n"), "clients.yaml:2: The file is not UTF-8", id="latin_1"),
    pytest.param(write("clients.yaml", b"a: \x00"), "clients.yaml:1: This is not valid YAML", id="zero_byte"),
    pytest.param(write("clients.yaml", NEST), "clients.yaml:1: The values are nested too", id="nested_deeply"),
    pytest.param(write("clients.yaml", BOMB), "clients.yaml:1: This is not valid YAML: it has", id="alias_bomb"),
    pytest.param(write("parties.csv", b""), "parties.csv:1: The columns are not", id="table_empty"),
    pytest.param(remove(EN), f"{EN}:0: The file is missing.", id="text_of_terms_missing"),
    pytest.param(write(EN, b""), f"{EN}:1: The file does not begin with its title", id="text_of_terms_empty"),
    pytest.param(write(EN, b"Terms\n"), f"{EN}:1: The file does not begin with its", id="terms_without_title"),
    pytest.param(write(EN, b"# Terms\n\n"), f"{EN}:1: The file has a title and no text", id="terms_without_text"),
    pytest.param(write(EN, b"\xef\xbb\xbf# T\nx"), f"{EN}:1: The file begins with a byte order", id="terms_with_bom"),
    pytest.param(write(EN, b"# T\n\xe9"), f"{EN}:2: The file is not UTF-8", id="terms_in_latin_1"),
    pytest.param(write(DE, b"# T\nx"), f"{DE}:0: de is not among the languages", id="terms_in_a_language_not_listed"),
    pytest.param(
        write("terms/logo-terms/2025-01-01/en.md", b"# T\nx"),
        "terms/logo-terms/2025-01-01:0: The version 2025-01-01 is not in terms.yaml",
        id="version_not_listed",
    ),
    pytest.param(
        write("terms/other/x.txt", b""), "terms/other/terms.yaml:0: The file is missing", id="terms_without_list"
    ),
]


@pytest.mark.parametrize(
    ("change", "said"),
    FILES,
)
def test_a_file_that_is_no_good_as_a_whole(copy: Copy, change: Callable[[Path], object], said: str) -> None:
    change(copy.policies)
    assert only(copy).startswith(said)


def test_terms_that_assets_need_and_nobody_wrote(copy: Copy) -> None:
    (copy.policies / "terms" / "logo-terms").rename(copy.policies / "terms" / "other-terms")
    told = copy.mistakes()
    assert {Path(mistake.file).name for mistake in told} == {"manifest.yaml"}
    assert all("'logo-terms'" in mistake.message for mistake in told)


def test_a_version_without_english(copy: Copy) -> None:
    copy.edit("terms/logo-terms/terms.yaml", "[ar, en, es, fr, ru, zh]", "[fr]")
    assert "terms.yaml:14: The English text is missing." in only(copy)


def test_a_version_without_the_language_that_counts(copy: Copy) -> None:
    copy.edit("terms/logo-terms/terms.yaml", "authoritative: en", "authoritative: fr")
    copy.edit("terms/logo-terms/terms.yaml", "[ar, en, es, fr, ru, zh]", "[ar, en, es, ru, zh]")
    assert "terms.yaml:14: The authoritative language, fr, is missing. Add fr, and the file fr.md" in only(copy)


def test_a_kind_without_actions(copy: Copy) -> None:
    path = copy.policies / "actions.yaml"
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    del written["kinds"]["individual"]
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    assert "individual has no actions. Add individual:" in only(copy)
