"""The condition that two columns are one of many pairs, in the form that every backend looks up in an index.

``(a, b) IN (VALUES …)``, which SQLAlchemy writes for a list of pairs on SQLite, reads the whole table whatever its
indexes where SQLite is older than 3.44, such as Debian 12's 3.40.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import InstrumentedAttribute


def one_of(
    first: InstrumentedAttribute[Any], second: InstrumentedAttribute[Any], pairs: Collection[tuple[Any, Any]]
) -> ColumnElement[bool]:
    """Return the condition that the two columns are one of the pairs, which have few different first values."""
    seconds: dict[Any, list[Any]] = {}
    for one, other in pairs:
        seconds.setdefault(one, []).append(other)
    return or_(*(and_(first == one, second.in_(others)) for one, others in seconds.items()))
