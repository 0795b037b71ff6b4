"""``even_time``: work ends after a whole number of steps."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from service.even_time import even_time


@pytest.mark.parametrize(("took", "waited"), [(0.01, 0.04), (0.049, 0.001), (0.05, 0.0), (0.06, 0.04), (1.02, 0.03)])
def test_the_rest_of_a_step_is_waited_for(monkeypatch: pytest.MonkeyPatch, took: float, waited: float) -> None:
    instants, slept = iter([100.0, 100.0 + took]), list[float]()
    monkeypatch.setattr("service.even_time.time", SimpleNamespace(monotonic=lambda: next(instants), sleep=slept.append))
    with even_time(0.05):
        pass
    (seconds,) = slept
    assert min(seconds - waited, 0.05 - (seconds - waited), key=abs) == pytest.approx(0.0, abs=1e-9)


def test_what_fails_leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("service.even_time.time.sleep", slept.append)
    with pytest.raises(ValueError, match="ours"), even_time():
        raise ValueError("ours")
    assert slept == []
