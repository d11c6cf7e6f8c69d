"""The store behind the graph: what an asset's expression becomes, and what happens when it cannot."""

import os
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from unittest import mock

import dagster as dg
import duckdb
import ibis
import pytest
from dagster_duckdb import DuckDBResource
from ibis import _

from resources.at_launch import warehouse_resource
from resources.store_file import WarehouseBusy, opening_problem
from resources.tables import table_of
from resources.warehouse import Warehouse, comment, create_table, describe, transaction
from tests.errors import raises

ORDERS = ibis.schema({"order_id": "string", "customer_id": "string", "amount": "decimal(18, 2)"})
ROWS = [
    {"order_id": "O3", "customer_id": "C2", "amount": Decimal("5.50")},
    {"order_id": "O1", "customer_id": "C2", "amount": Decimal("10.00")},
    {"order_id": "O2", "customer_id": "C1", "amount": None},
]
GLOSSARY = "amount: What was paid.\norders.customer_id: Who ordered.\n"


@dg.asset(io_manager_key="warehouse", metadata={"key": ["order_id"]})
def orders() -> ibis.Table:
    """Orders, out of order."""
    return table_of(ROWS, ORDERS)


@dg.asset(io_manager_key="warehouse", metadata={"key": ["customer_id"]})
def totals(orders: ibis.Table) -> ibis.Table:
    """What each customer paid."""
    return orders.group_by("customer_id").aggregate(total=_.amount.sum(), order_count=_.count())


@pytest.fixture
def file(tmp_path) -> Path:
    """Where the warehouse will be, in a folder that is not there yet."""
    return tmp_path / "home" / "warehouse.duckdb"


@pytest.fixture
def warehouse(file, tmp_path) -> Warehouse:
    """A warehouse that no run has opened."""
    (tmp_path / "glossary.yaml").write_text(GLOSSARY)
    return Warehouse(duckdb=DuckDBResource(database=str(file)), glossary=str(tmp_path / "glossary.yaml"))


def run(warehouse, *assets):
    return dg.materialize(assets, resources={"warehouse": warehouse_resource(warehouse)}, raise_on_error=False)


def stored(file, sql):
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def metadata(result, name):
    return result.asset_materializations_for_node(name)[0].metadata


def test_an_expression_becomes_a_table_that_the_next_asset_reads(warehouse, file):
    assert run(warehouse, orders, totals).success
    assert stored(file, "FROM totals") == [("C1", None, 1), ("C2", Decimal("15.50"), 2)]


def test_rows_are_stored_in_the_order_of_the_key(warehouse, file):
    run(warehouse, orders)
    assert stored(file, "SELECT order_id FROM orders ORDER BY rowid") == [("O1",), ("O2",), ("O3",)]


def test_a_table_without_a_key_is_stored_as_it_comes(warehouse, file):
    @dg.asset(io_manager_key="warehouse")
    def unordered() -> ibis.Table:
        return table_of(ROWS, ORDERS)

    assert run(warehouse, unordered).success
    assert stored(file, "SELECT count(*) FROM unordered") == [(3,)]


def test_a_table_that_its_asset_has_staged_is_taken_over_as_it_stands(warehouse, file):
    @dg.asset(io_manager_key="warehouse", required_resource_keys={"warehouse"}, metadata={"key": ["number"]})
    def stock(context) -> ibis.Table:
        backend = context.resources.warehouse.backend
        backend.con.execute("CREATE OR REPLACE TABLE staged_stock AS SELECT * FROM (VALUES (2), (1)) AS t(number)")
        return backend.table("staged_stock")

    for _again in range(2):
        result = run(warehouse, stock)
        assert metadata(result, "stock")["dagster/row_count"].value == 2
        assert "RENAME TO" in metadata(result, "stock")["sql"].value
    assert stored(file, "SELECT number FROM stock") == [(2,), (1,)]  # in the order it was staged in, not sorted anew
    assert stored(file, "SELECT table_name FROM duckdb_tables()") == [("stock",)]


def test_a_second_run_replaces_the_table(warehouse, file):
    run(warehouse, orders)
    run(warehouse, orders)
    assert stored(file, "SELECT count(*) FROM orders") == [(3,)]


def test_a_transaction_that_fails_leaves_the_old_table_and_no_transaction(tmp_path):
    backend = ibis.duckdb.connect(tmp_path / "totals.duckdb")
    create_table(backend, "totals", "SELECT 1 AS number")
    with pytest.raises(duckdb.BinderException), transaction(backend):
        create_table(backend, "totals", "SELECT 2 AS number")
        comment(backend, "totals", {"no_such_column": "It is not there."})
    with transaction(backend):
        comment(backend, "totals", {"number": "A number."})
    assert backend.con.execute("FROM totals").fetchall() == [(1,)]


