"""Texts that lack a language are listed with file, line and the languages; the shipped policies lack none."""

from __future__ import annotations

import shutil
from pathlib import Path

from service.campaign import LANGUAGES, untranslated

from .conftest import ROOT, Copy


def test_the_shipped_policies_are_written_in_every_language() -> None:
    assert untranslated(ROOT / "policies", ROOT / "nothing") == []


def test_shipped_packages_lack_no_text_and_their_files_only_what_is_said_in_the_documentation() -> None:
    gaps = untranslated(ROOT / "nothing", ROOT / "assets")
    assert {gap.what for gap in gaps} <= {"languages"}


def test_a_text_that_lacks_languages_is_listed(copy: Copy) -> None:
    actions = copy.policies / "actions.yaml"
    lines = actions.read_text(encoding="utf-8").splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if "id: profile-picture" in line)
    del lines[place + 4 : place + 6]  # id, effort, title, en, then ar and es
    actions.write_text("".join(lines), encoding="utf-8")
    (gap,) = untranslated(copy.policies, copy.assets)
    assert gap.languages == ("ar", "es")
    assert gap.line == place + 3
    assert str(gap).endswith(f"actions.yaml:{place + 3}: kinds.individual.actions.profile-picture.title: ar, es")
    assert copy.load().actions["individual"].actions[0].title.get("ar") == "Wear the heart online"


def test_terms_and_the_files_of_a_package_are_listed_by_their_languages(copy: Copy, tmp_path: Path) -> None:
    copy.edit("terms/tool-terms/terms.yaml", "[ar, en, es, fr, ru, zh]", "[en, fr]")
    assets = tmp_path / "assets"
    shutil.copytree(ROOT / "assets" / "tools" / "posters", assets / "tools" / "posters")
    manifest = assets / "tools" / "posters" / "manifest.yaml"
    text = manifest.read_text(encoding="utf-8")
    start = text.index("\nlanguages: ")
    manifest.write_text(text[:start] + "\nlanguages: [en]" + text[text.index("\n", start + 1) :], encoding="utf-8")
    terms, posters = untranslated(copy.policies, assets)
    assert (terms.what, terms.languages) == ("versions.2026-03-01.languages", ("ar", "es", "ru", "zh"))
    assert (posters.what, posters.languages) == ("languages", tuple(lang for lang in LANGUAGES if lang != "en"))


def test_a_file_with_mistakes_is_left_to_those_who_tell_mistakes(copy: Copy) -> None:
    (copy.policies / "actions.yaml").write_text("about: [\n", encoding="utf-8")
    assert untranslated(copy.policies, copy.assets) == []
