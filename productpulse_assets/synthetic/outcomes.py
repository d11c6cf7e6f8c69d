"""What happens to each invoice of the billing styles: how it is paid, and which are lost."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import is_first_of_run, sequence_within
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.invoices import AccountBills, Invoices
from productpulse_assets.synthetic.problems import Problem
from productpulse_assets.synthetic.settings import BILLING_STYLES, CompanyPlan
from productpulse_assets.synthetic.styled_periods import StyledPeriods, is_last_of_line, is_running
from productpulse_assets.synthetic.styles import Style
from productpulse_assets.synthetic.timeline import Timeline

LOSSES = (Problem.MISSED, Problem.FAILED, Problem.UNDERBILLED, Problem.REFUNDED, Problem.UNPAID)
# Styles in which an earlier bill is paid together with a change that comes later.
CHANGING = (Style.UNUSED_TIME_CREDIT, Style.SEAT_CHANGES, Style.MIGRATION)


@dataclass(frozen=True)
class Outcomes:
    """The outcome of each invoice, one element each.

    `attempt_date` is the day of the first attempt to collect, `attempts` the number of
    failed ones. `paid_date` and `paid_cents` describe the payment where the problem leaves
    one, `refund_date` a refund of it. `wrong_cents` is a wrong amount that was paid and
    refunded before the right one; 0 if there is none.
    """

    problem: np.ndarray
    attempt_date: np.ndarray
    attempts: np.ndarray
    paid_date: np.ndarray
    paid_cents: np.ndarray
    refund_date: np.ndarray
    wrong_cents: np.ndarray
    wrong_date: np.ndarray


def draw_outcomes(
    rng: np.random.Generator,
    plan: CompanyPlan,
    customers: Customers,
    styled: StyledPeriods,
    *,
    bills: AccountBills,
    invoices: Invoices,
    style: np.ndarray,
    timeline: Timeline,
) -> Outcomes:
    """Draw how each invoice is paid, then the planted losses if the plan has any."""
    style = style[invoices.customer]
    outcomes = _payments(rng, customers, bills, invoices, style, timeline)
    is_plain = bills.by_invoice(np.logical_and, _is_plain(bills, style)) & (invoices.cents > 0)
    lost = np.zeros(0, dtype=np.int64)
    if plan.losses:
        candidates = _Candidates(plan, styled, bills, invoices, style, timeline)
        lost = candidates.draw(rng, is_plain)
        outcomes = _with_losses(rng, candidates, outcomes, lost)
    # A retry for a part of a month could come after the next bill.
    may_recover = is_plain & bills.by_invoice(np.logical_and, bills.is_whole) & (outcomes.problem == Problem.PAID)
    outcomes = _with_recoveries(rng, outcomes, invoices, style, may_recover, timeline)
    return _with_wrong_amounts(rng, outcomes, invoices, style, timeline)


def _is_plain(bills: AccountBills, invoice_style: np.ndarray) -> np.ndarray:
    """Whether each bill is asked for by its invoice as it is due, without a credit or a change."""
    is_calendar = invoice_style[bills.invoice] == Style.CALENDAR
    is_plain: np.ndarray = (bills.asked_cents == bills.due_cents) & (bills.is_whole | is_calendar)
    return is_plain


def _days(rng: np.random.Generator, limits: tuple[int, int], rows: int) -> np.ndarray:
    return rng.integers(limits[0], limits[1] + 1, rows)


def _payments(
    rng: np.random.Generator,
    customers: Customers,
    bills: AccountBills,
    invoices: Invoices,
    style: np.ndarray,
    timeline: Timeline,
) -> Outcomes:
    """Every invoice is paid in full, or pending where its payment would come after the as-of date.

    Without payment terms, a bill is paid before its period ends.
    """
    rows = len(invoices)
    soonest, latest = np.array([each.payment_days for each in BILLING_STYLES])[style].T
    delay = soonest + (rng.random(rows) * (latest - soonest + 1)).astype(np.int64)
    has_terms = style == Style.NET_30
    paid = np.maximum(invoices.date + delay, customers.signup_date[invoices.customer])
    last_day = np.maximum(bills.end[invoices.first_bill] - 1, invoices.date)
    paid = np.where(has_terms, paid, np.minimum(paid, last_day))
    is_late = paid > timeline.as_of
    paid = np.where(is_late & ~has_terms, invoices.date, paid)
    return Outcomes(
        problem=np.where(is_late & has_terms, Problem.PENDING, Problem.PAID),
        attempt_date=np.where(has_terms | (paid < invoices.date), paid, invoices.date),
        attempts=np.zeros(rows, dtype=np.int64),
        paid_date=paid,
        paid_cents=invoices.cents,
        refund_date=paid,
        wrong_cents=np.zeros(rows, dtype=np.int64),
        wrong_date=paid,
    )


@dataclass(frozen=True)
class _Candidates:
    """The invoices of a company, and which of them can be lost so that the account shows exactly which bill is open."""

    plan: CompanyPlan
    styled: StyledPeriods
    bills: AccountBills
    invoices: Invoices
    style: np.ndarray
    timeline: Timeline

    def lost_days(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and highest age in days of a lost bill, by invoice."""
        has_terms = (self.style == Style.NET_30) | (self.plan.billing == settings.MIXED)
        limits = np.array([settings.LOST_BILL_DAYS, settings.LOST_BILL_DAYS_WITH_TERMS])
        youngest, oldest = limits[has_terms.astype(np.int64)].T
        return youngest, oldest

    def newest_bill_age(self) -> np.ndarray:
        """The age of each invoice's latest bill that has fallen due."""
        is_due = self.bills.start <= self.timeline.as_of
        latest = self.bills.by_invoice(np.maximum, np.where(is_due, self.bills.start, 0))
        age: np.ndarray = self.timeline.as_of - latest
        return age

    def all_bills(self, condition: np.ndarray) -> np.ndarray:
        """Whether a condition holds for all bills of each invoice."""
        return self.bills.by_invoice(np.logical_and, condition)

    def due_bill_count(self) -> np.ndarray:
        """How many bills of each invoice have fallen due."""
        is_due = (self.bills.start <= self.timeline.as_of).astype(np.int64)
        return self.bills.by_invoice(np.add, is_due)

    def earlier_invoice_count(self) -> np.ndarray:
        """How many earlier invoices the period of each invoice has."""
        order = np.lexsort((self.invoices.date, self.invoices.period))
        count = np.empty(len(self.invoices), dtype=np.int64)
        count[order] = sequence_within(self.invoices.period[order]) - 1
        return count

    def next_date(self) -> np.ndarray:
        """The date of the customer's next invoice; the as-of date and more if there is none."""
        following = np.append(self.invoices.date[1:], 0)
        is_same = np.append(self.invoices.customer[1:] == self.invoices.customer[:-1], False)
        return np.where(is_same, following, self.timeline.as_of + 1)

    def draw(self, rng: np.random.Generator, is_plain: np.ndarray) -> np.ndarray:
        """Positions of the invoices to lose: at most one per customer."""
        youngest, oldest = self.lost_days()
        is_of_age = (self.newest_bill_age() >= youngest) & (self.timeline.as_of - self.invoices.date <= oldest)
        loses_last = np.array([each.loses_last for each in BILLING_STYLES])[self.style]
        # With payment terms, the next invoice can still be pending.
        latest_payment = np.where(self.style == Style.NET_30, BILLING_STYLES[Style.NET_30].payment_days[1], 0)
        has_no_payment_after = self.next_date() + latest_payment > self.timeline.as_of
        changes = np.isin(self.style, CHANGING) & ~is_last_of_line(self.styled)[self.invoices.period]
        # Where some customers have payment terms, earlier payments show that this customer pays at once.
        is_known = (self.plan.billing != settings.MIXED) | (self.earlier_invoice_count() >= settings.HABIT_PAYMENTS)
        is_clear = has_no_payment_after | (~loses_last & is_known)
        is_long = self.all_bills(self.bills.end - self.bills.start >= settings.SHORTEST_LOST_DAYS)
        can_be_lost = is_plain & is_long & is_of_age & is_clear & ~changes
        chance = rng.random(len(self.invoices))
        rows = np.flatnonzero(can_be_lost)
        rows = rows[np.lexsort((chance[rows], self.invoices.customer[rows]))]
        one_each = rows[is_first_of_run(self.invoices.customer[rows])]
        lost: np.ndarray = one_each[rng.random(len(one_each)) < settings.PLANTED_SHARE]
        return lost

    def draw_kinds(self, rng: np.random.Generator, lost: np.ndarray) -> np.ndarray:
        """The kind of loss of each lost invoice, of those that it can have."""
        kind = np.array(LOSSES)[rng.integers(0, len(LOSSES), len(lost))]
        kind = np.where((kind == Problem.UNPAID) & ~self._can_be_past_due()[lost], Problem.FAILED, kind)
        # The missing part of a payment for a part of a month can be within the tolerance of a detector.
        is_part = ~self.all_bills(self.bills.is_whole)[lost]
        kind = np.where(is_part & (kind == Problem.UNDERBILLED), Problem.MISSED, kind)
        # A failed attempt to collect a block of bills belongs to the first of them only, and a short
        # payment of it would leave the last bills open, which are not due yet.
        is_prepaid = self.style[lost] == Style.PREPAID
        has_one_bill = self.due_bill_count()[lost] == 1
        kind = np.where(is_prepaid & (kind == Problem.FAILED) & ~has_one_bill, Problem.MISSED, kind)
        return np.where(is_prepaid & (kind == Problem.UNDERBILLED), Problem.REFUNDED, kind)

    def _can_be_past_due(self) -> np.ndarray:
        """Whether an invoice and all later ones of its running period can stay unpaid after a paid one."""
        period = self.invoices.period
        lines = self.styled.customer[period] * 8 + self.styled.line[period]
        order = np.lexsort((self.invoices.date, lines))
        starts = is_first_of_run(period[order])
        ends = np.append(starts[1:], True)
        run = np.cumsum(starts) - 1
        last_age = np.empty(len(period), dtype=np.int64)
        last_age[order] = self.newest_bill_age()[order][ends][run]
        is_current = is_running(self.styled) & is_last_of_line(self.styled)
        can_be: np.ndarray = is_current[period] & (self.earlier_invoice_count() > 0) & (last_age >= self.lost_days()[0])
        return can_be


