"""Judging: what was measured is held against the campaign's rules. Nothing here looks at pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import cast

import babel.numbers
import numpy as np

from ..campaign.artwork import ArtworkFile, Band
from ..campaign.brand import ArtworkRule, Backgrounds, BrandRules
from . import colours
from .measuring import Measured
from .report import Finding, LogoReport, Right, Verdict

VariantUrl = Callable[[str, str, int, str], str | None]  # logo, colourway, width, ground -> address

_STEP, _STEPPED = 16, 512  # widths of variants above 512 pixels are multiples of 16
_MOST_WIDE = 4096
_SEEN_IN_PERSPECTIVE = ("flipped", "recoloured", "cropped")
_EDGE = 25.0  # pixels of a logo's width at which the blur of its edges doubles what an effect has to show


@dataclass(frozen=True)
class Judged:
    """Judgement of one logo by the rules."""

    violations: tuple[Finding, ...]
    questions: tuple[Finding, ...]


@dataclass(frozen=True)
class _Mark:
    """A figure outside its limit: whether that is sure, and what is said."""

    rule: ArtworkRule
    sure: bool
    measured: float | str
    required: float | str
    shown: tuple[str, str]


class Judge:
    """The campaign's rules, in a reader's language."""

    def __init__(self, brand: BrandRules, policy: ArtworkFile, lang: str = "en") -> None:
        self._brand = brand
        self._policy = policy
        self._lang = lang

    def judge(
        self,
        logo: str,
        measured: Measured,
        *,
        perspective: bool,
        confidence: float,
        mirror_differs: bool,
        per_inch: float | None,
    ) -> Judged:
        """All findings for one logo; ``per_inch`` is the picture's resolution where it is a print."""
        marks = list(
            self._photographed(measured, mirror_differs)
            if perspective
            else self._doubted(measured, self._flat(logo, measured, mirror_differs, per_inch))
        )
        violations: list[Finding] = []
        questions: list[Finding] = []
        for mark in marks:
            finding = self._finding(mark)
            (violations if mark.sure and confidence >= self._policy.sure else questions).append(finding)
        return Judged(tuple(violations), tuple(questions))

    def _finding(self, mark: _Mark) -> Finding:
        change, policy = self._brand.change(mark.rule), self._policy.for_rule(mark.rule)
        found = policy.found.get(self._lang)
        for name, value in zip(("measured", "required"), mark.shown, strict=True):
            found = found.replace("{" + name + "}", value)
        fix = change.instead.get(self._lang)
        return Finding(
            rule=mark.rule,
            severity=policy.severity,
            measured=mark.measured,
            required=mark.required,
            detail=f"{found} {fix}",
            title=change.title.get(self._lang),
            found=found,
            fix=fix,
        )

    def _number(self, value: float, digits: int = 1) -> str:
        return babel.numbers.format_decimal(round(value, digits), locale=self._lang)

    def _limit(self, rule: str) -> float:
        return self._brand.change(rule).limit or 0.0

    def _above(self, rule: str, value: float, width: float, shown: Callable[[float], str]) -> Iterator[_Mark]:
        """A figure that may not be larger than the rule's limit."""
        limit, policy = self._limit(rule), self._policy.for_rule(rule)
        if value > limit:
            sure = value > limit + policy.band + policy.pixel / max(width, 1.0)
            # Within what a pixel of a small logo cannot tell, nothing is said at all.
            if sure or value > limit + 0.5 * policy.pixel / max(width, 1.0):
                yield _Mark(cast(ArtworkRule, rule), sure, _rounded(value), limit, (shown(value), shown(limit)))

    def _flat(self, logo: str, m: Measured, mirror_differs: bool, per_inch: float | None) -> Iterator[_Mark]:
        percent = lambda share: self._number(100 * share)  # noqa: E731 - one word for a short thing said often
        plain = self._number
        yield from self._above("stretched", abs(m.stretch), m.width, percent)
        yield from self._above("rotated", abs(m.degrees), m.width, plain)
        if m.mirrored and mirror_differs:
            yield _Mark("flipped", True, 1, 0, ("", ""))
        yield from self._size(logo, m, per_inch)
        effect = self._effect(m)
        inner = self._inner(m)
        cropped = list(self._above("cropped", m.missing, m.width, percent))
        if inner < 2 or m.outside > 0.5 * m.missing:
            yield from cropped
        yield from effect
        recoloured = [] if inner == 2 else list(self._above("recoloured", m.delta_e, m.width, plain))
        yield from recoloured
        # What shows through a logo is told as an effect, and the ground there is as it is meant to be.
        through = inner == 2 and _level(m.busy, self._policy.ground.busy) > 0
        low = [] if through else list(self._contrast(m))
        yield from low
        passed = through or low or any(mark.sure for mark in recoloured)
        wrong = [] if passed else list(self._ground(logo, m))
        yield from wrong
        loud = _level(m.busy, self._policy.ground.busy) == 2
        yield from self._space(m, m.neighbour if loud else min(m.free, m.neighbour))

    def _doubted(self, m: Measured, marks: Iterator[_Mark]) -> Iterator[_Mark]:
        """The same, with those that are no accusation: of what may be a photograph, and of what lies on a logo.

        Ink that is of several colours has several contrasts.
        """
        soft = m.softness > self._policy.photograph.softness and self._halo(m) == 0 and not m.drawn
        covered = m.missing - m.outside > self._limit("cropped")
        for mark in marks:
            doubtful = (soft and mark.rule not in _SEEN_IN_PERSPECTIVE) or (covered and mark.rule == "background")
            doubtful = doubtful or (mark.rule == "low_contrast" and self._inner(m) == 2)
            yield replace(mark, sure=False) if doubtful else mark

    def _photographed(self, m: Measured, mirror_differs: bool) -> Iterator[_Mark]:
        """Return what perspective cannot hide."""
        signs = self._policy.photograph
        if m.mirrored and mirror_differs:
            yield _Mark("flipped", True, 1, 0, ("", ""))
        if level := _level(m.delta_e, signs.delta_e):
            limit = self._limit("recoloured")
            shown = (self._number(m.delta_e), self._number(limit))
            yield _Mark("recoloured", level == 2, _rounded(m.delta_e), limit, shown)
        if level := _level(m.missing, signs.missing):
            limit = self._limit("cropped")
            shown = (self._number(100 * m.missing), self._number(100 * limit))
            yield _Mark("cropped", level == 2, _rounded(m.missing), limit, shown)

    def _size(self, logo: str, m: Measured, per_inch: float | None) -> Iterator[_Mark]:
        minimum, policy = self._brand.logo(logo).minimum, self._policy.for_rule("too_small")
        if per_inch is None:
            value, least, unit = m.width, float(minimum.px), "px"
        else:
            value, least, unit = m.width / per_inch * 25.4, minimum.mm, "mm"
        limit = self._limit("too_small")
        if value < least * (1 - limit):
            sure = value < least * (1 - limit - policy.band)
            shown = (f"{self._number(value)}\u00a0{unit}", f"{self._number(least)}\u00a0{unit}")
            yield _Mark("too_small", sure, round(value, 2), least, shown)

    def _contrast(self, m: Measured) -> Iterator[_Mark]:
        limit, band = self._limit("low_contrast"), self._policy.for_rule("low_contrast").band
        value = m.contrast
        if value >= limit and m.worst_contrast >= limit - band:
            return
        sure = value < limit - band
        shown = min(value, max(m.worst_contrast, 1.0))
        yield _Mark("low_contrast", sure, _rounded(shown), limit, (self._number(shown), self._number(limit)))

    def _inner(self, m: Measured) -> int:
        """Tell whether the ink is uneven or in relief; in a small logo the blur of its edges is a large part of it."""
        blurred = 1 + _EDGE / max(m.width, 1.0)
        signs = self._policy.effect
        if m.busy >= signs.uneven.question and m.uneven / blurred > 1 + 0.15 * m.busy:
            return 2  # the ground's pattern goes on in the ink
        levels = (_level(m.uneven / blurred, signs.uneven), _level(m.relief / blurred, signs.relief))
        return max(*levels, _level(m.graded / blurred, signs.graded))

    def _halo(self, m: Measured) -> int:
        """Tell whether something hugs the logo; on a busy ground nothing can be told of that."""
        return _level(m.halo, self._policy.effect.halo) if m.busy < self._policy.ground.busy.clear else 0

    def _effect_level(self, m: Measured) -> int:
        return max(self._inner(m), self._halo(m))

    def _effect(self, m: Measured) -> Iterator[_Mark]:
        level = self._effect_level(m)
        if level:
            strength = max(m.uneven, m.relief, m.graded) if self._inner(m) else m.halo
            yield _Mark("effect", level == 2, _rounded(strength), 0, (self._number(strength), ""))

    def _ground(self, logo: str, m: Measured) -> Iterator[_Mark]:
        signs = self._policy.ground
        ground = colours.written(m.ground)
        allowed = self._brand.allowed_on(logo, ground)
        names = [self._brand.colourways[name].label.get(self._lang) for name in allowed if name != m.colourway]
        level = _level(m.busy, signs.busy)
        away = self._outside(self._brand.colourways[m.colourway].backgrounds, m.ground, ground)
        if level >= away and level:
            shown = (self._number(m.busy), self._brand.change("background").instead.get(self._lang))
            yield _Mark(
                "background", level == 2, _rounded(m.busy), signs.busy.question, (shown[0], ", ".join(names) or "–")
            )
        elif away:
            yield _Mark(
                "background", away == 2, ground, ", ".join(allowed) or "none", (f"#{ground}", ", ".join(names) or "–")
            )

    def _outside(self, backgrounds: Backgrounds, colour: colours.Floats, written: str) -> int:
        """Tell whether a ground is outside a colourway's limits: 1 so little that a person has to look, 2 clearly."""
        if written in backgrounds.never:
            return 2
        if written in backgrounds.also:
            return 0
        light, a, b = (float(value) for value in colours.lab(colour))
        chroma = float(np.hypot(a, b))
        signs = self._policy.ground
        over = max(backgrounds.least_lightness - light, light - backgrounds.most_lightness) / max(signs.lightness, 1e-6)
        if backgrounds.most_chroma is not None:
            over = max(over, (chroma - backgrounds.most_chroma) / max(signs.chroma, 1e-6))
        return 2 if over > 1 else 1 if over > 0 else 0

    def _space(self, m: Measured, free: float) -> Iterator[_Mark]:
        """Return what stands too close; on a loud ground only other logos can be told from it."""
        limit, policy = self._limit("clear_space"), self._policy.for_rule("clear_space")
        short = 1 - free
        # A pixel of a small logo is a large part of its clear space.
        grain = policy.pixel / max(m.width, 1.0)
        if short > limit + 0.5 * grain:
            sure = short > limit + policy.band + grain
            yield _Mark("clear_space", sure, _rounded(free), 1.0, (self._number(100 * free, 0), "100"))

    def right(self, logo: str, m: Measured, variant_url: VariantUrl | None) -> Right | None:
        """The variant that would be right in this place; None where no colourway may stand on this ground."""
        ground = colours.written(m.ground)
        allowed = self._brand.allowed_on(logo, ground)
        if not allowed:
            return None
        width = min(_MOST_WIDE, max(self._brand.logo(logo).minimum.px, round(m.width)))
        if width > _STEPPED:
            width = int(np.ceil(width / _STEP)) * _STEP
        colourway = m.colourway if m.colourway in allowed else allowed[0]
        url = variant_url(logo, colourway, width, ground) if variant_url is not None else None
        return Right(colourway=colourway, width=width, url=url)


def verdict_of(logos: tuple[LogoReport, ...]) -> Verdict:
    """The verdict on a file with these logos."""
    if not logos:
        return "logo_not_found"
    if any(finding.severity == "must" for logo in logos for finding in logo.violations):
        return "not_compliant"
    if any(logo.violations or logo.questions for logo in logos):
        return "needs_review"
    return "compliant"


def _level(value: float, band: Band) -> int:
    """0 within, 1 a question, 2 clear."""
    return 2 if value >= band.clear else 1 if value >= band.question else 0


def _rounded(value: float) -> float:
    return round(float(value), 4)
