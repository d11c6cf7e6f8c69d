"""Who tries the product, until when, and whether it paid afterwards."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.billing import paying
from productpulse_assets.facts.calendar import as_of_day
from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.units import days_later, first_of_month
from rules.windows import active_on

RUNNING, CONVERTED, NOT_CONVERTED = "Running", "Converted", "Not Converted"

SETTLING_DAYS = 7
"""A trial that ended fewer days ago without a paid period can still be followed by one."""


@table(group="facts", owner="team:growth", key=("customer_id",))
def trials(subscriptions: ir.Table, calendar: ir.Table) -> ir.Table:
    """One row per customer with a trial that began by the as-of date: until when, and what became of it.

    outcome is Converted if a paid period began since, Running if the trial is not over, else Not Converted. ends_on is
    the day after the last day of the trial. If the data has no end of a running trial, it is computed from the most
    frequent length of finished trials (is_end_estimated), and NULL if there is none. is_settled is false while the
    outcome can still change: for a running trial, and in the first days after one without a paid period.
    """
    day = as_of_day(calendar).select("as_of_date")
    periods = subscriptions.filter(_.status == "Trial").cross_join(day).filter(_.start_date <= _.as_of_date)
    begun = periods.group_by("customer_id", "as_of_date").aggregate(
        plan=_.plan.argmax(_.start_date),
        started_on=_.start_date.min(),
        last_start=_.start_date.max(),
        last_end=_.end_date.max(),
        is_running=active_on(periods, periods.as_of_date).any(),
    )
    paid = paying(subscriptions).cross_join(day).filter(_.start_date <= _.as_of_date)
    firsts = paid.join(begun.select("customer_id", "started_on"), "customer_id").filter(_.start_date >= _.started_on)
    table = begun.pipe(
        left_join_unique, firsts.group_by("customer_id").aggregate(converted_on=_.start_date.min())
    ).cross_join(usual_length(periods))
    outcome = ibis.cases((table.converted_on.notnull(), CONVERTED), (table.is_running, RUNNING), else_=NOT_CONVERTED)
    has_end = ~table.is_running | (table.last_end > table.as_of_date).fill_null(False)
    ends_on = ibis.ifelse(has_end, table.last_end, days_later(table.last_start, table.usual_days))
    settled = table.mutate(outcome=outcome, ends_on=ends_on, is_end_estimated=~has_end & ends_on.notnull())
    days_over = settled.as_of_date.delta(settled.ends_on, unit="day")
    return settled.select(
        "customer_id",
        "plan",
        "started_on",
        "ends_on",
        "is_end_estimated",
        "outcome",
        "converted_on",
        is_settled=(_.outcome == CONVERTED) | ((_.outcome == NOT_CONVERTED) & (days_over >= SETTLING_DAYS)),
    )


def usual_length(periods: ir.Table) -> ir.Table:
    """One row: usual_days, the most frequent length of the finished trials in days, the longest of several."""
    ended = periods.filter(_.end_date.notnull(), _.end_date <= _.as_of_date)
    lengths = ended.group_by(days=ended.end_date.delta(ended.start_date, unit="day")).aggregate(uses=_.count())
    order = ibis.struct({"uses": lengths.uses, "days": lengths.days})
    return lengths.aggregate(usual_days=lengths.days.argmax(order).cast("int64"))


@table(group="facts", owner="team:growth", key=("month_begun",))
def trial_conversion(trials: ir.Table) -> ir.Table:
    """One row per month in which trials began: how many are over, and how many of these customers pay.

    conversion_rate is converted / finished, NULL while a trial of the month is not settled (is_mature is false): the
    rate would be too low or too high. conversion_to_date is the same of the finished ones so far, NULL without one.
    """
    by_month = trials.group_by(month_begun=first_of_month(trials.started_on)).aggregate(
        trials=_.count(),
        running=(_.outcome == RUNNING).sum(),
        finished=(_.outcome != RUNNING).sum(),
        converted=(_.outcome == CONVERTED).sum(),
        is_mature=_.is_settled.all(),
    )
    rate = by_month.converted.cast("float64") / by_month.finished.nullif(0)
    return by_month.mutate(
        conversion_rate=ibis.ifelse(by_month.is_mature, rate, ibis.null("float64")), conversion_to_date=rate
    )
