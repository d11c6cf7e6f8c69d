"""How likely each customer is to cancel in each month, given the months before it."""

import numpy as np

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.engagement import Engagement
from productpulse_assets.synthetic.problems import Problem
from productpulse_assets.synthetic.voice import DETRACTOR_SCORE, NO_ANSWER, Voice

LOOK_BACK_MONTHS = 3


def _monthly_rate(customers: Customers, drift: np.ndarray, tickets: np.ndarray, is_detractor: np.ndarray) -> np.ndarray:
    by_drift = np.array(settings.CHURN_RATE_BY_DRIFT)
    rate = by_drift[np.minimum(drift, len(by_drift) - 1)]
    # The rate at which drifts begin contains the customer's churn factor already: during a bad drift
    # customers of every segment leave at the same rate.
    rate = np.where(drift == 0, rate * customers.churn_factor, rate)
    rate = rate + settings.NEVER_ACTIVATED_CHURN_RATE * customers.never_activates
    rate = np.where(tickets >= settings.MANY_TICKETS, rate * settings.MANY_TICKETS_CHURN_FACTOR, rate)
    adjusted: np.ndarray = np.where(is_detractor, rate * settings.DETRACTOR_CHURN_FACTOR, rate)
    return adjusted


def churn_rates(customers: Customers, engagement: Engagement, voice: Voice, problems: np.ndarray) -> np.ndarray:
    """The probability of leaving in each month (columns), from the months before it, in [0, 1)."""
    rows, months = problems.shape
    is_detractor = (voice.score <= DETRACTOR_SCORE) & (voice.score != NO_ANSWER)
    # Only a monthly bill was certainly due in the month before.
    has_failed = (problems == Problem.FAILED) & (customers.cycle_months == 1)[:, None]
    rates = np.zeros((rows, months), dtype=np.float32)
    for month in range(1, months):
        recent = slice(max(month - LOOK_BACK_MONTHS, 0), month)
        rate = _monthly_rate(
            customers,
            engagement.drift_months[:, month - 1],
            voice.tickets[:, recent].sum(axis=1),
            is_detractor[:, recent].any(axis=1),
        )
        rate = rate + settings.FAILED_PAYMENT_CHURN_RATE * has_failed[:, month - 1]
        rates[:, month] = np.minimum(rate, settings.HIGHEST_CHURN_RATE)
    return rates
