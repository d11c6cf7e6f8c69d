"""The customers: the attributes that each has from the day it signs up."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import dates, draw, draw_by, ids, labels
from productpulse_assets.synthetic.timeline import LAST_START_DAY, Timeline

FIRST_WORDS = (
    "Amber", "Atlas", '"Blue Door"', "Brightwater", "Cedar", "Cobalt", "Copper", "Élan",
    "Evergreen", "Falcon", "Granite", "Harbor", "Hazel", "Ivory", "Juniper", "Keystone",
    "Lakeside", "Lumen", "Maple", "Meridian", "Midnight", "Müller", "Northwind", "Nova",
    "Oak", "Orchard", "Pioneer", "Quartz", "Redwood", "Riverside", "São Bento", "Silver",
    "Summit", "Sunrise", "Tidal", "Union", "Velvet", "Westfield", "Willow", "Zenith",
)  # fmt: skip
SECOND_WORDS = (
    "Analytics", "Apparel", "Aviation", "Biotech", "Brewing", "Capital", "Clinics",
    "Commerce", "Construction", "Consulting", "Dairy", "Dental", "Design", "Diagnostics",
    "Education", "Electric", "Energy", "Farms", "Fitness", "Foods", "Freight", "Games",
    "Health", "Hotels", "Insurance", "Labs", "Legal", "Logistics", "Media", "Mobility",
    "Optics", "Outdoor", "Packaging", "Pharma", "Press", "Realty", "Robotics", "Security",
    "Software", "Travel",
)  # fmt: skip
THIRD_WORDS = (
    "", " Group", " Partners", " Services", " Solutions", " International", " Works",
    " Collective", " Network", " Studio", " & Sons",
)  # fmt: skip
LEGAL_FORMS = ("", " Ltd", ", Inc.", " GmbH", " LLC", " S.A.", " Co.")
NAME_STRIDE = 76_137


@dataclass(frozen=True)
class Customers:
    """The customers of one batch, one element each; codes are positions in the settings.

    `number` is the customer's number in the whole company (from 1), `id_digits` the number
    of digits in its id. `start_date` is the first day a customer pays, or would have paid
    after a trial; `is_buyer` is whether it ever pays. `churn_factor` multiplies the rate
    of the bad drift and of leaving, `log_engagement` is the logarithm of weekly logins.
    """

    number: np.ndarray
    id_digits: int
    segment: np.ndarray
    country: np.ndarray
    channel: np.ndarray
    plan: np.ndarray
    cycle: np.ndarray
    cycle_months: np.ndarray
    payment_method: np.ndarray
    signup_date: np.ndarray
    start_date: np.ndarray
    start_month: np.ndarray
    start_day: np.ndarray
    is_trial: np.ndarray
    is_buyer: np.ndarray
    never_activates: np.ndarray
    has_usage: np.ndarray
    price_noise: np.ndarray
    churn_factor: np.ndarray
    log_engagement: np.ndarray

    def __len__(self) -> int:
        return len(self.number)

    def ids(self, rows: np.ndarray | slice = slice(None)) -> pa.Array:
        """The customer_id of each of `rows` (positions in the batch)."""
        return ids("C", (self.number[rows], self.id_digits))


def signup_shares(timeline: Timeline) -> np.ndarray:
    """The share of all customers that sign up in each month of the window; sums to 1."""
    months = np.arange(timeline.months)
    season = np.array(settings.SIGNUP_SEASON)[timeline.calendar_months]
    shares: np.ndarray = (1 + settings.SIGNUP_GROWTH_RATE) ** months * season
    shares[-1] *= timeline.as_of_day / np.diff(timeline.month_starts)[timeline.months - 1]
    shares[0] = 0.0
    if timeline.months == 1:
        return np.ones(1)
    shares *= (1 - settings.LAUNCH_SHARE) / shares.sum()
    shares[0] = settings.LAUNCH_SHARE
    return shares


def _draw_signups(rng: np.random.Generator, timeline: Timeline, rows: int) -> tuple[np.ndarray, ...]:
    """Month and date of each signup, on one of the month's first 28 days."""
    month = draw(rng, signup_shares(timeline), rows)
    last_day = np.where(month == timeline.months - 1, timeline.as_of_day, LAST_START_DAY)
    day = (rng.random(rows) * np.minimum(last_day, LAST_START_DAY)).astype(np.int32)
    return month, timeline.month_starts[month] + day


def _trial_ends(timeline: Timeline, signup_date: np.ndarray) -> np.ndarray:
    """The day each trial ends, moved back to the 28th if it would be later in the month."""
    end = signup_date + settings.TRIAL_DAYS
    day = end - timeline.month_starts[timeline.month_of(end)] + 1
    moved: np.ndarray = end - np.maximum(day - LAST_START_DAY, 0)
    return moved


