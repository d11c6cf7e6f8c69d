"""The accounts of a batch of customers in the billing styles: bills, invoices and how they are paid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.invoices import AccountBills, Invoices, bill_periods
from productpulse_assets.synthetic.outcomes import Outcomes, draw_outcomes
from productpulse_assets.synthetic.problems import Problem
from productpulse_assets.synthetic.settings import CompanyPlan
from productpulse_assets.synthetic.styled_periods import StyledPeriods, style_periods
from productpulse_assets.synthetic.subscriptions import PAST_DUE, Periods
from productpulse_assets.synthetic.timeline import Timeline


@dataclass(frozen=True)
class Account:
    """Subscription periods, their bills, the invoices for these, and the outcome of each invoice."""

    styled: StyledPeriods
    bills: AccountBills
    invoices: Invoices
    outcomes: Outcomes

    def statuses(self) -> np.ndarray:
        """The status of each period: Past Due where it has unpaid bills."""
        is_unpaid = self.outcomes.problem[self.bills.invoice] == Problem.UNPAID
        status = self.styled.status.copy()
        status[self.bills.period[is_unpaid]] = PAST_DUE
        return status

    def covered_cents(self) -> np.ndarray:
        """How much of each bill the payment of its invoice covers: the invoice's first bills first."""
        is_paid = ~np.isin(self.outcomes.problem, (Problem.MISSED, Problem.FAILED, Problem.UNPAID, Problem.PENDING))
        paid = (self.outcomes.paid_cents * is_paid)[self.bills.invoice]
        total = np.cumsum(self.bills.due_cents)
        before = total - self.bills.due_cents
        before = before - before[self.invoices.first_bill][self.bills.invoice]
        covered: np.ndarray = np.clip(paid - before, 0, self.bills.due_cents)
        return covered

    def in_dollars(self, period: np.ndarray, cents: np.ndarray) -> np.ndarray:
        """Cents of the currency of each period, in US cents."""
        return np.where(self.styled.is_euro[period], cents * settings.EUR_RATE_PERCENT // 100, cents)


def draw_account(
    rng: np.random.Generator,
    plan: CompanyPlan,
    customers: Customers,
    periods: Periods,
    *,
    style: np.ndarray,
    timeline: Timeline,
) -> Account:
    """Bill the periods in the style of each customer (`style`, by position) and draw the payments."""
    styled = style_periods(rng, customers, periods, style=style, timeline=timeline)
    bills, invoices = bill_periods(rng, customers, styled, style=style, timeline=timeline)
    outcomes = draw_outcomes(
        rng, plan, customers, styled, bills=bills, invoices=invoices, style=style, timeline=timeline
    )
    return Account(styled, bills, invoices, outcomes)
