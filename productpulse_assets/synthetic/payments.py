"""The transactions: one or more for each bill that was not missed."""

import numpy as np
import pyarrow as pa

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.billing import Bills
from productpulse_assets.synthetic.columns import dates, ids, labels, money, sequence_within
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.problems import Problem
from productpulse_assets.synthetic.subscriptions import Periods
from productpulse_assets.synthetic.timeline import Timeline

STATUSES = ("Success", "Failed", "Refunded")
SUCCESS, FAILED, REFUNDED = range(len(STATUSES))


def _attempts(bills: Bills) -> list[tuple[np.ndarray, int, np.ndarray, np.ndarray]]:
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
    kinds = _attempts(bills)
    bill = np.concatenate([rows for rows, _, _, _ in kinds])
    status = np.concatenate([np.full(len(rows), status) for rows, status, _, _ in kinds])
    date = np.concatenate([date for _, _, date, _ in kinds])
    cents = np.concatenate([cents for _, _, _, cents in kinds])
    happened = np.flatnonzero(date <= timeline.as_of)
    order = happened[np.lexsort((bill[happened], date[happened], bills.customer[bill[happened]]))]
    bill, status, date, cents = bill[order], status[order], date[order], cents[order]
    customer = bills.customer[bill]
    number = customers.number[customer]
    return pa.table(
        {
            "transaction_id": ids("T", (number, customers.id_digits), (sequence_within(customer), 4)),
            "customer_id": customers.ids(customer),
            "subscription_id": periods.ids(customers, bills.period[bill]),
            "amount": money(cents),
            "currency": labels(("USD",), np.zeros(len(bill), dtype=np.int8)),
            "status": labels(STATUSES, status),
            "transaction_date": dates(date),
            "payment_method": labels(settings.PAYMENT_METHODS, customers.payment_method[customer]),
        }
    )
