"""The contracts of each subscription: terms, scheduled cancellations, reasons; and who looks after each customer.

Columns are added to finished tables and have random numbers of their own, so that nothing else moves.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import dates, draw, is_first_of_run, labels
from productpulse_assets.synthetic.cycles import add_months, whole_cycles
from productpulse_assets.synthetic.tenures import FAR_FUTURE
from productpulse_assets.synthetic.timeline import Timeline

CHURN_TYPES = ("Voluntary", "Involuntary")
ENDED = ("Canceled", "Expired")


@dataclass(frozen=True)
class _Rows:
    """The columns of subscriptions as arrays; `line_start` is the first day of the periods that follow each other."""

    status: np.ndarray
    start: np.ndarray
    end: np.ndarray
    line_start: np.ndarray
    cycle: np.ndarray
    customer: np.ndarray

    @property
    def is_running(self) -> np.ndarray:
        """Whether each period is paid for and has no end."""
        running: np.ndarray = np.isin(self.status, ("Active", "Past Due")) & (self.end == FAR_FUTURE)
        return running


def _days(column: pa.ChunkedArray) -> np.ndarray:
    days: np.ndarray = pc.fill_null(column.cast(pa.int32()), FAR_FUTURE).to_numpy().astype(np.int64)
    return days


def _rows(subscriptions: pa.Table) -> _Rows:
    start, end = _days(subscriptions["start_date"]), _days(subscriptions["end_date"])
    names = subscriptions["customer_id"].to_numpy()
    status = subscriptions["status"].to_numpy()
    customer = np.cumsum(is_first_of_run(names)) - 1
    follows = np.zeros(len(names), dtype=bool)
    follows[1:] = (customer[1:] == customer[:-1]) & (start[1:] == end[:-1]) & (status[:-1] != "Trial")
    position = np.maximum.accumulate(np.where(follows, 0, np.arange(len(names))))
    months = dict(settings.BILLING_CYCLES)
    names_of_cycle = subscriptions["billing_cycle"].to_numpy()
    cycle = np.select([names_of_cycle == name for name in months], list(months.values()), 1).astype(np.int64)
    return _Rows(status, start, end, start[position] if len(names) else start, cycle, customer)


def with_contracts(
    rng: np.random.Generator, subscriptions: pa.Table, transactions: pa.Table, timeline: Timeline
) -> tuple[pa.Table, pa.Table]:
    """The subscriptions with the columns of their contracts, and the truth about each period that is not a trial.

    The truth has one row per period: subscription_id, term_end (the next renewal), cancel_at (scheduled, ahead),
    churn_type of those that were canceled.
    """
    rows = _rows(subscriptions)
    term = _term_months(rng, rows)
    has_term = rows.is_running & (term > 1)
    cycles = whole_cycles(rows.line_start, np.full(len(term), timeline.as_of), term)
    next_end = add_months(rows.line_start, (cycles + 1) * term)
    chance = rng.random((4, len(term)))
    is_planned = rows.is_running & (rows.status == "Active") & (chance[0] < settings.SCHEDULED_CANCELLATION_SHARE)
    is_canceled = rows.status == "Canceled"
    unpaid = is_canceled & _ends_with_failure(subscriptions, transactions)
    had_canceled = is_canceled & np.where(
        unpaid, chance[1] < settings.CANCELED_BEFORE_FAILURE_SHARE, chance[1] < settings.CANCELED_AHEAD_SHARE
    )
    is_involuntary = unpaid & ~had_canceled
    says_why = (is_planned | is_canceled) & (chance[2] < settings.REASON_GIVEN_SHARE)
    reason = draw(rng, [share for _, _, share in settings.CANCEL_REASONS], len(term))
    reason = np.where(is_involuntary, len(settings.CANCEL_REASONS), reason)
    comments = says_why & ~is_involuntary & (chance[3] < settings.COMMENT_SHARE)
    names = [name for name, _, _ in settings.CANCEL_REASONS] + [settings.FAILED_PAYMENT_REASON]
    words = [text for _, text, _ in settings.CANCEL_REASONS] + [""]
    cancel_at = np.where(is_planned, next_end, rows.end)
    more = {
        "term_months": pa.array(term, mask=rows.status == "Trial"),
        "term_end": dates(next_end, has_term),
        "cancel_at": dates(cancel_at, is_planned | had_canceled),
        "cancel_reason": _where(labels(names, reason), says_why),
        "cancel_comment": _where(labels(words, reason), comments),
    }
    for name, column in more.items():
        subscriptions = subscriptions.append_column(name, column)
    truth = pa.table(
        {
            "subscription_id": subscriptions["subscription_id"],
            "term_end": more["term_end"],
            "cancel_at": dates(next_end, is_planned),
            "churn_type": _where(labels(CHURN_TYPES, is_involuntary.astype(np.int8)), is_canceled),
        }
    )
    return subscriptions, truth.filter(pa.array(rows.status != "Trial"))


def _where(column: pa.Array, known: np.ndarray) -> pa.Array:
    """The column where `known`, else NULL."""
    return pc.if_else(pa.array(known), column, pa.scalar(None, column.type))


def _term_months(rng: np.random.Generator, rows: _Rows) -> np.ndarray:
    """Months of the term of each period: its billing cycle, or a year for some customers who are billed more often.

    A year is the term only of customers who never canceled, so that no customer leaves within a term.
    """
    count = int(rows.customer[-1]) + 1 if len(rows.customer) else 0
    signs_a_year = rng.random(count) < settings.YEARLY_TERM_SHARE
    has_canceled = np.bincount(rows.customer[rows.status == "Canceled"], minlength=count) > 0
    is_year = (signs_a_year & ~has_canceled)[rows.customer]
    term: np.ndarray = np.where(is_year, 12, rows.cycle)
    return term


def _ends_with_failure(subscriptions: pa.Table, transactions: pa.Table) -> np.ndarray:
    """Whether the last attempt to collect each subscription failed."""
    tried = transactions.filter(pc.not_equal(transactions["status"], "Refunded"))
    ordered = tried.sort_by([("transaction_date", "ascending"), ("transaction_id", "ascending")])
    last = ordered.group_by("subscription_id", use_threads=False).aggregate([("status", "last")])
    failed = last.filter(pc.equal(last["status_last"], "Failed"))["subscription_id"].combine_chunks()
    is_failed: np.ndarray = pc.is_in(subscriptions["subscription_id"], value_set=failed).to_numpy()
    return is_failed


def with_account_owners(rng: np.random.Generator, customers: pa.Table) -> pa.Table:
    """The customers with the colleague who looks after each; a few have none."""
    rows = len(customers)
    owner = draw(rng, np.ones(len(settings.ACCOUNT_OWNERS)), rows)
    has_owner = rng.random(rows) >= settings.WITHOUT_OWNER_SHARE
    return customers.append_column("account_owner", _where(labels(settings.ACCOUNT_OWNERS, owner), has_owner))
