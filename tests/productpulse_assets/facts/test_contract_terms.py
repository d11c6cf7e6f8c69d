"""Contract terms on a handful of subscriptions: which day a contract renews, however it is billed and changed."""

import pytest

from tests.productpulse_assets.facts.one_customer import ago, signals, signals_without_bills

CHANGED = {"status": "Expired", "start_date": "2025-09-10", "end_date": "2026-02-10"}


@pytest.mark.parametrize(
    ("subscriptions", "days"),
    [
        ([{"term_months": 12, "start_date": "2025-08-10"}], 41),  # a year, billed each month
        ([{"term_months": 1, "billing_cycle": "Annual", "start_date": "2025-08-10"}], None),
        ([{"term_months": 12, "billing_cycle": "Quarterly", "start_date": "2025-08-10"}], 41),
        ([{"term_months": 12, "start_date": "2025-08-10", "term_end": "2026-09-30"}], 92),  # the source knows better
        ([{"term_months": 12, "start_date": "2023-08-10", "term_end": "2025-07-15"}], 15),  # renewed since
        ([{"term_end": "2026-07-15", "start_date": "2025-08-10"}], 15),
        ([{"term_end": "2026-06-30", "start_date": "2025-08-10"}], None),  # no length, so no next end
        # A change of plan within a term goes on with it; a renewal as a new row begins one.
        ([CHANGED | {"term_months": 12}, {"start_date": "2026-02-10", "term_months": 12}], 72),
        ([CHANGED | {"term_months": 3}, {"start_date": "2026-02-10", "term_months": 12}], 225),
        ([CHANGED, {"start_date": "2026-02-10", "term_months": 12}], 225),  # monthly before
        (
            [CHANGED | {"end_date": "2026-02-09", "term_months": 12}, {"start_date": "2026-02-10", "term_months": 12}],
            72,
        ),
        (
            [CHANGED | {"end_date": "2026-01-10", "term_months": 12}, {"start_date": "2026-02-10", "term_months": 12}],
            225,
        ),
    ],
)
def test_the_next_end_of_a_term(subscriptions, days):
    assert signals_without_bills("days_to_renewal", subscriptions=subscriptions) == [(days,)]


def test_mrr_up_for_renewal_is_that_of_the_next_90_days():
    year = {"billing_cycle": "Annual", "monthly_price": 70}
    subscriptions = [{}, year | {"start_date": "2025-09-28"}, year | {"start_date": "2025-09-29"}]
    assert signals_without_bills("mrr", "mrr_up_for_renewal", subscriptions=subscriptions) == [(240, 70)]


SCHEDULED = ("mrr", "cancellation_scheduled", "cancellation_date", "mrr_scheduled_to_end")


@pytest.mark.parametrize(
    ("cancel_at", "expected"),
    [
        (None, (150, False, None, 0)),
        ("2026-07-01", (150, True, "2026-07-01", 50)),
        ("2026-06-30", (150, False, None, 0)),  # gone by, and the subscription runs
    ],
)
def test_a_scheduled_cancellation_is_part_of_mrr_until_its_day(cancel_at, expected):
    subscriptions = [{}, {"monthly_price": 50, "cancel_at": cancel_at, "auto_renew": False}]
    assert signals_without_bills(*SCHEDULED, subscriptions=subscriptions) == [expected]


def test_signed_again_by_hand_is_no_cancellation():
    assert signals_without_bills(*SCHEDULED, subscriptions=[{"auto_renew": False}]) == [(100, False, None, 0)]


@pytest.mark.parametrize("given", [{"absent": ("cancel_at",)}, {"is_current": False}])
def test_without_the_column_and_on_a_past_day_cancellations_are_unknown(given):
    scheduled = [{"cancel_at": ago(-9)}]
    assert signals(*SCHEDULED, subscriptions=scheduled, with_bills=False, **given) == [(100, None, None, None)]
