"""The leakage that the simulator planted: exactly what a correct detector finds."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from productpulse_assets.synthetic.account import Account
from productpulse_assets.synthetic.billing import Bills, window_start
from productpulse_assets.synthetic.columns import MONEY, dates, is_first_of_run, labels, money
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.problems import Problem
from productpulse_assets.synthetic.subscriptions import TRIAL, Periods
from productpulse_assets.synthetic.tenures import FAR_FUTURE, Tenures
from productpulse_assets.synthetic.timeline import Timeline

LEAKAGE_TYPES = (
    "Failed Payment",
    "Unpaid Active Subscription",
    "Missed Invoice",
    "Underbilled Subscription",
    "Refund",
    "Active Usage Without Billing",
)
SCHEMA = pa.schema(
    [
        ("leakage_type", pa.string()),
        ("customer_id", pa.string()),
        ("subscription_id", pa.string()),
        ("period_start", pa.date32()),
        ("transaction_date", pa.date32()),
        ("amount", MONEY),
    ]
)


def _table(
    leakage_type: str,
    customers: Customers,
    periods: Periods,
    *,
    period: np.ndarray,
    period_start: np.ndarray,
    cents: np.ndarray,
    transaction_date: np.ndarray | None = None,
) -> pa.Table:
    rows = len(period)
    no_dates = pa.nulls(rows, pa.date32())
    columns = [
        labels((leakage_type,), np.zeros(rows, dtype=np.int8)),
        customers.ids(periods.customer[period]),
        periods.ids(customers, period),
        dates(period_start),
        no_dates if transaction_date is None else dates(transaction_date),
        money(cents),
    ]
    return pa.table(columns, schema=SCHEMA)


def _bill_cases(customers: Customers, periods: Periods, bills: Bills, timeline: Timeline) -> list[pa.Table]:
    """Failed, missed, underbilled and refunded bills of the window."""
    is_recent = bills.date > window_start(timeline)
    refund = bills.problem == Problem.REFUNDED
    short = bills.problem == Problem.UNDERBILLED
    failed = bills.problem == Problem.FAILED
    missed = bills.problem == Problem.MISSED
    shortfall = bills.cents - bills.paid_cents
    kinds = [
        ("Failed Payment", failed, bills.date, bills.cents),
        ("Missed Invoice", missed, None, bills.cents),
        ("Underbilled Subscription", short, bills.paid_date, shortfall),
        ("Refund", refund, bills.refund_date, bills.paid_cents),
    ]
    cases = []
    for leakage_type, is_kind, date, cents in kinds:
        bill = np.flatnonzero(is_kind & is_recent)
        cases.append(
            _table(
                leakage_type,
                customers,
                periods,
                period=bills.period[bill],
                period_start=bills.date[bill],
                cents=cents[bill],
                transaction_date=None if date is None else date[bill],
            )
        )
    return cases


def _past_due_cases(customers: Customers, periods: Periods, bills: Bills) -> pa.Table:
    """Past-due periods: the sum of the bills that are not paid."""
    bill = bills.with_problem(Problem.UNPAID)
    first = bill[is_first_of_run(bills.period[bill])]
    period = bills.period[first]
    owed = np.bincount(bills.period[bill], weights=bills.cents[bill], minlength=len(periods)).astype(np.int64)
    return _table(
        "Unpaid Active Subscription",
        customers,
        periods,
        period=period,
        period_start=bills.date[first],
        cents=owed[period],
    )


def _usage_without_billing_cases(
    customers: Customers, periods: Periods, tenures: Tenures, late_users: np.ndarray
) -> pa.Table:
    """Customers that log in after their last paid period; the amount is its price per month."""
    ended = (periods.end != FAR_FUTURE) & (periods.status != TRIAL)
    is_last = ended & (periods.end == tenures.last_end()[periods.customer])
    period = np.flatnonzero(is_last & late_users[periods.customer])
    return _table(
        "Active Usage Without Billing",
        customers,
        periods,
        period=period,
        period_start=periods.end[period],
        cents=periods.cents[period],
    )


def planted_table(
    customers: Customers,
    periods: Periods,
    bills: Bills,
    *,
    tenures: Tenures,
    late_users: np.ndarray,
    timeline: Timeline,
) -> pa.Table:
    """One row per planted case of revenue leakage, in the order of LEAKAGE_TYPES.

    period_start is the billing date of the case (the first unpaid one of a past-due period,
    the end of the last paid period for usage without billing); transaction_date the first
    failed attempt, the short payment or the refund, else NULL; amount the loss.
    """
    return _in_order(
        [
            *_bill_cases(customers, periods, bills, timeline),
            _past_due_cases(customers, periods, bills),
            _usage_without_billing_cases(customers, periods, tenures, late_users),
        ]
    )


def styled_planted_table(
    customers: Customers,
    periods: Periods,
    account: Account,
    *,
    tenures: Tenures,
    late_users: np.ndarray,
    timeline: Timeline,
) -> pa.Table:
    """The planted cases of the billing styles, with the same columns.

    There is one row per bill that is open, per refund, per past-due subscription (with the
    sum of its open bills) and per customer with usage after its last period. Amounts are in
    US dollars.
    """
    unpaid = np.flatnonzero(_due_problems(account, timeline) == Problem.UNPAID)
    return _in_order(
        [
            *_open_bill_cases(customers, periods, account, timeline),
            _refund_cases(customers, periods, account),
            _unpaid_cases(customers, periods, account, unpaid),
            _usage_without_billing_cases(customers, periods, tenures, late_users),
        ]
    )


def _due_problems(account: Account, timeline: Timeline) -> np.ndarray:
    """The problem of each bill; one that is not due yet has none."""
    is_due = account.bills.start <= timeline.as_of
    return np.where(is_due, account.outcomes.problem[account.bills.invoice], Problem.PAID)


def _open_bill_cases(customers: Customers, periods: Periods, account: Account, timeline: Timeline) -> list[pa.Table]:
    """Failed, missed and underbilled bills."""
    bills, outcomes = account.bills, account.outcomes
    problem = _due_problems(account, timeline)
    open_cents = bills.due_cents - account.covered_cents()
    kinds = [
        ("Failed Payment", problem == Problem.FAILED, outcomes.attempt_date),
        ("Missed Invoice", problem == Problem.MISSED, None),
        ("Underbilled Subscription", (problem == Problem.UNDERBILLED) & (open_cents > 0), outcomes.paid_date),
    ]
    cases = []
    for leakage_type, is_kind, date in kinds:
        bill = np.flatnonzero(is_kind)
        cases.append(
            _table(
                leakage_type,
                customers,
                periods,
                period=bills.period[bill],
                period_start=bills.start[bill],
                cents=account.in_dollars(bills.period[bill], open_cents[bill]),
                transaction_date=None if date is None else date[bills.invoice[bill]],
            )
        )
    return cases


def _refund_cases(customers: Customers, periods: Periods, account: Account) -> pa.Table:
    invoice = np.flatnonzero(account.outcomes.problem == Problem.REFUNDED)
    period = account.invoices.period[invoice]
    return _table(
        "Refund",
        customers,
        periods,
        period=period,
        period_start=account.invoices.date[invoice],
        cents=account.in_dollars(period, account.outcomes.paid_cents[invoice]),
        transaction_date=account.outcomes.refund_date[invoice],
    )


def _unpaid_cases(customers: Customers, periods: Periods, account: Account, bill: np.ndarray) -> pa.Table:
    """The bills at the positions `bill`, as one case per period."""
    bills = account.bills
    bill = bill[np.lexsort((bills.start[bill], bills.period[bill]))]
    first = np.flatnonzero(is_first_of_run(bills.period[bill]))
    cents = account.in_dollars(bills.period[bill], bills.due_cents[bill])
    return _table(
        "Unpaid Active Subscription",
        customers,
        periods,
        period=bills.period[bill[first]],
        period_start=bills.start[bill[first]],
        cents=np.add.reduceat(cents, first) if len(first) else cents,
    )


def _in_order(tables: list[pa.Table]) -> pa.Table:
    """The cases in the order of LEAKAGE_TYPES."""
    cases = pa.concat_tables(tables)
    rank = pc.index_in(cases["leakage_type"], value_set=pa.array(LEAKAGE_TYPES))
    return cases.take(np.argsort(rank.to_numpy(), kind="stable"))
