"""``emblem`` with a clock that a test can step: ``python -m tests.parts.shifted_clock FILE COMMAND…``.

``FILE`` holds the seconds by which the clock of this machine is ahead (behind, where they are negative). It is read
at each look at the clock, so that a step is seen at once by all processes, as it is where a machine's clock is set.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

from service import clock


def shift(file: Path) -> None:
    """Lets ``service.clock.now`` be ahead by what stands in a file; before any other module takes it."""
    right = clock.now

    def now() -> datetime:
        return right() + timedelta(seconds=float(file.read_text(encoding="ascii")))

    clock.now = now


if __name__ == "__main__":
    shift(Path(sys.argv.pop(1)))
    from service.cli import main

    main()