def draw_customers(rng: np.random.Generator, timeline: Timeline, numbers: np.ndarray, id_digits: int) -> Customers:
    """Customers with the given numbers; those of the first month start without a trial."""
    rows = len(numbers)
    segment = draw(rng, [s.share for s in settings.SEGMENTS], rows)
    channel = draw(rng, [c.share for c in settings.CHANNELS], rows)
    plan = draw_by(rng, [s.plan_shares for s in settings.SEGMENTS], segment)
    cycle = draw_by(rng, [s.cycle_shares for s in settings.SEGMENTS], segment)
    signup_month, signup_date = _draw_signups(rng, timeline, rows)
    never_activates = rng.random(rows) < settings.NEVER_ACTIVATES_SHARE
    is_trial = (rng.random(rows) < settings.TRIAL_SHARE) & (signup_month > 0)
    conversion = np.where(never_activates, settings.TRIAL_CONVERSION_NEVER_ACTIVATED, settings.TRIAL_CONVERSION)
    start_date = np.where(is_trial, _trial_ends(timeline, signup_date), signup_date)
    start_month = timeline.month_of(start_date)
    return Customers(
        number=numbers,
        id_digits=id_digits,
        segment=segment,
        country=draw(rng, [share for _, share in settings.COUNTRIES], rows),
        channel=channel,
        plan=plan,
        cycle=cycle,
        cycle_months=np.array([months for _, months in settings.BILLING_CYCLES])[cycle],
        payment_method=draw_by(rng, [s.payment_method_shares for s in settings.SEGMENTS], segment),
        signup_date=signup_date,
        start_date=start_date,
        start_month=start_month,
        start_day=start_date - timeline.month_starts[start_month] + 1,
        is_trial=is_trial,
        is_buyer=(~is_trial | (rng.random(rows) < conversion)) & (start_date <= timeline.as_of),
        never_activates=never_activates,
        has_usage=rng.random(rows) >= settings.NO_USAGE_SHARE,
        price_noise=np.exp(rng.normal(0.0, settings.PRICE_NOISE, rows)),
        churn_factor=_churn_factor(segment, plan, channel),
        log_engagement=_log_engagement(rng, segment, channel, never_activates),
    )


def _churn_factor(segment: np.ndarray, plan: np.ndarray, channel: np.ndarray) -> np.ndarray:
    by_segment = np.array([s.churn_factor for s in settings.SEGMENTS])
    by_plan = np.array([p.churn_factor for p in settings.PLANS])
    by_channel = np.array([c.churn_factor for c in settings.CHANNELS])
    factor: np.ndarray = by_segment[segment] * by_plan[plan] * by_channel[channel]
    return factor


def _log_engagement(
    rng: np.random.Generator,
    segment: np.ndarray,
    channel: np.ndarray,
    never_activates: np.ndarray,
) -> np.ndarray:
    by_segment = np.log([s.weekly_logins for s in settings.SEGMENTS])
    by_channel = np.array([c.log_engagement for c in settings.CHANNELS])
    spread = rng.normal(0.0, settings.LOG_ENGAGEMENT_SPREAD, len(segment))
    idle = np.where(never_activates, settings.NEVER_ACTIVATED_LOG_SHIFT, 0.0)
    log_engagement: np.ndarray = by_segment[segment] + by_channel[channel] + spread + idle
    return log_engagement


def company_names(numbers: np.ndarray) -> pa.Array:
    """A readable name for each customer number; the first 123,200 are all different."""
    lists = (FIRST_WORDS, SECOND_WORDS, THIRD_WORDS, LEGAL_FORMS)
    rest = (numbers * NAME_STRIDE) % np.prod([len(words) for words in lists])
    words = []
    for names in lists:
        words.append(labels(names, rest % len(names)))
        rest = rest // len(names)
    first, second, third, legal_form = words
    second = pc.binary_join_element_wise(first, second, " ")
    return pc.binary_join_element_wise(second, third, legal_form, "")


def customers_table(customers: Customers, is_active: np.ndarray) -> pa.Table:
    """One row per customer; is_active is whether it pays at the as-of date."""
    return pa.table(
        {
            "customer_id": customers.ids(),
            "company_name": company_names(customers.number),
            "segment": labels([s.name for s in settings.SEGMENTS], customers.segment),
            "country": labels([name for name, _ in settings.COUNTRIES], customers.country),
            "acquisition_channel": labels([c.name for c in settings.CHANNELS], customers.channel),
            "signup_date": dates(customers.signup_date),
            "is_active": pa.array(is_active),
        }
    )
