"""Eligibility for the campaign's logo and tools: rules in order, of which the first that holds decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field as Setting

from ..problems import FieldError
from . import answers as form
from .countries import country_name, is_country
from .kinds import FieldEntry, Kind, KindEntry, Name
from .parties import PartyRow, convention_status, protocol_status
from .source import Source, Strict
from .text import Text, msgid

RuleId = Annotated[str, Setting(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
OUTCOMES: dict[str, Literal["approved", "review", "declined"]] = {
    "approve": "approved",
    "review": "review",
    "decline": "declined",
}


class Condition(Strict):
    """Condition of a rule: everything named here must be so. Named nothing, it always holds.

    ``kind`` is one of these; ``statement: refused`` means that a required statement was answered with
    false; ``protocol`` is the country's status as far as its row decides, else ``unknown``;
    ``convention`` likewise for the Convention; ``evidence`` is whether any question marked as evidence
    was answered; ``purposes`` means that any of these was named; ``country`` is one of these.
    """

    kind: tuple[Name, ...] | None = None
    statement: Literal["refused"] | None = None
    protocol: tuple[Literal["party", "signatory", "none", "unknown"], ...] | None = None
    convention: tuple[Literal["party", "unknown"], ...] | None = None
    evidence: bool | None = None
    purposes: tuple[Name, ...] | None = None
    country: tuple[str, ...] | None = None


class Rule(Strict):
    """One rule: what must hold, what follows, and the reason that is shown (``{country}`` is its name)."""

    id: RuleId
    when: Condition
    decision: Literal["approve", "review", "decline"]
    reason: Text | None = None


class Purpose(Strict):
    """One purpose of use that an applicant may name; ``review`` is the reason if it leads to review."""

    label: Text
    help: Text
    review: Text | None = None


class EligibilityFile(Strict):
    """``eligibility.yaml``."""

    purposes: Annotated[dict[Name, Purpose], Setting(min_length=1)]
    fields: dict[Name, FieldEntry]
    kinds: Annotated[dict[Name, KindEntry], Setting(min_length=1)]
    rules: Annotated[tuple[Rule, ...], Setting(min_length=1)]


@dataclass(frozen=True)
class Applicant:
    """Application that is decided on; its form has been checked by ``Eligibility.read``."""

    kind: str
    country: str | None
    answers: Mapping[str, Any]
    purposes: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """A decision, the id of the rule that made it, and its reasons as they are shown."""

    outcome: Literal["approved", "review", "declined"]
    rule: str
    reasons: tuple[Text, ...]


class Eligibility:
    """The kinds, what they are asked, and how they are decided."""

    def __init__(self, written: EligibilityFile, parties: Mapping[str, PartyRow]) -> None:
        self.purposes: Mapping[str, Purpose] = written.purposes
        self.rules = written.rules
        self._parties = parties
        self.kinds = tuple(
            Kind(
                id=kind,
                label=entry.label,
                help=entry.help,
                fields=tuple(written.fields[name].field(name) for name in entry.ask),
                decided=entry.decided,
                country_required=entry.country == "required",
                person=entry.person,
            )
            for kind, entry in written.kinds.items()
        )
        self._by_id = {kind.id: kind for kind in self.kinds}

    def find(self, kind: str) -> Kind | None:
        """Return the kind of this id, if the policies name it."""
        return self._by_id.get(kind)

    def kind(self, kind: str) -> Kind:
        """Return the kind of somebody who joined; one that policies name no more is its id, asked nothing."""
        return self._by_id.get(kind) or Kind.gone(kind)

    def read(
        self, kind: object, country: object, answers: object, purposes: object, errors: list[FieldError]
    ) -> Applicant:
        """Return what is decided on, read from what was sent; every mistake in its form is added to ``errors``.

        With a mistake among them, what is returned is not to be decided on.
        """
        found = self.find(kind) if isinstance(kind, str) else None
        if found is None:
            errors.append(FieldError.of("/kind", msgid("Choose one of %(options)s."), options=", ".join(self._by_id)))
        return Applicant(
            kind=found.id if found else "",
            country=_read_country(found, country, errors),
            answers=form.read(found.fields, answers, errors) if found else {},
            purposes=self._read_purposes(purposes, errors),
        )

    def _read_purposes(self, purposes: object, errors: list[FieldError]) -> tuple[str, ...]:
        known = ", ".join(self.purposes)
        if not isinstance(purposes, (list, tuple)) or not purposes:
            errors.append(
                FieldError.of("/purposes", msgid("Send a list of at least one of %(options)s."), options=known)
            )
            return ()
        for index, purpose in enumerate(purposes):
            if not isinstance(purpose, str) or purpose not in self.purposes:
                errors.append(FieldError.of(f"/purposes/{index}", msgid("Choose one of %(options)s."), options=known))
            elif purpose in purposes[:index]:
                errors.append(FieldError.of("/purposes", msgid("Name each purpose once.")))
        return tuple(purposes)

    def decide(self, applicant: Applicant) -> Verdict:
        """Return the decision of the first rule that holds. Its form must have been checked."""
        for rule in self.rules:
            if self._holds(rule.when, applicant):
                return Verdict(OUTCOMES[rule.decision], rule.id, self._reasons(rule, applicant))
        raise AssertionError("the last rule always holds, which was checked when the rules were read")

    def _holds(self, when: Condition, applicant: Applicant) -> bool:
        row = self._parties.get(applicant.country or "")
        return all(
            (
                when.kind is None or applicant.kind in when.kind,
                when.statement is None or bool(self._refused(applicant)),
                when.protocol is None or protocol_status(row) in when.protocol,
                when.convention is None or convention_status(row) in when.convention,
                when.evidence is None or self._has_evidence(applicant) == when.evidence,
                when.purposes is None or not set(when.purposes).isdisjoint(applicant.purposes),
                when.country is None or applicant.country in when.country,
            )
        )

    def _reasons(self, rule: Rule, applicant: Applicant) -> tuple[Text, ...]:
        reasons = [rule.reason] if rule.reason else []
        if rule.when.statement:
            reasons += self._refused(applicant)
        if rule.when.purposes:
            named = (self.purposes[name] for name in rule.when.purposes if name in applicant.purposes)
            reasons += [purpose.review for purpose in named if purpose.review]
        country = applicant.country or ""
        return tuple(reason.filled(country=lambda lang: country_name(country, lang)) for reason in reasons)

    def _refused(self, applicant: Applicant) -> list[Text]:
        """Return the reasons of each statement that was not given."""
        return [
            field.declines
            for field in self.kind(applicant.kind).fields
            if field.declines and applicant.answers.get(field.name) is not True
        ]

    def _has_evidence(self, applicant: Applicant) -> bool:
        return any(
            field.evidence and not form.missing(applicant.answers.get(field.name))
            for field in self.kind(applicant.kind).fields
        )


def _read_country(kind: Kind | None, country: object, errors: list[FieldError]) -> str | None:
    """Return the country's code; None where none was sent, or what was sent is none."""
    if form.missing(country):
        if kind and kind.country_required:
            said = msgid("This kind is decided by its country: send its code, such as AT or EU.")
            errors.append(FieldError.of("/country", said))
        return None
    if isinstance(country, str) and is_country(country):
        return country
    errors.append(FieldError.of("/country", msgid("Send an ISO 3166-1 alpha-2 code in upper case such as AT, or EU.")))
    return None


