"""What lists of cases are read by, and who has accepted which terms: kept by the database itself.

Triggers fill these tables, so that they are whole while the release before, which does not know them, goes on serving.
On PostgreSQL nobody waits while they are filled with what is known: what is written meanwhile is taken in afterwards,
under a lock.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# What a case is listed by.
_PURPOSES = {"sqlite": "json_each(c.purposes) as asked", "postgresql": "json_array_elements_text(c.purposes) as asked"}
_PURPOSE = {"sqlite": "asked.value", "postgresql": "asked"}
_ROWS = """
insert into case_facets ("case", facet, due_at)
select distinct c.id, 'purpose:' || {purpose}, c.due_at from cases c, {purposes} where {which}
union all select c.id, 'country:' || p.country, c.due_at from cases c join participants p on p.id = c.participant
  where p.country is not null and {which}
union all select c.id, 'participant_kind:' || p.kind, c.due_at from cases c join participants p on p.id = c.participant
  where {which}
"""

# Who holds which versions of terms, and how many.
_DAY = {"sqlite": "date({0})", "postgresql": "to_char({0} at time zone 'UTC', 'YYYY-MM-DD')"}
_ALL = {
    "sqlite": "(select group_concat(version, ' ') from (select version from acceptances a "
    "where a.participant = {0} and a.terms = {1} order by version))",
    "postgresql": "(select string_agg(version, ' ' order by version collate \"C\") from acceptances a "
    "where a.participant = {0} and a.terms = {1})",
}
_ACCEPTED = {
    "sqlite": """
insert into terms_counts (terms, versions, day, number) values (new.terms, new.version, {day}, 1);
update terms_standings set versions = {all} where participant = new.participant and terms = new.terms;
insert into terms_standings (participant, terms, versions, approved, joined_at)
  select p.id, new.terms, new.version, p.status = 'approved', p.created_at from participants p
  where p.id = new.participant
  and not exists (select 1 from terms_standings s where s.participant = p.id and s.terms = new.terms);
""",
    # By its key alone: a plan that is kept from when the table was empty would read all of it.
    "postgresql": """
insert into terms_counts (terms, versions, day, number) values (new.terms, new.version, {day}, 1);
insert into terms_standings (participant, terms, versions, approved, joined_at)
  select p.id, new.terms, {all}, p.status = 'approved', p.created_at from participants p where p.id = new.participant
  on conflict (participant, terms) do update set versions = excluded.versions;
""",
}
_ADD = (
    "insert into terms_counts (terms, versions, day, number) select new.terms, new.versions, '', 1 where new.approved;"
)
_TAKE = (
    "insert into terms_counts (terms, versions, day, number) select old.terms, old.versions, '', -1 where old.approved;"
)
_DECIDED = """
update terms_standings set approved = (new.status = 'approved')
  where participant = new.id and approved <> (new.status = 'approved');
"""
_STANDINGS = """
insert into terms_standings (participant, terms, versions, approved, joined_at)
  select p.id, held.terms, held.versions, p.status = 'approved', p.created_at
  from (select participant, terms, {all} as versions from {accepted} {whose} group by participant, terms) held
  join participants p on p.id = held.participant
"""
_HELD = {
    "sqlite": ("group_concat(version, ' ')", "(select * from acceptances order by participant, terms, version)"),
    "postgresql": ("string_agg(version, ' ' order by version collate \"C\")", "acceptances"),
}
_COUNTS = """
insert into terms_counts (terms, versions, day, number)
  select terms, version, {day}, count(*) from acceptances group by 1, 2, 3
  union all select terms, versions, '', count(*) from terms_standings where approved group by 1, 2
