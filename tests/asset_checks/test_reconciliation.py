"""Payments and prices in different units are found; companies whose numbers agree are left alone."""

import datetime as dt

import ibis
import ibis.expr.types as ir
import pytest
from ibis import _

from asset_checks.contracts import CONTRACTS, CYCLE_MONTHS
from asset_checks.reconciliation import reconciliation_result
from productpulse_assets.synthetic import CompanyPlan
from productpulse_assets.synthetic.company import simulate
from tests.builders import dataset
from tests.graph import RULES

pytestmark = pytest.mark.slow

FIRST = dt.date(2025, 1, 5)


def later(months: int, days: int = 0) -> dt.date:
    """A day that many months, and days, after the first one."""
    year, month = divmod(FIRST.month - 1 + months, 12)
    return FIRST.replace(year=FIRST.year + year, month=month + 1) + dt.timedelta(days=days)


def bill(customer: str, amount: float, months: int = 0, **more) -> dict[str, object]:
    """A payment of a customer, who has one subscription."""
    payment = {"customer_id": customer, "subscription_id": f"S-{customer}", "amount": round(amount, 2)}
    return payment | {"transaction_date": later(months)} | more


def company(price: float, bills, *, customers: int = 5, **subscription) -> tuple[ir.Table, ir.Table]:
    """Transactions and subscriptions; `bills` gives the payments of a customer, by its number from 1 on."""
    names = [f"C{number}" for number in range(1, customers + 1)]
    held = [
        {"customer_id": name, "subscription_id": f"S-{name}", "start_date": FIRST, "monthly_price": price}
        | subscription
        for name in names
    ]
    paid = [payment for number, name in enumerate(names, start=1) for payment in bills(name, number)]
    return dataset("transactions", *paid), dataset("subscriptions", *held)


def regular(amount: float, every: int = 1, months: int = 6, start: int = 0):
    """The bills of somebody who pays the same every so many months."""
    return lambda name, number: [bill(name, amount, month) for month in range(start, start + months, every)]


def said(tables: tuple[ir.Table, ir.Table]) -> str | None:
    """The warning, if there is one."""
    result = reconciliation_result(*tables, RULES.data_quality.reconciliation)
    return None if result.passed else result.description


def test_a_price_per_seat_is_found_with_what_to_change():
    assert said(company(39, lambda name, number: regular(39 * (20 + number))(name, number))) == (
        "transactions: the collected amount is a whole multiple (about 23 times) of monthly_price x months for 5 of 5 "
        "customers compared (billing: Monthly): monthly_price may be a price per seat or unit. Multiply monthly_price by "
        "the quantity in a `query` for subscriptions in sources.yaml."
    )


@pytest.mark.parametrize(
    ("price", "amount", "words"),
    [
        (49, 4900, ("100 times", "amount may be in cents", "Divide amount by 100 in a `query` for transactions")),
        (4900, 49, ("1/100 of", "monthly_price may be in cents", "Divide monthly_price by 100")),
        (588, 49, ("1/12 of", "monthly_price may be a price per year", "Divide monthly_price by 12")),
        (4.08, 49, ("12 times", "price per month that was divided by 12", "Look for that division")),
        (147, 49, ("1/3 of", "monthly_price may be a price per quarter", "Divide monthly_price by 3")),
        (1.23, 1234, ("1,000 times", "in monthly_price a point for thousands", "Set number_format: '1.234,50'")),
        (1234, 1.23, ("1/1000 of", "in amount a point for thousands", "Set number_format: '1.234,50'")),
    ],
)
def test_a_factor_is_named_with_its_cause_and_where_to_look(price, amount, words):
    sentence = said(company(price, regular(amount)))
    assert all(word in sentence for word in words), sentence
    assert "for 5 of 5 customers compared (billing: Monthly)" in sentence
    assert sentence.endswith("sources.yaml.")


@pytest.mark.parametrize(("cycle", "months"), CYCLE_MONTHS.items())
def test_a_price_per_year_is_found_whatever_the_billing_cycle(cycle, months):
    sentence = said(company(1200, regular(100 * months, every=months, months=25), billing_cycle=cycle))
    assert "1/12 of monthly_price x months for 5 of 5 customers" in sentence


def test_a_price_per_bill_is_found_in_the_one_bill_of_a_year():
    newest = [bill("C6", 100, 5, subscription_id="S-C1")]
    transactions, subscriptions = company(1200, regular(1200, months=1), billing_cycle="Annual")
    later_on = transactions.union(dataset("transactions", newest[0] | {"transaction_id": "T-new"}))
    assert "1/12 of" in said((later_on, subscriptions))
    assert said((transactions, subscriptions)) is None, "it may be the first instalment"


