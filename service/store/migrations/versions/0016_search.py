"""Finding participants by parts of names and addresses, and their lists by status and kind in the order of joining."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_STEP = 2000
_FTS = """
create virtual table participant_words_index
using fts5(words, content='participant_words', content_rowid='number', tokenize='trigram')
"""
#: An index with outside content is told of each change, and what the row said before.
_TRIGGERS = (
    """
    create trigger participant_words_insert after insert on participant_words begin
      insert into participant_words_index (rowid, words) values (new.number, new.words);
    end
    """,
    """
    create trigger participant_words_delete after delete on participant_words begin
      insert into participant_words_index (participant_words_index, rowid, words)
      values ('delete', old.number, old.words);
    end
    """,
    """
    create trigger participant_words_update after update on participant_words begin
      insert into participant_words_index (participant_words_index, rowid, words)
      values ('delete', old.number, old.words);
      insert into participant_words_index (rowid, words) values (new.number, new.words);
    end
    """,
)


def upgrade() -> None:
    """Make the table with what is known, and its index of trigrams where the database can have one."""
    words = op.create_table(
        "participant_words",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("participant", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.id"], name=op.f("fk_participant_words_participant_participants")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_participant_words")),
        sa.UniqueConstraint("participant", name=op.f("uq_participant_words_participant")),
    )
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for statement in (_FTS, *_TRIGGERS):
            op.execute(statement)
    for rows in _known(connection):
        connection.execute(sa.insert(words), rows)
    if connection.dialect.name == "postgresql" and _has_trigrams(connection):
        op.execute("create index participant_words_trigrams on participant_words using gin (words gin_trgm_ops)")
    op.create_index("ix_participants_status_created", "participants", ["status", "created_at", "id"])
    op.create_index("ix_participants_kind_created", "participants", ["kind", "created_at", "id"])
    op.create_index("ix_participants_status_kind", "participants", ["status", "kind", "created_at", "id"])
    op.drop_index(op.f("ix_participants_status"), "participants")


def downgrade() -> None:
    """Drop them."""
    op.create_index(op.f("ix_participants_status"), "participants", ["status"])
    for index in ("ix_participants_status_kind", "ix_participants_kind_created", "ix_participants_status_created"):
        op.drop_index(index, "participants")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("drop table participant_words_index")
    op.drop_table("participant_words")


def _has_trigrams(connection: sa.Connection) -> bool:
    """Make the extension pg_trgm; False where it is not installed, or this role may not make it."""
    try:
        with connection.begin_nested():
            connection.execute(sa.text("create extension if not exists pg_trgm"))
    except sa.exc.DBAPIError:
        return False
    return True


def _known(connection: sa.Connection) -> Iterator[list[dict[str, str]]]:
    """Give what every participant is found by, in steps, oldest first."""
    query = sa.text(
        "select p.created_at, p.id, p.name, p.email, p.website, m.name, m.email from participants p "
        "left join members m on m.participant = p.id and m.removed_at is null where p.email is not null "
        "order by p.created_at, p.id"
    )
    found: dict[str, list[str | None]] = {}
    for _, participant, name, email, website, *person in connection.execute(query):
        if participant not in found and len(found) >= _STEP:
            yield _rows(found)
            found = {}
        found.setdefault(participant, [participant, name, email, website]).extend(person)
    if found:
        yield _rows(found)


def _rows(found: dict[str, list[str | None]]) -> list[dict[str, str]]:
    return [
        {"participant": participant, "words": "\n".join(dict.fromkeys(_folded(value) for value in said if value))}
        for participant, said in found.items()
    ]


def _folded(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign) and (sign.isprintable() or sign.isspace()))
