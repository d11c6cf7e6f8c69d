"""What the company spends to win customers, and the events that it marks on its charts."""

import numpy as np
import pyarrow as pa

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import dates, labels, money
from productpulse_assets.synthetic.customers import signup_shares
from productpulse_assets.synthetic.settings import CompanyPlan
from productpulse_assets.synthetic.timeline import Timeline

MARKED_MONTHS = 12
"""The last months of the window, in which each event happens once."""


def spend_table(rng: np.random.Generator, plan: CompanyPlan, timeline: Timeline) -> pa.Table:
    """One row per channel and month after the first, whose customers were won before the window.

    The company spends on the customers that it expects, and wins as many as it wins.
    """
    months = np.arange(1, timeline.months)
    channels = settings.CHANNELS
    share = np.array([channel.share for channel in channels])
    full_cost = np.array([channel.full_cost for channel in channels])
    buyers = 1 - settings.TRIAL_SHARE * (1 - settings.TRIAL_CONVERSION)
    expected = plan.customers * buyers * signup_shares(timeline)[1:, None] * share / share.sum()
    noise = np.exp(rng.normal(0.0, settings.SPEND_NOISE, expected.shape))
    amount = np.rint(expected * full_cost * noise / settings.SPEND_STEP) * settings.SPEND_STEP
    return pa.table(
        {
            "channel_name": labels(
                [channel.name for channel in channels], np.tile(np.arange(len(channels)), len(months))
            ),
            "month": dates(np.repeat(timeline.month_starts[months], len(channels))),
            "amount": money(amount.ravel() * 100),
        }
    )


def events_table(timeline: Timeline) -> pa.Table:
    """One row per event of the window, in the order of their days."""
    found = sorted(
        (int(timeline.month_starts[position]) + day - 1, text, dimension, member)
        for month, day, text, dimension, member in settings.EVENTS
        for position in range(timeline.months)
        if timeline.calendar_months[position] == month - 1 and position >= timeline.months - MARKED_MONTHS
    )
    found = [event for event in found if event[0] <= timeline.as_of]
    days, texts, dimensions, members = zip(*found, strict=True) if found else ((), (), (), ())
    return pa.table(
        {
            "date": dates(np.array(days, dtype=np.int32)),
            "text": pa.array(texts, pa.string()),
            "dimension": pa.array(dimensions, pa.string()),
            "member": pa.array(members, pa.string()),
        }
    )
