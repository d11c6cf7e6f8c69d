"""Seats, discounts and exchange rates of the demo company, and the causes of its changes of price."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise

import pytest

from productpulse_assets.synthetic import CompanyPlan, simulate
from tests.builders import calendar, dataset
from tests.graph import with_mrr

AS_OF = dt.date(2026, 6, 30)


@pytest.fixture(scope="module")
def company():
    return simulate(CompanyPlan(customers=300))


def test_price_terms_explain_prices_and_discounts_change_none_that_runs(company):
    rows = company.datasets["subscriptions"].to_pylist()
    for row in rows:
        full = row["quantity"] * row["unit_price"]
        assert abs(full - row["discount_amount"] - row["monthly_price"]) <= row["quantity"] * Decimal("0.005")
        if row["discount_end"]:
            assert row["discount_amount"] > 0
            assert row["discount_end"] == row["end_date"] or (row["end_date"] is None and row["discount_end"] > AS_OF)
    discounted = [row for row in rows if row["discount_amount"]]
    assert 10 < len(discounted) < len(rows) / 4
    assert {row["is_addon"] for row in rows} == {False}


def test_further_subscriptions_on_one_invoice_are_add_ons():
    rows = simulate(CompanyPlan(customers=60, billing="single-invoice")).datasets["subscriptions"].to_pylist()
    assert {(row["product"], row["is_addon"]) for row in rows} == {
        ("Platform", False), ("Extra Storage", True), ("Priority Support", True),
    }  # fmt: skip


def test_rates_of_the_euro_stay_near_the_fixed_one(company):
    rates = company.datasets["exchange_rates"].to_pylist()
    assert all(Decimal("0.99") < row["rate"] < Decimal("1.17") for row in rates)
    assert {(later["date"] - row["date"]).days for row, later in pairwise(rates)} == {7}
    assert rates[0]["date"] < dt.date(2024, 7, 1) and len({row["rate"] for row in rates}) > 50


def test_the_causes_of_every_planted_change_are_found_to_the_cent(company):
    days = calendar("2024-07-01", AS_OF.isoformat())
    subscriptions = dataset("subscriptions", *company.datasets["subscriptions"].to_pylist())
    rows = with_mrr(subscriptions=subscriptions, calendar=days)["mrr_changes"].to_pyarrow().to_pylist()
    found = {(row["customer_id"], row["month"]): row for row in rows}
    changes = {}
    for row in company.price_changes.to_pylist():
        changes.setdefault((row["customer_id"], row["date"].replace(day=1)), []).append(row)
    assert len(changes) > 20
    for key, (change,) in changes.items():
        cents = {cause: int(found[key][f"change_{cause}"] * 100) for cause in ("quantity", "price", "plan", "discount")}
        assert cents["quantity"] == change["quantity"]
        assert cents["discount"] == change["discount"]
        assert cents["price"] + cents["plan"] == change["rest"]
    assert set(found) == set(changes)
