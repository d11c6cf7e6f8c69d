"""What became of every kept row: counted in the facts, or the reason why not."""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.events import DATED
from productpulse_assets.facts.calendar import as_of_day
from productpulse_assets.tables import table
from rules.rule_set import Rules

COUNTED = "Counted"
AFTER = "After the as-of date"
NO_MONTH = "In no month of its customer"
NOT_PAID = "Trial or free of charge: no MRR"
BETWEEN = "Runs on no last day of a month: no MRR"
BEFORE = "Before the first month of the data"
NO_CUSTOMER = "No customer names this channel"
NO_METRIC = "No metric has this name"


@table(group="facts", owner="team:data", key=("dataset", "outcome"))
def fact_coverage(
    customers: ir.Table,
    subscriptions: ir.Table,
    transactions: ir.Table,
    product_usage: ir.Table,
    support_tickets: ir.Table,
    nps_scores: ir.Table,
    acquisition_channels: ir.Table,
    targets: ir.Table,
    acquisition_spend: ir.Table,
    annotations: ir.Table,
    customer_months: ir.Table,
    mrr_periods: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per dataset and outcome of its kept rows: the number that the figures count, or the reason why not.

    The rows of a dataset add up to its kept rows. is_counted is false where no figure counts them.
    """
    day = as_of_day(calendar)
    months = customer_months.select("customer_id", "month")
    activity = {
        "transactions": transactions,
        "product_usage": product_usage,
        "support_tickets": support_tickets,
        "nps_scores": nps_scores,
    }
    outcomes = {
        "customers": customer_outcomes(customers, months, day),
        "subscriptions": subscription_outcomes(subscriptions, mrr_periods, calendar, day),
        **event_outcomes(activity, months, day),
        "acquisition_channels": channel_outcomes(acquisition_channels, customers),
        "targets": target_outcomes(targets, day, rules),
        "acquisition_spend": dated_outcomes(acquisition_spend, "month", calendar, day),
        "annotations": dated_outcomes(annotations, "date", calendar, day),
    }
    counts = [
        table.group_by("outcome").aggregate(rows=_.count()).mutate(dataset=ibis.literal(name))
        for name, table in outcomes.items()
    ]
    return ibis.union(*counts).select("dataset", "outcome", "rows", is_counted=_.outcome == COUNTED)


def customer_outcomes(customers: ir.Table, months: ir.Table, day: ir.Table) -> ir.Table:
    """The outcome of each customer."""
    found = months.select("customer_id").distinct().mutate(has_month=True)
    table = customers.left_join(found, "customer_id").cross_join(day)
    return table.select(
        outcome=ibis.cases(
            (table.has_month.fill_null(False), COUNTED), (table.signup_date > table.as_of_date, AFTER), else_=NO_MONTH
        )
    )


def subscription_outcomes(
    subscriptions: ir.Table, mrr_periods: ir.Table, calendar: ir.Table, day: ir.Table
) -> ir.Table:
    """The outcome of each period: MRR counts those that are paid for on the last day of a month."""
    on_month_end = mrr_periods.join(
        calendar,
        [
            mrr_periods.from_day <= calendar.month_end,
            mrr_periods.until_day.isnull() | (mrr_periods.until_day > calendar.month_end),
        ],
    )
    counted = on_month_end.select("subscription_id").distinct().mutate(has_month=True)
    is_paid = (subscriptions.status != "Trial") & (subscriptions.monthly_price > 0)
    table = subscriptions.mutate(is_paid=is_paid).left_join(counted, "subscription_id").cross_join(day)
    return table.select(
        outcome=ibis.cases(
            (table.has_month.fill_null(False), COUNTED),
            (table.start_date > table.as_of_date, AFTER),
            (~table.is_paid, NOT_PAID),
            else_=BETWEEN,
        )
    )


def event_outcomes(activity: Mapping[str, ir.Table], months: ir.Table, day: ir.Table) -> dict[str, ir.Table]:
    """The outcome of each event: it counts in the month of its customer that it is dated in."""
    found = months.mutate(has_month=True)
    outcomes = {}
    for name, events in activity.items():
        dated = events.select("customer_id", day=events[DATED[name][0]]).mutate(month=_.day.truncate("month"))
        table = dated.left_join(found, ["customer_id", "month"]).cross_join(day)
        outcomes[name] = table.select(
            outcome=ibis.cases(
                (table.day > table.as_of_date, AFTER), (table.has_month.fill_null(False), COUNTED), else_=NO_MONTH
            )
        )
    return outcomes


def channel_outcomes(acquisition_channels: ir.Table, customers: ir.Table) -> ir.Table:
    """The outcome of each channel: its cost counts where a customer was acquired through it."""
    used = customers.select(channel_name="acquisition_channel").distinct().mutate(is_used=True)
    table = acquisition_channels.left_join(used, "channel_name")
    return table.select(outcome=ibis.ifelse(table.is_used.fill_null(False), COUNTED, NO_CUSTOMER))


def dated_outcomes(table: ir.Table, column: str, calendar: ir.Table, day: ir.Table) -> ir.Table:
    """The outcome of each row that belongs to a month of the calendar."""
    dated = table.select(day=table[column]).cross_join(day).cross_join(calendar.aggregate(first=_.month.min()))
    return dated.select(
        outcome=ibis.cases((dated.day > dated.as_of_date, AFTER), (dated.day < dated["first"], BEFORE), else_=COUNTED)
    )


def target_outcomes(targets: ir.Table, day: ir.Table, rules: Rules) -> ir.Table:
    """The outcome of each target."""
    table, metrics = targets.cross_join(day), rules.metric_catalog.metrics
    names = {each for name, metric in metrics.items() for each in metric.names_in_targets(name)}
    is_metric = table.metric_name.lower().isin(sorted(names))
    return table.select(
        outcome=ibis.cases((~is_metric, NO_METRIC), (table.date > table.as_of_date, AFTER), else_=COUNTED)
    )
