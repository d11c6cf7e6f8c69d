"""Weekly product usage, drawn from the hidden engagement."""

import numpy as np
import pyarrow as pa

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import dates, ids, is_first_of_run, whole_numbers
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.engagement import Engagement
from productpulse_assets.synthetic.subscriptions import TRIAL, Periods
from productpulse_assets.synthetic.tenures import Tenures
from productpulse_assets.synthetic.timeline import Timeline

# Days around the windows in which no case is planted, so that it does not matter which edges count.
EDGE_DAYS = 2


def draw_usage_after_cancellation(
    rng: np.random.Generator,
    customers: Customers,
    periods: Periods,
    tenures: Tenures,
    timeline: Timeline,
) -> np.ndarray:
    """Which customers still log in after their cancellation, up to the as-of date."""
    has_paid = np.zeros(len(customers), dtype=bool)
    has_paid[periods.customer[periods.status != TRIAL]] = True
    soonest, latest = settings.USAGE_AFTER_CANCELLATION_DAYS
    days_since_end = timeline.as_of - tenures.last_end()
    is_recent = (days_since_end >= soonest) & (days_since_end <= latest)
    is_chosen = rng.random(len(customers)) < settings.USAGE_AFTER_CANCELLATION_SHARE
    is_late_user: np.ndarray = has_paid & is_recent & is_chosen & customers.has_usage
    return is_late_user


def _weekly_log_levels(engagement: Engagement, timeline: Timeline) -> np.ndarray:
    """Log of expected logins per customer and week: between the month ends, with the season."""
    midweek = np.clip(timeline.mondays + 3, timeline.month_starts[0], timeline.as_of)
    month = timeline.month_of(midweek)
    length = np.diff(timeline.month_starts)[month]
    share = ((midweek - timeline.month_starts[month]) / length).astype(np.float32)
    levels = engagement.log_level[:, month] * (1 - share)
    levels += engagement.log_level[:, month + 1] * share
    season = np.log(np.array(settings.USAGE_SEASON))[timeline.calendar_months[month]]
    with_season: np.ndarray = levels + season.astype(np.float32)
    return with_season


def _left_recently(tenures: Tenures, timeline: Timeline) -> np.ndarray:
    """Customers that left so recently that their last logins could be mistaken for usage without billing."""
    days_since_end = timeline.as_of - tenures.last_end()
    shortest = settings.UNBILLED_GAP_DAYS - EDGE_DAYS
    is_recent: np.ndarray = (days_since_end >= shortest) & (days_since_end <= settings.UNBILLED_USAGE_DAYS + EDGE_DAYS)
    return is_recent


def _limit_key_actions(customer: np.ndarray, key_actions: np.ndarray) -> np.ndarray:
    """Key actions of customers that never activate, cut to stay below the limit of activation."""
    total = np.cumsum(key_actions)
    before = np.maximum.accumulate(np.where(is_first_of_run(customer), total - key_actions, 0))
    return np.where(total - before <= settings.ACTIVATION_LIMIT, key_actions, 0)


def _draw_logins(
    rng: np.random.Generator, log_level: np.ndarray, is_after_cancellation: np.ndarray, is_quiet: np.ndarray
) -> np.ndarray:
    noise = rng.standard_normal(len(log_level), dtype=np.float32) * settings.WEEKLY_NOISE
    logins = rng.poisson(np.exp(log_level + noise)).astype(np.int32)
    logins[rng.random(len(logins), dtype=np.float32) < settings.IDLE_WEEK_RATE] = 0
    return np.where(is_quiet, 0, np.where(is_after_cancellation, np.maximum(logins, 1), logins))


def _draw_key_actions(
    rng: np.random.Generator, customers: Customers, customer: np.ndarray, logins: np.ndarray
) -> np.ndarray:
    key_actions = rng.poisson(settings.KEY_ACTIONS_PER_LOGIN * logins).astype(np.int32)
    idle = np.flatnonzero(customers.never_activates[customer])
    rare = rng.binomial(key_actions[idle], 1 / (2 * settings.ACTIVATION_LIMIT))
    key_actions[idle] = _limit_key_actions(customer[idle], rare)
    return key_actions


def usage_table(
    rng: np.random.Generator,
    customers: Customers,
    engagement: Engagement,
    *,
    tenures: Tenures,
    late_users: np.ndarray,
    timeline: Timeline,
) -> pa.Table:
    """One row per customer and week in which it has access; the date is a day of that week.

    Weeks without a login are rows of zeros. logins, key_actions, active_users (at most the
    segment's seats) and features_used (at most 12) are counts of the week.
    """
    cells = (len(customers), len(timeline.mondays))
    day = timeline.mondays + rng.integers(0, 7, cells, dtype=np.int32)
    everyone = np.arange(len(customers))[:, None]
    is_after_cancellation = late_users[:, None] & (day >= tenures.last_end()[:, None])
    has_access = customers.has_usage[:, None] & (tenures.covers(everyone, day) | is_after_cancellation)
    customer, week = np.nonzero(has_access & (day <= timeline.as_of))
    date = day[customer, week]
    quiet_from = timeline.as_of - settings.UNBILLED_USAGE_DAYS - EDGE_DAYS
    is_quiet = (_left_recently(tenures, timeline) & ~late_users)[customer] & (date >= quiet_from)
    levels = _weekly_log_levels(engagement, timeline)
    logins = _draw_logins(rng, levels[customer, week], is_after_cancellation[customer, week], is_quiet)
    key_actions = _draw_key_actions(rng, customers, customer, logins)
    seats = np.array([s.seats for s in settings.SEGMENTS], dtype=np.int32)[customers.segment]
    features = np.ceil(2 * np.log1p((logins + key_actions).astype(np.float32)))
    return pa.table(
        {
            "usage_id": ids("U", (customers.number[customer], customers.id_digits), (week, 4)),
            "customer_id": customers.ids(customer),
            "date": dates(date),
            "logins": whole_numbers(logins),
            "key_actions": whole_numbers(key_actions),
            "active_users": whole_numbers(np.minimum((logins + 1) // 2, seats[customer])),
            "features_used": whole_numbers(np.minimum(features, settings.FEATURES)),
        }
    )
