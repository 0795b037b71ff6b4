"""Ids: their form, and the order of those that carry their instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.ids import new_id, new_id_in_order

FORM = re.compile(r"dl_[A-Za-z0-9_-]{22}")
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
INSTANTS = st.timedeltas(timedelta(0), timedelta(days=36500)).map(lambda after: FIRST + after)


@given(INSTANTS, st.timedeltas(timedelta(milliseconds=1), timedelta(days=3650)))
def test_ids_in_order_follow_their_instants(at: datetime, after: timedelta) -> None:
    assert new_id_in_order("dl", at) < new_id_in_order("dl", at + after)


def test_ids_of_one_instant_differ_and_have_the_form_of_all_ids() -> None:
    at = datetime(2026, 11, 30, tzinfo=UTC)
    ids = {new_id_in_order("dl", at) for _ in range(1000)} | {new_id("dl") for _ in range(1000)}
    assert len(ids) == 2000
    assert all(FORM.fullmatch(one) for one in ids)