def _with_losses(rng: np.random.Generator, candidates: _Candidates, outcomes: Outcomes, lost: np.ndarray) -> Outcomes:
    """The outcomes with the planted losses at the positions `lost`."""
    invoices, as_of = candidates.invoices, candidates.timeline.as_of
    kind = candidates.draw_kinds(rng, lost)
    problem = outcomes.problem.copy()
    problem[lost] = kind
    loss_of = np.full(len(candidates.style), -1)
    loss_of[lost] = kind
    # All later invoices of a past-due period are unpaid; with payment terms, later invoices are pending.
    first_unpaid = np.full(len(candidates.styled), as_of + 1)
    past_due = lost[kind == Problem.UNPAID]
    first_unpaid[invoices.period[past_due]] = invoices.date[past_due]
    problem[invoices.date >= first_unpaid[invoices.period]] = Problem.UNPAID
    first_loss = np.full(int(invoices.customer.max(initial=0)) + 1, as_of + 1)
    first_loss[invoices.customer[lost]] = invoices.date[lost]
    is_after_loss = (invoices.date > first_loss[invoices.customer]) & (candidates.style == Style.NET_30)
    problem[is_after_loss & (problem == Problem.PAID)] = Problem.PENDING
    short = _short_cents(rng, candidates)
    refund = outcomes.paid_date + _days(rng, settings.REFUND_DAYS, len(problem))
    has_failed = np.isin(problem, (Problem.FAILED, Problem.UNPAID))
    second = rng.random(len(problem)) < settings.SECOND_ATTEMPT_SHARE
    return replace(
        outcomes,
        problem=problem,
        attempts=np.where(has_failed, 1 + second, 0),
        paid_cents=np.where(problem == Problem.UNDERBILLED, short, outcomes.paid_cents),
        refund_date=np.minimum(refund, as_of),
    )


