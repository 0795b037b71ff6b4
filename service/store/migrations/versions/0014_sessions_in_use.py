"""When a session was last used, so that one that nobody uses ends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; a session of before counts from its beginning."""
    op.add_column("sessions", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
