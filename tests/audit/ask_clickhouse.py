"""Run ClickHouse, as a library, in a process of its own: reads a JSON array of statements, prints the last one's rows.

A process of its own, since the library brings threads and signal handlers. Rows are JSON, one a line.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    """Run the statements in one session in memory, and print a JSON object a row of each that begins with SELECT."""
    from chdb.session import Session

    session: Any = Session()  # type: ignore[no-untyped-call]
    answers = []
    for statement in json.load(sys.stdin):
        found = session.query(statement.rstrip().rstrip(";"), "JSONEachRow")
        if statement.startswith("SELECT"):
            answers.append([json.loads(line) for line in str(found).splitlines()])
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
