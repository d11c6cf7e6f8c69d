"""In every billing style, what each customer owes is what was paid plus the planted losses."""

import datetime as dt

import pandas as pd
import pytest

from productpulse_assets.synthetic import CompanyPlan, simulate
from productpulse_assets.synthetic.settings import BILLING_STYLES
from tests.productpulse_assets.synthetic.accounts import due_bills, in_dollars, payments

pytestmark = pytest.mark.slow

STYLES = [style.name for style in BILLING_STYLES]
DATED = [name for name in STYLES if name not in ("net-30", "prepaid")]
# The default style has losses over the whole window; test_demo_leakage.py covers them.
NEW = STYLES[1:]
OPEN = ("Missed Invoice", "Failed Payment", "Underbilled Subscription", "Unpaid Active Subscription")
PLANS = [{}, {"seed": 7, "months": 17, "as_of": dt.date(2024, 3, 1)}]


@pytest.fixture(scope="module", params=PLANS, ids=["default window", "window with a leap day"])
def companies(request):
    """Companies by style and whether they have losses, simulated once."""
    made = {}

    def company(style, losses):
        plan = CompanyPlan(customers=400, billing=style, losses=losses, **request.param)
        if (style, losses) not in made:
            made[style, losses] = simulate(plan)
        return made[style, losses], plan.as_of

    return company


def collected(company):
    """What each customer paid, without what it got back, in US dollars."""
    paid, refunded = (payments(company, status) for status in ("Success", "Refunded"))
    return total(paid, in_dollars(paid, "amount", company)).sub(
        total(refunded, in_dollars(refunded, "amount", company)), fill_value=0
    )


def total(rows, amounts):
    return amounts.groupby(rows.customer_id).sum().astype(object)


def planted_sum(company, *kinds):
    rows = company.planted.to_pandas()
    rows = rows[rows.leakage_type.isin(kinds)]
    return total(rows, rows.amount)


def due_sum(company, bills):
    return total(bills, in_dollars(bills, "due", company))


def nonzero(difference):
    return {customer: value for customer, value in difference.items() if value != 0}


@pytest.mark.parametrize("style", DATED)
def test_all_that_is_due_is_paid_without_losses(companies, style):
    company, as_of = companies(style, False)
    due = due_sum(company, due_bills(company, as_of, style))
    assert len(due) > 200
    assert nonzero(due.sub(collected(company), fill_value=0)) == {}
    assert company.planted.num_rows == 0


@pytest.mark.parametrize("style", [name for name in DATED if name in NEW])
def test_what_is_not_paid_is_planted(companies, style):
    company, as_of = companies(style, True)
    due = due_sum(company, due_bills(company, as_of, style))
    lost = planted_sum(company, *OPEN, "Refund")
    assert len(lost) > 10
    assert nonzero(due.sub(collected(company), fill_value=0).sub(lost, fill_value=0)) == {}


@pytest.mark.parametrize("losses", [False, True])
def test_with_net_terms_only_bills_of_the_last_40_days_are_pending(companies, losses):
    company, as_of = companies("net-30", losses)
    bills = due_bills(company, as_of, "net-30")
    age = bills.start.map(lambda start: (as_of - start).days)
    settled = collected(company).add(planted_sum(company, *OPEN, "Refund"), fill_value=0)
    overdue, payable = (due_sum(company, bills[age >= days]) for days in (41, 20))
    assert (settled.sub(overdue, fill_value=0) >= 0).all()
    assert (settled.sub(payable, fill_value=0) <= 0).all()
    assert nonzero(settled.sub(due_sum(company, bills), fill_value=0))


def test_prepaid_customers_have_paid_what_is_due_and_months_ahead(companies):
    company, as_of = companies("prepaid", False)
    bills = due_bills(company, as_of, "prepaid")
    ahead = collected(company).sub(due_sum(company, bills), fill_value=0)
    price = bills.drop_duplicates("customer_id", keep="last").set_index("customer_id").full
    subscriptions = company.datasets["subscriptions"].to_pandas()
    running = set(subscriptions[(subscriptions.status == "Active")].customer_id)
    months_ahead = (ahead / price).astype(float)
    assert set(months_ahead[months_ahead.index.isin(running)]) == set(range(12))
    assert set(months_ahead[~months_ahead.index.isin(running)]) == {0}


def test_lost_prepaid_bills_are_those_that_are_not_covered(companies):
    company, as_of = companies("prepaid", True)
    bills = due_bills(company, as_of, "prepaid")
    net = due_sum(company, bills).sub(collected(company), fill_value=0)
    lost, refunded = planted_sum(company, *OPEN), planted_sum(company, "Refund")
    assert nonzero(net.reindex(lost.index).sub(lost)) == {}
    others = net.drop(index=[*lost.index, *refunded.index])
    assert (others <= 0).all()
    assert len(lost) > 10 and len(refunded) > 2


