"""Support tickets and answers to the NPS question.

The counts and scores of each month are drawn for every customer first, because churn depends on
them; the rows are built once the dates of the subscriptions are drawn.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import dates, draw, draw_by, ids, labels, sequence_within, whole_numbers
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.engagement import Engagement
from productpulse_assets.synthetic.tenures import Tenures
from productpulse_assets.synthetic.timeline import Timeline

NO_ANSWER = -1
DETRACTOR_SCORE = 6


@dataclass(frozen=True)
class Voice:
    """Tickets opened and NPS score (NO_ANSWER if none) of each customer in each month."""

    tickets: np.ndarray
    score: np.ndarray


def draw_voice(rng: np.random.Generator, engagement: Engagement) -> Voice:
    """Draw tickets and scores: more tickets and lower scores on a bad drift."""
    drifting = engagement.is_drifting()
    tickets = rng.poisson(np.array(settings.TICKET_RATES)[drifting]).astype(np.int8)
    mean = np.array(settings.NPS_MEAN_SCORES, dtype=np.float32)[drifting]
    spread = rng.standard_normal(drifting.shape, dtype=np.float32) * settings.NPS_SPREAD
    score = np.clip(np.rint(mean + spread), 0, 10).astype(np.int8)
    answers = rng.random(drifting.shape) < np.array(settings.NPS_RESPONSE_RATES)[drifting]
    return Voice(tickets, np.where(answers, score, NO_ANSWER).astype(np.int8))


def _draw_events(
    rng: np.random.Generator, timeline: Timeline, tenures: Tenures, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customer, month and date of `counts` events per customer and month, within its tenure."""
    customer, month = np.nonzero(counts)
    repeats = counts[customer, month]
    customer, month = np.repeat(customer, repeats), np.repeat(month, repeats)
    length = np.diff(timeline.month_starts)[month]
    date = timeline.month_starts[month] + (rng.random(len(month)) * length).astype(np.int32)
    is_inside = tenures.covers(customer, date) & (date <= timeline.as_of)
    customer, month, date = customer[is_inside], month[is_inside], date[is_inside]
    order = np.lexsort((date, customer))
    return customer[order], month[order], date[order]


def _ids(prefix: str, customers: Customers, customer: np.ndarray) -> pa.Array:
    number = (customers.number[customer], customers.id_digits)
    return ids(prefix, number, (sequence_within(customer), 4))


def tickets_table(
    rng: np.random.Generator,
    customers: Customers,
    engagement: Engagement,
    *,
    tenures: Tenures,
    voice: Voice,
    timeline: Timeline,
) -> pa.Table:
    """One row per support ticket; open ones have no date_closed and no resolution time."""
    customer, month, opened = _draw_events(rng, timeline, tenures, voice.tickets)
    drifting = engagement.is_drifting()[customer, month]
    priority = draw_by(rng, settings.TICKET_PRIORITY_SHARES, drifting)
    typical = np.array([hours for _, hours in settings.TICKET_PRIORITIES])[priority]
    hours = np.round(typical * np.exp(rng.normal(0.0, 0.8, len(customer))), 1)
    closed = opened + np.floor(hours / 24).astype(np.int32)
    stays_open = rng.random(len(customer)) < np.array(settings.OPEN_TICKET_SHARES)[drifting]
    is_closed = (closed <= timeline.as_of) & ~stays_open
    category = draw(rng, np.ones(len(settings.TICKET_CATEGORIES)), len(customer))
    return pa.table(
        {
            "ticket_id": _ids("K", customers, customer),
            "customer_id": customers.ids(customer),
            "date_opened": dates(opened),
            "status": labels(("Open", "Closed"), is_closed.astype(np.int8)),
            "date_closed": dates(closed, is_closed),
            "priority": labels([name for name, _ in settings.TICKET_PRIORITIES], priority),
            "category": labels(settings.TICKET_CATEGORIES, category),
            "resolution_time_hours": pa.array(hours, mask=~is_closed),
        }
    )


def nps_table(
    rng: np.random.Generator,
    customers: Customers,
    tenures: Tenures,
    voice: Voice,
    timeline: Timeline,
) -> pa.Table:
    """One row per answer to the NPS question, score 0 to 10."""
    answers = (voice.score != NO_ANSWER).astype(np.int8)
    customer, month, date = _draw_events(rng, timeline, tenures, answers)
    category = draw(rng, np.ones(len(settings.FEEDBACK_CATEGORIES)), len(customer))
    return pa.table(
        {
            "score_id": _ids("N", customers, customer),
            "customer_id": customers.ids(customer),
            "date": dates(date),
            "score": whole_numbers(voice.score[customer, month]),
            "feedback_category": labels(settings.FEEDBACK_CATEGORIES, category),
        }
    )
