"""Defects of ``eligibility.yaml``."""

from __future__ import annotations

from .defect import Defect

DEFECTS = (
    Defect("kind_with_a_space", "  individual:", "  in dividual:", "right form", "underscores", "  in dividual:"),
    Defect(
        "kind_of_rule_unknown",
        "kind: [government], protocol: [unk",
        "kind: [king], protocol: [unk",
        "no kind king",
        "individual, ",
        "[king]",
    ),
    Defect("question_not_written", "plan, place]", "plan, site]", "no field site", "fields", "plan, site]"),
    Defect("question_twice", "plan, place]", "plan, plan]", "asked twice", "Remove", "plan, plan]"),
    Defect("question_not_asked", "  work:\n", "  hobby:\n", "No kind asks hobby", "ask", "  hobby:"),
    Defect(
        "statement_not_asked",
        "ask: [commitment, pledge, plan, place]",
        "ask: [plan, place]",
        "no statement",
        "boolean",
        "ask: [plan, place]",
    ),
    Defect(
        "statement_not_required",
        "type: boolean\n    required: yes",
        "type: boolean\n    required: no",
        "must be required",
        "required: yes",
        "type: boolean",
    ),
    Defect("statement_as_text", "type: boolean", "type: text", "declines", "boolean", "declines:"),
    Defect("type_unknown", "type: boolean", "type: bool", "", "'boolean'", "type: bool"),
    Defect(
        "length_too_large", "type: long_text", "type: long_text\n    max: 5000", "at most 4000", "4000", "max: 5000"
    ),
    Defect("length_of_a_date", "type: date", "type: date\n    max: 10", "lengths", "Remove", "max: 10"),
    Defect(
        "least_above_most", "type: long_text", "type: long_text\n    min: 9\n    max: 5", "larger", "smaller", "min: 9"
    ),
    Defect("options_of_a_text", "type: choice", "type: text", "options belong to", "choice", "options:"),
    Defect("option_twice", "value: faith", "value: academic", "same value", "its own", "options:"),
    Defect(
        "evidence_required", "evidence: yes", "evidence: yes\n    required: yes", "optional", "Remove", "evidence: yes"
    ),
    Defect("decision_unknown", "decision: approve", "decision: accept", "", "'approve'", "decision: accept"),
    Defect(
        "rule_twice",
        "id: government-not-party",
        "id: government-steps-shown",
        "two rules",
        "of its own",
        "*id: government-steps-shown",
    ),
    Defect(
        "rule_after_one_that_always_holds",
        "when: {kind: [government], protocol: [unknown]}",
        "when: {}",
        "no rule after it ever decides",
        "move it to the end",
        "when: {}",
    ),
    Defect(
        "condition_misspelt",
        "protocol: [unknown]",
        "protocols: [unknown]",
        "not known",
        "spelling to protocol",
        "protocols:",
    ),
    Defect("status_unknown", "protocol: [unknown]", "protocol: [perhaps]", "", "'party'", "[perhaps]"),
    Defect(
        "purpose_unknown",
        "purposes: [fundraising, commercial]",
        "purposes: [theft]",
        "no purpose theft",
        "information",
        "[theft]",
    ),
    Defect(
        "purpose_without_reason",
        "purposes: [fundraising, commercial]",
        "purposes: [information]",
        "no reason",
        "review",
        "[information]",
    ),
    Defect(
        "rule_without_reason",
        "  - id: commitment-given\n",
        "  - id: unexplained\n    when: {kind: [government]}\n    decision: approve\n  - id: commitment-given\n",
        "gives no reason",
        "reason",
        "id: unexplained",
    ),
    Defect(
        "last_rule_does_not_always_hold",
        "when: {}",
        "when: {evidence: no}",
        "No rule decides",
        "when: {}",
        "id: not-foreseen",
    ),
    Defect(
        "statements_not_looked_at_first",
        "when: {statement: refused}",
        "when: {country: [AT]}\n    reason: {en: Wait}",
        "before anything",
        "refused",
        "id: statement-refused",
    ),
    Defect(
        "country_of_rule_unknown", "protocol: [unknown]}", "protocol: [unknown], country: [ZZ]}", "'ZZ'", "AT", "[ZZ]"
    ),
    Defect(
        "reason_with_unknown_name",
        'en: "State Party to the Protocol: {country}."',
        'en: "Hello {name}."',
        "{name}",
        "{country}",
        "{name}",
    ),
)
