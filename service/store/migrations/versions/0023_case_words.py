"""Finding cases by what was written in them, and the queue in its order by status."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_STEP = 2000
_FTS = """
create virtual table case_words_index
using fts5(words, content='case_words', content_rowid='number', tokenize='trigram')
"""
#: An index with outside content is told of each change, and what the row said before.
_TRIGGERS = (
    """
    create trigger case_words_insert after insert on case_words begin
      insert into case_words_index (rowid, words) values (new.number, new.words);
    end
    """,
    """
    create trigger case_words_delete after delete on case_words begin
      insert into case_words_index (case_words_index, rowid, words) values ('delete', old.number, old.words);
    end
    """,
    """
    create trigger case_words_update after update on case_words begin
      insert into case_words_index (case_words_index, rowid, words) values ('delete', old.number, old.words);
      insert into case_words_index (rowid, words) values (new.number, new.words);
    end
    """,
)


def upgrade() -> None:
    """Make the table with what is known, its index of trigrams where the database can have one, and the queue's."""
    words = op.create_table(
        "case_words",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("case", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name=op.f("fk_case_words_case_cases")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_case_words")),
        sa.UniqueConstraint("case", name=op.f("uq_case_words_case")),
    )
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for statement in (_FTS, *_TRIGGERS):
            op.execute(statement)
    for rows in _known(connection):
        connection.execute(sa.insert(words), rows)
    if connection.dialect.name == "postgresql" and _has_trigrams(connection):
        op.execute("create index case_words_trigrams on case_words using gin (words gin_trgm_ops)")
    op.create_index("ix_cases_status_due", "cases", ["status", "due_at", "id"])
    op.drop_index(op.f("ix_cases_status"), "cases")


def downgrade() -> None:
    """Drop them."""
    op.create_index(op.f("ix_cases_status"), "cases", ["status"])
    op.drop_index("ix_cases_status_due", "cases")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("drop table case_words_index")
    op.drop_table("case_words")


def _has_trigrams(connection: sa.Connection) -> bool:
    """Tell whether an earlier migration could make the extension pg_trgm."""
    return connection.scalar(sa.text("select 1 from pg_extension where extname = 'pg_trgm'")) is not None


def _known(connection: sa.Connection) -> Iterator[list[dict[str, str]]]:
    """Give what every case is found by, in steps."""
    cases = sa.table("cases", sa.column("id", sa.String), sa.column("report", sa.JSON))
    messages = sa.table("case_messages", sa.column("case", sa.String), sa.column("at"), sa.column("text", sa.Text))
    last = ""
    while True:
        step = connection.execute(
            sa.select(cases.c.id, cases.c.report).where(cases.c.id > last).order_by(cases.c.id).limit(_STEP)
        ).all()
        if not step:
            return
        last = step[-1].id
        found: dict[str, list[str | None]] = {}
        for case, report in step:
            told = report if isinstance(report, dict) else {}
            found[case] = [case, told.get("url"), told.get("email")]
        said = sa.select(messages.c.case, messages.c.text).where(messages.c.case.in_(list(found)))
        for case, text in connection.execute(said.order_by(messages.c.at)):
            found[case].append(text)
        yield [
            {"case": case, "words": "\n".join(_folded(value) for value in values if value)}
            for case, values in found.items()
        ]


def _folded(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign) and (sign.isprintable() or sign.isspace()))
