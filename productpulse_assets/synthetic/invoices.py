"""The bills of styled periods, and the invoices that ask for their payment."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import is_first_of_run, take_rows
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.cycles import add_months, month_start, prorated_cents, whole_cycles
from productpulse_assets.synthetic.styled_periods import StyledPeriods
from productpulse_assets.synthetic.styles import Style
from productpulse_assets.synthetic.subscriptions import TRIAL
from productpulse_assets.synthetic.timeline import Timeline

PREPAID_AHEAD_DAYS = 366
# More than the sum of all bills of a customer, in cents.
MORE_THAN_AN_ACCOUNT = 10**12


@dataclass(frozen=True)
class AccountBills:
    """One element per billing period that is due, by invoice.

    `start` is the due date, `end` is exclusive. `due_cents` is the price of the
    period, `asked_cents` what its invoice asks for it: more if the end of the period was not
    known yet, less if the period before gave a credit. `is_whole` is whether the period is a
    whole cycle. Prepaid bills can start after the as-of date.
    """

    invoice: np.ndarray
    period: np.ndarray
    start: np.ndarray
    end: np.ndarray
    due_cents: np.ndarray
    asked_cents: np.ndarray
    is_whole: np.ndarray

    def by_invoice(self, combine: np.ufunc, values: np.ndarray) -> np.ndarray:
        """The values of the bills of each invoice, combined."""
        first = np.flatnonzero(is_first_of_run(self.invoice))
        combined: np.ndarray = combine.reduceat(values, first) if len(first) else values
        return combined


@dataclass(frozen=True)
class Invoices:
    """One element per request for payment, by customer and date.

    `period` is the subscription period that its payments are booked under, `cents` may be 0
    where a credit covers all of it, `first_bill` the position of its first bill.
    """

    customer: np.ndarray
    period: np.ndarray
    date: np.ndarray
    cents: np.ndarray
    first_bill: np.ndarray

    def __len__(self) -> int:
        return len(self.customer)


def bill_periods(
    rng: np.random.Generator, customers: Customers, styled: StyledPeriods, *, style: np.ndarray, timeline: Timeline
) -> tuple[AccountBills, Invoices]:
    """Build all bills of the periods up to the as-of date, and their invoices."""
    blocks = np.array(settings.PREPAID_BILLS)[rng.integers(0, len(settings.PREPAID_BILLS), len(customers))]
    bills, nth, same_cycle = _cut_into_bills(customers, styled, style, timeline)
    bills = _with_asked_cents(styled, bills, style, same_cycle)
    return _into_invoices(styled, bills, nth, style=style, blocks=blocks, timeline=timeline)


def _cut_into_bills(
    customers: Customers, styled: StyledPeriods, style: np.ndarray, timeline: Timeline
) -> tuple[AccountBills, np.ndarray, np.ndarray]:
    """The bills by customer, line and date; each one's number in its period; the start of its cycle."""
    cycle = customers.cycle_months[styled.customer]
    is_calendar = style[styled.customer] == Style.CALENDAR
    anchor = np.where(is_calendar, month_start(styled.anchor), styled.anchor)
    is_prepaid = style[styled.customer] == Style.PREPAID
    last = np.minimum(styled.end - 1, timeline.as_of + PREPAID_AHEAD_DAYS * is_prepaid)
    first_cycle = whole_cycles(anchor, styled.start, cycle)
    counts = whole_cycles(anchor, last, cycle) - first_cycle + 1
    counts = np.where((styled.status == TRIAL) | (styled.start > timeline.as_of), 0, counts)
    order = np.lexsort((styled.start, styled.line, styled.customer))
    period = np.repeat(order, counts[order])
    nth = np.arange(len(period)) - np.repeat(np.cumsum(counts[order]) - counts[order], counts[order])
    months = cycle[period]
    begin = add_months(anchor[period], (first_cycle[period] + nth) * months)
    finish = add_months(begin, months)
    start, end = np.maximum(begin, styled.start[period]), np.minimum(finish, styled.end[period])
    full, days = styled.cents[period] * months, finish - begin
    bills = AccountBills(
        invoice=np.zeros(len(period), dtype=np.int64),
        period=period,
        start=start,
        end=end,
        due_cents=prorated_cents(full, end - start, days),
        asked_cents=prorated_cents(full, finish - start, days),
        is_whole=end - start == days,
    )
    return bills, nth, begin


def _with_asked_cents(
    styled: StyledPeriods, bills: AccountBills, style: np.ndarray, cycle_start: np.ndarray
) -> AccountBills:
    """Set what is asked for each bill: its price to the end of the cycle, minus credit for unused days.

    Calendar bills are asked up to the end of the period only. A credit reduces later bills until it is
    used up: the total that was asked is the highest total that was due so far.
    """
    customer, line = styled.customer[bills.period], styled.line[bills.period]
    is_calendar = style[customer] == Style.CALENDAR
    asked = np.where(is_calendar, bills.due_cents, bills.asked_cents)
    unused = asked - bills.due_cents
    is_first = is_first_of_run(customer * 8 + line)
    same_cycle = ~is_first
    same_cycle[1:] &= cycle_start[1:] == cycle_start[:-1]
    asked[1:] -= np.where(same_cycle[1:], unused[:-1], 0)
    account = np.cumsum(is_first)
    total = np.cumsum(asked)
    before = np.maximum.accumulate(np.where(is_first, np.arange(len(asked)), 0))
    total = total - (total - asked)[before] + account * MORE_THAN_AN_ACCOUNT
    highest = np.maximum.accumulate(total)
    raised = np.diff(highest, prepend=0)
    return replace(bills, asked_cents=np.where(is_first, asked, raised))


def _into_invoices(
    styled: StyledPeriods,
    bills: AccountBills,
    nth: np.ndarray,
    *,
    style: np.ndarray,
    blocks: np.ndarray,
    timeline: Timeline,
) -> tuple[AccountBills, Invoices]:
    """Group bills into invoices: one per bill, per day of a customer or per block of prepaid bills, by style."""
    customer = styled.customer[bills.period]
    is_prepaid = style[customer] == Style.PREPAID
    is_single = style[customer] == Style.SINGLE_INVOICE
    opens = ~is_prepaid | (nth % blocks[customer] == 0)
    opening = np.maximum.accumulate(np.where(opens, np.arange(len(opens)), 0))
    date = bills.start[opening]
    order = np.lexsort((bills.start, styled.line[bills.period], date, customer))
    order = order[date[order] <= timeline.as_of]
    bills, customer, date, opens = take_rows(bills, order), customer[order], date[order], opens[order]
    joins = is_single[order] & ~is_first_of_run(customer * 2**32 + date)
    is_first = opens & ~joins
    first = np.flatnonzero(is_first)
    numbered = replace(bills, invoice=np.cumsum(is_first) - 1)
    invoices = Invoices(
        customer=customer[first],
        period=bills.period[first],
        date=date[first],
        cents=numbered.by_invoice(np.add, numbered.asked_cents),
        first_bill=first,
    )
    return numbered, invoices
