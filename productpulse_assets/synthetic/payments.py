"""The transactions: one or more for each bill that was not missed."""

import numpy as np
import pyarrow as pa

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.billing import Bills
from productpulse_assets.synthetic.columns import dates, ids, labels, money, sequence_within
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.invoices import Invoices
from productpulse_assets.synthetic.outcomes import Outcomes
from productpulse_assets.synthetic.problems import Problem
from productpulse_assets.synthetic.subscriptions import CURRENCIES, Periods
from productpulse_assets.synthetic.timeline import Timeline

STATUSES = ("Success", "Failed", "Refunded")
SUCCESS, FAILED, REFUNDED = range(len(STATUSES))
# Positions of bills, status, dates and cents of transactions.
Kind = tuple[np.ndarray, int, np.ndarray, np.ndarray]


def _attempts(bills: Bills) -> list[Kind]:
    """Bill, status, date and cents of the transactions of each kind."""
    paid = bills.with_problem(Problem.PAID, Problem.UNDERBILLED, Problem.REFUNDED)
    failed = bills.with_problem(Problem.RECOVERED, Problem.FAILED, Problem.UNPAID)
    recovered = bills.with_problem(Problem.RECOVERED)
    failed_again = bills.with_problem(Problem.FAILED, Problem.UNPAID)
    refunded = bills.with_problem(Problem.REFUNDED)
    return [
        (paid, SUCCESS, bills.paid_date[paid], bills.paid_cents[paid]),
        (failed, FAILED, bills.date[failed], bills.cents[failed]),
        (recovered, SUCCESS, bills.retry_date[recovered], bills.cents[recovered]),
        (failed_again, FAILED, bills.retry_date[failed_again], bills.cents[failed_again]),
        (refunded, REFUNDED, bills.refund_date[refunded], bills.paid_cents[refunded]),
    ]


def transactions_table(customers: Customers, periods: Periods, bills: Bills, timeline: Timeline) -> pa.Table:
    """One row per attempt to collect and per refund, by customer and date.

    A recovered bill has a Failed row and a later Success, an unpaid one a Failed row or two;
    a refunded bill keeps its Success row.
    """
    return _table(customers, periods, _attempts(bills), booked=bills.period, timeline=timeline)


def styled_transactions_table(
    customers: Customers,
    periods: Periods,
    invoices: Invoices,
    outcomes: Outcomes,
    *,
    is_euro: np.ndarray,
    timeline: Timeline,
) -> pa.Table:
    """The transactions of the billing styles, with the same columns; `is_euro` belongs to the periods."""
    kinds = _styled_attempts(invoices, outcomes)
    return _table(customers, periods, kinds, booked=invoices.period, timeline=timeline, is_euro=is_euro)


def _styled_attempts(invoices: Invoices, outcomes: Outcomes) -> list[Kind]:
    """Invoice, status, date and cents of the transactions of each kind."""
    has_payment = np.isin(outcomes.problem, (Problem.PAID, Problem.RECOVERED, Problem.UNDERBILLED, Problem.REFUNDED))
    paid = np.flatnonzero(has_payment & (outcomes.paid_cents > 0))
    refunded = np.flatnonzero(outcomes.problem == Problem.REFUNDED)
    wrong = np.flatnonzero(outcomes.wrong_cents > 0)
    kinds: list[Kind] = [
        (paid, SUCCESS, outcomes.paid_date[paid], outcomes.paid_cents[paid]),
        (refunded, REFUNDED, outcomes.refund_date[refunded], outcomes.paid_cents[refunded]),
        (wrong, SUCCESS, outcomes.wrong_date[wrong], outcomes.wrong_cents[wrong]),
        (wrong, REFUNDED, outcomes.refund_date[wrong], outcomes.wrong_cents[wrong]),
    ]
    for nth, days in enumerate(settings.RETRY_ATTEMPT_DAYS):
        failed = np.flatnonzero(outcomes.attempts > nth)
        kinds.append((failed, FAILED, outcomes.attempt_date[failed] + days, invoices.cents[failed]))
    return kinds


def _table(
    customers: Customers,
    periods: Periods,
    kinds: list[Kind],
    *,
    booked: np.ndarray,
    timeline: Timeline,
    is_euro: np.ndarray | None = None,
) -> pa.Table:
    """The rows of all kinds up to the as-of date; `booked` is the period of each bill."""
    bill = np.concatenate([rows for rows, _, _, _ in kinds])
    status = np.concatenate([np.full(len(rows), status) for rows, status, _, _ in kinds])
    date = np.concatenate([date for _, _, date, _ in kinds])
    cents = np.concatenate([cents for _, _, _, cents in kinds])
    happened = np.flatnonzero(date <= timeline.as_of)
    order = happened[np.lexsort((bill[happened], date[happened], periods.customer[booked[bill[happened]]]))]
    bill, status, date, cents = bill[order], status[order], date[order], cents[order]
    period = booked[bill]
    customer = periods.customer[period]
    number = customers.number[customer]
    currency = np.zeros(len(bill), dtype=np.int8) if is_euro is None else is_euro[period].astype(np.int8)
    return pa.table(
        {
            "transaction_id": ids("T", (number, customers.id_digits), (sequence_within(customer), 4)),
            "customer_id": customers.ids(customer),
            "subscription_id": periods.ids(customers, period),
            "amount": money(cents),
            "currency": labels(CURRENCIES, currency),
            "status": labels(STATUSES, status),
            "transaction_date": dates(date),
            "payment_method": labels(settings.PAYMENT_METHODS, customers.payment_method[customer]),
        }
    )
