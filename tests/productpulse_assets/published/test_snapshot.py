"""The snapshot: the working file as it is, and nothing in it that the graph does not publish."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import dagster as dg
import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster_duckdb import DuckDBResource

from productpulse_assets.published.exports import export, exports_asset
from productpulse_assets.published.snapshot import COPYING, copy_store, published_snapshot_asset
from resources.at_launch import warehouse_resource
from resources.home import Home
from resources.settings import Settings
from resources.warehouse import Warehouse
from tests.graph import RULES


@pytest.fixture
def home(tmp_path) -> Home:
    """A home whose working file has the table orders, and one that an earlier version left."""
    place = Home(tmp_path)
    with duckdb.connect(str(place.warehouse)) as connection:
        connection.execute("CREATE TABLE orders AS SELECT range AS order_id FROM range(1000)")
        connection.execute("CREATE TABLE staged_orders AS FROM orders")
    return place


def published(home: Home) -> list[tuple[str]]:
    with duckdb.connect(str(home.published), read_only=True) as snapshot:
        assert snapshot.execute("SELECT count(*), sum(order_id) FROM orders").fetchone() == (1000, 499500)
        return snapshot.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall()


def test_the_snapshot_has_the_published_tables_alone(home, tmp_path, monkeypatch):
    # There is no plan among these tables to keep; tests/…/decisions/test_changes.py looks at that.
    monkeypatch.setattr(
        "productpulse_assets.published.snapshot.add_to_history", lambda *_arguments: dt.date(2026, 6, 30)
    )
    (tmp_path / "glossary.yaml").write_text("{}")
    duckdb_file = DuckDBResource(database=str(home.warehouse))
    warehouse = warehouse_resource(Warehouse(duckdb=duckdb_file, glossary=str(tmp_path / "glossary.yaml")))
    settings = Settings(home=str(home.root))
    snapshot = published_snapshot_asset({"orders": "One row per order."}, [], RULES, settings)
    assert dg.materialize([snapshot], resources={"warehouse": warehouse}).success
    assert published(home) == [("orders",)]
    with duckdb.connect(str(home.warehouse)) as working:
        assert working.execute("SELECT count(*) FROM staged_orders").fetchone() == (1000,)


def test_tables_of_the_snapshot_alone_leave_no_files_of_an_earlier_version(home, tmp_path):
    (tmp_path / "glossary.yaml").write_text("{}")
    duckdb_file = DuckDBResource(database=str(home.warehouse))
    warehouse = warehouse_resource(Warehouse(duckdb=duckdb_file, glossary=str(tmp_path / "glossary.yaml")))
    home.exports.mkdir()
    (home.exports / "staged_orders.csv").write_text("order_id")
    exports = exports_asset(["orders"], Settings(home=str(home.root)), ["staged_orders"])
    assert dg.materialize([exports], resources={"warehouse": warehouse}).success
    assert sorted(path.name for path in home.exports.iterdir()) == ["orders.csv", "orders.parquet"]


def test_a_copied_store_stays_locked_by_the_run_that_has_it_open(home, tmp_path):
    backend = ibis.duckdb.connect(home.warehouse)
    copy_store(backend, home.warehouse, tmp_path / "copy.duckdb")
    opening = f"import duckdb; duckdb.connect({str(home.warehouse)!r})"
    assert subprocess.run([sys.executable, "-c", opening], capture_output=True, check=False).returncode
    backend.disconnect()
    assert (tmp_path / "copy.duckdb").read_bytes() == home.warehouse.read_bytes()


def test_where_the_kernel_cannot_copy_the_file_is_copied_all_the_same(tmp_path):
    source, target = tmp_path / "source", Path(tmp_path / "target")
    source.write_bytes(b"rows" * 1000)
    without = "import os; del os.copy_file_range\n" + COPYING
    subprocess.run([sys.executable, "-I", "-S", "-c", without, str(source), str(target)], check=True)
    assert target.read_bytes() == source.read_bytes()


def test_a_csv_has_every_text_in_quotes_and_nothing_to_run(tmp_path):
    backend = ibis.duckdb.connect()
    rows = {'name of "it"': ["a;=1+1", None, "", 'say "yes"'], "change": [-1.5, None, 2.0, 0.0]}
    table = backend.create_table("it's", pa.table(rows))
    assert export(backend, table, tmp_path / "it's", "it's")
    assert (tmp_path / "it's" / "it's.csv").read_text("utf-8").splitlines() == [
        '"name of ""it""",change', '"a;\'=1+1",-1.5', ",", '"",2.0', '"say ""yes""",0.0'
    ]  # fmt: skip
    assert pq.read_table(tmp_path / "it's" / "it's.parquet").to_pydict() == rows