"""

#: Rows that were written since a transaction, by their ids, or by those of their participants.
_SINCE = "select id from {0} where age({0}.xmin) <= age('{1}'::xid)"
_THEIRS_SINCE = "select participant from {0} where age({0}.xmin) <= age('{1}'::xid)"
_TO_CASES = 'foreign key ("case") references cases (id) on delete cascade'
_TO_PARTICIPANTS = "foreign key (participant) references participants (id) on delete cascade"
_FACETS = '"case" varchar(40) not null, facet varchar(80) not null, due_at {instant} not null'
_HOLDERS = (
    "participant varchar(40) not null, terms varchar(60) not null, versions text not null, "
    "approved boolean not null, joined_at {instant} not null"
)


def upgrade() -> None:
    """Make the tables with what is known, and what keeps them."""
    op.create_table(
        "terms_counts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("terms", sa.String(length=60), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms_counts")),
    )
    op.create_index("ix_terms_counts_terms", "terms_counts", ["terms"])
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        _fill_sqlite()
    else:
        _fill_postgresql()
    _execute(_COUNTS.format(day=_DAY[dialect].format("accepted_at")))
    for name, when, table, work in _triggers(dialect):
        if dialect == "sqlite":
            _execute(f"create trigger {name} {when} on {table} begin {work} end")
            continue
        body = f"$$ begin {work} return null; end $$"
        _execute(f"create or replace function {name}() returns trigger language plpgsql as {body}")
        _execute(f"create trigger {name} {when} on {table} for each row execute function {name}()")
    op.create_index("ix_cases_kind_status_due", "cases", ["kind", "status", "due_at", "id"])
    op.drop_index("ix_participants_country", "participants")


def downgrade() -> None:
    """Drop them."""
    op.create_index("ix_participants_country", "participants", ["country"])
    op.drop_index("ix_cases_kind_status_due", "cases")
    dialect = op.get_bind().dialect.name
    for name, _, table, _ in _triggers(dialect):
        op.execute(f"drop trigger {name}" + (f" on {table}" if dialect == "postgresql" else ""))
        if dialect == "postgresql":
            op.execute(f"drop function {name}()")
    for table in ("terms_counts", "terms_standings", "case_facets"):
        op.drop_table(table)


def _fill_sqlite() -> None:
    key = 'constraint pk_case_facets primary key ("case", facet), constraint fk_case_facets_case_cases'
    _execute(f"create table case_facets ({_FACETS.format(instant='datetime')}, {key} {_TO_CASES}) without rowid")
    key = "constraint pk_terms_standings primary key (participant, terms)"
    foreign = f"constraint fk_terms_standings_participant_participants {_TO_PARTICIPANTS}"
    _execute(f"create table terms_standings ({_HOLDERS.format(instant='datetime')}, {key}, {foreign})")
    _execute(_rows("sqlite", "true"))
    _execute(_standings("sqlite"))
    _index()


def _fill_postgresql() -> None:
    began = op.get_bind().scalar(sa.text("select pg_snapshot_xmin(pg_current_snapshot())"))
    _execute(f"create table case_facets ({_FACETS.format(instant='timestamp with time zone')})")
    _execute(f"create table terms_standings ({_HOLDERS.format(instant='timestamp with time zone')})")
    _execute(_rows("postgresql", "true"))
    _execute(_standings("postgresql"))
    _execute('alter table case_facets add constraint pk_case_facets primary key ("case", facet)')
    _execute("alter table terms_standings add constraint pk_terms_standings primary key (participant, terms)")
    _index()
    # In the order in which everybody writes them.
    _execute("lock table participants, cases, acceptances in share row exclusive mode")
    people, cases = _SINCE.format("participants", began), _SINCE.format("cases", began)
    which = f"(c.id in ({cases}) or c.participant in ({people}))"
    _execute(f'delete from case_facets where "case" in (select c.id from cases c where {which})')  # noqa: S608
    _execute(_rows("postgresql", which))
    which = f"participant in ({people} union all {_THEIRS_SINCE.format('acceptances', began)})"
    _execute(f"delete from terms_standings where {which}")  # noqa: S608  # nothing of it is anybody's
    _execute(_standings("postgresql", f"where {which}"))
    _execute(f"alter table case_facets add constraint fk_case_facets_case_cases {_TO_CASES} not valid")
    name = "fk_terms_standings_participant_participants"
    _execute(f"alter table terms_standings add constraint {name} {_TO_PARTICIPANTS} not valid")


def _index() -> None:
    op.create_index("ix_case_facets_facet_due", "case_facets", ["facet", "due_at", "case"])
    op.create_index(
        "ix_terms_standings_versions", "terms_standings", ["terms", "approved", "versions", "joined_at", "participant"]
    )


def _triggers(dialect: str) -> list[tuple[str, str, str, str]]:
    """Give each trigger: when it fires, on which table, and what it does."""
    case, theirs = _rows(dialect, "c.id = new.id"), _rows(dialect, "c.participant = new.id")
    accepted = _ACCEPTED[dialect].format(
        day=_DAY[dialect].format("new.accepted_at"), all=_ALL[dialect].format("new.participant", "new.terms")
    )
    again = 'delete from case_facets where "case" = new.id;'
    theirs_again = 'delete from case_facets where "case" in (select id from cases where participant = new.id);'
    return [
        ("case_facets_opened", "after insert", "cases", f"{case};"),
        ("case_facets_changed", "after update of purposes, participant, due_at", "cases", f"{again} {case};"),
        ("case_facets_person", "after update of country, kind", "participants", f"{theirs_again} {theirs};"),
        ("terms_counts_first", "after insert", "terms_standings", _ADD),
        ("terms_counts_changed", "after update of versions, approved", "terms_standings", _TAKE + _ADD),
        ("terms_standings_accepted", "after insert", "acceptances", accepted),
        ("terms_standings_decided", "after update of status", "participants", _DECIDED),
    ]


def _rows(dialect: str, which: str) -> str:
    return _ROWS.format(purpose=_PURPOSE[dialect], purposes=_PURPOSES[dialect], which=which)


def _standings(dialect: str, whose: str = "") -> str:
    every, accepted = _HELD[dialect]
    return _STANDINGS.format(all=every, accepted=accepted, whose=whose)


def _execute(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", r"\:")))  # a colon in it is no parameter
