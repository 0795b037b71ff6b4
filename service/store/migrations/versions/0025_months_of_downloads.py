"""Downloads in a partition for each month on PostgreSQL, so that old months leave by being dropped.

What stands becomes the first partition as it lies, with its indexes: nothing is copied. Only rows of a clock that was
ahead of the month move. The release before reads and writes the table by its name as ever.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_AHEAD = 3  # months that are made; the service makes the next ones in time
_INDEXES = {
    "ix_downloads_at_id": "(at, id)",
    "ix_downloads_participant_at": "(participant, at, id)",
    "ix_downloads_link_at": "(link, at, id)",
    "ix_downloads_package_at": "(package, at, id)",
    "ix_downloads_client_hash": "(at) where client_hash is not null",
    "ix_downloads_client_prefix": "(at) where client_prefix is not null",
}
_FOREIGN = "downloads_link_fkey"


def upgrade() -> None:
    """Put a partitioned table in the place of the one that is there, and attach that one to it."""
    if op.get_bind().dialect.name != "postgresql":
        return
    months = _months(datetime.now(UTC))
    begin = _written(months[0])
    # Once, before anything waits: whoever records at this moment comes before, or finds the new table.
    op.execute("lock table links, downloads in access exclusive mode")
    op.execute("alter table downloads rename to downloads_past")
    for name in ("downloads_pkey", *_INDEXES):
        op.execute(f"alter index {name} rename to {name}_past")
    op.execute("create table downloads (like downloads_past including defaults) partition by range (at)")
    for name, columns in _INDEXES.items():
        op.execute(f"create index {name} on downloads {columns}")
    op.execute(f"alter table downloads add constraint {_FOREIGN} foreign key (link) references links (id)")
    op.execute("create table downloads_other partition of downloads (primary key (id)) default")
    for month, after in pairwise(months):
        name = f"downloads_y{month:%Y}m{month:%m}"
        bounds = f"from ('{_written(month)}') to ('{_written(after)}')"
        op.execute(f"create table {name} partition of downloads (primary key (id)) for values {bounds}")
    op.execute(
        f"with ahead as (delete from downloads_past where at >= '{begin}' returning *) "  # noqa: S608
        "insert into downloads select * from ahead"
    )
    op.execute(f"alter table downloads attach partition downloads_past for values from (minvalue) to ('{begin}')")


def downgrade() -> None:
    """Copy every row back into one table."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("create table downloads_whole (like downloads including defaults)")
    op.execute("insert into downloads_whole select * from downloads")
    op.execute("drop table downloads")
    op.execute("alter table downloads_whole rename to downloads")
    op.execute("alter table downloads add constraint downloads_pkey primary key (id)")
    for name, columns in _INDEXES.items():
        op.execute(f"create index {name} on downloads {columns}")
    op.execute(f"alter table downloads add constraint {_FOREIGN} foreign key (link) references links (id)")


def _months(now: datetime) -> list[datetime]:
    """The beginnings of the months after this one, and of the one after the last that is made."""
    first = now.year * 12 + now.month  # counted from 0, so this is the next one
    return [datetime((first + more) // 12, (first + more) % 12 + 1, 1, tzinfo=UTC) for more in range(_AHEAD + 1)]


def _written(at: datetime) -> str:
    return at.isoformat()
