"""The published file through its readers' eyes."""

import os
import shutil

import duckdb
import pytest

from resources.published_snapshot import NoSnapshot, Snapshot, version_of
from tests.errors import raises


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "published" / "productpulse.duckdb"
    path.parent.mkdir()
    write(path, "first")
    return path


def write(path, name):
    with duckdb.connect(str(path)) as database:
        database.execute(
            f"""CREATE OR REPLACE TABLE customers AS SELECT * FROM (VALUES
                ('C-1', '{name}', 12.50::DECIMAL(18, 2)), ('C-2', '=1+1', NULL)) AS t(customer_id, company_name, mrr)"""
        )
        database.execute("COMMENT ON COLUMN customers.mrr IS 'What it pays.'")


def test_rows_are_python_values_and_money_is_decimal(file):
    snapshot = Snapshot(version_of(file))
    customers = snapshot.table("customers").order_by("customer_id")
    assert [str(row["mrr"]) for row in snapshot.rows(customers)] == ["12.50", "None"]
    assert snapshot.comments() == {("customers", "mrr"): "What it pays."}
    assert "customers" in snapshot and "targets" not in snapshot


def test_a_new_snapshot_is_seen_while_the_old_one_is_open(file, tmp_path):
    old = Snapshot(version_of(file))
    write(tmp_path / "new", "second")
    before = version_of(file)
    os.replace(tmp_path / "new", file)
    assert version_of(file) != before
    new = Snapshot(version_of(file))
    names = [
        s.rows(s.table("customers").filter(s.table("customers").customer_id == "C-1"))[0]["company_name"]
        for s in (old, new)
    ]
    assert names == ["first", "second"]


def test_a_reader_does_not_keep_a_run_from_publishing(file, tmp_path):
    snapshot = Snapshot(version_of(file))
    shutil.copy(file, tmp_path / "copy")
    os.replace(tmp_path / "copy", file)
    assert len(snapshot.rows(snapshot.table("customers"))) == 2
    snapshot.close()


def test_csv_has_every_row_and_nothing_to_run(file):
    snapshot = Snapshot(version_of(file))
    text = snapshot.csv(snapshot.table("customers").order_by("customer_id")).decode()
    assert text.splitlines() == [
        '"customer_id","company_name","mrr"', '"C-1","first",12.50', '"C-2","\'=1+1",'
    ]  # fmt: skip


def test_csv_is_written_to_no_file(file, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "not there"))
    snapshot = Snapshot(version_of(file))
    assert snapshot.csv(snapshot.table("customers")).count(b"\n") == 3


def test_no_file_no_database_no_table(file, tmp_path):
    with raises("snapshot.missing", NoSnapshot):
        version_of(tmp_path / "published" / "other" / "x.duckdb")
    bad = tmp_path / "published" / "bad.duckdb"
    bad.write_text("x" * 5000)
    with raises("snapshot.unreadable", NoSnapshot):
        Snapshot(version_of(bad))
    with raises("snapshot.no_such_table", NoSnapshot) as caught:
        Snapshot(version_of(file)).table("targets")
    assert caught.value.details == {"table": "targets"}
