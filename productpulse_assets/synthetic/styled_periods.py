"""Adapts subscription periods to the billing styles: moves, splits and adds rows."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import is_first_of_run, sequence_within, take_rows
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.cycles import add_months, prorated_cents, whole_cycles
from productpulse_assets.synthetic.styles import Style
from productpulse_assets.synthetic.subscriptions import EXPIRED, TRIAL, Periods
from productpulse_assets.synthetic.tenures import FAR_FUTURE
from productpulse_assets.synthetic.timeline import Timeline


@dataclass(frozen=True)
class StyledPeriods:
    """Subscription periods and how each is billed, one element each, by customer and start.

    `anchor` is a day on which a billing cycle of the period begins. `line` numbers the
    subscriptions that a customer has at the same time (0 is the first one); rows of one line
    replace each other. `is_euro` is whether the price is in euro.
    """

    customer: np.ndarray
    plan: np.ndarray
    cents: np.ndarray
    status: np.ndarray
    start: np.ndarray
    end: np.ndarray
    anchor: np.ndarray
    line: np.ndarray
    is_euro: np.ndarray

    def __len__(self) -> int:
        return len(self.customer)

    def add(self, others: StyledPeriods) -> StyledPeriods:
        """These periods and the others, by customer, start and line."""
        columns = [(getattr(self, field.name), getattr(others, field.name)) for field in fields(self)]
        both = StyledPeriods(*(np.concatenate(pair) for pair in columns))
        return take_rows(both, np.lexsort((both.line, both.start, both.customer)))

    def periods(self) -> Periods:
        """The periods as rows of subscriptions, numbered within each customer."""
        sequence = sequence_within(self.customer)
        return Periods(self.customer, sequence, self.plan, self.cents, self.status, self.start, self.end)


def style_periods(
    rng: np.random.Generator, customers: Customers, periods: Periods, *, style: np.ndarray, timeline: Timeline
) -> StyledPeriods:
    """Apply the style of each customer (`style`, by position in the batch) to its periods."""
    rows = len(periods)
    styled = StyledPeriods(
        customer=periods.customer,
        plan=periods.plan,
        cents=periods.cents,
        status=periods.status,
        start=periods.start.astype(np.int64),
        end=periods.end.astype(np.int64),
        anchor=periods.start.astype(np.int64),
        line=np.zeros(rows, dtype=np.int64),
        is_euro=np.zeros(rows, dtype=bool),
    )
    styled = _move_changes(rng, customers, styled, style, timeline)
    styled = _split_periods(rng, customers, styled, style, timeline)
    return _add_subscriptions(rng, customers, styled, style, timeline)


def _move_changes(
    rng: np.random.Generator, customers: Customers, styled: StyledPeriods, style: np.ndarray, timeline: Timeline
) -> StyledPeriods:
    """Move plan changes from the day of the cycle into the cycle, where unused time is credited."""
    old = np.flatnonzero(_is_changed(styled) & (style[styled.customer] == Style.UNUSED_TIME_CREDIT))
    new = old + 1
    cycle = customers.cycle_months[styled.customer[old]]
    start = styled.start[new]
    days = add_months(start, cycle) - start
    offset = 1 + (rng.random(len(old)) * (days - 1)).astype(np.int64)
    moved = start + offset
    fulls = [styled.cents[rows] * cycle for rows in (old, new)]
    unused, rest = (prorated_cents(full, days - offset, days) for full in fulls)
    last = np.minimum(styled.end[new] - 1, timeline.as_of)
    later_bills = whole_cycles(start, last, cycle)
    is_used_up = unused - rest <= later_bills * fulls[1]
    moves = np.flatnonzero((moved <= timeline.as_of) & is_used_up)
    starts, ends = styled.start.copy(), styled.end.copy()
    starts[new[moves]] = moved[moves]
    ends[old[moves]] = moved[moves]
    return replace(styled, start=starts, end=ends)


def _is_changed(styled: StyledPeriods) -> np.ndarray:
    """Whether each period is replaced by the next one without a gap; a trial is not."""
    is_replaced = np.zeros(len(styled), dtype=bool)
    is_replaced[:-1] = (styled.customer[1:] == styled.customer[:-1]) & (styled.start[1:] == styled.end[:-1])
    return np.where(styled.status != TRIAL, is_replaced, False)


def _split_periods(
    rng: np.random.Generator, customers: Customers, styled: StyledPeriods, style: np.ndarray, timeline: Timeline
) -> StyledPeriods:
    """Replace periods in the middle of a cycle: twice where seats are added, once in a migration."""
    factors = settings.SEAT_PRICE_FACTORS
    for _ in range(2):
        rows, day = _split_days(rng, styled, style == Style.SEAT_CHANGES, settings.SEAT_CHANGE_SHARE, timeline)
        raised = np.rint(styled.cents[rows] * rng.uniform(*factors, len(rows))).astype(np.int64)
        styled = _split(styled, rows, day, raised)
    rows, day = _split_days(rng, styled, style == Style.MIGRATION, settings.MIGRATED_SHARE, timeline)
    cycle = customers.cycle_months[styled.customer[rows]]
    begin = add_months(styled.anchor[rows], whole_cycles(styled.anchor[rows], day, cycle) * cycle)
    days = add_months(begin, cycle) - begin
    # Where both parts would be rounded up, their sum would be a cent more than the bill that is paid.
    is_exact = (2 * styled.cents[rows] * cycle * (day - begin)) % (2 * days) != days
    rows, day = rows[is_exact], day[is_exact]
    return _split(styled, rows, day, styled.cents[rows])


def _split_days(
    rng: np.random.Generator, styled: StyledPeriods, is_chosen: np.ndarray, share: float, timeline: Timeline
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the periods to split, and a day in each that is not a billing day."""
    last = np.minimum(styled.end - 1, timeline.as_of)
    room = last - styled.start
    chance, place = rng.random((2, len(styled)))
    # Of a period that was split, only the second part is split again: its price is the higher one.
    ends_with_cycle = (styled.end == FAR_FUTURE) | (_day_of_month(styled.end) == _day_of_month(styled.anchor))
    can_split = is_chosen[styled.customer] & (styled.status != TRIAL) & (room >= settings.SHORTEST_SPLIT_DAYS)
    rows = np.flatnonzero(can_split & ends_with_cycle & (chance < share))
    day = styled.start[rows] + 29 + (place[rows] * (room[rows] - 30)).astype(np.int64)
    is_billing_day = _day_of_month(day) == _day_of_month(styled.anchor[rows])
    return rows, day + is_billing_day


