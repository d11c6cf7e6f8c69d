"""The subscriptions of each customer: trials, paid periods, plan changes, cancellations, reactivations.

A paid period ends on one of its billing dates, so no bill covers days after the end.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import dates, draw, ids, labels, money
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.engagement import Engagement
from productpulse_assets.synthetic.tenures import FAR_FUTURE, Tenures
from productpulse_assets.synthetic.timeline import Timeline

STATUSES = ("Active", "Past Due", "Canceled", "Expired", "Trial")
ACTIVE, PAST_DUE, CANCELED, EXPIRED, TRIAL = range(len(STATUSES))
CURRENCIES = ("USD", "EUR")
NO_MONTH = -1


@dataclass(frozen=True)
class Periods:
    """The subscription periods of one batch, one element each, by customer and sequence.

    `customer` is the customer's position in the batch, `cents` the price per month, `end`
    is exclusive and FAR_FUTURE while the period runs.
    """

    customer: np.ndarray
    sequence: np.ndarray
    plan: np.ndarray
    cents: np.ndarray
    status: np.ndarray
    start: np.ndarray
    end: np.ndarray

    def __len__(self) -> int:
        return len(self.customer)

    def ids(self, customers: Customers, rows: np.ndarray | slice = slice(None)) -> pa.Array:
        """The subscription_id of each of `rows`."""
        number = customers.number[self.customer[rows]]
        return ids("S", (number, customers.id_digits), (self.sequence[rows], 2))


def list_cents(customers: Customers, plan: np.ndarray) -> np.ndarray:
    """The price per month each customer would be offered for `plan`, in cents."""
    price = np.array([p.monthly_price for p in settings.PLANS])[plan]
    factor = np.array([s.price_factor for s in settings.SEGMENTS])[customers.segment]
    cents: np.ndarray = np.rint(price * factor * customers.price_noise * 100).astype(np.int64)
    return cents


@dataclass
class _SubscriptionBook:
    """The running paid period of each customer, and the finished rows."""

    customers: Customers
    timeline: Timeline
    starts: np.ndarray
    ends: np.ndarray
    plan: np.ndarray
    cents: np.ndarray
    start_month: np.ndarray
    left_month: np.ndarray
    sequence: np.ndarray
    rows: list[tuple[np.ndarray, ...]] = field(default_factory=list)

    def date_in(self, month: int) -> np.ndarray:
        """Each customer's billing day in a month."""
        date: np.ndarray = self.timeline.month_starts[month] + self.customers.start_day - 1
        return date

    def open(self, who: np.ndarray, month: int) -> None:
        """Start a paid period for the customers `who` (positions) in `month`."""
        self.start_month[who] = month
        self.sequence[who] += 1

    def close(self, who: np.ndarray, month: int | None, status: int) -> None:
        """Write the running period of `who`; it ended in `month` (None: it still runs)."""
        start = self.timeline.month_starts[self.start_month[who]]
        start = start + self.customers.start_day[who] - 1
        end = np.full(len(who), FAR_FUTURE) if month is None else self.date_in(month)[who]
        self.write(who, self.cents[who], np.full(len(who), status), start, end)
        self.start_month[who] = NO_MONTH

    def write(self, who: np.ndarray, cents: np.ndarray, status: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
        """Add one row per customer in `who`."""
        self.rows.append((who, self.sequence[who], self.plan[who], cents, status, start, end))

    def periods(self) -> Periods:
        """All rows, by customer and sequence."""
        columns = [np.concatenate(column) for column in zip(*self.rows, strict=True)]
        order = np.lexsort((columns[1], columns[0]))
        return Periods(*(column[order] for column in columns))


def _open_subscription_book(customers: Customers, timeline: Timeline) -> _SubscriptionBook:
    rows = len(customers)
    trial_end = np.where(customers.start_date <= timeline.as_of, customers.start_date, FAR_FUTURE)
    first_end = np.where(customers.is_buyer, FAR_FUTURE, trial_end)
    return _SubscriptionBook(
        customers=customers,
        timeline=timeline,
        starts=np.stack([customers.signup_date, np.full(rows, FAR_FUTURE)]),
        ends=np.stack([first_end, np.full(rows, FAR_FUTURE)]),
        plan=customers.plan.copy(),
        cents=list_cents(customers, customers.plan),
        start_month=np.full(rows, NO_MONTH),
        left_month=np.full(rows, NO_MONTH),
        sequence=np.zeros(rows, dtype=np.int64),
    )


def _write_trials(rng: np.random.Generator, book: _SubscriptionBook) -> None:
    who = np.flatnonzero(book.customers.is_trial)
    is_free = rng.random(len(who)) < settings.FREE_TRIAL_SHARE
    end = book.customers.start_date[who]
    end = np.where(end <= book.timeline.as_of, end, FAR_FUTURE)
    book.sequence[who] += 1
    cents = np.where(is_free, 0, book.cents[who])
    book.write(who, cents, np.full(len(who), TRIAL), book.customers.signup_date[who], end)


def _rate_per_cycle(monthly_rate: np.ndarray | float, months: np.ndarray) -> np.ndarray:
    """The probability in a whole billing cycle of an event with this probability in a month."""
    rate: np.ndarray = 1 - (1 - monthly_rate) ** months
    return rate


def _cancel(book: _SubscriptionBook, who: np.ndarray, month: int) -> None:
    has_returned = (book.starts[1, who] < FAR_FUTURE).astype(np.int64)
    book.ends[has_returned, who] = book.date_in(month)[who]
    book.left_month[who] = month
    book.close(who, month, CANCELED)


def _change_plans(
    book: _SubscriptionBook, due: np.ndarray, chance: np.ndarray, is_drifting: np.ndarray, month: int
) -> None:
    """Upgrades and downgrades at the renewals `due`: one period ends, the next begins."""
    cycle = book.customers.cycle_months[due]
    down_rate = np.where(is_drifting[due], settings.DRIFT_DOWNGRADE_RATE, settings.DOWNGRADE_RATE)
    is_up = (chance[due] < _rate_per_cycle(settings.UPGRADE_RATE, cycle)) & ~is_drifting[due]
    is_down = 1 - chance[due] < _rate_per_cycle(down_rate, cycle)
    changes = is_up | is_down
    who, is_up = due[changes], is_up[changes]
    book.close(who, month, EXPIRED)
    step = np.where(is_up, 1, -1)
    book.plan[who] = np.clip(book.plan[who] + step, 0, len(settings.PLANS) - 1)
    offered, held = list_cents(book.customers, book.plan)[who], book.cents[who]
    raised = np.maximum(offered, np.rint(held * settings.UPGRADE_PRICE_FACTOR))
    lowered = np.minimum(offered, np.rint(held * settings.DOWNGRADE_PRICE_FACTOR))
    book.cents[who] = np.where(is_up, raised, lowered)
    book.open(who, month)


def _reactivate(book: _SubscriptionBook, chance: np.ndarray, can_return: np.ndarray, month: int) -> None:
    """Some customers that left return at the list price once their bad drift is over, at most once."""
    since = month - book.left_month
    waited = (book.left_month != NO_MONTH) & (since >= settings.REACTIVATION_AFTER_MONTHS)
    is_back = waited & (book.starts[1] == FAR_FUTURE) & can_return
    who = np.flatnonzero(is_back & (chance < settings.REACTIVATION_RATE))
    book.starts[1, who] = book.date_in(month)[who]
    book.cents[who] = list_cents(book.customers, book.plan)[who]
    book.open(who, month)


def draw_subscriptions(
    rng: np.random.Generator,
    customers: Customers,
    engagement: Engagement,
    churn_rates: np.ndarray,
    timeline: Timeline,
) -> tuple[Periods, Tenures]:
    """Draw each customer's periods, month by month, and the spans that they cover."""
    book = _open_subscription_book(customers, timeline)
    _write_trials(rng, book)
    cycle = customers.cycle_months
    is_drifting = np.zeros(len(customers), dtype=bool)
    for month in range(timeline.months):
        chance = rng.random((3, len(customers)))
        is_dated = book.date_in(month) <= timeline.as_of
        age = month - book.start_month
        is_due = (book.start_month != NO_MONTH) & (age % cycle == 0) & is_dated
        leaves = is_due & (chance[0] < _rate_per_cycle(churn_rates[:, month], cycle))
        _cancel(book, np.flatnonzero(leaves), month)
        _change_plans(book, np.flatnonzero(is_due & ~leaves), chance[1], is_drifting, month)
        _reactivate(book, chance[2], is_dated & ~is_drifting, month)
        begins = customers.is_buyer & (customers.start_month == month)
        book.open(np.flatnonzero(begins), month)
        is_drifting = engagement.drift_months[:, month] > 0
    book.close(np.flatnonzero(book.start_month != NO_MONTH), None, ACTIVE)
    return book.periods(), Tenures(book.starts, book.ends)


def subscriptions_table(
    rng: np.random.Generator,
    customers: Customers,
    periods: Periods,
    status: np.ndarray,
    is_euro: np.ndarray | None = None,
) -> pa.Table:
    """One row per subscription period; monthly_price is per month for every billing cycle.

    `status` replaces the status of the periods: which running periods are past due depends on
    their bills. There is a column currency if `is_euro` is given.
    """
    customer = periods.customer
    renews = draw(rng, (1 - settings.AUTO_RENEW_SHARE, settings.AUTO_RENEW_SHARE), len(periods))
    table = pa.table(
        {
            "subscription_id": periods.ids(customers),
            "customer_id": customers.ids(customer),
            "plan": labels([plan.name for plan in settings.PLANS], periods.plan),
            "status": labels(STATUSES, status),
            "start_date": dates(periods.start),
            "end_date": dates(periods.end, periods.end != FAR_FUTURE),
            "monthly_price": money(periods.cents),
            "billing_cycle": labels([name for name, _ in settings.BILLING_CYCLES], customers.cycle[customer]),
            "auto_renew": pa.array(renews == 1),
        }
    )
    if is_euro is None:
        return table
    return table.append_column("currency", labels(CURRENCIES, is_euro.astype(np.int8)))