def check_eligibility(source: Source, written: EligibilityFile) -> None:
    """Note what a schema cannot see: names that do not exist, rules that never decide, reasons not given."""
    asked: set[str] = set()
    for kind, entry in written.kinds.items():
        asked.update(entry.ask)
        _check_questions(source, written, kind, entry)
    for name in written.fields:
        if name not in asked:
            source.mistake(("fields", name), f"No kind asks {name}", "Name it under ask: of a kind, or remove it")
    _check_rules(source, written)


def _check_questions(source: Source, written: EligibilityFile, kind: str, entry: KindEntry) -> None:
    where = ("kinds", kind, "ask")
    for index, name in enumerate(entry.ask):
        if name not in written.fields:
            source.mistake((*where, index), f"There is no field {name}", "Add it under fields:, or correct its name")
        elif name in entry.ask[:index]:
            source.mistake((*where, index), f"{name} is asked twice", "Remove one of the two")
    if not any(name in written.fields and written.fields[name].type == "boolean" for name in entry.ask):
        source.mistake(where, f"{kind} is asked for no statement", "Add a field of type boolean: its refusal declines")


def _check_rules(source: Source, written: EligibilityFile) -> None:
    seen: set[str] = set()
    for index, rule in enumerate(written.rules):
        where = ("rules", index)
        if rule.id in seen:
            source.mistake((*where, "id"), f"There are two rules {rule.id}", "Give each rule an id of its own")
        seen.add(rule.id)
        _check_rule(source, written, where, rule)
    last = len(written.rules) - 1
    always = next((index for index, rule in enumerate(written.rules) if rule.when == Condition()), None)
    if always is None:
        source.mistake(("rules", last), "No rule decides what is left", "End with a rule that has when: {}")
    elif always < last:
        message = f"{written.rules[always].id} always holds, so no rule after it ever decides"
        source.mistake(("rules", always, "when"), message, "Say when it holds, or move it to the end")
    if written.rules[0].when.statement is None or written.rules[0].decision != "decline":
        source.mistake(
            ("rules", 0),
            "A statement that was refused must decline before anything else is looked at",
            "Begin with a rule that has when: {statement: refused} and decision: decline",
        )


def _check_rule(source: Source, written: EligibilityFile, where: tuple[str | int, ...], rule: Rule) -> None:
    reasoned = rule.reason or rule.when.statement or rule.when.purposes
    if not reasoned:
        source.mistake(where, f"{rule.id} gives no reason", "Add reason: as it is shown to the applicant")
    for index, kind in enumerate(rule.when.kind or ()):
        if kind not in written.kinds:
            place = (*where, "when", "kind", index)
            source.mistake(place, f"There is no kind {kind}", f"Use one of {', '.join(written.kinds)}")
    for index, purpose in enumerate(rule.when.purposes or ()):
        place = (*where, "when", "purposes", index)
        if purpose not in written.purposes:
            source.mistake(place, f"There is no purpose {purpose}", f"Use one of {', '.join(written.purposes)}")
        elif not rule.reason and not written.purposes[purpose].review:
            source.mistake(place, f"{purpose} has no reason for {rule.id}", f"Add review: under purposes, {purpose}")
    for index, country in enumerate(rule.when.country or ()):
        if not is_country(country):
            source.mistake(
                (*where, "when", "country", index), f"{country!r} is no country", "Use a code such as AT or EU"
            )
    for language, text in (rule.reason.root if rule.reason else {}).items():
        unknown = set(re.findall(r"\{[^}]*\}?", text)) - {"{country}"}
        if unknown:
            source.mistake(
                (*where, "reason", language),
                f"{', '.join(sorted(unknown))} is not filled in",
                "The only thing filled in is {country}, the country's name",
            )
