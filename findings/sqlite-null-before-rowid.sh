#!/usr/bin/env bash
# SQLite 3.50.4 (in apsw 3.50.4.0): an UPDATE that takes values by number from json_each, of rows whose unique column
# is still NULL, begins with all rows that are NULL, and reads the list once for each of them. A unique column can hold
# any number of NULLs, but without statistics "is null" on one is taken for as good as naming a row, better than the
# row's own number. A queue in which such a column means "not done yet" so takes the square of its length. A + before
# the column, which keeps its index out of the plan, begins with the list and finds each row by its number.
# Exits non-zero where the package plans otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.50.4.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import apsw

database = apsw.Connection(":memory:")
database.execute("create table entries (seq integer primary key, place integer unique)")
plans = []
for condition in ("place is null", "+place is null"):
    plan = database.execute(
        "explain query plan update entries set place = wanted.key from json_each('[1, 2, 3]') as wanted "
        f"where entries.seq = wanted.value and {condition}"
    )
    plans.append([step[3].split(" USING ")[-1] for step in plan])
    print(f"SQLite {apsw.sqlite_lib_version()}, {condition}: {'; then '.join(plans[-1])}")
wanted = [
    ["COVERING INDEX sqlite_autoindex_entries_1 (place=?)", "SCAN wanted VIRTUAL TABLE INDEX 1:"],
    ["SCAN wanted VIRTUAL TABLE INDEX 1:", "INTEGER PRIMARY KEY (rowid=?)"],
]
sys.exit(plans != wanted)
PYTHON
# Seen on 1 December 2026:
# SQLite 3.50.4, place is null: COVERING INDEX sqlite_autoindex_entries_1 (place=?); then SCAN wanted VIRTUAL TABLE INDEX 1:
# SQLite 3.50.4, +place is null: SCAN wanted VIRTUAL TABLE INDEX 1:; then INTEGER PRIMARY KEY (rowid=?)