@pytest.mark.parametrize("style", NEW)
def test_every_planted_bill_is_a_bill(companies, style):
    """Its period begins when a billing period of that subscription does, and its loss is at most what is due."""
    company, as_of = companies(style, True)
    planted = company.planted.to_pandas()
    planted = planted[planted.leakage_type.isin(OPEN)]
    bills = due_bills(company, as_of, style)
    bills["due"] = in_dollars(bills, "due", company)
    found = planted.merge(bills, left_on=["subscription_id", "period_start"], right_on=["subscription_id", "start"])
    assert len(found) == len(planted) > 10
    once = found[found.leakage_type != "Unpaid Active Subscription"]
    assert (once.amount <= once.due).all()
    whole = once[once.leakage_type != "Underbilled Subscription"]
    assert (whole.amount == whole.due).all()
    for case in found[found.leakage_type == "Unpaid Active Subscription"].itertuples():
        later = bills[(bills.subscription_id == case.subscription_id) & (bills.start >= case.period_start)]
        assert later.due.sum() == case.amount


@pytest.mark.parametrize("style", NEW)
def test_the_transactions_show_the_kind_of_each_loss(companies, style):
    company, _ = companies(style, True)
    planted = company.planted.to_pandas()
    rows = company.datasets["transactions"].to_pandas()
    on_day = set(zip(rows.customer_id, rows.transaction_date, rows.status, strict=True))
    status = {"Failed Payment": "Failed", "Underbilled Subscription": "Success", "Refund": "Refunded"}
    for case in planted[planted.leakage_type.isin(status)].itertuples():
        assert (case.customer_id, case.transaction_date, status[case.leakage_type]) in on_day
    subscriptions = company.datasets["subscriptions"].to_pandas()
    past_due = subscriptions[subscriptions.status == "Past Due"].subscription_id
    assert set(past_due) == set(planted[planted.leakage_type == "Unpaid Active Subscription"].subscription_id)


@pytest.mark.parametrize("style", NEW)
def test_a_missed_invoice_has_no_attempt_at_all(companies, style):
    """No transaction of the subscription from the bill on until the next one, or until payments are late."""
    company, as_of = companies(style, True)
    planted = company.planted.to_pandas()
    missed = planted[planted.leakage_type == "Missed Invoice"]
    rows = company.datasets["transactions"].to_pandas()[["subscription_id", "transaction_date"]]
    bills = due_bills(company, as_of, style)
    cases = missed.merge(bills, left_on=["subscription_id", "period_start"], right_on=["subscription_id", "start"])
    near = cases[["subscription_id", "start", "end"]].merge(rows, on="subscription_id")
    days = (pd.to_datetime(near.transaction_date) - pd.to_datetime(near.start)).dt.days
    if style == "net-30":
        assert not days.between(20, 48).any()
    else:
        assert not ((days >= 0) & (near.transaction_date < near.end)).any()
    assert len(cases) == len(missed) > 0


@pytest.mark.parametrize("style", [*NEW, "mixed"])
def test_a_customer_has_one_loss_of_the_last_three_months(companies, style):
    company, as_of = companies(style, True)
    planted = company.planted.to_pandas()
    planted = planted[planted.leakage_type != "Active Usage Without Billing"]
    age = planted.period_start.map(lambda day: (as_of - day).days)
    youngest = 45 if style in ("net-30", "mixed") else 12
    assert age.between(youngest, 88).all()
    assert (planted.groupby("customer_id").leakage_type.nunique() == 1).all()
    if style not in ("single-invoice", "prepaid", "mixed"):
        assert planted.customer_id.is_unique


@pytest.mark.parametrize("losses", [False, True])
def test_a_mixed_company_has_customers_of_every_style(companies, losses):
    company, as_of = companies("mixed", losses)
    styles = company.billing_styles.to_pandas().set_index("customer_id").billing_style
    assert set(styles) == set(STYLES)
    lost = planted_sum(company, *OPEN, "Refund")
    net = collected(company).add(lost, fill_value=0)
    for style in DATED:
        bills = due_bills(company, as_of, style)
        bills = bills[bills.customer_id.map(styles) == style]
        of_style = net[net.index.map(styles) == style]
        assert len(of_style) > 5
        assert nonzero(due_sum(company, bills).sub(of_style, fill_value=0)) == {}


@pytest.mark.parametrize("style", STYLES)
def test_each_style_plants_every_kind_of_loss(style):
    kinds = set(simulate(CompanyPlan(customers=1500, billing=style)).planted["leakage_type"].to_pylist())
    cannot_be_seen = {"Underbilled Subscription"} if style == "prepaid" else set()
    assert kinds >= {*OPEN, "Refund"} - cannot_be_seen
    assert ("Active Usage Without Billing" in kinds) == (style not in ("single-invoice", "two-currencies"))