def test_cents_are_found_in_the_first_payment():
    assert "100 times" in said(company(49, regular(4900, months=1)))
    assert "100 times" in said(company(49, regular(4900 * 12, months=1), billing_cycle="Annual"))


def test_most_customers_have_to_show_it_and_at_least_three():
    def some(wrong: int):
        return lambda name, number: regular(4900 if number <= wrong else 49)(name, number)

    assert "3 of 5 customers" in said(company(49, some(3)))
    assert said(company(49, some(2))) is None
    assert said(company(49, some(2), customers=2)) is None


# --- companies whose numbers agree ----------------------------------------------------------------


def with_fee(name, number):
    return [bill(name, 500, 0), *regular(50, months=8)(name, number)]


def late(name, number):
    return [bill(name, 50, transaction_date=later(month, days=(month * 7 + number) % 21)) for month in range(8)]


def refunded(name, number):
    return [*regular(50)(name, number), *(bill(name, 50, month, status="Refunded") for month in range(4))]


def failing(name, number):
    return [*regular(50)(name, number), *(bill(name, 50, month, status="Failed") for month in range(6))]


def by_use(name, number):
    return [bill(name, 50 + 31.37 * number * (month % 3 + 1), month) for month in range(9)]


HONEST = {
    "monthly": company(50, regular(50)),
    "quarterly": company(50, regular(150, every=3, months=12), billing_cycle="Quarterly"),
    "yearly": company(50, regular(600, every=12, months=25), billing_cycle="Annual"),
    "yearly, once": company(50, regular(600, months=1), billing_cycle="Annual"),
    "yearly, in instalments": company(50, regular(50, months=14), billing_cycle="Annual"),
    "yearly, without a cycle": company(50, regular(600, every=12, months=25), billing_cycle=None),
    "yearly once, without a cycle": company(50, regular(600, months=1), billing_cycle=None),
    "yearly once, called monthly": company(50, regular(600, months=1)),
    "in arrears": company(50, regular(50, start=1)),
    "prepaid for two years": company(50, regular(1200, months=1), billing_cycle="Annual"),
    "half off": company(50, regular(25)),
    "with value added tax": company(50, regular(59.5)),
    "with a fee at first": company(50, with_fee),
    "late": company(50, late),
    "refunded": company(50, refunded),
    "with failed attempts": company(50, failing),
    "by use on top": company(50, by_use),
    "payments from later on": company(50, regular(50, start=7)),
    "free": company(0, regular(50)),
    "trials": company(50, regular(5000), status="Trial"),
    "no payments": company(50, lambda name, number: []),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_company_is_not_warned(name):
    assert said(HONEST[name]) is None


def test_payments_from_before_the_first_subscription_are_not_compared():
    """After a move to another billing system the subscriptions begin there, and the payments years before."""
    assert said(company(50, regular(50, months=12), start_date=later(10))) is None


def test_one_payment_for_two_subscriptions_is_compared_with_both():
    transactions, subscriptions = company(50, regular(100, months=8))
    second = [{"customer_id": f"C{n}", "subscription_id": f"S2-{n}", "monthly_price": 50, "start_date": FIRST} for n in range(1, 6)]  # fmt: skip
    assert said((transactions, subscriptions.union(dataset("subscriptions", *second)))) is None


# --- the demo ---------------------------------------------------------------------------------------

MONEY = (("transactions", "amount"), ("subscriptions", "monthly_price"))


@pytest.fixture(
    scope="module",
    params=[(1000, 24, 42), (200, 14, 7), (300, 6, 9), (40, 3, 5), (15, 36, 2)],
    ids=lambda plan: "-".join(map(str, plan)),
)
def demo(request) -> tuple[ir.Table, ir.Table]:
    """A demo company, with all its late, failed, refunded and missing payments."""
    customers, months, seed = request.param
    tables = simulate(CompanyPlan(customers=customers, months=months, seed=seed)).datasets
    return tuple(
        ibis.memtable(tables[name]).cast({column: CONTRACTS[name].columns[column].dtype.type}) for name, column in MONEY
    )


def test_the_demo_is_not_warned_with_or_without_its_billing_cycles(demo):
    transactions, subscriptions = demo
    assert said(demo) is None
    assert said((transactions, subscriptions.mutate(billing_cycle=ibis.null("string")))) is None
    assert said((transactions, subscriptions.mutate(billing_cycle=ibis.literal("Monthly")))) is None


def test_a_factor_planted_in_the_demo_is_found(demo):
    transactions, subscriptions = demo
    money = CONTRACTS["transactions"].columns["amount"].dtype.type
    cents = transactions.mutate(amount=(_.amount * 100).cast(money))
    yearly = subscriptions.mutate(monthly_price=(_.monthly_price * 12).cast(money))
    assert "100 times" in said((cents, subscriptions))
    assert "1/12 of" in said((transactions, yearly))
