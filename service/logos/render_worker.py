"""Program that renders one picture: a job and a drawing come in, the picture goes out, and it ends.

``apart`` starts it. It imports the renderer and nothing else of Emblem, so that it starts in a moment.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from ..svg.drawing import Drawing
from .encoders import encode
from .formats import FORMATS
from .render import Ink, render

MOST_SECONDS = 60
MOST_MEMORY = 3 << 30  # bytes of address space; the largest picture of all takes a third of it


@dataclass(frozen=True)
class RenderJob:
    """Order of a rendering: ``render`` and ``encode`` say what each field means."""

    width: int
    padding: int
    inks: tuple[Ink, ...]
    kind: str
    ahead: bool


def main() -> None:
    """Read a job and a drawing as a list in JSON from standard input; write the picture to standard output."""
    signal.alarm(MOST_SECONDS)  # which ends it wherever it is, also when whoever started it is gone
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Where memory runs out all the same, the system is to end this process and none that serves.
    Path("/proc/self/oom_score_adj").write_text("1000")
    given, drawing = json.loads(sys.stdin.buffer.read())
    job = RenderJob(**given | {"inks": tuple((red, green, blue) for red, green, blue in given["inks"])})
    fine = FORMATS[job.kind].drawn_finely(job.width, job.ahead)
    picture = render(Drawing.from_json(drawing), job.width, job.padding, job.inks, fine=fine)
    sys.stdout.buffer.write(encode(picture, job.kind, ahead=job.ahead))


if __name__ == "__main__":
    main()
