"""The bills of every paid period, and how each is paid or not."""

from dataclasses import dataclass, replace

import numpy as np

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.engagement import Engagement
from productpulse_assets.synthetic.problems import Problem
from productpulse_assets.synthetic.subscriptions import ACTIVE, CANCELED, PAST_DUE, TRIAL, Periods
from productpulse_assets.synthetic.tenures import FAR_FUTURE
from productpulse_assets.synthetic.timeline import Timeline

LATE_BILL_DAYS = 60


@dataclass(frozen=True)
class Bills:
    """One element per billing date of a paid period, by period and date.

    `period` is the position of the period, `cents` what is due (the price times the months
    of the cycle), `paid_cents` and `paid_date` the payment as it was made, or as it would be without the
    problem; `retry_date` and `refund_date` are used only for the problems that have a retry or a refund.
    """

    period: np.ndarray
    customer: np.ndarray
    date: np.ndarray
    cents: np.ndarray
    problem: np.ndarray
    paid_date: np.ndarray
    paid_cents: np.ndarray
    retry_date: np.ndarray
    refund_date: np.ndarray

    def with_problem(self, *problems: Problem) -> np.ndarray:
        """Positions of the bills with one of these problems."""
        return np.flatnonzero(np.isin(self.problem, problems))


def _bill_counts(periods: Periods, customers: Customers, timeline: Timeline) -> tuple[np.ndarray, np.ndarray]:
    """First billing month and number of bills of each period; a trial has none."""
    first_month = timeline.month_of(periods.start)
    is_later = customers.start_day[periods.customer] > timeline.as_of_day
    end_month = np.where(periods.end == FAR_FUTURE, timeline.months - is_later, timeline.month_of(periods.end))
    cycle = customers.cycle_months[periods.customer]
    counts = -((first_month - end_month) // cycle)
    return first_month, np.where(periods.status == TRIAL, 0, counts)


def _bill_months(periods: Periods, customers: Customers, timeline: Timeline) -> tuple[np.ndarray, ...]:
    """The period of each bill, the number of later bills of that period, and the month of the bill."""
    first_month, counts = _bill_counts(periods, customers, timeline)
    period = np.repeat(np.arange(len(periods)), counts)
    nth = np.arange(len(period)) - np.repeat(np.cumsum(counts) - counts, counts)
    month = first_month[period] + nth * customers.cycle_months[periods.customer[period]]
    return period, counts[period] - 1 - nth, month


def unpaid_bill_counts(
    rng: np.random.Generator,
    customers: Customers,
    periods: Periods,
    engagement: Engagement,
    timeline: Timeline,
) -> np.ndarray:
    """How many of each period's latest bills stay unpaid; those with any are past due.

    Only a running period with a paid bill can be past due. A period that is billed quarterly or
    annually can be past due only while its latest bill is recent.
    """
    first_month, counts = _bill_counts(periods, customers, timeline)
    cycle = customers.cycle_months[periods.customer]
    latest_month = first_month + np.maximum(counts - 1, 0) * cycle
    latest = timeline.month_starts[latest_month] + customers.start_day[periods.customer] - 1
    drifting = engagement.is_drifting()[periods.customer, -1]
    wanted = rng.integers(1, settings.PAST_DUE_CYCLES + 1, len(periods))
    unpaid = np.minimum(np.where(cycle == 1, wanted, 1), counts - 1)
    is_late = (cycle == 1) | (latest >= timeline.as_of - LATE_BILL_DAYS)
    is_chosen = rng.random(len(periods)) < np.array(settings.PAST_DUE_SHARES)[drifting]
    return np.where((periods.status == ACTIVE) & is_late & is_chosen, np.maximum(unpaid, 0), 0)


def _bills_failed_before_cancellation(rng: np.random.Generator, customers: Customers, periods: Periods) -> np.ndarray:
    """How many bills failed just before each cancellation: some customers leave by not paying."""
    is_monthly_churn = (periods.status == CANCELED) & (customers.cycle_months[periods.customer] == 1)
    stops_paying = is_monthly_churn & (rng.random(len(periods)) < settings.GAVE_UP_PAYING_SHARE)
    counts: np.ndarray = rng.integers(1, settings.GAVE_UP_PAYING_CYCLES + 1, len(periods)) * stops_paying
    return counts


def statuses_with_past_due(periods: Periods, unpaid: np.ndarray) -> np.ndarray:
    """The periods' statuses, with Past Due where bills are unpaid."""
    return np.where(unpaid > 0, PAST_DUE, periods.status)


def draw_bills(
    rng: np.random.Generator,
    customers: Customers,
    periods: Periods,
    *,
    problems: np.ndarray,
    unpaid: np.ndarray,
    timeline: Timeline,
) -> Bills:
    """Draw every bill of every period, and its outcome up to the as-of date."""
    period, later_bills, month = _bill_months(periods, customers, timeline)
    customer = periods.customer[period]
    date = timeline.month_starts[month] + customers.start_day[customer] - 1
    is_last_paid = (unpaid[period] > 0) & (later_bills == unpaid[period])
    failed_at_end = _bills_failed_before_cancellation(rng, customers, periods)
    problem = _assign_problems(
        rng,
        drawn=problems[customer, month],
        later_bills=later_bills,
        unpaid=unpaid[period],
        failed_at_end=failed_at_end[period],
    )
    # A past-due account's last success falls on its billing date, so that the months since
    # then are the cycles it owes.
    delay = rng.integers(0, settings.PAYMENT_DELAY_DAYS + 1, len(period)) * ~is_last_paid
    cents = periods.cents[period] * customers.cycle_months[customer]
    bills = Bills(
        period=period,
        customer=customer,
        date=date,
        cents=cents,
        problem=problem,
        paid_date=np.where(date + delay > timeline.as_of, date, date + delay),
        paid_cents=cents,
        retry_date=date,
        refund_date=date,
    )
    return _remove_ambiguous_problems(_add_dates_and_amounts(rng, bills, timeline), timeline)


def _assign_problems(
    rng: np.random.Generator,
    *,
    drawn: np.ndarray,
    later_bills: np.ndarray,
    unpaid: np.ndarray,
    failed_at_end: np.ndarray,
) -> np.ndarray:
    """Each bill's problem: the one drawn for its month, unless its period ends with unpaid bills.

    `later_bills` is the number of bills of the same period after each bill. The bill before the
    unpaid ones is paid; the one before that often failed.
    """
    is_past_due = unpaid > 0
    failed_before = rng.random(len(drawn)) < settings.FAILED_BEFORE_PAST_DUE_SHARE
    failed_before &= is_past_due & (later_bills == unpaid + 1)
    return np.select(
        [
            later_bills < unpaid,
            is_past_due & (later_bills == unpaid),
            (later_bills < failed_at_end) | failed_before,
        ],
        [Problem.UNPAID, Problem.PAID, Problem.FAILED],
        drawn,
    )


def _add_dates_and_amounts(rng: np.random.Generator, bills: Bills, timeline: Timeline) -> Bills:
    """Set the dates and amounts that follow from the problems.

    A bill that would be recovered after the as-of date counts as failed.
    """
    rows = len(bills.date)
    recovery = bills.date + _days(rng, settings.RETRY_DAYS, rows)
    second_attempt = bills.date + _days(rng, settings.SECOND_ATTEMPT_DAYS, rows)
    tries_again = rng.random(rows) < settings.SECOND_ATTEMPT_SHARE
    second_attempt = np.where(tries_again, second_attempt, FAR_FUTURE)
    is_recovered = bills.problem == Problem.RECOVERED
    is_pending = is_recovered & (recovery > timeline.as_of)
    paid_share = 1 - rng.uniform(*settings.UNDERBILLED_SHARES, rows)
    short_cents = np.rint(bills.cents * paid_share).astype(np.int64)
    return replace(
        bills,
        problem=np.where(is_pending, Problem.FAILED, bills.problem),
        paid_cents=np.where(bills.problem == Problem.UNDERBILLED, short_cents, bills.cents),
        retry_date=np.where(is_recovered & ~is_pending, recovery, second_attempt),
        refund_date=bills.paid_date + _days(rng, settings.REFUND_DAYS, rows),
    )


def _days(rng: np.random.Generator, limits: tuple[int, int], rows: int) -> np.ndarray:
    return rng.integers(limits[0], limits[1] + 1, rows)


def _last_dates(bills: Bills) -> np.ndarray:
    """The date of the last transaction that each bill's problem causes."""
    has_retry = np.isin(bills.problem, (Problem.FAILED, Problem.UNPAID))
    has_retry &= bills.retry_date != FAR_FUTURE
    last = np.where(has_retry, bills.retry_date, bills.paid_date)
    return np.where(bills.problem == Problem.REFUNDED, bills.refund_date, last)


def window_start(timeline: Timeline) -> int:
    """The first day of the leakage window."""
    return timeline.as_of - settings.LEAKAGE_WINDOW_DAYS


def _remove_ambiguous_problems(bills: Bills, timeline: Timeline) -> Bills:
    """Mark bills with an ambiguous problem as paid.

    A problem is ambiguous if its dates are on both sides of the first day of the leakage window (or a
    day from it), if it is a missed invoice that may only be late, or a refund after the as-of date.
    """
    edge = window_start(timeline)
    straddles = (bills.date <= edge + 1) & (_last_dates(bills) >= edge - 1)
    leaks = np.isin(
        bills.problem,
        (Problem.FAILED, Problem.MISSED, Problem.UNDERBILLED, Problem.REFUNDED),
    )
    grace_start = timeline.as_of - settings.MISSED_INVOICE_GRACE_DAYS - 1
    may_be_late = (bills.problem == Problem.MISSED) & (bills.date >= grace_start)
    is_ahead = (bills.problem == Problem.REFUNDED) & (bills.refund_date > timeline.as_of)
    is_paid = (leaks & straddles) | may_be_late | is_ahead
    return replace(
        bills,
        problem=np.where(is_paid, Problem.PAID, bills.problem),
        paid_cents=np.where(is_paid, bills.cents, bills.paid_cents),
    )
