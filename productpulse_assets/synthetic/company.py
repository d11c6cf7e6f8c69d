"""The whole company, a batch of customers at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from productpulse_assets.synthetic.account import draw_account
from productpulse_assets.synthetic.billing import draw_bills, statuses_with_past_due, unpaid_bill_counts
from productpulse_assets.synthetic.churn import churn_rates
from productpulse_assets.synthetic.contracts import with_account_owners, with_contracts
from productpulse_assets.synthetic.customers import Customers, customers_table, draw_customers
from productpulse_assets.synthetic.engagement import Engagement, draw_engagement
from productpulse_assets.synthetic.payments import styled_transactions_table, transactions_table
from productpulse_assets.synthetic.planted import planted_table, styled_planted_table
from productpulse_assets.synthetic.price_terms import (
    draw_price_terms,
    exchange_rates_table,
    price_changes_table,
    with_price_terms,
)
from productpulse_assets.synthetic.problems import draw_problems
from productpulse_assets.synthetic.settings import CompanyPlan
from productpulse_assets.synthetic.styles import (
    draw_styles,
    has_parallel_subscriptions,
    styles_table,
    with_billing_cycles,
)
from productpulse_assets.synthetic.subscriptions import ACTIVE, Periods, draw_subscriptions, subscriptions_table
from productpulse_assets.synthetic.targets import channels_table, targets_table
from productpulse_assets.synthetic.tenures import FAR_FUTURE, Tenures
from productpulse_assets.synthetic.timeline import Timeline, timeline
from productpulse_assets.synthetic.unit_economics import events_table, spend_table
from productpulse_assets.synthetic.usage import draw_usage_after_cancellation, usage_table
from productpulse_assets.synthetic.voice import draw_voice, nps_table, tickets_table

DATASETS = (
    "customers",
    "subscriptions",
    "transactions",
    "product_usage",
    "support_tickets",
    "nps_scores",
    "acquisition_channels",
    "targets",
    "exchange_rates",
    "acquisition_spend",
    "annotations",
)
MINIMUM_ID_DIGITS = 6


@dataclass(frozen=True)
class Company:
    """A simulated company: its datasets by name, and the leakage planted in them.

    `planted` has one row per case: leakage_type, customer_id, subscription_id,
    period_start, transaction_date and amount (the loss a correct detector reports).
    `billing_styles` has one row per customer: customer_id and billing_style. `price_changes` has one row per change of
    a price, with its parts. `contracts` has one row per paid period: its next renewal, its scheduled cancellation and
    why it was canceled.
    """

    datasets: dict[str, pa.Table]
    planted: pa.Table
    billing_styles: pa.Table
    price_changes: pa.Table
    contracts: pa.Table


def simulate(plan: CompanyPlan) -> Company:
    """The company in memory; for large ones see `write_company`."""
    batches = list(batches_of(plan))
    datasets = {name: pa.concat_tables([batch.datasets[name] for batch in batches]) for name in batches[0].datasets}
    datasets |= company_tables(plan)
    return Company(
        datasets,
        pa.concat_tables([batch.planted for batch in batches]),
        pa.concat_tables([batch.billing_styles for batch in batches]),
        pa.concat_tables([batch.price_changes for batch in batches]),
        pa.concat_tables([batch.contracts for batch in batches]),
    )


def company_tables(plan: CompanyPlan) -> dict[str, pa.Table]:
    """The datasets that do not grow with the customers."""
    window = timeline(plan)
    return {
        "acquisition_channels": channels_table(),
        "targets": targets_table(plan, window),
        "exchange_rates": exchange_rates_table(_streams(plan, batch=0)[15], window),
        "acquisition_spend": spend_table(_streams(plan, batch=0)[18], plan, window),
        "annotations": events_table(window),
    }


def batches_of(plan: CompanyPlan) -> Iterator[Company]:
    """The customers and their rows, `batch_customers` at a time."""
    window = timeline(plan)
    id_digits = max(MINIMUM_ID_DIGITS, len(str(plan.customers)))
    for batch, first in enumerate(range(1, plan.customers + 1, plan.batch_customers)):
        end = min(first + plan.batch_customers, plan.customers + 1)
        yield _simulate_batch(plan, batch, np.arange(first, end), id_digits, window)


def _streams(plan: CompanyPlan, batch: int) -> list[np.random.Generator]:
    """The random numbers of each step. A further step takes the next free ones, so that the others stay as they are."""
    return [np.random.default_rng(child) for child in np.random.SeedSequence([plan.seed, batch]).spawn(20)]


def _simulate_batch(plan: CompanyPlan, batch: int, numbers: np.ndarray, id_digits: int, window: Timeline) -> Company:
    """One batch: the hidden causes first, then their effects, then the visible rows.

    Each step has its own random numbers, so that a change in one does not change the others.
    """
    rng = _streams(plan, batch)
    customers = draw_customers(rng[0], window, numbers, id_digits)
    style = draw_styles(rng[12], plan, len(customers))
    customers = with_billing_cycles(customers, style)
    engagement = draw_engagement(rng[1], customers, window)
    voice = draw_voice(rng[2], engagement)
    problems = draw_problems(rng[3], engagement)
    rates = churn_rates(customers, engagement, voice, problems)
    periods, tenures = draw_subscriptions(rng[4], customers, engagement, rates, window)
    late_users = draw_usage_after_cancellation(rng[7], customers, periods, tenures, window)
    late_users &= plan.losses & ~has_parallel_subscriptions(style)
    subscribed = _Subscribed(customers, engagement, problems, periods, tenures, late_users)
    if plan.billing == "anniversary" and plan.losses:
        billing = _bill_on_cycle_days(rng[5:9], subscribed, window)
    else:
        billing = _bill_in_styles((rng[13], rng[8]), plan, subscribed, style, window)
    terms = draw_price_terms(rng[14], customers, billing.periods, billing.line, window)
    is_active = np.zeros(len(customers), dtype=bool)
    is_active[periods.customer[(periods.status == ACTIVE) & (periods.end == FAR_FUTURE)]] = True
    subscriptions, contracts = with_contracts(rng[16], billing.subscriptions, billing.transactions, window)
    datasets = {
        "customers": with_account_owners(rng[17], customers_table(customers, is_active)),
        "subscriptions": with_price_terms(subscriptions, terms),
        "transactions": billing.transactions,
        "product_usage": usage_table(
            rng[9], customers, engagement, tenures=tenures, late_users=late_users, timeline=window
        ),
        "support_tickets": tickets_table(rng[10], customers, engagement, tenures=tenures, voice=voice, timeline=window),
        "nps_scores": nps_table(rng[11], customers, tenures, voice, window),
    }
    changes = price_changes_table(customers, billing.periods, terms)
    return Company(datasets, billing.planted, styles_table(customers, style), changes, contracts)


class _Subscribed(NamedTuple):
    """What is known of a batch before its customers are billed."""

    customers: Customers
    engagement: Engagement
    problems: np.ndarray
    periods: Periods
    tenures: Tenures
    late_users: np.ndarray


class _Billing(NamedTuple):
    """The tables that depend on how customers are billed, and the periods behind them; line 0 is no add-on."""

    periods: Periods
    line: np.ndarray
    subscriptions: pa.Table
    transactions: pa.Table
    planted: pa.Table


def _bill_on_cycle_days(rng: Sequence[np.random.Generator], batch: _Subscribed, window: Timeline) -> _Billing:
    """Bills on the day of the cycle, with problems over the whole window that follow the bad drift."""
    customers, periods = batch.customers, batch.periods
    unpaid = unpaid_bill_counts(rng[0], customers, periods, batch.engagement, window)
    bills = draw_bills(rng[1], customers, periods, problems=batch.problems, unpaid=unpaid, timeline=window)
    planted = planted_table(
        customers,
        periods,
        bills,
        tenures=batch.tenures,
        late_users=batch.late_users,
        timeline=window,
    )
    status = statuses_with_past_due(periods, unpaid)
    return _Billing(
        periods,
        np.zeros(len(periods), dtype=np.int64),
        subscriptions_table(rng[3], customers, periods, status),
        transactions_table(customers, periods, bills, window),
        planted,
    )


def _bill_in_styles(
    rng: Sequence[np.random.Generator], plan: CompanyPlan, batch: _Subscribed, style: np.ndarray, window: Timeline
) -> _Billing:
    """Bills in the style of each customer, with the losses of the plan."""
    customers = batch.customers
    account = draw_account(rng[0], plan, customers, batch.periods, style=style, timeline=window)
    periods, is_euro = account.styled.periods(), account.styled.is_euro
    planted = styled_planted_table(
        customers, periods, account, tenures=batch.tenures, late_users=batch.late_users, timeline=window
    )
    return _Billing(
        periods,
        account.styled.line,
        subscriptions_table(rng[1], customers, periods, account.statuses(), is_euro if plan.has_euro else None),
        styled_transactions_table(
            customers, periods, account.invoices, account.outcomes, is_euro=is_euro, timeline=window
        ),
        planted,
    )
