"""What the periods of subscriptions show about their dates."""

import pytest

from asset_checks.periods import ended_results, period_results
from tests.builders import calendar, dataset


def warnings(*subscriptions, as_of="2026-06-30"):
    periods = dataset("subscriptions", *subscriptions)
    results = [*period_results(periods), *ended_results(periods, calendar("2026-01-01", as_of))]
    return {result.check_name: result.description for result in results if not result.passed}


def period(start, end, **more):
    return {"start_date": start, "end_date": end, "status": "Expired"} | more


MONTHS = [("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28"), ("2026-03-01", "2026-03-31"), ("2026-04-01", "2026-04-30")]  # fmt: skip


def test_ends_that_are_the_last_day_are_warned_about_with_the_setting():
    months = [period(*dates) for dates in MONTHS] + [{"start_date": "2026-05-01"}]
    assert warnings(*months) == {
        "ends_are_exclusive": "subscriptions: 4 of 4 periods end the day before the customer's next one begins: is end_date "
        "the last day? Then set inclusive_ends: true for subscriptions in sources.yaml. Without it, no period has MRR on "
        "its last day."
    }


def test_exclusive_ends_and_a_few_gaps_of_a_day_are_not_warned_about():
    follows = [period("2026-01-01", "2026-02-01"), period("2026-02-01", "2026-03-01"), {"start_date": "2026-03-02"}]
    assert warnings(*follows) == {}


def test_an_active_row_that_has_ended_is_warned_about_with_both_readings():
    sentence = warnings({"end_date": "2025-12-31", "start_date": "2025-01-01"})["active_rows_have_not_ended"]
    assert sentence.startswith(
        "subscriptions: 1 of 1 rows that are Active or Past Due ended by 2025-12-31 (first by id: S1)"
    )
    assert "ends_of_active_rows: planned" in sentence
    assert "inclusive_ends: true" in sentence


@pytest.mark.parametrize(
    "rows",
    [
        [{"end_date": "2026-07-01"}],
        [period("2025-01-01", "2025-12-31")],
        [{"start_date": "2025-01-01", "end_date": "2026-01-01"}, {"start_date": "2026-01-01"}],
    ],
    ids=["planned end", "expired", "renewed"],
)
def test_an_end_that_contradicts_nothing_is_not_warned_about(rows):
    assert "active_rows_have_not_ended" not in warnings(*rows)


def test_rows_that_look_like_one_subscription_are_named():
    twice = [{}, {}, {"customer_id": "C2", "plan": "Old", "end_date": "2026-04-11", "status": "Expired"}]
    new = {"customer_id": "C2", "plan": "New", "start_date": "2026-04-01", "monthly_price": 150}
    assert warnings(*twice, new) == {
        "one_subscription_once": "subscriptions: 1 pairs of rows have the same customer, plan, price and start under two ids "
        "(first: S1 and S2 of C1); 1 rows run on for some days after the row that follows them began (first: S3 and S4 of "
        "C2). MRR counts both. If they are one subscription, leave one row out, or end the old one on the day that the new "
        "one begins."
    }


@pytest.mark.parametrize(
    "second",
    [
        {"plan": "Addon", "monthly_price": 20},
        {"plan": "Growth", "start_date": "2026-03-01"},
        {"customer_id": "C2"},
    ],
    ids=["two products", "a second one later", "another customer"],
)
def test_what_is_not_one_subscription(second):
    assert warnings({}, second) == {}
