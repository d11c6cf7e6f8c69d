"""What became of every kept row, on a handful of rows."""

import functools

import ibis

from asset_checks.invariants import FACTS, fact_coverage_results
from productpulse_assets.facts.coverage import fact_coverage
from productpulse_assets.facts.customer_months import customer_months
from tests.builders import calendar, dataset, rows, stored
from tests.graph import RULES, empty, unbound, with_mrr

DATASETS = ("customers", "subscriptions", "transactions", "product_usage", "support_tickets", "nps_scores", "acquisition_channels", "targets", "acquisition_spend", "annotations")  # fmt: skip


@functools.cache
def queries():
    inputs = {name: unbound(name) for name in (*DATASETS, "calendar", "mrr_periods")}
    facts = {
        name: table for name, table in inputs.items() if name not in ("targets", "acquisition_spend", "annotations")
    }
    more = {name: unbound(name) for name in ("bill_balances", "mrr_changes")}
    months = ibis.to_sql(customer_months(**facts, **more, rules=RULES), dialect="duckdb")
    inputs["customer_months"] = unbound("customer_months")
    return months, ibis.to_sql(fact_coverage(**inputs, rules=RULES), dialect="duckdb")


def covered(first="2026-01-01", as_of="2026-06-10", **given):
    months_query, coverage_query = queries()
    tables = {name: dataset(name, *given.get(name, ())) for name in DATASETS} | {"calendar": calendar(first, as_of)}
    found = with_mrr(**tables, bill_balances=empty("bill_balances"))
    months = stored(months_query, **found)
    coverage = stored(coverage_query, **found, customer_months=months)
    return tables, ibis.memtable(months.to_pyarrow()), ibis.memtable(coverage.to_pyarrow())


def outcomes(**given):
    return rows(covered(**given)[2], "dataset", "outcome", "rows")


def test_every_row_is_counted_or_has_its_reason():
    assert outcomes(
        customers=[{}, {"signup_date": "2026-06-11"}],
        subscriptions=[
            {"start_date": "2026-01-05"},
            {"status": "Trial", "start_date": "2026-01-01", "end_date": "2026-02-01"},
            {"status": "Canceled", "start_date": "2026-03-02", "end_date": "2026-03-20"},
            {"start_date": "2026-07-01"},
        ],
        transactions=[{"transaction_date": "2026-01-05", "subscription_id": "S1"}],
        product_usage=[{"date": "2026-06-10"}, {"date": "2026-06-11"}],
        acquisition_channels=[{"channel_name": "Organic"}, {"channel_name": "Radio"}],
        targets=[
            {"metric_name": "monthly_recurring_revenue", "target_value": 1, "date": "2026-06-01"},
            {"metric_name": "mrr", "target_value": 1, "date": "2026-12-01"},
            {"metric_name": "Luck", "target_value": 1, "date": "2026-06-01"},
        ],
    ) == [
        ("acquisition_channels", "Counted", 1),
        ("acquisition_channels", "No customer names this channel", 1),
        ("customers", "After the as-of date", 1),
        ("customers", "Counted", 1),
        ("product_usage", "After the as-of date", 1),
        ("product_usage", "Counted", 1),
        ("subscriptions", "After the as-of date", 1),
        ("subscriptions", "Counted", 1),
        ("subscriptions", "Runs on no last day of a month: no MRR", 1),
        ("subscriptions", "Trial or free of charge: no MRR", 1),
        ("targets", "After the as-of date", 1),
        ("targets", "Counted", 1),
        ("targets", "No metric has this name", 1),
        ("transactions", "Counted", 1),
    ]


def checked(tables, months, coverage):
    (result,) = fact_coverage_results(coverage, months, **{name: tables[name] for name in FACTS})
    return result.passed, result.description


EVENTS = {
    "customers": [{"signup_date": "2026-05-10"}],
    "transactions": [{"transaction_date": "2026-01-15", "subscription_id": "S1", "amount": 40}],
    "product_usage": [{"date": "2026-02-01", "logins": 7}],
    "support_tickets": [{"date_opened": "2026-03-01"}],
    "nps_scores": [{"date": "2026-04-01", "score": 9}],
}


def test_facts_by_month_add_up_to_their_datasets():
    assert checked(*covered(**EVENTS)) == (True, "Every kept row is counted, or listed with the reason why not.")


def test_an_event_that_no_month_has_fails_the_check():
    tables, months, coverage = covered(**EVENTS)
    later = months.filter(months.month > "2026-01-01")
    assert checked(tables, later, coverage) == (False, "transactions: amount adds up to 40.00, and to 0.00 by month.")
    fewer = coverage.filter(coverage.dataset != "nps_scores")
    assert checked(tables, months, fewer) == (False, "nps_scores: 1 rows were kept, and 0 are accounted for.")
