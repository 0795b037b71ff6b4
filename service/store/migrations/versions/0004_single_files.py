"""Links and downloads of single files of a package."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the file's path; links and downloads of before are of whole packages."""
    for table in ("links", "downloads"):
        op.add_column(table, sa.Column("path", sa.String(length=150), nullable=True))


def downgrade() -> None:
    """Drop the path; links to single files lead to the whole package then."""
    for table in ("downloads", "links"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("path")
