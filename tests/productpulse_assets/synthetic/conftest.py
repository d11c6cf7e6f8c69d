"""One small demo company on disk, open in DuckDB, for all tests of the simulator."""

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from productpulse_assets.synthetic import DATASETS, CompanyPlan, write_company

Database = duckdb.DuckDBPyConnection


@pytest.fixture(scope="session")
def open_company() -> Callable[[Path, str], Database]:
    """Opens the files of a folder: a connection with one view per dataset."""

    def connect(folder: Path, file_format: str) -> Database:
        database = duckdb.connect(config={"threads": 1})
        for name in DATASETS:
            database.execute(f"CREATE VIEW {name} AS FROM '{folder / name}.{file_format}'")
        return database

    return connect


@pytest.fixture(scope="session")
def written(
    tmp_path_factory: pytest.TempPathFactory, open_company: Callable[[Path, str], Database]
) -> Callable[[CompanyPlan], Database]:
    """Writes the company of a plan as parquet and opens it."""

    def write(plan: CompanyPlan) -> Database:
        folder = tmp_path_factory.mktemp("company")
        write_company(plan, folder, "parquet")
        return open_company(folder, "parquet")

    return write


@pytest.fixture(scope="session")
def plan() -> CompanyPlan:
    """300 customers over the default window, in two batches."""
    return CompanyPlan(customers=300, batch_customers=200)


@pytest.fixture(scope="session")
def company(plan: CompanyPlan, written: Callable[[CompanyPlan], Database]) -> Iterator[Database]:
    """The company of `plan`, with the as-of date as the variable as_of."""
    database = written(plan)
    database.execute(f"SET VARIABLE as_of = DATE '{plan.as_of}'")
    yield database
    database.close()
