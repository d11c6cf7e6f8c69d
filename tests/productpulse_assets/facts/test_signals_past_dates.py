"""What became known later must not reach a past date: a run today as of a past day equals a run made on that day."""

import datetime as dt

import ibis
import pytest
from ibis import _

from asset_checks.contracts import CONTRACTS, table_schema
from productpulse_assets.facts.customer_signals import columns, customer_signals, with_behaviour
from productpulse_assets.facts.signals_contract import paying_customers
from productpulse_assets.risk.churn import churn_evidence, churn_risk_profiles
from productpulse_assets.synthetic import CompanyPlan, simulate
from resources.tables import table_of
from tests.builders import calendar, rows
from tests.graph import RULES, with_mrr
from tests.productpulse_assets.facts.ledger import balances, terms
from tests.productpulse_assets.facts.one_customer import INPUTS

pytestmark = pytest.mark.slow

TODAY, THEN = dt.date(2026, 6, 30), dt.date(2026, 3, 31)
BEHAVIOUR = tuple(name for name in INPUTS if name != "customers")
KEY = ("customer_id", "as_of_date")
LEDGER_INPUTS = ("customers", "subscriptions", "transactions")


@pytest.fixture(scope="module")
def store():
    return ibis.duckdb.connect()


@pytest.fixture(scope="module")
def exports(store):
    """A company's exports of today, every column of their contracts in them."""

    def dataset(name):
        given, schema = ibis.memtable(company.datasets[name]), table_schema(CONTRACTS[name])
        columns = {c: given[c] if c in given.columns else ibis.null(kind) for c, kind in schema.items()}
        return store.create_table(name, given.select(**{c: columns[c].cast(kind) for c, kind in schema.items()}))

    company = simulate(CompanyPlan(customers=400, as_of=TODAY))
    return {name: dataset(name) for name in INPUTS}


@pytest.fixture(scope="module")
def exports_of_then(store, exports):
    """The same exports as they were made on the day THEN."""

    def ends(table):
        return table.end_date.notnull() & (table.end_date > THEN)

    def cut(name, table):
        table = table.filter(table[CONTRACTS[name].metadata["event_dates"][0]] <= THEN)
        if name == "subscriptions":
            is_changed = (ends(table) & (table.status != "Trial")) | (table.status == "Past Due")
            status = ibis.ifelse(is_changed, "Active", table.status)
            return table.mutate(
                status=status, end_date=ibis.ifelse(ends(table), None, table.end_date), cancel_at=ibis.null("date")
            )
        if name == "support_tickets":
            closes = table.date_closed.notnull() & (table.date_closed > THEN)
            status, closed = ibis.ifelse(closes, "Open", table.status), ibis.ifelse(closes, None, table.date_closed)
            return table.mutate(status=status, date_closed=closed)
        return table

    return {name: store.create_table(f"{name}_then", cut(name, table)) for name, table in exports.items()}


@pytest.fixture(scope="module")
def results(store, exports, exports_of_then):
    """(seen today, seen then) of each table."""

    def seen(tables, suffix, is_current):
        days = calendar("2024-01-01", THEN.isoformat(), is_current=is_current)
        bills = store.create_table(f"bill_balances{suffix}", balances(*(tables[name] for name in LEDGER_INPUTS), days))
        ledger = {"bill_balances": bills, "contract_terms": terms(*(tables[name] for name in LEDGER_INPUTS), days)}
        ledger |= {"mrr_periods": with_mrr(subscriptions=tables["subscriptions"], calendar=days)["mrr_periods"]}
        signals = store.create_table(
            f"customer_signals{suffix}", customer_signals(**tables, **ledger, calendar=days, rules=RULES)
        )
        evidence = store.create_table(f"churn_evidence{suffix}", churn_evidence(signals, RULES))
        profiles = store.create_table(f"churn_risk_profiles{suffix}", churn_risk_profiles(signals, evidence, RULES))
        return {"customer_signals": signals, "churn_evidence": evidence, "churn_risk_profiles": profiles}

    today, then = seen(exports, "", False), seen(exports_of_then, "_then", True)
    return {name: (today[name], then[name]) for name in today}


def test_the_exports_of_today_know_more_than_those_of_then(exports, exports_of_then):
    for name in INPUTS:
        assert exports[name].count().execute() > exports_of_then[name].count().execute() > 0
    later = exports["subscriptions"].filter(_.start_date <= THEN, _.end_date > THEN)
    assert later.filter(_.status == "Canceled").count().execute() > 5
    assert exports["subscriptions"].filter(_.status == "Past Due", _.start_date <= THEN).count().execute() > 0
    assert exports["support_tickets"].filter(_.date_opened <= THEN, _.date_closed > THEN).count().execute() > 0


@pytest.mark.parametrize(
    ("table", "known_today_alone", "key"),
    [
        ("customer_signals", {"is_past_due", "cancellation_scheduled", "mrr_scheduled_to_end"}, KEY),
        ("churn_evidence", set(), ("customer_id", "rule_order")),
        ("churn_risk_profiles", {"signals_known", "explanation"}, ("customer_id",)),
    ],
)
def test_a_past_day_has_the_figures_of_that_day(results, table, known_today_alone, key):
    today, then = results[table]
    columns = [name for name in today.columns if name not in known_today_alone]
    assert rows(today, *columns, by=key) == rows(then, *columns, by=key)
    assert then.count().execute() > 50


def test_past_due_and_scheduled_cancellations_are_unknown_for_a_past_day(results):
    today, then = results["customer_signals"]
    assert rows(today.distinct(on="is_past_due"), "is_past_due") == [(None,)]
    assert rows(then.distinct(on="is_past_due"), "is_past_due") == [(False,)]
    assert rows(today.distinct(on="cancellation_scheduled"), "cancellation_scheduled") == [(None,)]
    assert rows(then.distinct(on="cancellation_scheduled"), "cancellation_scheduled") == [(False,)]


def test_several_days_at_once_give_the_rows_of_each_day(store, exports):
    schema = ibis.schema({"as_of_date": "date", "is_current": "boolean"})
    days = [{"as_of_date": day, "is_current": day == TODAY} for day in (dt.date(2025, 9, 15), THEN, TODAY)]

    all_days = calendar("2024-01-01", TODAY.isoformat())
    given = (*(exports[name] for name in LEDGER_INPUTS), all_days)
    bills, contracts = balances(*given), terms(*given)
    periods = with_mrr(subscriptions=exports["subscriptions"], calendar=all_days)["mrr_periods"]

    def signals(*chosen):
        table = store.create_table("days", table_of(chosen, schema), overwrite=True)
        spine = paying_customers(exports["customers"], exports["subscriptions"], periods, contracts, table)
        behaviour = (exports[name] for name in BEHAVIOUR if name != "subscriptions")
        signals = with_behaviour(spine, periods, *behaviour, bills, table, RULES)
        return rows(signals, *columns(RULES.dimensions), by=KEY)

    one_by_one = [row for day in days for row in signals(day)]
    assert sorted(signals(*days), key=lambda row: row[:2]) == sorted(one_by_one, key=lambda row: row[:2])
    assert len({row[1] for row in one_by_one}) == 3
    assert set(RULES.dimensions) <= set(columns(RULES.dimensions))
