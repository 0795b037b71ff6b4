"""Lists are newest first, also of what was made within one second: people see the last thing they did on top."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import Api

if TYPE_CHECKING:
    from tests.conftest import FrozenClock

_SOME = 6  # in any other order they come out right once in 720 times


def _link(api: Api, participant: str, _: int) -> str:
    return str(api.link(participant)["id"])


def _download(api: Api, participant: str, _: int) -> str:
    link = api.link(participant)
    assert api.ask("GET", api.path(link)).status_code == 200
    return str(link["id"])


def _embed(api: Api, participant: str, _: int) -> str:
    body = {"participant": participant, "logo": "heart", "origins": []}
    return str(api.ask("POST", "/api/v1/embeds", key="portal", json=body).json["key"])


def _member(api: Api, participant: str, number: int) -> str:
    body = {"name": "Kim Example", "email": f"colleague{number}@example.org"}
    return str(api.ask("POST", f"/api/v1/participants/{participant}/members", key="portal", json=body).json["id"])


def _participant(api: Api, _: str, __: int) -> str:
    return api.join()


def _certificate(api: Api, participant: str, number: int) -> str:
    body = {"language": ("en", "fr", "es", "ru", "zh", "ar")[number]}
    return str(api.ask("POST", f"/api/v1/participants/{participant}/certificates", key="portal", json=body).json["id"])


@pytest.mark.parametrize(
    ("make", "path", "name", "id"),
    [
        (_link, "links?participant={}", "links", "id"),
        (_download, "downloads?participant={}", "downloads", "link"),
        (_embed, "embeds?participant={}", "embeds", "key"),
        (_member, "participants/{}/members", "members", "id"),
        (_participant, "participants", "participants", "id"),
        (_certificate, "participants/{}/certificates", "certificates", "id"),
    ],
    ids=["links", "downloads", "embeds", "members", "participants", "certificates"],
)
def test_what_was_made_last_comes_first_within_a_second_too(
    api: Api,
    clock: FrozenClock,
    make: Callable[[Api, str, int], str],
    path: str,
    name: str,
    id: str,  # noqa: A002
) -> None:
    participant = api.ready()
    made = []
    for number in range(_SOME):
        clock.advance(0.01)
        made.append(make(api, participant, number))
    listed: list[dict[str, Any]] = api.ask("GET", f"/api/v1/{path.format(participant)}", key="portal").json[name]
    assert [one[id] for one in listed[:_SOME]] == made[::-1]


def test_keys_too(api: Api, clock: FrozenClock) -> None:
    made = []
    for number in range(_SOME):
        clock.advance(0.01)
        made.append(api.parts.participants.api_keys.create("portal", name=str(number), by="staff:cli")[0].id)
    assert [one.id for one in api.parts.participants.api_keys.list()][:_SOME] == made[::-1]
