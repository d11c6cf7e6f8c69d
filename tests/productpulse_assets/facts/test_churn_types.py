"""Why a customer left: by the reason, by what it had canceled, and by its last bill."""

import ibis
import pytest

from asset_checks.invariants import churn_type_breaks
from productpulse_assets.facts.contract_terms import contract_terms
from productpulse_assets.facts.customer_months import customer_months
from productpulse_assets.facts.mrr_changes import mrr_changes
from productpulse_assets.facts.mrr_periods import mrr_periods
from productpulse_assets.metrics.churn_reasons import churn_reasons
from productpulse_assets.risk.lookback import churn_lookback
from tests.builders import calendar, dataset, inventory, rows, store
from tests.productpulse_assets.facts.ledger import LEDGER, computed, fail, pay, sub

DATASETS = (
    "customers", "subscriptions", "transactions", "product_usage", "support_tickets", "nps_scores",
    "acquisition_channels", "exchange_rates",
)  # fmt: skip
END = "2026-04-05"
PAID = [pay("2026-01-05"), pay("2026-02-05"), pay("2026-03-05")]
FAILED = [*PAID[:2], fail("2026-03-05"), fail("2026-03-09")]


def left(**more):
    return sub(status="Canceled", end_date=END) | more


def build(subscriptions, transactions, customers=({},)):
    given = {"customers": customers, "subscriptions": subscriptions, "transactions": transactions}
    tables = {name: dataset(name, *given.get(name, ())) for name in DATASETS}
    tables["calendar"] = calendar("2026-01-01", "2026-06-30")
    tables["source_inventory"] = inventory()
    functions = (*LEDGER, contract_terms, mrr_periods, mrr_changes, customer_months, churn_lookback, churn_reasons)
    return computed(store(tables), functions)


TYPE = ("month", "churn_type", "mrr_churned_voluntary", "mrr_churned_involuntary", "mrr_churned_unknown")
VOLUNTARY = ("2026-04-01", "Voluntary", 100, 0, 0)
INVOLUNTARY = ("2026-04-01", "Involuntary", 0, 100, 0)


@pytest.mark.parametrize(
    ("subscription", "transactions", "customer", "expected"),
    [
        ({}, PAID, {}, VOLUNTARY),
        ({}, FAILED, {}, INVOLUNTARY),
        ({}, [*FAILED, pay("2026-03-20")], {}, VOLUNTARY),  # made good
        ({"cancel_at": END}, FAILED, {}, VOLUNTARY),  # had canceled before the card failed
        ({"cancel_at": "2026-05-05"}, FAILED, {}, INVOLUNTARY),  # the cancellation was for a later day
        ({"cancel_reason": "Too Expensive"}, FAILED, {}, VOLUNTARY),
        ({"cancel_reason": "payment_failed"}, PAID, {}, INVOLUNTARY),
        ({"cancel_reason": " "}, FAILED, {"cancel_reason": "Non-Payment"}, INVOLUNTARY),
        ({"cancel_reason": "Unused"}, [], {}, VOLUNTARY),
        ({}, [], {}, ("2026-04-01", "Unknown", None, None, 100)),
    ],
)
def test_the_type_of_churn(subscription, transactions, customer, expected):
    months = ibis.memtable(build([left(**subscription)], transactions, [customer])["customer_months"].to_pyarrow())
    assert rows(months.filter(months.is_churned == 1), *TYPE) == [expected]
    assert churn_type_breaks(months).count().execute() == 0
    assert months.filter(months.churn_type.notnull()).count().execute() == 1


def test_the_check_finds_a_type_that_does_not_add_up():
    months = ibis.memtable(build([left()], PAID)["customer_months"].to_pyarrow())
    wrong = months.mutate(mrr_churned_voluntary=ibis.ifelse(months.is_churned == 1, 99, 0).cast("decimal(18, 2)"))
    assert rows(churn_type_breaks(wrong), "customer_id", "month") == [("C1", "2026-04-01")]


def test_reasons_are_ranked_by_the_mrr_that_left():
    subscriptions = [
        left(subscription_id=f"S{number}", customer_id=f"C{number}", monthly_price=price, cancel_reason=reason)
        for number, (price, reason) in enumerate([(30, "Unused"), (50, None), (40, "Unused"), (5, "No Card")], start=1)
    ]
    tables = build(subscriptions, [], [{}, {}, {}, {}])
    columns = ("reason_rank", "reason", "churn_type", "churned_customers", "mrr_churned", "share_of_mrr")
    assert rows(ibis.memtable(tables["churn_reasons"].to_pyarrow()), *columns) == [
        (1, "Unused", "Voluntary", 2, 70, 0.56),
        (2, "No reason given", "Unknown", 1, 50, 0.4),
        (3, "No Card", "Involuntary", 1, 5, 0.04),
    ]
