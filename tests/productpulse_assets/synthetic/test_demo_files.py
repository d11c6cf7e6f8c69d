"""Equal plans give equal files, ids are unique over batches, and a failed write changes nothing."""

from dataclasses import replace
from datetime import date

import pyarrow.compute as pc
import pytest

from productpulse_assets.synthetic import DATASETS, CompanyPlan, simulate, write
from productpulse_assets.synthetic.write import write_company

SMALL = CompanyPlan(customers=60, batch_customers=25)


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_equal_plans_give_equal_bytes(tmp_path, file_format):
    for name in ("first", "second"):
        write_company(SMALL, tmp_path / name, file_format)
    files = bytes_of(tmp_path / "first")
    assert set(files) == {f"{dataset}.{file_format}" for dataset in DATASETS}
    assert files == bytes_of(tmp_path / "second")


def test_another_seed_gives_another_company(tmp_path):
    write_company(SMALL, tmp_path / "first", "parquet")
    write_company(replace(SMALL, seed=7), tmp_path / "second", "parquet")
    first, second = bytes_of(tmp_path / "first"), bytes_of(tmp_path / "second")
    same = {name for name in first if first[name] == second[name]}
    assert same == {"acquisition_channels.parquet", "targets.parquet", "annotations.parquet"}


def test_csv_parquet_and_memory_have_the_same_rows(tmp_path, open_company):
    counts = write_company(SMALL, tmp_path, "csv")
    assert counts == write_company(SMALL, tmp_path, "parquet")
    csv, parquet = open_company(tmp_path, "csv"), open_company(tmp_path, "parquet")
    for name, table in simulate(SMALL).datasets.items():
        as_rows = list(zip(*table.to_pydict().values(), strict=True))
        # The CSV reader guesses the types of numbers: the columns' own are given.
        casts = ", ".join(
            f"{column}::{kind} AS {column}" for column, kind, *_ in parquet.sql(f"DESCRIBE {name}").fetchall()
        )
        assert parquet.sql(f"FROM {name}").fetchall() == as_rows
        assert csv.sql(f"SELECT {casts} FROM {name}").fetchall() == as_rows
        assert counts[name] == len(as_rows) > 0


def test_csv_keeps_names_with_commas_quotes_and_accents(tmp_path, open_company):
    write_company(CompanyPlan(customers=300), tmp_path, "csv")
    rows = open_company(tmp_path, "csv").sql("SELECT company_name FROM customers").fetchall()
    names = [name for (name,) in rows]
    assert len(set(names)) == 300
    for sign in (", Inc.", '"Blue Door"', "Élan", "Müller", "São"):
        assert any(sign in name for name in names)


def test_ids_are_unique_over_batches():
    datasets = simulate(CompanyPlan(customers=40, batch_customers=3)).datasets
    assert datasets["customers"]["customer_id"].to_pylist() == [f"C-{number:06d}" for number in range(1, 41)]
    for table in datasets.values():
        if table.column_names[0] not in ("metric_name", "channel_name", "date"):
            assert pc.count_distinct(table.column(0)).as_py() == table.num_rows


def test_a_full_batch_does_not_depend_on_the_customers_after_it():
    alone = simulate(CompanyPlan(customers=25, batch_customers=25)).datasets
    among = simulate(SMALL).datasets
    for name in set(DATASETS) - {
        "acquisition_channels",
        "targets",
        "acquisition_spend",
        "annotations",
        "exchange_rates",
    }:
        mine = among[name].filter(pc.less_equal(among[name]["customer_id"], "C-000025"))
        assert mine.equals(alone[name])
    drawn = ["segment", "country", "signup_date"]
    first_batch, second_batch = alone["customers"], among["customers"].slice(25, 25)
    assert not second_batch.select(drawn).equals(first_batch.select(drawn))


def test_a_failure_leaves_the_old_files_and_nothing_else(tmp_path, monkeypatch):
    write_company(SMALL, tmp_path, "csv")
    before = bytes_of(tmp_path)

    def fail(plan):
        raise OSError("no space left")

    monkeypatch.setattr(write, "company_tables", fail)
    with pytest.raises(OSError, match="no space left"):
        write_company(replace(SMALL, seed=7), tmp_path, "csv")
    assert bytes_of(tmp_path) == before


def test_an_unknown_format_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="'xlsx'; expected csv or parquet"):
        write_company(SMALL, tmp_path, "xlsx")


@pytest.mark.parametrize("field", ["customers", "months", "seed", "batch_customers"])
def test_impossible_plans_are_refused(field):
    with pytest.raises(ValueError, match=f"{field} is -1"):
        CompanyPlan(**{field: -1})


@pytest.mark.parametrize(
    "plan",
    [
        CompanyPlan(customers=1),
        CompanyPlan(customers=20, months=1),
        CompanyPlan(customers=20, months=2, as_of=date(2024, 2, 29)),
        CompanyPlan(customers=20, months=30, as_of=date(2026, 3, 1)),
    ],
    ids=str,
)
def test_dates_are_inside_unusual_windows(plan):
    datasets = simulate(plan).datasets
    first_month = min(datasets["targets"]["date"].to_pylist())
    assert datasets["customers"].num_rows == plan.customers
    for name, column in (
        ("customers", "signup_date"),
        ("transactions", "transaction_date"),
        ("product_usage", "date"),
    ):
        dates = datasets[name][column].to_pylist()
        assert first_month <= min(dates) <= max(dates) <= plan.as_of
