"""``artwork.yaml``: how the artwork check judges what it measures; the limits themselves stand in ``brand.yaml``."""

from __future__ import annotations

import string
from typing import Annotated, Literal, get_args

from pydantic import Field as Setting

from .brand import ArtworkRule
from .source import Source, Strict
from .text import Text

Figure = Annotated[float, Setting(ge=0)]


class Band(Strict):
    """From ``question`` on a person has to look; from ``clear`` on it is a violation."""

    question: Figure
    clear: Figure


class RuleJudgement(Strict):
    """Judgement by one rule.

    ``band`` is how far beyond the rule's limit a figure is a question and no violation yet, in the limit's unit;
    ``pixel`` widens it by so many pixels of the logo's width, since a small logo cannot be measured as well.
    ``found`` says what was measured, with ``{measured}`` and ``{required}`` in it.
    """

    severity: Literal["must", "should"]
    band: Figure = 0
    pixel: Figure = 0
    found: Text


class EffectSigns(Strict):
    """Limits beyond which an effect shows: uneven ink and relief in colour difference, a halo as a share of outline."""

    uneven: Band
    relief: Band
    graded: Band
    halo: Band


class GroundSigns(Strict):
    """Limits by which a ground is judged: ``busy`` in steps of colour difference; bands of CIE lightness and chroma."""

    busy: Band
    lightness: Figure
    chroma: Figure


class PhotographSigns(Strict):
    """Limits for a photograph of a print, where light and lens change colours and edges."""

    delta_e: Band
    missing: Band
    softness: Figure


class ArtworkFile(Strict):
    """``artwork.yaml``."""

    rules: dict[ArtworkRule, RuleJudgement]
    effect: EffectSigns
    ground: GroundSigns
    photograph: PhotographSigns
    print_resolution: Annotated[float, Setting(ge=72, le=1200)]
    sure: Annotated[float, Setting(gt=0, le=1)]
    notes: dict[Literal["transparent", "animation", "pages", "reduced"], Text]

    def for_rule(self, rule: str) -> RuleJudgement:
        """Return how one rule is judged."""
        return {str(name): judgement for name, judgement in self.rules.items()}[rule]

    def note(self, name: str, lang: str, number: float) -> str | None:
        """A remark on how a file was read, with its number; None where there is none of this name."""
        text = {str(key): text for key, text in self.notes.items()}.get(name)
        return None if text is None else text.get(lang).replace("{number}", f"{number:g}")


def check_artwork(source: Source, written: ArtworkFile) -> None:
    """Notes what a schema cannot see: rules that are missing, bands that are turned, words that cannot be filled in."""
    for rule in get_args(ArtworkRule):
        if rule not in written.rules:
            source.mistake(("rules",), f"The rule {rule} is missing", f"Add {rule}: with its severity and found")
    for name, judgement in written.rules.items():
        for language, text in judgement.found.root.items():
            _check_fields(source, ("rules", str(name), "found", language), text, {"measured", "required"})
    for remark in ("transparent", "animation", "pages", "reduced"):
        note = {str(key): text for key, text in written.notes.items()}.get(remark)
        if note is None:
            source.mistake(("notes",), f"The note {remark} is missing", f"Add {remark}: with its text")
            continue
        for language, text in note.root.items():
            _check_fields(source, ("notes", remark, language), text, {"number"})
    groups: tuple[tuple[str, Strict], ...] = (
        ("effect", written.effect),
        ("ground", written.ground),
        ("photograph", written.photograph),
    )
    for group, signs in groups:
        for field in type(signs).model_fields:
            band = getattr(signs, field)
            if isinstance(band, Band) and band.question > band.clear:
                source.mistake((group, field), "question is above clear", "Exchange the two")


def _check_fields(source: Source, where: tuple[str | int, ...], text: str, known: set[str]) -> None:
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        source.mistake(where, f"The text has a brace that stands alone ({error})", "Write {measured} or {required}")
        return
    for name in sorted(fields - known):
        names = " or ".join(f"{{{field}}}" for field in sorted(known))
        source.mistake(where, f"The text has {{{name}}}, which nothing fills in", f"Use {names}")
