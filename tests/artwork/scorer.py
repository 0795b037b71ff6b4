"""The scorer: answers of the check held against what is true of labelled artwork."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from .pieces import RULES, Piece, Truth

Box = tuple[float, float, float, float]  # left, top, width, height


@dataclass
class Answer:
    """What the check said of one logo."""

    logo: str
    box: Box
    violations: frozenset[str]
    questions: frozenset[str] = frozenset()


@dataclass
class Score:
    """Counts over many pieces; figures are computed from them."""

    found: int = 0
    missed: int = 0
    false: int = 0
    bare: int = 0
    alarms: int = 0
    pieces: int = 0
    right: int = 0
    innocents: int = 0
    accused: int = 0
    true_positive: Counter[str] = field(default_factory=Counter)
    false_positive: Counter[str] = field(default_factory=Counter)
    false_negative: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, piece: Piece, answers: Sequence[Answer], verdict: str, overlap: float) -> None:
        """Counts one piece."""
        self.pieces += 1
        self.right += verdict == piece.verdict
        if verdict != piece.verdict:
            self.notes.append(f"{piece.name}: {verdict}, not {piece.verdict}")
        if not piece.logos:
            self.bare += 1
            self.alarms += bool(answers)
            return
        if piece.verdict == "compliant":
            self.innocents += 1
            self.accused += verdict == "not_compliant"
        left = list(answers)
        for truth in piece.logos:
            answer = _matched(truth, left, overlap)
            if answer is None:
                self.missed += 1
                self.notes.append(f"{piece.name}: missed {truth.logo} {sorted(truth.violations)} {truth.note}")
                self.false_negative.update(truth.violations)
                continue
            left.remove(answer)
            self.found += 1
            for rule in RULES:
                said, true = rule in answer.violations, rule in truth.violations
                counter = self.true_positive if said and true else self.false_positive if said else self.false_negative
                if said or true:
                    counter[rule] += 1
                if said != true:
                    asked = " (asked)" if rule in answer.questions else ""
                    what = "accused of" if said else "not told of"
                    self.notes.append(
                        f"{piece.name}: {truth.logo} {what} {rule}{asked} {sorted(truth.violations)} {truth.note}"
                    )
        self.false += len(left)
        self.notes += [f"{piece.name}: false {answer.logo} {answer.box}" for answer in left]

    def merge(self, other: Score) -> None:
        """Adds another score's counts."""
        for name, value in vars(other).items():
            mine = getattr(self, name)
            if isinstance(value, Counter):
                mine.update(value)
            else:
                setattr(self, name, mine + value)

    @property
    def recall(self) -> float:
        """Share of the logos that were found."""
        return self.found / max(1, self.found + self.missed)

    @property
    def precision(self) -> float:
        """Share of what was found that is a logo."""
        return self.found / max(1, self.found + self.false)

    @property
    def verdicts(self) -> float:
        """Share of the pieces with the right verdict."""
        return self.right / max(1, self.pieces)

    def f1(self, rule: str) -> float | None:
        """F1 of one rule; None where no piece breaks it."""
        true, wrong, missed = self.true_positive[rule], self.false_positive[rule], self.false_negative[rule]
        return 2 * true / (2 * true + wrong + missed) if true + missed else None

    @property
    def macro_f1(self) -> float:
        """Mean of the rules' F1, of those rules that pieces break."""
        values = [value for rule in RULES if (value := self.f1(rule)) is not None]
        return sum(values) / max(1, len(values))

    def lines(self) -> list[str]:
        """The figures as text."""
        made = [
            f"pieces {self.pieces}, logos {self.found + self.missed}",
            f"detection: recall {self.recall:.3f}, precision {self.precision:.3f}",
            f"verdicts right {self.verdicts:.3f}; innocents accused {self.accused} of {self.innocents}",
        ]
        if self.bare:
            made.append(f"false alarms on pictures without a logo: {self.alarms} of {self.bare}")
        if self.true_positive or self.false_negative:
            made.append(f"macro F1 {self.macro_f1:.3f}")
            for rule in RULES:
                value = self.f1(rule)
                if value is None:
                    continue
                true, wrong, missed = self.true_positive[rule], self.false_positive[rule], self.false_negative[rule]
                precision, recall = true / max(1, true + wrong), true / max(1, true + missed)
                made.append(
                    f"  {rule:<13} F1 {value:.3f}  precision {precision:.3f}  recall {recall:.3f}  n {true + missed}"
                )
        return made


def overlap_of(one: Box, other: Box) -> float:
    """Intersection over union."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def _matched(truth: Truth, answers: Sequence[Answer], overlap: float) -> Answer | None:
    same = [answer for answer in answers if answer.logo == truth.logo]
    best = max(same, key=lambda answer: overlap_of(answer.box, truth.box), default=None)
    return best if best is not None and overlap_of(best.box, truth.box) >= overlap else None
