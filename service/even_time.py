"""Let work take a round time, so that how long it took tells nothing about what it found."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

STEP = 0.05  # seconds; several times what the work takes, so that it rarely ends near a step's end


@contextmanager
def even_time(step: float = STEP) -> Iterator[None]:
    """Wait at the end until a whole number of ``step`` seconds is over; what the work raises leaves at once."""
    began = time.monotonic()
    yield
    time.sleep(-(time.monotonic() - began) % step)
