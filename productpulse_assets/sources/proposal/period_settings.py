"""Questions about the ends of subscriptions: the last day or the day after it, an end or a term that renews."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from ibis import _

from asset_checks.contracts import CONTRACTS
from asset_checks.periods import FEWEST_PERIODS, HABIT, followed_periods
from productpulse_assets.sources.proposal.dataset_settings import Matched
from productpulse_assets.sources.proposal.decisions import Change, Choice, Decision, Draft
from productpulse_assets.sources.proposal.price_units import Billing, subscription_rows
from productpulse_assets.sources.proposal.value_formats import DateReading
from resources.tables import rows_of

RUNNING = ("Active", "Past Due")


def ask_about_ends(draft: Draft, billing: Billing, datasets: Mapping[str, Matched]) -> None:
    """Ask whether end_date is the last day, and whether it is the end of a term that renews, where the rows show it."""
    if not all(billing.matches[column].is_mapped for column in ("customer_id", "start_date", "end_date")):
        return
    rows = subscription_rows(billing, ())
    (row,) = rows_of(followed_periods(rows))
    late, followed = row["next_after_end"], row["next_after_end"] + row["next_on_end"]
    if late >= FEWEST_PERIODS and late >= HABIT * followed:
        place = ("datasets", "subscriptions", "inclusive_ends")
        question = (
            f"Is end_date the last day that is paid for? {late:,} of {followed:,} periods end on the day before the "
            "customer's next one begins."
        )
        draft.ask(Decision(place, question, (Choice("true", (Change(place, True),)),), 0))
    newest = _newest_event(datasets)
    if newest is None:
        return
    running = rows.filter(_.status.isin(RUNNING))
    starts = rows.group_by("customer_id").aggregate(newest_start=_.start_date.max())
    last = running.join(starts, "customer_id").filter(_.start_date >= _.newest_start)
    (count,) = rows_of(last.aggregate(all=_.count(), ended=(_.end_date <= newest).sum().fill_null(0)))
    if count["ended"]:
        place = ("datasets", "subscriptions", "ends_of_active_rows")
        question = (
            f"{count['ended']:,} of {count['all']:,} rows that are Active or Past Due have an end_date before the "
            f"newest event ({newest}). Do such contracts renew? Otherwise they count as ended on that day."
        )
        draft.ask(Decision(place, question, (Choice("planned", (Change(place, "planned"),), "they renew"),)))


def _newest_event(datasets: Mapping[str, Matched]) -> dt.date | None:
    """The newest day in a column that dates events; planned ends are none."""
    days = [
        match.reading.last
        for matched in datasets.values()
        for column in CONTRACTS[matched.dataset].metadata["event_dates"]
        if isinstance((match := matched.columns[column]).reading, DateReading) and match.reading.last
    ]
    return max(days, default=None)
