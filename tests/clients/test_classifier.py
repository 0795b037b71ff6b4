"""What kind of client a user agent belongs to: a table of real ones, and what none of them may be."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import counter_robots  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.campaign import Campaign
from service.clients import Classifier
from service.clients.classifier import counter_list

KINDS = ("browser", "program", "agent", "robot")


class Row(NamedTuple):
    """A line of the table."""

    kind: str
    name: str
    user_agent: str
    source: str


def table() -> list[Row]:
    """The user agents of ``user_agents.tsv``."""
    lines = (Path(__file__).parent / "user_agents.tsv").read_text("utf-8").splitlines()
    return [Row(*line.split("\t")) for line in lines if not line.startswith("#")]


ROWS = table()


@pytest.fixture(scope="module")
def classifier(campaign: Campaign) -> Classifier:
    return Classifier(campaign.clients)


def test_the_table_has_at_least_300_user_agents_by_kind_with_their_sources() -> None:
    kinds = Counter(row.kind for row in ROWS)
    assert len(ROWS) >= 300
    assert set(kinds) == set(KINDS)
    assert kinds["browser"] >= 100
    assert kinds["robot"] >= 100
    assert all(row.name and row.source for row in ROWS)
    assert len({row.user_agent for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_user_agent_of_the_table_is_told_right(classifier: Classifier, kind: str) -> None:
    wrong = [
        (row.name, row.user_agent, got)
        for row in ROWS
        if row.kind == kind and (got := classifier.kind(row.user_agent)) != kind
    ]
    assert wrong == []


@pytest.mark.parametrize("said", [None, "", "  "])
def test_a_client_that_says_nothing_is_a_program(classifier: Classifier, said: str | None) -> None:
    assert classifier.kind(said) == "program"


def test_a_script_that_nobody_knows_is_a_program(classifier: Classifier) -> None:
    assert classifier.kind("our-own-script 1.0") == "program"


def test_upper_and_lower_case_are_alike_in_robots_and_agents(classifier: Classifier) -> None:
    """COUNTER's list is to be matched without regard to case, and so is what stands beside it."""
    for row in ROWS:
        if row.kind in ("robot", "agent") and not row.user_agent.startswith(("http.rb", "Mozilla")):
            assert classifier.kind(row.user_agent.lower()) == row.kind, row.user_agent


# Words that the COUNTER list holds against whole user agents, as makers of telephones use or could use them.
MODELS = ("motorola edge 50", "Titan Slim", "Core-M5", "ZEUS X", "Voyager 4G", "Pioneer P2", "Speedy Bot 3", "Custo")


CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
FRAMES = (
    f"Mozilla/5.0 (Linux; Android 13; {{}}) {CHROME}",
    f"Mozilla/5.0 (Linux; Android 12; {{}} Build/S3SC32.45-11; wv) {CHROME}",
    f"Mozilla/5.0 (Linux; U; Android 4.4.2; zh-cn; {{}} Build/KOT49H) {CHROME}",
)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("frame", FRAMES)
def test_no_telephone_is_a_robot_whatever_its_maker_calls_it(classifier: Classifier, model: str, frame: str) -> None:
    assert classifier.kind(frame.format(model)) == "browser"
    robot = f"{frame.format(model)} (compatible; Examplebot/1.0; +https://example.org/)"
    assert classifier.kind(robot) == "robot"


def test_servers_that_say_where_they_are_need_no_entry(classifier: Classifier) -> None:
    assert classifier.kind("Unheardof/1.2 (+https://social.example.org/)") == "robot"
    assert classifier.kind("Mozilla/5.0 (compatible; Unheardof/1.2)") == "robot"


def test_whoever_is_sent_out_by_a_user_is_an_agent_and_its_crawler_a_robot(classifier: Classifier) -> None:
    frame = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; {}/1.0; +https://example.org/bot)"
    assert classifier.kind(frame.format("Example-User")) == "agent"
    assert classifier.kind(frame.format("ExampleBot")) == "robot"
    assert classifier.kind("Mozilla/5.0 (compatible; Examplebot/1.0; +mailto:robots-user@example.org)") == "robot"


def test_the_whole_counter_list_is_asked(classifier: Classifier) -> None:
    """Every pattern of the package that is a plain word is found, in capitals too."""
    compiled = counter_list()
    lists = (counter_robots._regexp(name).pattern.split("|") for name in ("robot.txt", "machine.txt"))
    words = [word for patterns in lists for word in patterns if re.fullmatch(r"[A-Za-z-]{4,}", word)]
    assert len(words) > 150
    assert all(compiled.search(word.upper()) for word in words)


@given(agent=st.text(max_size=3000))
def test_any_user_agent_has_a_kind(classifier: Classifier, agent: str) -> None:
    assert classifier.kind(agent) in KINDS
