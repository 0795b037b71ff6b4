#!/usr/bin/env bash
# fastparquet 2026.9.0 reads texts as null where it is given several files at once, the first has the column
# dictionary-encoded, and a later one has it plain. Both are usual: writers choose by what stands in a file, so a day
# with few rows is plain among days with many. No error, no warning; pyarrow, polars and DuckDB read the same files
# right, and so does fastparquet when it is given the plain file alone or first.
# What helps: read each file by itself and put the frames together.
# Exits non-zero where the package does otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    fastparquet==2026.9.0 pandas==3.1.1 pyarrow==26.0.1
cd "$folder"
./venv/bin/python - <<'PYTHON'
import sys
from importlib.metadata import version

import fastparquet
import pyarrow
import pyarrow.parquet

pyarrow.parquet.write_table(pyarrow.table({"site": ["a"] * 20}), "many.parquet", use_dictionary=True)
pyarrow.parquet.write_table(pyarrow.table({"site": ["b"] * 2}), "few.parquet", use_dictionary=False)
print("fastparquet", version("fastparquet"), "pyarrow", version("pyarrow"))
print("pyarrow    ", pyarrow.parquet.read_table(["many.parquet", "few.parquet"])["site"].to_pylist()[-3:])
seen = {
    ("few.parquet",): ["b", "b"],
    ("few.parquet", "many.parquet"): ["a", "a", "a"],
    ("many.parquet", "few.parquet"): ["a", None, None],
}
for files, expected in seen.items():
    found = fastparquet.ParquetFile(list(files)).to_pandas()["site"].tolist()[-len(expected):]
    print("fastparquet", files, found)
    if found != expected:
        sys.exit(f"This has changed: {files}")
PYTHON
