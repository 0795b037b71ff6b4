"""docs/asvs.md answers every requirement of OWASP ASVS 5.0 at level 2, and names only what is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
#: Of each section of ASVS 5.0.0, the level of each of its requirements in order: 345 requirements, 253 to level 2.
LEVELS = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123",
    "2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23",
    "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5": "11122333", "3.6": "3", "3.7": "22333",
    "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222",
    "5.1": "2", "5.2": "112333", "5.3": "113", "5.4": "222",
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333", "6.6": "2223",
    "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222",
    "10.1": "22", "10.2": "223", "10.3": "22223", "10.4": "1111122222233333", "10.5": "22222", "10.6": "22",
    "10.7": "222",
    "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222", "11.5": "23", "11.6": "23", "11.7": "33",
    "12.1": "12233", "12.2": "11", "12.3": "22223",
    "13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233",
    "14.1": "22", "14.2": "12223333", "14.3": "122",
    "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333",
    "16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223",
    "17.1": "23", "17.2": "22223333", "17.3": "22",
}  # fmt: skip
LEVEL_2 = [
    f"V{section}.{place}" for section, levels in LEVELS.items() for place, level in enumerate(levels, 1) if level < "3"
]


def answers() -> dict[str, str]:
    """The answer to each requirement."""
    found: dict[str, str] = {}
    for line in PAGE.splitlines():
        if line.startswith("| V"):
            ids, asked, answer = (cell.strip() for cell in line.strip("|").split(" | "))
            assert asked
            for one in ids.strip("| ").split(", "):
                assert one not in found, one
                found[one] = answer.strip("| ")
    return found


def test_every_requirement_of_level_2_is_answered() -> None:
    found = answers()
    assert sorted(found) == sorted(LEVEL_2)
    counted = {"shown": 0, "does not apply": 0, "decided otherwise": 0}
    for one, answer in found.items():
        assert "**open**" not in answer, one
        if answer.startswith("**decided otherwise**"):
            assert "](decisions/" in answer, f"{one} names no record"
            counted["decided otherwise"] += 1
        elif answer.startswith("does not apply"):
            assert len(answer) > len("does not apply: "), one
            counted["does not apply"] += 1
        else:
            assert "`tests/" in answer or "](" in answer, f"{one} names neither a test nor a page"
            counted["shown"] += 1
    print(f"ASVS 5.0 level 2: {len(found)} requirements, {counted}")
    assert sum(counted.values()) == 253


def test_every_test_that_is_named_exists() -> None:
    for answer in answers().values():
        file = ""
        for match in re.finditer(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", answer):
            file = match[1] or file
            if match[1] or match[2]:
                text = (ROOT / file).read_text(encoding="utf-8")
                assert not match[2] or f"def {match[2]}(" in text, (file, match[2])


def test_every_page_and_heading_that_is_named_exists() -> None:
    for page, heading in re.findall(r"\]\(([\w/-]+\.md)(?:#([\w-]+))?\)", PAGE):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in headings}
        assert not heading or heading in slugs, (page, heading)
