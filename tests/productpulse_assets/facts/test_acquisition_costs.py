"""acquisition_costs: what each new customer cost, on a handful of rows."""

import pytest

from productpulse_assets.facts.acquisition_costs import acquisition_costs
from tests.builders import calendar, dataset, rows
from tests.graph import RULES
from tests.productpulse_assets.decisions.cases import some

MONTHS = {
    "customer_id": "string", "month": "date", "segment": "string", "country": "string", "acquisition_channel": "string",
    "plan": "string", "is_new": "int64", "acquisition_cost": "decimal(18, 2)",
}  # fmt: skip
COSTS = ("month", "customer_id", "acquisition_cost", "is_new", "customers_with_cost", "cost_basis")


def costs(new, spend):
    """The costs of new customers, each as (id, month, channel, list cost), with this spend as (channel, day, amount)."""
    names = ("customer_id", "month", "acquisition_channel", "acquisition_cost")
    customer_months = some(MONTHS, [dict(zip(names, row, strict=True)) | {"is_new": 1} for row in new])
    paid = [dict(zip(("channel_name", "month", "amount"), row, strict=True)) for row in spend]
    return acquisition_costs(
        customer_months, dataset("acquisition_spend", *paid), calendar("2026-01-01", "2026-05-10"), RULES
    )


NEW = (
    ("C1", "2026-02-01", "Ads", 90), ("C2", "2026-02-01", "Ads", 90), ("C3", "2026-02-01", "Ads", 90),
    ("C4", "2026-02-01", "Organic", 20), ("C5", "2026-02-01", None, None), ("C6", "2026-04-01", "Ads", 90),
)  # fmt: skip


def test_the_customers_of_a_channel_and_month_share_its_spend_to_the_cent():
    # 100.01 of two days for three customers; Organic and an unknown channel cost nothing. In March the ads won
    # no customer. April is after the last month with spend, and May is after the as-of date's month only in June.
    spend = (
        ("Ads", "2026-02-01", 60), ("Ads", "2026-02-15", 40.01), ("Ads", "2026-03-01", 70), ("Ads", "2025-12-31", 5),
        ("Ads", "2026-06-01", 9),
    )  # fmt: skip
    basis = "acquisition_spend"
    assert rows(costs(NEW, spend[:4]), *COSTS) == [
        ("2026-02-01", "C1", 33.34, 1, 1, basis),
        ("2026-02-01", "C2", 33.34, 1, 1, basis),
        ("2026-02-01", "C3", 33.33, 1, 1, basis),
        ("2026-02-01", "C4", 0, 1, 1, basis),
        ("2026-02-01", "C5", 0, 1, 1, basis),
        ("2026-03-01", None, 70, 0, 0, basis),
        ("2026-04-01", "C6", None, 1, 0, basis),
    ]
    later = rows(costs(NEW, spend), *COSTS)
    assert later[-1] == ("2026-04-01", "C6", 0, 1, 1, basis)
    assert sum(cost for _month, _id, cost, *_rest in later) == pytest.approx(170.01)


def test_without_spend_the_cost_is_that_of_the_channels_list():
    basis = "cost_per_acquisition"
    assert rows(costs(NEW[3:], ()), *COSTS) == [
        ("2026-02-01", "C4", 20, 1, 1, basis),
        ("2026-02-01", "C5", None, 1, 0, basis),
        ("2026-04-01", "C6", 90, 1, 1, basis),
    ]
