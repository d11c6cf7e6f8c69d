"""How much each customer uses the product, month by month, and which customers are on a bad drift.

The level is hidden. Usage, tickets, NPS answers, payments and churn depend on it, so that rules
on the visible data can be right or wrong about it.
"""

from dataclasses import dataclass

import numpy as np

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.timeline import Timeline


@dataclass(frozen=True)
class Engagement:
    """Hidden engagement of each customer (rows) over the window (columns).

    `log_level` has one column more than the window has months: the level at the start of the
    window, then at the end of each month. `drift_months` is the number of months
    that a bad drift has lasted at the end of each month, including this one; 0 means no bad drift.
    """

    log_level: np.ndarray
    drift_months: np.ndarray

    def is_drifting(self) -> np.ndarray:
        """Whether each customer is on a bad drift in each month, as 0 or 1."""
        return (self.drift_months > 0).astype(np.int8)


def _renewal_factor(customers: Customers, month: int) -> np.ndarray:
    """A bad drift of annual customers begins mostly before their renewal."""
    cycle = customers.cycle_months
    months_left = (customers.start_month - month) % cycle
    is_near = (months_left > 0) & (months_left <= settings.NEAR_RENEWAL_MONTHS)
    annual = np.where(is_near, settings.ANNUAL_DRIFT_FACTOR_NEAR_RENEWAL, settings.ANNUAL_DRIFT_FACTOR)
    return np.where(cycle == 12, annual, 1.0)


def _drift_rate(customers: Customers, month: int) -> np.ndarray:
    """The share of customers whose bad drift begins this month, by customer."""
    tenure = month - customers.start_month
    is_new = (tenure <= settings.NEW_CUSTOMER_MONTHS) & (customers.start_month > 0)
    rate = settings.DRIFT_RATE * customers.churn_factor * _renewal_factor(customers, month)
    return np.where(tenure >= 1, rate, 0.0) * np.where(is_new, settings.NEW_CUSTOMER_DRIFT_FACTOR, 1.0)


def _next_drift(rng: np.random.Generator, customers: Customers, drift: np.ndarray, month: int) -> np.ndarray:
    chance = rng.random(len(customers))
    begins = (drift == 0) & (chance < _drift_rate(customers, month))
    recovers = (drift > 0) & (chance < settings.DRIFT_RECOVERY_RATE)
    next_drift = np.where(recovers | (drift == 0), 0, drift + 1)
    return np.where(begins, 1, next_drift)


def _first_drift(rng: np.random.Generator, customers: Customers) -> np.ndarray:
    """Some customers of the first month are on a bad drift from the start."""
    rate = settings.LAUNCH_DRIFT_SHARE * customers.churn_factor
    drifts = (customers.start_month == 0) & (rng.random(len(customers)) < rate)
    return np.where(drifts, np.int16(1), np.int16(0))


def draw_engagement(rng: np.random.Generator, customers: Customers, timeline: Timeline) -> Engagement:
    """A mean-reverting random walk per customer, plus the falls during its bad drifts."""
    rows, months = len(customers), timeline.months
    log_level = np.empty((rows, months + 1), dtype=np.float32)
    drift_months = np.empty((rows, months), dtype=np.int16)
    log_level[:, 0] = customers.log_engagement
    falls = np.array(settings.DRIFT_LOG_FALL)
    walk = np.zeros(rows)
    drift = _first_drift(rng, customers)
    for month in range(months):
        drift = _next_drift(rng, customers, drift, month)
        walk = settings.WALK_MEMORY * walk + rng.normal(0.0, settings.LOG_WALK_STEP, rows)
        fall = falls[np.minimum(drift, len(falls) - 1)]
        log_level[:, month + 1] = customers.log_engagement + walk + fall
        drift_months[:, month] = drift
    return Engagement(log_level, drift_months)
