"""Problems with bills, drawn for every customer and month before the bills exist.

A month has at most one bill per customer, so the problem drawn for a month is that of its bill. It is
drawn early because customers with a failed payment leave more often.
"""

from enum import IntEnum

import numpy as np

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.engagement import Engagement


class Problem(IntEnum):
    """What happens to a bill; every bill has exactly one.

    PENDING is a bill that is not overdue yet; only bills with payment terms can be pending.
    """

    PAID = 0
    RECOVERED = 1
    FAILED = 2
    MISSED = 3
    UNDERBILLED = 4
    REFUNDED = 5
    UNPAID = 6
    PENDING = 7


def draw_problems(rng: np.random.Generator, engagement: Engagement) -> np.ndarray:
    """A Problem for each customer (rows) and month (columns); UNPAID is set later."""
    drifting = engagement.is_drifting()
    failed = np.array(settings.FAILED_PAYMENT_RATES)[drifting]
    recovered = failed * np.array(settings.RETRY_SUCCESS_SHARES)[drifting]
    missed = failed + settings.MISSED_INVOICE_RATE
    underbilled = missed + settings.UNDERBILLED_RATE
    refunded = underbilled + settings.REFUND_RATE
    chance = rng.random(drifting.shape)
    return np.select(
        [chance < limit for limit in (recovered, failed, missed, underbilled, refunded)],
        [
            np.uint8(problem)
            for problem in (
                Problem.RECOVERED,
                Problem.FAILED,
                Problem.MISSED,
                Problem.UNDERBILLED,
                Problem.REFUNDED,
            )
        ],
        np.uint8(Problem.PAID),
    )
