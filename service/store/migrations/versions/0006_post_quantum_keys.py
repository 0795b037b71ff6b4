"""Room for verifier keys of ML-DSA-44."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lengthen the column; what the release before writes fits."""
    with op.batch_alter_table("log_keys") as batch:
        batch.alter_column("vkey", existing_type=sa.String(length=400), type_=sa.String(length=2100))


def downgrade() -> None:
    """Shorten the column; keys that are longer have to go first."""
    with op.batch_alter_table("log_keys") as batch:
        batch.alter_column("vkey", existing_type=sa.String(length=2100), type_=sa.String(length=400))
