"""Schemathesis over the OpenAPI document of a running service: generated calls, right and wrong, alone and in chains.

What it holds each answer against is the document alone: no server error, no status or media type that is not
documented, no body that breaks its schema, no invalid input taken, no right input refused for its form, nothing used
after it was deleted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PHASES = ("coverage", "fuzzing", "stateful")
#: What is right in form may be refused for what is stored: whose it is, and in which state. Other tests say when.
_LEFT_OUT = ("positive_data_acceptance", "ensure_resource_availability", "object_level_authorization")
_REFUSED = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "429"]


@dataclass
class Fuzzed:
    """What came of it: calls by status, and each kind of failure once, with the call that showed it."""

    calls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, other: Fuzzed) -> None:
        """Take over what another run found."""
        self.calls += other.calls
        self.statuses += other.statuses
        self.failures |= other.failures


def fuzz(
    url: str, headers: Mapping[str, str], *, examples: int, seed: int, phases: Sequence[str] = PHASES, most: int = 0
) -> Fuzzed:
    """Call every operation of a running service, ``examples`` times each and then in chains, with these header fields.

    ``phases`` are Schemathesis': values at the bounds of each schema, random ones, and chains of calls; ``most`` ends
    a run after so many calls. The same seed makes the same calls.
    """
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine import events, from_schema

    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "headers": dict(headers),
            "continue-on-failure": True,
            "generation": {"max-examples": examples, "database": "none", "no-shrink": True},
            "phases": {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")},
            "checks": {
                **{name: {"enabled": False} for name in _LEFT_OUT},
                "negative_data_rejection": {"expected-statuses": _REFUSED},
            },
            "suppress-health-check": ["all"],
            "request-timeout": 120,
        }
    )
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json", config=config)
    found = Fuzzed()
    stream = from_schema(schema).execute()
    for event in stream:
        if isinstance(event, events.ScenarioFinished):
            _count(event.recorder, found)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            error = getattr(event, "value", None) or getattr(event, "exception", None)
            found.failures[f"{type(error).__name__} {getattr(event, 'label', '')}"] = str(error)
        if most and found.calls >= most:
            stream.stop()
            break
    return found


def _count(recorder: Any, found: Fuzzed) -> None:
    for interaction in recorder.interactions.values():
        found.calls += 1
        if interaction.response is not None:
            found.statuses[interaction.response.status_code] += 1
    for case, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            failure = check.failure_info.failure
            sent = recorder.cases[case].value
            told = recorder.interactions.get(case)
            answer = told.response.text[:600] if told is not None and told.response is not None else ""
            found.failures.setdefault(
                f"{check.name}: {sent.method} {sent.operation.path}: {failure.title}",
                f"{failure.message[:800]}\n{check.failure_info.code_sample[:1500]}\n{answer}",
            )
