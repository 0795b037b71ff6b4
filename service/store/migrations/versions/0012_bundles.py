"""Links to several packages at once, and the one file that is made of each set of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; links of before are to one package each."""
    op.create_table(
        "bundles",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundles")),
    )
    op.create_table(
        "bundled_versions",
        sa.Column("bundle", sa.String(length=40), nullable=False),
        sa.Column("package", sa.String(length=60), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["bundle"], ["bundles.id"], name=op.f("fk_bundled_versions_bundle_bundles")),
        sa.ForeignKeyConstraint(
            ["package", "version"],
            ["package_versions.package", "package_versions.version"],
            name=op.f("fk_bundled_versions_package_version_package_versions"),
        ),
        sa.PrimaryKeyConstraint("bundle", "package", name=op.f("pk_bundled_versions")),
    )
    op.add_column("links", sa.Column("bundle", sa.String(length=40), nullable=True))


def downgrade() -> None:
    """Drop them; links to several packages lead nowhere then."""
    with op.batch_alter_table("links") as batch:
        batch.drop_column("bundle")
    op.drop_table("bundled_versions")
    op.drop_table("bundles")
