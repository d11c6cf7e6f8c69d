"""What counts as MRR: a customer worked out by hand for each setting of the policy."""

from dataclasses import replace

import pytest

from asset_checks.invariants import bridge_breaks
from resources.tables import rows_of
from tests.builders import calendar, dataset, rows, stored
from tests.graph import RULES, months_query, plan, unbound, with_mrr
from tests.productpulse_assets.decisions.cases import some

FACTS = ("transactions", "product_usage", "support_tickets", "nps_scores", "acquisition_channels")
JANUARY = {"start_date": "2026-01-10"}


def rules_with(**settings):
    return replace(RULES, mrr_policy=RULES.mrr_policy.model_copy(update=settings))


def inputs(*subscriptions, as_of="2026-06-30", bills=(), rates=(), reporting="USD"):
    return {
        "subscriptions": dataset("subscriptions", *subscriptions),
        "bill_balances": some(
            {name: str(kind) for name, kind in unbound("bill_balances").schema().items()}, list(bills)
        ),
        "exchange_rates": dataset("exchange_rates", *rates),
        "calendar": calendar("2026-01-01", as_of),
    }


def counted(*subscriptions, as_of="2026-06-30", bills=(), rates=(), **settings):
    """(from_day, until_day, mrr) of each period that counts as MRR under the policy with these settings."""
    tables = inputs(*subscriptions, as_of=as_of, bills=bills, rates=rates)
    return rows(with_mrr(rules_with(**settings), **tables)["mrr_periods"], "from_day", "until_day", "mrr")


def months(*subscriptions, rates=(), columns=("mrr_end",), **settings):
    """The columns of customer_months of one customer, from January to June."""
    tables = inputs(*subscriptions, rates=rates) | {name: dataset(name) for name in FACTS}
    tables["customers"] = dataset("customers", {})
    table = stored(months_query(settings.get("fx", "constant")), **with_mrr(rules_with(**settings), **tables))
    assert rows(bridge_breaks(table), "month") == []
    return [row[1:] for row in rows(table, "month", *columns)]


def test_a_past_due_subscription_ends_some_days_after_its_last_paid_period():
    late = JANUARY | {"status": "Past Due"}
    paid = {"subscription_id": "S1", "period_start": "2026-01-10", "period_end": "2026-02-10", "is_settled": True}
    open_bill = {"subscription_id": "S1", "period_start": "2026-02-10", "period_end": "2026-03-10", "is_settled": False}
    assert counted(late, bills=[paid, open_bill]) == [("2026-01-10", None, 100)]
    assert counted(late, bills=[paid, open_bill], past_due_days=30) == [("2026-01-10", "2026-03-12", 100)]
    assert counted(late, bills=[open_bill], past_due_days=30) == [("2026-01-10", "2026-03-12", 100)]  # nothing is paid
    assert counted(late, past_due_days=30) == [("2026-01-10", None, 100)]  # without payments nothing is known
    assert counted(JANUARY, bills=[paid, open_bill], past_due_days=30) == [("2026-01-10", None, 100)]


def test_a_subscription_can_end_with_its_paid_period_but_not_after_the_next_one_begins():
    left = JANUARY | {"status": "Canceled", "end_date": "2026-03-20"}
    assert counted(left) == [("2026-01-10", "2026-03-20", 100)]
    assert counted(left, churn_on="end_of_paid_period") == [("2026-01-10", "2026-04-10", 100)]
    on_the_day = left | {"end_date": "2026-03-10"}
    assert counted(on_the_day, churn_on="end_of_paid_period") == [("2026-01-10", "2026-03-10", 100)]
    no_cycle = left | {"billing_cycle": None}
    assert counted(no_cycle, churn_on="end_of_paid_period") == [("2026-01-10", "2026-03-20", 100)]
    upgrade = {"start_date": "2026-03-25", "monthly_price": 150}
    assert counted(left, upgrade, churn_on="end_of_paid_period") == [
        ("2026-01-10", "2026-03-25", 100),
        ("2026-03-25", None, 150),
    ]


def test_a_subscription_can_end_on_the_day_of_the_request():
    asked = JANUARY | {"status": "Canceled", "end_date": "2026-05-10", "cancel_requested_date": "2026-02-20"}
    scheduled = JANUARY | {"cancel_at": "2026-08-10"}
    assert counted(scheduled) == [("2026-01-10", None, 100)]
    assert counted(scheduled, churn_on="cancellation_requested") == [("2026-01-10", "2026-08-10", 100)]
    assert counted(asked) == [("2026-01-10", "2026-05-10", 100)]
    assert counted(asked, churn_on="cancellation_requested") == [("2026-01-10", "2026-02-20", 100)]
    assert counted(JANUARY, churn_on="cancellation_requested") == [("2026-01-10", None, 100)]


def test_a_short_gap_is_neither_churn_nor_a_reactivation():
    before = JANUARY | {"status": "Canceled", "end_date": "2026-02-25"}
    after = {"start_date": "2026-03-10", "monthly_price": 120}
    columns = ("mrr_end", "is_churned", "is_reactivated", "mrr_expansion")
    assert months(before, after, columns=columns)[:3] == [(100, 0, 0, 0), (0, 1, 0, 0), (120, 0, 1, 0)]
    assert months(before, after, columns=columns, gap_days=13)[:3] == [(100, 0, 0, 0), (100, 0, 0, 0), (120, 0, 0, 20)]
    assert counted(before, after, gap_days=12) == counted(before, after)  # the gap has 13 days
    later = after | {"start_date": "2026-07-01"}  # it is not known yet on June 30
    assert counted(before | {"end_date": "2026-06-25"}, later, gap_days=31)[0][1] == "2026-06-25"


