"""The rows of each billing style are as the style says: dates, amounts and subscriptions."""

import datetime as dt

import pandas as pd
import pytest

from productpulse_assets.synthetic import CompanyPlan, simulate
from productpulse_assets.synthetic.settings import BILLING_NAMES, BILLING_STYLES
from productpulse_assets.synthetic.styles import Style
from tests.productpulse_assets.synthetic.accounts import MONTHS, due_bills, paid_rows, payments

AS_OF = CompanyPlan().as_of


@pytest.fixture(scope="module")
def without_losses():
    """Companies of 400 customers without losses, by style, simulated once."""
    made = {}

    def company(style):
        if style not in made:
            made[style] = simulate(CompanyPlan(customers=400, billing=style, losses=False))
        return made[style]

    return company


def subscriptions_of(company):
    """The rows that are billed, with `next_*` of the row that replaces each."""
    rows = paid_rows(company.datasets["subscriptions"].to_pandas()).sort_values(["customer_id", "start_date"])
    following = rows.groupby("customer_id").shift(-1)
    is_replaced = rows.end_date.notna() & (rows.end_date == following.start_date)
    return rows.assign(
        is_replaced=is_replaced,
        next_price=following.monthly_price,
        next_plan=following.plan,
        next_id=following.subscription_id,
        changes_in_cycle=is_replaced & (rows.end_date.map(day_of_month) != rows.anchor.map(day_of_month)),
    )


def day_of_month(day):
    return None if pd.isna(day) else day.day


def days_to_payment(company, style):
    """The days from each bill to its payment, where each bill has a payment of its own, in order."""
    bills = due_bills(company, AS_OF, style).sort_values(["subscription_id", "start"])
    paid = payments(company).sort_values(["subscription_id", "transaction_date"])
    for rows in (bills, paid):
        rows["nth"] = rows.groupby("subscription_id").cumcount()
    both = bills.merge(paid, on=["subscription_id", "nth"])
    assert (both.amount == both.due).all()
    return (pd.to_datetime(both.transaction_date) - pd.to_datetime(both.start)).dt.days


@pytest.mark.parametrize("style", ["anniversary", "calendar", "annual-invoices", "retries", "two-currencies"])
def test_bills_are_paid_within_three_days_or_by_a_retry(without_losses, style):
    days = days_to_payment(without_losses(style), style)
    assert days.between(0, 14).all()
    share_of_retries = (days > 3).mean()
    assert (0.2 < share_of_retries < 0.5) if style == "retries" else (0.005 < share_of_retries < 0.05)


def test_net_30_is_paid_20_to_40_days_after_the_bill(without_losses):
    days = days_to_payment(without_losses("net-30"), "net-30")
    assert set(days) == set(range(20, 41))


def test_calendar_bills_begin_on_the_first_and_the_first_is_prorated(without_losses):
    company = without_losses("calendar")
    bills = due_bills(company, AS_OF, "calendar")
    is_first = ~bills.subscription_id.duplicated()
    assert (bills[~is_first].start.map(day_of_month) == 1).all()
    starts_late = is_first & (bills.start.map(day_of_month) > 1)
    assert starts_late.sum() > 200
    assert (bills[starts_late].due < bills[starts_late].full).all()
    assert set(company.datasets["subscriptions"]["billing_cycle"].to_pylist()) == {"Monthly"}


def test_annual_invoices_are_twelve_months_at_once(without_losses):
    company = without_losses("annual-invoices")
    price = company.datasets["subscriptions"].to_pandas().set_index("subscription_id").monthly_price
    paid = payments(company)
    assert (paid.amount == paid.subscription_id.map(price) * 12).all()


def test_plan_changes_in_the_cycle_give_a_credit(without_losses):
    company = without_losses("unused-time-credit")
    rows = subscriptions_of(company)
    changes = rows[rows.changes_in_cycle]
    lower = changes[changes.next_price < changes.monthly_price]
    higher = changes[changes.next_price > changes.monthly_price]
    assert len(lower) > 10 and len(higher) > 10
    paid = payments(company)
    first = paid.drop_duplicates("subscription_id").set_index("subscription_id")
    full = rows.set_index("subscription_id").apply(lambda row: row.monthly_price * MONTHS[row.billing_cycle], axis=1)
    after = first.reindex(lower.next_id).dropna(subset="amount")
    assert len(after) == len(lower), "each downgrade is followed by a payment that uses its credit up"
    assert (after.amount <= full[after.index]).all() and (after.amount < full[after.index]).mean() > 0.5
    on_change = first.loc[higher.next_id]
    days = pd.to_datetime(on_change.transaction_date).to_numpy() - pd.to_datetime(higher.end_date).to_numpy()
    assert (days.astype("timedelta64[D]").astype(int) <= 3).all()
    assert (on_change.amount < full[on_change.index]).all()


