#!/usr/bin/env bash
# duckdb 2.0.1 writes a Parquet column as REQUIRED where the rows at hand have no null, though the table's column is
# nullable; duckdb 1.5 wrote OPTIONAL. So the files of one partitioned table differ by what happens to stand in them:
#   - pyarrow 26.0.1 reads all of them with the first file's schema, and refuses to write what it has read
#     ("declared non-nullable but contains nulls");
#   - fastparquet 2026.9.0 reads the nulls of the other files as False and as the bytes of Parquet's own bookkeeping;
# There is no option of COPY for it. What helps: SET disabled_optimizers = 'statistics_propagation' while writing.
# Exits non-zero where the packages do otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    duckdb==2.0.1 pyarrow==26.0.1 fastparquet==2026.9.0 pandas==3.1.1
cd "$folder"
cat > write.py <<'PYTHON'
import sys
from pathlib import Path

import duckdb

connection = duckdb.connect()
if sys.argv[1] == "helped":
    connection.execute("set disabled_optimizers = 'statistics_propagation'")
connection.execute("create table t (n bigint, country varchar, counted boolean)")
for day, row in (("2026-01-01", (1, "AT", True)), ("2026-01-02", (2, None, None))):
    Path(f"{sys.argv[1]}/day={day}").mkdir(parents=True)
    connection.execute("delete from t")
    connection.execute("insert into t values (?, ?, ?)", row)
    connection.execute(f"copy t to '{sys.argv[1]}/day={day}/a.parquet' (format parquet)")
PYTHON
cat > read.py <<'PYTHON'
import sys
from pathlib import Path

import duckdb
import fastparquet
import pyarrow.dataset
import pyarrow.parquet

name = sys.argv[1]
files = sorted(map(str, Path(name).rglob("*.parquet")))
print("columns that may be null:", [[c.name for c in pyarrow.parquet.read_schema(f) if c.nullable] for f in files])
print("duckdb     ", duckdb.sql(f"select country, counted from '{name}/*/*.parquet' order by n").fetchall())
table = pyarrow.dataset.dataset(name, partitioning="hive").to_table()
try:
    pyarrow.parquet.write_table(table, "again.parquet")
    written = "written again"
except pyarrow.ArrowInvalid as error:
    written = f"not written again: {error}"
print("pyarrow    ", [(row["country"], row["counted"]) for row in table.to_pylist()], written)
frame = fastparquet.ParquetFile(files).to_pandas().astype(object)
print("fastparquet", list(zip(frame["country"], frame["counted"], strict=True)))
PYTHON
for name in plain helped; do
    echo "== $name"
    ./venv/bin/python write.py "$name"
    ./venv/bin/python read.py "$name" | tee "$name.txt"
done
grep -q "\[\['n', 'country', 'counted'\], \['n', 'country', 'counted'\]\]" helped.txt
grep -q "^pyarrow .*written again$" helped.txt
grep -q "may be null: \[\[\], \['country', 'counted'\]\]" plain.txt
grep -q "^pyarrow .*not written again: Column 'country' is declared non-nullable but contains nulls" plain.txt
grep -qF "('\x02\x00', False)" plain.txt
