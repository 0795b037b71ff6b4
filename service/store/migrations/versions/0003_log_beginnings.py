"""Imported logs are known by their beginnings, so that a shorter copy of one is known too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NO_TAIL = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of nothing


def upgrade() -> None:
    """Make the table anew, with what was imported so far: it goes on to be known by all of its lines."""
    op.rename_table("log_imports", "log_imports_before")
    op.create_table(
        "log_imports",
        sa.Column("import_id", sa.String(length=40), nullable=False),
        sa.Column("format", sa.String(length=12), nullable=False),
        sa.Column("first_line", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("marks", sa.LargeBinary(), nullable=False),
        sa.Column("tail_bytes", sa.Integer(), nullable=False),
        sa.Column("tail_sha256", sa.String(length=64), nullable=False),
        sa.Column("bad", sa.BigInteger(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name="pk_log_imports_2"),
    )
    op.execute(
        sa.text(
            "insert into log_imports (import_id, format, first_line, sha256, bytes, lines, marks, tail_bytes, "
            "tail_sha256, bad, views, finished, at) "
            "select import_id, format, '', sha256, bytes, lines, :none, 0, :tail, bad, views, finished, at "
            "from log_imports_before"
        ).bindparams(sa.bindparam("none", b"", type_=sa.LargeBinary()), tail=_NO_TAIL)
    )
    op.drop_table("log_imports_before")
    op.create_index(op.f("ix_log_imports_first_line"), "log_imports", ["first_line"])


def downgrade() -> None:
    """Make the table as it was; files of which a last line without its end was counted would count it again."""
    op.rename_table("log_imports", "log_imports_before")
    op.create_table(
        "log_imports",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=12), nullable=False),
        sa.Column("import_id", sa.String(length=40), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("bad", sa.BigInteger(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "format", name="pk_log_imports_1"),
    )
    op.execute(
        "insert into log_imports select sha256, format, min(import_id), min(bytes), min(lines), min(bad), min(views), "
        "finished, min(at) from log_imports_before where finished group by sha256, format, finished"
    )
    op.drop_table("log_imports_before")
    op.create_index(op.f("ix_log_imports_bytes"), "log_imports", ["bytes"])
    op.create_index(op.f("ix_log_imports_import_id"), "log_imports", ["import_id"])
