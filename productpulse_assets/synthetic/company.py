"""The whole company, a batch of customers at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from productpulse_assets.synthetic.billing import draw_bills, statuses_with_past_due, unpaid_bill_counts
from productpulse_assets.synthetic.churn import churn_rates
from productpulse_assets.synthetic.customers import customers_table, draw_customers
from productpulse_assets.synthetic.engagement import draw_engagement
from productpulse_assets.synthetic.payments import transactions_table
from productpulse_assets.synthetic.planted import planted_table
from productpulse_assets.synthetic.problems import draw_problems
from productpulse_assets.synthetic.settings import CompanyPlan
from productpulse_assets.synthetic.subscriptions import ACTIVE, draw_subscriptions, subscriptions_table
from productpulse_assets.synthetic.targets import channels_table, targets_table
from productpulse_assets.synthetic.tenures import FAR_FUTURE
from productpulse_assets.synthetic.timeline import Timeline, timeline
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
)
MINIMUM_ID_DIGITS = 6


@dataclass(frozen=True)
class Company:
    """A simulated company: its datasets by name, and the leakage planted in them.

    `planted` has one row per case: leakage_type, customer_id, subscription_id,
    period_start, transaction_date and amount (the loss a correct detector reports).
    """

    datasets: dict[str, pa.Table]
    planted: pa.Table


def simulate(plan: CompanyPlan) -> Company:
    """The company in memory; for large ones see `write_company`."""
    batches = list(batches_of(plan))
    datasets = {name: pa.concat_tables([batch.datasets[name] for batch in batches]) for name in batches[0].datasets}
    datasets |= company_tables(plan)
    return Company(datasets, pa.concat_tables([batch.planted for batch in batches]))


def company_tables(plan: CompanyPlan) -> dict[str, pa.Table]:
    """The datasets that do not grow with the customers."""
    return {
        "acquisition_channels": channels_table(),
        "targets": targets_table(plan, timeline(plan)),
    }


def batches_of(plan: CompanyPlan) -> Iterator[Company]:
    """The customers and their rows, `batch_customers` at a time."""
    window = timeline(plan)
    id_digits = max(MINIMUM_ID_DIGITS, len(str(plan.customers)))
    for batch, first in enumerate(range(1, plan.customers + 1, plan.batch_customers)):
        end = min(first + plan.batch_customers, plan.customers + 1)
        yield _simulate_batch(plan.seed, batch, np.arange(first, end), id_digits, window)


def _simulate_batch(seed: int, batch: int, numbers: np.ndarray, id_digits: int, window: Timeline) -> Company:
    """One batch: the hidden causes first, then their effects, then the visible rows.

    Each step has its own random numbers, so that a change in one does not change the others.
    """
    seeds = np.random.SeedSequence([seed, batch]).spawn(12)
    rng = iter([np.random.default_rng(child) for child in seeds])
    customers = draw_customers(next(rng), window, numbers, id_digits)
    engagement = draw_engagement(next(rng), customers, window)
    voice = draw_voice(next(rng), engagement)
    problems = draw_problems(next(rng), engagement)
    rates = churn_rates(customers, engagement, voice, problems)
    periods, tenures = draw_subscriptions(next(rng), customers, engagement, rates, window)
    unpaid = unpaid_bill_counts(next(rng), customers, periods, engagement, window)
    bills = draw_bills(next(rng), customers, periods, problems=problems, unpaid=unpaid, timeline=window)
    late_users = draw_usage_after_cancellation(next(rng), customers, periods, tenures, window)
    is_active = np.zeros(len(customers), dtype=bool)
    is_active[periods.customer[(periods.status == ACTIVE) & (periods.end == FAR_FUTURE)]] = True
    status = statuses_with_past_due(periods, unpaid)
    datasets = {
        "customers": customers_table(customers, is_active),
        "subscriptions": subscriptions_table(next(rng), customers, periods, status),
        "transactions": transactions_table(customers, periods, bills, window),
        "product_usage": usage_table(
            next(rng), customers, engagement, tenures=tenures, late_users=late_users, timeline=window
        ),
        "support_tickets": tickets_table(
            next(rng), customers, engagement, tenures=tenures, voice=voice, timeline=window
        ),
        "nps_scores": nps_table(next(rng), customers, tenures, voice, window),
    }
    planted = planted_table(
        customers,
        periods,
        bills,
        unpaid=unpaid,
        tenures=tenures,
        late_users=late_users,
        timeline=window,
    )
    return Company(datasets, planted)