def test_what_a_materialization_shows(warehouse):
    result = run(warehouse, orders, totals)
    shown = metadata(result, "orders")
    assert shown["dagster/row_count"].value == 3
    columns = {c.name: (c.type, c.description) for c in shown["dagster/column_schema"].value.columns}
    assert columns == {
        "order_id": ("string", None),
        "customer_id": ("string", "Who ordered."),
        "amount": ("decimal(18, 2)", "What was paid."),
    }
    assert shown["preview"].value.splitlines() == [
        "| order_id | customer_id | amount |",
        "| --- | --- | --- |",
        "| O1 | C2 | 10.00 |",
        "| O2 | C1 |  |",
        "| O3 | C2 | 5.50 |",
    ]
    assert shown["seconds"].value >= 0


def preview(result, name):
    """The rows of a preview, without its head."""
    return metadata(result, name)["preview"].value.splitlines()[2:]


def test_a_preview_masks_personal_columns_and_what_is_made_of_them(warehouse, file):
    @dg.asset(io_manager_key="warehouse", metadata={"key": ["order_id"]})
    def letters(orders: ibis.Table) -> ibis.Table:
        return orders.select("order_id", greeting="Dear " + _.customer_id, length=_.customer_id.length())

    @dg.asset(io_manager_key="warehouse", metadata={"key": ["order_id"]})
    def sent(letters: ibis.Table) -> ibis.Table:
        return letters.filter(_.order_id == "O1").select("order_id", text=_.greeting.upper())

    warehouse.personal = {"orders": ["customer_id", "amount"]}
    result = run(warehouse, orders, letters, sent)
    assert preview(result, "orders") == [
        "| O1 | (personal) | (personal) |",
        "| O2 | (personal) |  |",
        "| O3 | (personal) | (personal) |",
    ]
    assert preview(result, "letters")[0] == "| O1 | (personal) | 2 |"
    assert preview(result, "sent") == ["| O1 | (personal) |"]
    assert stored(file, "FROM sent") == [("O1", "DEAR C2")]


def test_an_asset_that_reads_names_from_elsewhere_says_which_columns_have_them(warehouse):
    @dg.asset(io_manager_key="warehouse", metadata={"key": ["order_id"], "personal": ["customer_id"]})
    def read_orders() -> ibis.Table:
        return table_of(ROWS[:1], ORDERS)

    @dg.asset(io_manager_key="warehouse", metadata={"key": ["name"]})
    def later(read_orders: ibis.Table) -> ibis.Table:
        return read_orders.select(name="customer_id")

    result = run(warehouse, read_orders, later)
    assert preview(result, "read_orders") == ["| O3 | (personal) | 5.50 |"]
    assert preview(result, "later") == ["| (personal) |"]


def test_the_sql_that_ran_is_shown(warehouse):
    shown = metadata(run(warehouse, orders, totals), "totals")["sql"].value
    assert shown.startswith("```sql\n") and shown.endswith("\n```")
    assert "SUM(" in shown and "GROUP BY" in shown and "ORDER BY" in shown and '"orders"' in shown


def test_the_lineage_of_the_columns_is_shown(warehouse):
    lineage = metadata(run(warehouse, orders, totals), "totals")["dagster/column_lineage"].value.deps_by_column
    assert {name: [(d.asset_key.path[-1], d.column_name) for d in found] for name, found in lineage.items()} == {
        "customer_id": [("orders", "customer_id")],
        "total": [("orders", "amount")],
    }


def test_a_table_without_rows_says_so(warehouse):
    @dg.asset(io_manager_key="warehouse", metadata={"key": ["order_id"]})
    def nothing() -> ibis.Table:
        return table_of([], ORDERS)

    shown = metadata(run(warehouse, nothing), "nothing")
    assert (shown["dagster/row_count"].value, shown["preview"].value) == (0, "no rows")


def test_a_failed_store_keeps_the_old_table(warehouse, file):
    assert run(warehouse, orders).success

    @dg.asset(name="orders", io_manager_key="warehouse", metadata={"key": ["order_id"]})
    def broken() -> ibis.Table:
        return table_of(ROWS, ORDERS).mutate(amount=_.order_id.cast("int64"))  # 'O3' is no number

    result = run(warehouse, broken)
    assert not result.success
    (failure,) = result.get_step_failure_events()
    assert "Could not convert string 'O" in str(failure.step_failure_data.error)  # in the middle of writing
    assert stored(file, "SELECT order_id, amount FROM orders") == [
        ("O1", Decimal("10.00")),
        ("O2", None),
        ("O3", Decimal("5.50")),
    ]