def test_a_free_subscription_can_make_its_customer_a_paying_one():
    paid = JANUARY | {"status": "Expired", "end_date": "2026-03-10"}
    free = {"start_date": "2026-03-10", "monthly_price": 0}
    columns = ("mrr_end", "paying_end", "is_churned", "mrr_contraction")
    assert months(paid, free, columns=columns)[1:4] == [(100, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 0)]
    assert months(paid, free, columns=columns, count_free=True)[1:4] == [(100, 1, 0, 0), (0, 1, 0, 100), (0, 1, 0, 0)]


def test_a_paused_subscription_has_no_mrr_unless_it_counts():
    paused = JANUARY | {"paused_from": "2026-03-05"}
    assert counted(paused) == [("2026-01-10", "2026-03-05", 100)]
    assert counted(paused, count_paused=True) == [("2026-01-10", None, 100)]


def test_mrr_is_what_is_billed_or_the_price_without_the_discount():
    discounted = JANUARY | {"monthly_price": 80, "discount_amount": 20, "discount_end": "2026-04-01"}
    assert counted(discounted) == [("2026-01-10", "2026-04-01", 80), ("2026-04-01", None, 100)]
    assert counted(discounted, discounts="contracted") == [("2026-01-10", None, 100)]
    over = discounted | {"discount_end": "2026-01-10"}  # the discount was over when the period began
    assert counted(over) == counted(over, discounts="contracted") == [("2026-01-10", None, 80)]
    columns = ("mrr_end", "mrr_expansion", "mrr_expansion_discount")
    assert months(discounted, columns=columns)[2:5] == [(80, 0, 0), (100, 20, 20), (100, 0, 0)]
    free_at_first = discounted | {"monthly_price": 0, "discount_amount": 100}
    assert counted(free_at_first) == [("2026-04-01", None, 100)]


def test_a_subscription_within_one_month_can_count_at_its_end():
    short = {"start_date": "2026-03-05", "end_date": "2026-03-20", "status": "Canceled"}
    second = {"start_date": "2026-03-22", "end_date": "2026-03-30", "status": "Canceled", "monthly_price": 70}
    assert months(short, columns=("mrr_end", "mrr_churned"))[2:4] == [(0, 0), (0, 0)]
    assert months(short, columns=("mrr_end", "mrr_churned"), month_bounds="count")[2:4] == [(100, 0), (0, 100)]
    assert months(short, second, month_bounds="count")[2] == (70,)
    assert months(short, JANUARY, month_bounds="count")[2] == (100,)  # the customer has other MRR then


RATES = [
    {"date": "2026-01-01", "currency": "EUR", "rate": "1.10"},
    {"date": "2026-02-20", "currency": "EUR", "rate": "1.20"},
    {"date": "2026-07-01", "currency": "EUR", "rate": "9"},
]


def test_an_unchanged_contract_in_euro_moves_exchange_rates_only():
    euro = JANUARY | {"currency": "EUR", "monthly_price": 110}  # 100 euro at the fixed rate, the first one
    columns = ("mrr_end", "mrr_new", "mrr_fx", "mrr_expansion", "mrr_contraction")
    assert months(euro, rates=RATES, columns=columns)[:3] == [(110, 110, 0, 0, 0), (110, 0, 0, 0, 0), (110, 0, 0, 0, 0)]
    assert months(euro, rates=RATES, columns=columns, fx="month_end")[:3] == [
        (110, 110, 0, 0, 0),
        (120, 0, 10, 0, 0),
        (120, 0, 0, 0, 0),
    ]


def test_what_a_customer_in_euro_adds_is_apart_from_what_the_rate_does():
    before = JANUARY | {"currency": "EUR", "monthly_price": 110, "end_date": "2026-02-10", "status": "Expired"}
    after = {"start_date": "2026-02-10", "currency": "EUR", "monthly_price": 165}  # 150 euro
    columns = ("mrr_end", "mrr_fx", "mrr_expansion", "mrr_expansion_price")
    assert months(before, after, rates=RATES, columns=columns, fx="month_end")[1] == (180, 10, 60, 60)


def test_the_choices_are_compared_with_the_policy():
    tables = inputs(
        JANUARY | {"monthly_price": 80, "discount_amount": 20},
        {"customer_id": "C2", "end_date": "2026-06-20", "status": "Canceled", "start_date": "2026-01-05"},
        {"customer_id": "C3", "paused_from": "2026-06-10", "monthly_price": 50},
    )
    table = stored(plan().tables["mrr_policy_choices"].sql, **with_mrr(**tables))
    choices = {(row["setting"], row["choice"]): row for row in rows_of(table)}
    figures = ("mrr", "mrr_change", "churned_mrr", "churned_mrr_change", "churned_customers", "is_policy")

    def of(setting, choice):
        return tuple(choices[setting, choice][name] for name in figures)

    assert of("discounts", "billed") == of("past_due_days", "null") == (80, 0, 150, 0, 2, True)
    assert of("discounts", "contracted") == (100, 20, 150, 0, 2, False)
    assert of("count_paused", "true") == (130, 50, 100, -50, 1, False)
    assert of("churn_on", "end_of_paid_period") == (180, 100, 50, -100, 1, False)  # C2 has paid until July 5
    assert len(choices) == 20


@pytest.mark.parametrize("setting", ["past_due_days", "gap_days"])
def test_days_are_whole_numbers_from_0_on(setting):
    with pytest.raises(ValueError, match=setting):
        type(RULES.mrr_policy)(**RULES.mrr_policy.model_dump() | {setting: -1})
