"""The company's targets and the costs of its acquisition channels."""

import numpy as np
import pyarrow as pa

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import dates, labels, money
from productpulse_assets.synthetic.customers import signup_shares
from productpulse_assets.synthetic.settings import CompanyPlan
from productpulse_assets.synthetic.timeline import Timeline

METRIC_NAMES = ("MRR", "Churn Rate", "Activation Rate", "NPS")


def channels_table() -> pa.Table:
    """One row per acquisition channel; cost_per_acquisition in US dollars."""
    costs = np.array([channel.cost_per_acquisition for channel in settings.CHANNELS])
    return pa.table(
        {
            "channel_name": pa.array([channel.name for channel in settings.CHANNELS]),
            "cost_per_acquisition": money(np.rint(costs * 100)),
        }
    )


def _expected_price() -> float:
    """The mean price per month of a customer at signup, in US dollars."""
    prices = np.array([plan.monthly_price for plan in settings.PLANS])
    segments = settings.SEGMENTS
    means = [s.price_factor * np.average(prices, weights=s.plan_shares) for s in segments]
    return float(np.average(means, weights=[s.share for s in segments]))


def _expected_mrr(plan: CompanyPlan, timeline: Timeline) -> np.ndarray:
    """MRR at the end of each month if signups, conversion and survival are as planned."""
    buyers = 1 - settings.TRIAL_SHARE * (1 - settings.TRIAL_CONVERSION)
    joined = plan.customers * signup_shares(timeline) * _expected_price()
    joined[1:] *= buyers
    survival = settings.EXPECTED_MONTHLY_SURVIVAL ** np.arange(timeline.months)
    return np.convolve(joined, survival)[: timeline.months]


def targets_table(plan: CompanyPlan, timeline: Timeline) -> pa.Table:
    """One row per metric and month, dated on the first; rates are shares, NPS in points."""
    months = timeline.months
    values = np.concatenate(
        [
            np.round(_expected_mrr(plan, timeline) * settings.MRR_TARGET_FACTOR, -2),
            np.round(np.linspace(*settings.CHURN_RATE_TARGETS, months), 4),
            np.round(np.linspace(*settings.ACTIVATION_RATE_TARGETS, months), 3),
            np.round(np.linspace(*settings.NPS_TARGETS, months), 1),
        ]
    )
    metrics = len(METRIC_NAMES)
    return pa.table(
        {
            "metric_name": labels(METRIC_NAMES, np.repeat(np.arange(metrics), months)),
            "target_value": pa.array(values),
            "date": dates(np.tile(timeline.month_starts[:months], metrics)),
        }
    )