def test_the_file_is_free_after_a_run_that_failed(warehouse, file):
    @dg.asset(io_manager_key="warehouse")
    def broken() -> ibis.Table:
        raise RuntimeError("no")

    assert not run(warehouse, broken).success
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE writable (a INTEGER)")


HOLDER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("CREATE TABLE mine (a INTEGER)")
print("open", flush=True)
sys.stdin.read()
"""


def test_a_warehouse_that_another_process_has_is_said_with_file_and_process(warehouse, file):
    file.parent.mkdir()
    command = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        deadline = threading.Timer(30, holder.kill)
        deadline.start()
        try:
            assert holder.stdout.readline() == "open\n"
            with (
                pytest.raises(WarehouseBusy) as caught,  # with the number of a process, which differs
                warehouse.open_for_run(dg.build_init_resource_context()),
            ):
                pass
        finally:
            deadline.cancel()
            holder.stdin.close()
        said = str(caught.value)
        assert f"The warehouse {file} is in use by process {holder.pid} (" in said
        assert said.endswith("is the file to look at), then run again.")
    with warehouse.open_for_run(dg.build_init_resource_context()) as ready:
        assert ready.backend.list_tables() == ["mine"]


@pytest.mark.parametrize("holder", [" held in /usr/bin/python3 (PID 42)", ""])
def test_a_store_that_another_program_has_open_is_busy(tmp_path, monkeypatch, holder):
    def fail(_path: Path) -> None:
        raise duckdb.IOException(f"IO Error: Could not set lock on file:{holder}")

    (tmp_path / "store.duckdb").touch()
    monkeypatch.setattr("resources.store_file.open_file", fail)
    with raises("warehouse.busy", WarehouseBusy):
        opening_problem(tmp_path / "store.duckdb")


def test_a_table_that_no_run_has_computed_is_an_error(warehouse):
    with warehouse.open_for_run(dg.build_init_resource_context()) as ready, raises("warehouse.table_not_computed"):
        ready.require(["kpi_summary"])


def overwrite(file, offset: int, length: int) -> None:
    with file.open("r+b") as stream:
        stream.seek(offset)
        stream.write(b"\xa5" * length)


DAMAGES = {
    "no database": lambda file: file.write_bytes(b"not a database" * 1000),
    "emptied": lambda file: file.write_bytes(b""),
    "header": lambda file: overwrite(file, 0, 12288),
    "cut off": lambda file: os.truncate(file, file.stat().st_size // 2),
    "first block": lambda file: overwrite(file, 12288, 4096),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_set_aside_and_said_and_the_run_goes_on(warehouse, file, damage, capfd):
    assert run(warehouse, orders).success
    damage(file)
    damaged = file.read_bytes()
    result = run(warehouse, orders, totals)
    assert result.success
    assert "was damaged" in capfd.readouterr().err
    assert (file.parent / "warehouse.duckdb.damaged").read_bytes() == damaged
    assert stored(file, "SELECT count(*) FROM totals") == [(2,)]


def test_a_file_that_may_not_be_read_is_not_taken_for_a_damaged_one(warehouse, file, monkeypatch):
    assert run(warehouse, orders).success
    refuse = mock.Mock(side_effect=duckdb.IOException("IO Error: Cannot open file: Permission denied"))
    monkeypatch.setattr("resources.store_file.duckdb.connect", refuse)
    with pytest.raises(duckdb.IOException, match="Permission denied"):
        opening_problem(file)
    assert file.exists()


def test_dates_are_cut_in_the_configured_time_zone(file, tmp_path):
    (tmp_path / "glossary.yaml").write_text("{}")
    warehouse = Warehouse(
        duckdb=DuckDBResource(database=str(file)), glossary=str(tmp_path / "glossary.yaml"), time_zone="Asia/Tokyo"
    )
    with warehouse.open_for_run(dg.build_init_resource_context()) as ready:
        day = ready.backend.con.execute("SELECT TIMESTAMPTZ '2026-01-31 20:00:00+00'::DATE::VARCHAR").fetchone()
    assert day == ("2026-02-01",)


def test_a_column_is_described_by_its_table_first():
    meanings = {"amount": "What was paid.", "refunds.amount": "What was paid back."}
    assert describe(meanings, "orders", "amount") == "What was paid."
    assert describe(meanings, "refunds", "amount") == "What was paid back."
    assert describe(meanings, "orders", "day") is None
