"""Writes the company to files, one per dataset; a failed write leaves the old files."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pyarrow import csv, parquet

from productpulse_assets.synthetic.company import DATASETS, batches_of, company_tables
from productpulse_assets.synthetic.settings import CompanyPlan

FileFormat = Literal["csv", "parquet"]
FORMATS = ("csv", "parquet")


def write_company(plan: CompanyPlan, folder: Path, file_format: FileFormat) -> dict[str, int]:
    """Write `<folder>/<dataset>.<file_format>` for all datasets; rows by dataset.

    Equal arguments give equal bytes. The files are renamed to their final names only when all are complete.
    Raises ValueError for another format.
    """
    if file_format not in FORMATS:
        raise ValueError(f"The demo company cannot be written as {file_format!r}; expected csv or parquet.")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = {name: folder / f".{name}.{os.getpid()}.unfinished" for name in DATASETS}
    try:
        rows = _write_all(plan, unfinished, file_format)
        for name, path in unfinished.items():
            os.replace(path, folder / f"{name}.{file_format}")
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)
    return rows


def _tables(plan: CompanyPlan) -> Iterator[tuple[str, pa.Table]]:
    for batch in batches_of(plan):
        yield from batch.datasets.items()
    yield from company_tables(plan).items()


def _write_all(plan: CompanyPlan, paths: dict[str, Path], file_format: FileFormat) -> dict[str, int]:
    rows = dict.fromkeys(DATASETS, 0)
    with ExitStack() as stack:
        writers = {}
        for name, table in _tables(plan):
            if name not in writers:
                writer = _open_writer(paths[name], table.schema, file_format)
                writers[name] = stack.enter_context(writer)
            writers[name].write_table(table)
            rows[name] += table.num_rows
    return rows


def _open_writer(path: Path, schema: pa.Schema, file_format: FileFormat) -> csv.CSVWriter | parquet.ParquetWriter:
    if file_format == "csv":
        return csv.CSVWriter(path, schema)
    # A key is different in every row: a dictionary would take time and save nothing.
    repeating = [name for name in schema.names[1:] if pa.types.is_string(schema.field(name).type)]
    return parquet.ParquetWriter(path, schema, compression="zstd", use_dictionary=repeating)
