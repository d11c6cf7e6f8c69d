"""Weekly product usage: what the hidden engagement looks like from outside."""

import numpy as np
import pyarrow as pa

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import dates, ids, is_first_of_run, whole_numbers
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.engagement import Engagement
from productpulse_assets.synthetic.lives import Lives
from productpulse_assets.synthetic.subscriptions import TRIAL, Periods
from productpulse_assets.synthetic.timeline import Timeline

# Days of play around the windows, so that no reading of their edges changes a case.
EDGE_DAYS = 2


def draw_stragglers(
    rng: np.random.Generator,
    customers: Customers,
    periods: Periods,
    lives: Lives,
    timeline: Timeline,
) -> np.ndarray:
    """Which customers go on logging in after their cancellation, up to the as-of date."""
    has_paid = np.zeros(len(customers), dtype=bool)
    has_paid[periods.customer[periods.status != TRIAL]] = True
    soonest, latest = settings.USAGE_AFTER_CANCELLATION_DAYS
    gone_for = timeline.as_of - lives.last_end()
    is_recent = (gone_for >= soonest) & (gone_for <= latest)
    is_chosen = rng.random(len(customers)) < settings.USAGE_AFTER_CANCELLATION_SHARE
    return has_paid & is_recent & is_chosen & customers.has_usage


def _weekly_log_levels(engagement: Engagement, timeline: Timeline) -> np.ndarray:
    """Log of expected logins per customer and week: between the month ends, with the season."""
    midweek = np.clip(timeline.mondays + 3, timeline.month_starts[0], timeline.as_of)
    month = timeline.month_of(midweek)
    length = np.diff(timeline.month_starts)[month]
    share = ((midweek - timeline.month_starts[month]) / length).astype(np.float32)
    levels = engagement.log_level[:, month] * (1 - share)
    levels += engagement.log_level[:, month + 1] * share
    season = np.log(np.array(settings.USAGE_SEASON))[timeline.calendar_months[month]]
    return levels + season.astype(np.float32)


def _went_quiet(lives: Lives, timeline: Timeline) -> np.ndarray:
    """Customers whose last logins before leaving might pass for usage without billing."""
    gone_for = timeline.as_of - lives.last_end()
    shortest = settings.UNBILLED_GAP_DAYS - EDGE_DAYS
    return (gone_for >= shortest) & (gone_for <= settings.UNBILLED_USAGE_DAYS + EDGE_DAYS)


def _capped(customer: np.ndarray, key_actions: np.ndarray) -> np.ndarray:
    """Key actions of customers that never activate, cut off before they would."""
    total = np.cumsum(key_actions)
    before = np.maximum.accumulate(np.where(is_first_of_run(customer), total - key_actions, 0))
    return np.where(total - before <= settings.ACTIVATION_LIMIT, key_actions, 0)


def _draw_logins(
    rng: np.random.Generator, log_level: np.ndarray, is_straggling: np.ndarray, is_quiet: np.ndarray
) -> np.ndarray:
    noise = rng.standard_normal(len(log_level), dtype=np.float32) * settings.WEEKLY_NOISE
    logins = rng.poisson(np.exp(log_level + noise)).astype(np.int32)
    logins[rng.random(len(logins), dtype=np.float32) < settings.IDLE_WEEK_RATE] = 0
    return np.where(is_quiet, 0, np.where(is_straggling, np.maximum(logins, 1), logins))


def _draw_key_actions(
    rng: np.random.Generator, customers: Customers, customer: np.ndarray, logins: np.ndarray
) -> np.ndarray:
    key_actions = rng.poisson(settings.KEY_ACTIONS_PER_LOGIN * logins).astype(np.int32)
    idle = np.flatnonzero(customers.never_activates[customer])
    rare = rng.binomial(key_actions[idle], 1 / (2 * settings.ACTIVATION_LIMIT))
    key_actions[idle] = _capped(customer[idle], rare)
    return key_actions


def usage_table(
    rng: np.random.Generator,
    customers: Customers,
    engagement: Engagement,
    *,
    lives: Lives,
    stragglers: np.ndarray,
    timeline: Timeline,
) -> pa.Table:
    """One row per customer and week in which it has access, dated on a day of that week.

    Weeks without a login are rows of zeros. logins, key_actions, active_users (at most the
    segment's seats) and features_used (at most 12) are counts of the week.
    """
    cells = (len(customers), len(timeline.mondays))
    day = timeline.mondays + rng.integers(0, 7, cells, dtype=np.int32)
    everyone = np.arange(len(customers))[:, None]
    goes_on = stragglers[:, None] & (day >= lives.last_end()[:, None])
    has_access = customers.has_usage[:, None] & (lives.covers(everyone, day) | goes_on)
    customer, week = np.nonzero(has_access & (day <= timeline.as_of))
    date = day[customer, week]
    quiet_from = timeline.as_of - settings.UNBILLED_USAGE_DAYS - EDGE_DAYS
    is_quiet = (_went_quiet(lives, timeline) & ~stragglers)[customer] & (date >= quiet_from)
    levels = _weekly_log_levels(engagement, timeline)
    logins = _draw_logins(rng, levels[customer, week], goes_on[customer, week], is_quiet)
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
