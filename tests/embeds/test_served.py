"""Embeds that are packed are what they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from service.embeds import ServedEmbed
from service.embeds.served import ServedEmbeds

ONE = ServedEmbed(
    key=f"ebd_{1:022}",
    participant="par_one",
    kind="individual",
    country=None,
    language="en",
    logo="heart",
    origins=frozenset(),
    unlisted="report",
    revoked=False,
    approved=True,
    lapsed=False,
    until=None,
)
OTHERS = (
    replace(ONE, key=f"ebd_{2:022}", participant="par_two", origins=frozenset({"https://one.example"})),
    replace(ONE, key=f"ebd_{4:022}", country="AT", origins=frozenset({"https://a.example", "https://b.example:8443"})),
    replace(ONE, key=f"ebd_{5:022}", revoked=True, approved=False, until=datetime(2026, 11, 1, tzinfo=UTC)),
    replace(ONE, key="ebd_-_xyzXYZ0123456789-__Z", lapsed=True, unlisted="refuse", logo="lockup"),
)


def test_packed_embeds_are_found_by_their_keys_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.embeds.served._AT_HAND", 2)
    everything = {embed.key: embed for embed in sorted((ONE, *OTHERS), key=lambda embed: embed.key)}
    packed = ServedEmbeds(everything.values())
    for _ in range(2):
        assert dict(packed) == everything
    assert len(packed) == len(everything)
    for unknown in (f"ebd_{0:022}", f"ebd_{3:022}", f"ebd_{9:022}", "ebd_", "", "zzz", "ebd_é"):
        assert packed.get(unknown) is None
    assert ServedEmbeds().get(ONE.key) is None


def test_what_changed_replaces_what_is_packed() -> None:
    packed = ServedEmbeds([ONE, *OTHERS[:2]])
    assert packed[ONE.key].approved
    ended, new = replace(ONE, approved=False), replace(ONE, key=f"ebd_{3:022}")
    packed.put({ended.key: ended, new.key: new})
    assert packed[ONE.key] == ended
    assert set(packed) == {ONE.key, new.key, *(embed.key for embed in OTHERS[:2])}
    assert len(packed) == 4


def test_keys_that_are_odd_or_out_of_order_are_kept_all_the_same() -> None:
    embeds = [OTHERS[1], ONE, replace(ONE, key="ebd_short")]
    assert dict(ServedEmbeds(embeds)) == {embed.key: embed for embed in embeds}
