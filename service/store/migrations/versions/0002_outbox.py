"""One outbox for mails and webhooks; deliveries of webhooks that had a table of their own move into it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the outbox and take over what webhooks wait for."""
    instant = sa.DateTime(timezone=True)
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "outbox",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("due_at", instant, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("done_at", instant, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_outbox_due", "outbox", ["channel", "done_at", "due_at"])
    op.create_index(op.f("ix_outbox_recipient"), "outbox", ["recipient"])
    op.create_index(op.f("ix_outbox_subject"), "outbox", ["subject"])
    op.create_index(op.f("ix_outbox_done_at"), "outbox", ["done_at"])
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "select w.url, w.alert, w.attempts, w.next_at, w.done_at, w.outcome, a.at, a.rule, a.summary, a.facts "
            "from webhook_deliveries w join alerts a on a.id = w.alert"
        )
    ).mappings()
    for row in rows:
        facts = row["facts"] if isinstance(row["facts"], dict) else json.loads(row["facts"])
        data = {"id": row["alert"], "rule": row["rule"], "summary": row["summary"], "facts": facts}
        payload = {"type": "alert.raised", "timestamp": _timestamp(row["at"]), "data": data}
        connection.execute(
            sa.text(
                "insert into outbox (channel, recipient, subject, payload, created_at, due_at, attempts, done_at, outcome)"
                " values ('webhook', :url, :alert, :payload, :at, :next_at, :attempts, :done_at, :outcome)"
            ).bindparams(sa.bindparam("payload", type_=sa.JSON())),
            {name: row[name] for name in ("url", "alert", "at", "next_at", "attempts", "done_at", "outcome")}
            | {"payload": payload},
        )
    op.drop_table("webhook_deliveries")


def downgrade() -> None:
    """Put the table of webhooks back, empty, and drop the outbox with what waits in it."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("alert", sa.String(length=40), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", instant, nullable=False),
        sa.Column("done_at", instant, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_webhook_deliveries_alert"), "webhook_deliveries", ["alert"])
    op.create_index("ix_webhooks_due", "webhook_deliveries", ["done_at", "next_at"])
    op.drop_table("outbox")


def _timestamp(at: Any) -> str:
    # SQLite gives the text that it stores, in UTC without a zone.
    instant = at if isinstance(at, datetime) else datetime.fromisoformat(at).replace(tzinfo=UTC)
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