def test_seats_are_added_in_the_cycle_and_the_rest_of_it_is_paid_at_once(without_losses):
    company = without_losses("seat-changes")
    changes = subscriptions_of(company)
    changes = changes[changes.changes_in_cycle]
    assert len(changes) > 200
    assert (changes.next_price > changes.monthly_price).all()
    assert (changes.next_plan == changes.plan).all()
    first = payments(company).drop_duplicates("subscription_id").set_index("subscription_id").loc[changes.next_id]
    days = pd.to_datetime(first.transaction_date).to_numpy() - pd.to_datetime(changes.end_date).to_numpy()
    assert set(days.astype("timedelta64[D]").astype(int)) <= {0, 1, 2, 3}
    smallest = payments(company).groupby("subscription_id").amount.min().loc[changes.next_id]
    assert (smallest.to_numpy() < changes.next_price.to_numpy() - changes.monthly_price.to_numpy()).all()


def test_one_payment_a_day_pays_all_subscriptions_of_a_customer(without_losses):
    company = without_losses("single-invoice")
    running = company.datasets["subscriptions"].to_pandas()
    running = running[running.status == "Active"]
    assert set(running.groupby("customer_id").size()) == {1, 2, 3}
    paid = payments(company)
    bills = due_bills(company, AS_OF, "single-invoice")
    invoices = bills.groupby(["customer_id", "start"]).due.sum()
    assert sorted(invoices) == sorted(paid.amount)
    booked = paid.groupby("customer_id").subscription_id.nunique()
    rows = company.datasets["subscriptions"].to_pandas().groupby("customer_id").size()
    assert (booked.sub(rows) < 0).sum() > 200


def test_retries_fail_up_to_three_times_before_the_success(without_losses):
    company = without_losses("retries")
    failed, paid = payments(company, "Failed"), payments(company)
    both = failed.merge(paid, on=["subscription_id", "amount"])
    days = (pd.to_datetime(both.transaction_date_y) - pd.to_datetime(both.transaction_date_x)).dt.days
    recovered = both[days.between(1, 14)]
    assert set(recovered.transaction_id_x) == set(failed.transaction_id)
    assert set(recovered.groupby("transaction_id_y").size()) == {1, 2, 3}


def test_wrong_amounts_are_refunded_in_full_and_paid_again(without_losses):
    company = without_losses("refund-rebill")
    refunds, paid = payments(company, "Refunded"), payments(company)
    assert len(refunds) > 100
    wrong = refunds.merge(paid, on=["subscription_id", "amount"], suffixes=("", "_wrong"))
    days = (pd.to_datetime(wrong.transaction_date) - pd.to_datetime(wrong.transaction_date_wrong)).dt.days
    assert set(wrong[days.between(1, 10)].transaction_id) == set(refunds.transaction_id)
    again = refunds.merge(paid, on="subscription_id", suffixes=("", "_again"))
    days = (pd.to_datetime(again.transaction_date_again) - pd.to_datetime(again.transaction_date)).dt.days
    right = again[days.between(0, 3) & (again.amount_again != again.amount)]
    assert set(right.transaction_id) == set(refunds.transaction_id)


def test_prepaid_payments_are_for_several_months_and_come_before_them(without_losses):
    company = without_losses("prepaid")
    rows = company.datasets["subscriptions"].to_pandas().set_index("subscription_id")
    paid = payments(company)
    months = (paid.amount / paid.subscription_id.map(rows.monthly_price)).astype(float)
    runs = paid.subscription_id.map(rows.status) == "Active"
    assert set(months[runs]) == {3, 6, 12}
    assert set(months) <= set(range(1, 13))
    bills = due_bills(company, AS_OF, "prepaid")
    both = paid.merge(bills, on="subscription_id")
    days = (pd.to_datetime(both.start) - pd.to_datetime(both.transaction_date)).dt.days
    assert set(both[days.between(0, 5)].transaction_id) == set(paid.transaction_id)
    assert days[days.between(0, 5)].nunique() == 6


