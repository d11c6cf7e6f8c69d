"""What a price consists of: seats, their price, a discount and its end; and the exchange rates of the company.

All of it explains prices that are there already: quantity x unit_price - discount_amount is monthly_price, up to cents.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import dates, labels, money, whole_numbers
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.subscriptions import TRIAL, Periods
from productpulse_assets.synthetic.tenures import FAR_FUTURE
from productpulse_assets.synthetic.timeline import Timeline

PRODUCTS = ("Platform", "Extra Storage", "Priority Support")
RATE = pa.decimal128(18, 10)


@dataclass(frozen=True)
class PriceTerms:
    """The price of each period, one element each: seats, cents a seat, cents of the discount and the day it ends.

    The discount is 0 where there is none; its end is FAR_FUTURE where it has none. `line` is 0 for the subscription
    itself and higher for add-ons.
    """

    quantity: np.ndarray
    unit_cents: np.ndarray
    discount_cents: np.ndarray
    discount_end: np.ndarray
    line: np.ndarray


def draw_price_terms(
    rng: np.random.Generator, customers: Customers, periods: Periods, line: np.ndarray, timeline: Timeline
) -> PriceTerms:
    """The terms of each period. A seat costs whole cents, so seats times their price differ from the price by cents.

    A discount of a period that has ended ends with it; of one that runs, after the as-of date or never.
    """
    rows = len(periods)
    quantity = draw_seats(rng, customers, periods, line)
    has_discount = (rng.random(rows) < settings.DISCOUNT_SHARE) & (periods.cents > 0) & (periods.status != TRIAL)
    share = rng.choice(settings.DISCOUNTS, rows)
    days_left = rng.integers(*settings.DISCOUNT_DAYS_LEFT, rows)
    is_endless = rng.random(rows) < settings.ENDLESS_DISCOUNT_SHARE
    full = np.ceil(periods.cents / (1 - share) / quantity).astype(np.int64)
    unit_cents = np.where(has_discount, full, np.rint(periods.cents / quantity).astype(np.int64))
    left = np.where(is_endless, FAR_FUTURE, timeline.as_of + days_left)
    return PriceTerms(
        quantity=quantity,
        unit_cents=unit_cents,
        discount_cents=np.where(has_discount, full * quantity - periods.cents, 0),
        discount_end=np.where(has_discount & (periods.end != FAR_FUTURE), periods.end, left),
        line=line,
    )


def draw_seats(rng: np.random.Generator, customers: Customers, periods: Periods, line: np.ndarray) -> np.ndarray:
    """Seats that are usual in the segment, which some customers change together with their plan."""
    usual = np.array([segment.seats for segment in settings.SEGMENTS])[customers.segment]
    first = np.log(usual) + rng.normal(0, settings.SEATS_LOG_SPREAD, len(customers))
    order = np.lexsort((periods.start, line, periods.customer))
    cents, customer, lines = periods.cents[order], periods.customer[order], line[order]
    is_next = np.zeros(len(periods), dtype=bool)
    is_next[1:] = (customer[1:] == customer[:-1]) & (lines[1:] == lines[:-1])
    is_rise = np.zeros(len(periods), dtype=bool)
    is_rise[1:] = cents[1:] > cents[:-1]
    rise, fall = (rng.choice(np.log(factors), len(periods)) for factors in settings.SEAT_FACTORS)
    steps = np.cumsum(np.where(is_next, np.where(is_rise, rise, fall), 0.0))
    start = np.maximum.accumulate(np.where(is_next, 0, np.arange(len(periods))))
    quantity = np.empty(len(periods), dtype=np.int64)
    quantity[order] = np.maximum(np.rint(np.exp(first[customer] + steps - steps[start])), 1)
    return quantity


def with_price_terms(table: pa.Table, terms: PriceTerms) -> pa.Table:
    """The table of subscriptions with the columns of their price terms."""
    has_discount = terms.discount_cents > 0
    product = np.minimum(terms.line, len(PRODUCTS) - 1)
    columns = {
        "quantity": whole_numbers(terms.quantity),
        "unit_price": money(terms.unit_cents),
        "discount_amount": money(terms.discount_cents),
        "discount_end": dates(terms.discount_end, has_discount & (terms.discount_end != FAR_FUTURE)),
        "product": labels(PRODUCTS, product),
        "is_addon": pa.array(terms.line > 0),
    }
    for name, values in columns.items():
        table = table.append_column(name, values)
    return table


def price_changes_table(customers: Customers, periods: Periods, terms: PriceTerms) -> pa.Table:
    """One row per change from a paid period to the next on the same day: its parts in cents, which add up to it.

    quantity is the change of seats at the old price, which has parts of a cent; discount, what the discount takes off
    less; rest, the other part.
    """
    order = np.lexsort((periods.start, terms.line, periods.customer))
    order = order[(periods.status != TRIAL)[order] & (periods.cents > 0)[order]]
    old, new = order[:-1], order[1:]
    follows = (
        (periods.customer[old] == periods.customer[new])
        & (terms.line[old] == terms.line[new])
        & (periods.end[old] == periods.start[new])
    )
    old, new = old[follows], new[follows]
    full = periods.cents + terms.discount_cents
    seats, before = terms.quantity[new] - terms.quantity[old], terms.quantity[old]
    quantity = np.floor(np.abs(seats) * full[old] / before + 0.5).astype(np.int64) * np.sign(seats)
    discount = terms.discount_cents[old] - terms.discount_cents[new]
    rest = periods.cents[new] - periods.cents[old] - quantity - discount
    return pa.table(
        {
            "customer_id": customers.ids(periods.customer[new]),
            "date": dates(periods.start[new]),
            "is_addon": pa.array(terms.line[new] > 0),
            "quantity": whole_numbers(quantity),
            "discount": whole_numbers(discount),
            "rest": whole_numbers(rest),
        }
    )


def exchange_rates_table(rng: np.random.Generator, timeline: Timeline) -> pa.Table:
    """One row per week: the value of a euro, which walks around the rate of rules/sources.yaml."""
    days = np.arange(timeline.month_starts[0] - settings.RATE_DAYS_BEFORE, timeline.as_of + 1, 7)
    walk = np.cumsum(rng.normal(0, settings.EUR_RATE_STEP, len(days)))
    pull = settings.EUR_RATE_WIDTH * np.tanh(walk / settings.EUR_RATE_WIDTH)
    rates = np.rint((settings.EUR_RATE_PERCENT / 100 + pull) * 10_000).astype(np.int64)
    text = pa.array([f"{rate // 10_000}.{rate % 10_000:04d}" for rate in rates.tolist()])
    return pa.table(
        {"date": dates(days), "currency": labels(["EUR"], np.zeros(len(days), np.int8)), "rate": text.cast(RATE)}
    )