def _day_of_month(days: np.ndarray) -> np.ndarray:
    month = days.astype("datetime64[D]").astype("datetime64[M]")
    day: np.ndarray = days - month.astype("datetime64[D]").astype(np.int64)
    return day


def _split(styled: StyledPeriods, rows: np.ndarray, day: np.ndarray, cents: np.ndarray) -> StyledPeriods:
    """End the periods at `rows` on `day`, and start new ones with the price `cents`."""
    ends, statuses = styled.end.copy(), styled.status.copy()
    ends[rows], statuses[rows] = day, EXPIRED
    second = replace(take_rows(styled, rows), start=day, cents=cents)
    return replace(styled, end=ends, status=statuses).add(second)


def _add_subscriptions(
    rng: np.random.Generator, customers: Customers, styled: StyledPeriods, style: np.ndarray, timeline: Timeline
) -> StyledPeriods:
    """Add the further subscriptions of customers with one invoice for all, or with two currencies."""
    rows = len(customers)
    main_is_euro = (style == Style.TWO_CURRENCIES) & (rng.random(rows) < 0.5)
    share = np.where(style == Style.TWO_CURRENCIES, 1.0, settings.SECOND_SUBSCRIPTION_SHARE)
    has_second = np.isin(style, (Style.SINGLE_INVOICE, Style.TWO_CURRENCIES)) & (rng.random(rows) < share)
    has_third = (style == Style.SINGLE_INVOICE) & has_second & (rng.random(rows) < settings.THIRD_SUBSCRIPTION_SHARE)
    second = _further_subscriptions(rng, customers, styled, has_second, timeline)
    third = _further_subscriptions(rng, customers, styled, has_third, timeline)
    is_second_euro = (style == Style.TWO_CURRENCIES)[second.customer] & ~main_is_euro[second.customer]
    all_lines = (
        replace(styled, is_euro=main_is_euro[styled.customer])
        .add(replace(second, line=second.line + 1, is_euro=is_second_euro))
        .add(replace(third, line=third.line + 2))
    )
    step = settings.EUR_STEP_CENTS
    in_steps = np.maximum(all_lines.cents // step, all_lines.cents > 0) * step
    return replace(all_lines, cents=np.where(all_lines.is_euro, in_steps, all_lines.cents))


def _further_subscriptions(
    rng: np.random.Generator, customers: Customers, styled: StyledPeriods, is_chosen: np.ndarray, timeline: Timeline
) -> StyledPeriods:
    """A second, cheaper subscription for each tenure, from one of its billing days to its end."""
    paid = np.flatnonzero(styled.status != TRIAL)
    follows = np.zeros(len(paid), dtype=bool)
    follows[1:] = (styled.customer[paid[1:]] == styled.customer[paid[:-1]]) & (
        styled.start[paid[1:]] == styled.end[paid[:-1]]
    )
    first = np.flatnonzero(~follows)
    last = np.append(first[1:], len(paid)) - 1
    first, last = paid[first], paid[last]
    inside = is_chosen[styled.customer[first]]
    first, last = first[inside], last[inside]
    cycle = customers.cycle_months[styled.customer[first]]
    bills = whole_cycles(styled.start[first], np.minimum(styled.end[last] - 1, timeline.as_of), cycle) + 1
    begin = add_months(styled.start[first], (rng.random(len(first)) * bills).astype(np.int64) * cycle)
    price_share = rng.uniform(*settings.SECOND_SUBSCRIPTION_PRICE_SHARES, len(first))
    cents = np.maximum(np.rint(styled.cents[first] * price_share), 100).astype(np.int64)
    ends, statuses = styled.end[last], styled.status[last]
    return replace(take_rows(styled, first), start=begin, anchor=begin, end=ends, status=statuses, cents=cents)


def is_running(styled: StyledPeriods) -> np.ndarray:
    """Whether each period runs at the as-of date and is paid for."""
    runs: np.ndarray = (styled.end == FAR_FUTURE) & (styled.status != TRIAL)
    return runs


def is_last_of_line(styled: StyledPeriods) -> np.ndarray:
    """Whether no later period of the same customer and line exists."""
    order = np.lexsort((styled.start, styled.line, styled.customer))
    key = styled.customer[order] * 8 + styled.line[order]
    is_last = np.empty(len(styled), dtype=bool)
    is_last[order] = is_first_of_run(key[::-1])[::-1]
    return is_last
