"""Lists of cases and of checked files by what few of them have: each such filter and its order from one index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_ASSIGNED = sa.text("assignee IS NOT NULL")


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("ix_participants_country", "participants", ["country"])
    op.create_index("ix_cases_kind_due", "cases", ["kind", "due_at", "id"])
    op.create_index(
        "ix_cases_assignee_due",
        "cases",
        ["assignee", "due_at", "id"],
        sqlite_where=_ASSIGNED,
        postgresql_where=_ASSIGNED,
    )
    op.create_index("ix_artwork_checks_verdict_at", "artwork_checks", ["verdict", "at", "id"])
    op.create_index("ix_artwork_checks_by_at", "artwork_checks", ["by", "at", "id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_artwork_checks_by_at", "artwork_checks")
    op.drop_index("ix_artwork_checks_verdict_at", "artwork_checks")
    op.drop_index("ix_cases_assignee_due", "cases")
    op.drop_index("ix_cases_kind_due", "cases")
    op.drop_index("ix_participants_country", "participants")