def _short_cents(rng: np.random.Generator, candidates: _Candidates) -> np.ndarray:
    """The amount of a payment of each invoice that is too low."""
    cents = candidates.invoices.cents
    short = np.rint(cents * (1 - rng.uniform(*settings.UNDERBILLED_SHARES, len(cents)))).astype(np.int64)
    step = np.where(candidates.styled.is_euro[candidates.invoices.period], settings.EUR_STEP_CENTS, 1)
    return np.maximum(short // step * step, step)


def _with_recoveries(
    rng: np.random.Generator,
    outcomes: Outcomes,
    invoices: Invoices,
    style: np.ndarray,
    may_recover: np.ndarray,
    timeline: Timeline,
) -> Outcomes:
    """Some invoices are paid only after failed attempts; no loss."""
    rows = len(invoices)
    share = np.array([each.recovered_share for each in BILLING_STYLES])[style]
    attempts = np.where(style == Style.RETRIES, _days(rng, (1, len(settings.RETRY_ATTEMPT_DAYS)), rows), 1)
    last = outcomes.attempt_date + np.array(settings.RETRY_ATTEMPT_DAYS)[attempts - 1]
    recovery = last + _days(rng, settings.LAST_RETRY_DAYS, rows)
    recovers = may_recover & (rng.random(rows) < share) & (recovery <= timeline.as_of)
    return replace(
        outcomes,
        problem=np.where(recovers, Problem.RECOVERED, outcomes.problem),
        attempts=np.where(recovers, attempts, outcomes.attempts),
        paid_date=np.where(recovers, recovery, outcomes.paid_date),
    )


def _with_wrong_amounts(
    rng: np.random.Generator, outcomes: Outcomes, invoices: Invoices, style: np.ndarray, timeline: Timeline
) -> Outcomes:
    """Some payments were of a wrong amount, refunded in full, and made again; no loss."""
    rows = len(invoices)
    wrong = np.rint(invoices.cents * rng.uniform(*settings.WRONG_AMOUNT_FACTORS, rows)).astype(np.int64)
    wrong = np.where(wrong == invoices.cents, wrong + 1, wrong)
    refund = outcomes.paid_date + _days(rng, settings.REFUND_DAYS, rows)
    rebill = refund + _days(rng, settings.REBILL_DAYS, rows)
    can_be_wrong = (style == Style.REFUND_REBILL) & (outcomes.problem == Problem.PAID) & (rebill <= timeline.as_of)
    is_wrong = can_be_wrong & (rng.random(rows) < settings.WRONG_AMOUNT_SHARE)
    return replace(
        outcomes,
        paid_date=np.where(is_wrong, rebill, outcomes.paid_date),
        refund_date=np.where(is_wrong, refund, outcomes.refund_date),
        wrong_cents=np.where(is_wrong, wrong, 0),
        wrong_date=np.where(is_wrong, outcomes.paid_date, outcomes.wrong_date),
    )
