"""The minimum that any run must do: read the input once into tables, with DuckDB alone.

python -m tests.benchmarks.floor DATA_FOLDER DATABASE
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb


def read_once(folder: Path, database: Path) -> None:
    """Read each file of `folder` into a table of `database`, which is on disk like the warehouse."""
    with duckdb.connect(str(database)) as connection:
        readers = {".csv": connection.read_csv, ".parquet": connection.read_parquet}
        for file in sorted(folder.iterdir()):
            if reader := readers.get(file.suffix):
                # One CREATE TABLE AS SELECT * FROM the file.
                reader(str(file)).create(file.stem)


if __name__ == "__main__":
    read_once(Path(sys.argv[1]), Path(sys.argv[2]))