def test_one_customer_pays_in_euro_and_in_dollars(without_losses):
    company = without_losses("two-currencies")
    rows = paid_rows(company.datasets["subscriptions"].to_pandas())
    assert set(rows.groupby("customer_id").currency.nunique()) == {2}
    paid = payments(company)
    assert (paid.currency == paid.subscription_id.map(rows.set_index("subscription_id").currency)).all()
    assert (paid[paid.currency == "EUR"].amount % 1).isin([0, 0.25, 0.5, 0.75]).all()
    assert "currency" not in without_losses("anniversary").datasets["subscriptions"].column_names


def test_a_migrated_subscription_goes_on_under_a_new_id(without_losses):
    company = without_losses("migration")
    rows = subscriptions_of(company)
    migrated = rows[rows.changes_in_cycle]
    assert len(migrated) > 200
    assert (migrated.next_price == migrated.monthly_price).all()
    assert (migrated.next_plan == migrated.plan).all()
    assert (migrated.status == "Expired").all()
    paid = payments(company)
    before = paid.merge(migrated, on="subscription_id")
    after = paid.merge(migrated, left_on="subscription_id", right_on="next_id")
    grace = dt.timedelta(14)
    assert (before.transaction_date < before.end_date.map(lambda day: day + grace)).all()
    assert (after.transaction_date > after.end_date).all()
    for moved in (before, after):
        assert (moved.amount == moved.apply(lambda row: row.monthly_price * MONTHS[row.billing_cycle], axis=1)).all()


@pytest.mark.parametrize("style", ["mixed", "two-currencies"])
def test_the_same_plan_gives_the_same_company(style):
    plan = CompanyPlan(customers=60, billing=style, batch_customers=25)
    first, second = simulate(plan), simulate(plan)
    assert all(first.datasets[name].equals(second.datasets[name]) for name in first.datasets)
    assert first.planted.equals(second.planted)
    alone = simulate(CompanyPlan(customers=25, billing=style, batch_customers=25))
    transactions = first.datasets["transactions"]
    assert transactions.slice(0, alone.datasets["transactions"].num_rows).equals(alone.datasets["transactions"])


@pytest.mark.parametrize("style", ["prepaid", "migration", "mixed"])
@pytest.mark.parametrize("size", [{"customers": 1}, {"customers": 20, "months": 1}])
def test_small_companies_can_be_billed(style, size):
    company = simulate(CompanyPlan(billing=style, **size))
    assert company.datasets["customers"].num_rows == company.billing_styles.num_rows == size["customers"]


def test_the_codes_of_the_styles_are_their_positions_in_the_settings():
    assert [style.name.lower().replace("_", "-") for style in Style] == [style.name for style in BILLING_STYLES]


def test_an_unknown_style_is_an_error():
    with pytest.raises(ValueError, match="'weekly'; expected one of anniversary, calendar"):
        CompanyPlan(billing="weekly")


@pytest.mark.parametrize("style", BILLING_NAMES)
def test_rows_of_every_style_keep_the_contracts(style):
    company = simulate(CompanyPlan(customers=300, billing=style))
    rows = {name: table.to_pandas() for name, table in company.datasets.items()}
    subscriptions, transactions = rows["subscriptions"], rows["transactions"]
    assert subscriptions.subscription_id.is_unique and transactions.transaction_id.is_unique
    ended = subscriptions[subscriptions.end_date.notna()]
    assert (ended.end_date > ended.start_date).all()
    assert set(subscriptions[subscriptions.end_date.isna()].status) <= {"Active", "Past Due", "Trial"}
    assert (subscriptions.start_date <= AS_OF).all() and (ended.end_date <= AS_OF).all()
    assert (transactions.amount > 0).all() and (transactions.transaction_date <= AS_OF).all()
    booked = transactions.merge(subscriptions, on=["subscription_id", "customer_id"])
    assert len(booked) == len(transactions)
    assert (booked.status_y != "Trial").all()
    replaced = subscriptions[subscriptions.status == "Expired"]
    successors = replaced.merge(
        subscriptions, left_on=["customer_id", "end_date"], right_on=["customer_id", "start_date"]
    )
    assert set(successors.subscription_id_x) == set(replaced.subscription_id)
    paying = subscriptions[subscriptions.end_date.isna() & (subscriptions.status != "Trial")].customer_id
    assert set(rows["customers"][rows["customers"].is_active].customer_id) == set(paying)
