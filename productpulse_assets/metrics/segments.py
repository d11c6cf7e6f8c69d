"""Metrics by segment, and the segments whose MRR changed most."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.metrics.member_changes import member_changes, slices, with_dimensions
from productpulse_assets.tables import table
from rules.metrics.compile import metric_history, own_measures
from rules.metrics.models import MetricCatalog
from rules.metrics.periods import LAST_COMPLETE, read_at
from rules.rule_set import Rules
from rules.units import MONEY


@table(group="metrics", owner="team:finance", key=("metric_name", "dimension", "member", "month"))
def kpi_by_segment(
    customer_months: ir.Table,
    customer_signals: ir.Table,
    churn_risk_profiles: ir.Table,
    renewals: ir.Table,
    acquisition_costs: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per metric, dimension, member and month, as kpi_history has it for the whole company.

    The dimensions are those of rules/segments.yaml; a missing member is 'Unknown'. is_latest: the month is the one
    that kpi_summary is read in. customers is the number of the member's paying customers at the end of the month.
    value is in the metric's unit; NULL where the member has nothing to compute it from, which only rows of the latest
    month show, of members with customers.
    """
    catalog, dimensions = rules.metric_catalog, rules.dimensions
    tables = {
        "customer_months": customer_months,
        "customer_signals": customer_signals,
        "churn_risk_profiles": churn_risk_profiles,
        "renewals": renewals,
        "acquisition_costs": acquisition_costs,
    }
    models = {
        name: slices(with_dimensions(table, dimensions, measured_columns(catalog, name)), dimensions)
        for name, table in tables.items()
    }
    months = read_months(calendar)
    history = metric_history(catalog, models, months, ["dimension", "member"]).drop("is_complete")
    # The sizes have slices of their own: DuckDB writes out in full what two parts of a query share.
    sizes = member_sizes(with_dimensions(customer_months, dimensions, ["paying_end"]), dimensions)
    flows = [name for name in catalog.metrics if read_at(catalog, name) == LAST_COMPLETE]
    money = [name for name, metric in catalog.metrics.items() if metric.unit == "money"]
    dated = history.join(months, "month").left_join(sizes, ["month", "dimension", "member"])
    dated = dated.mutate(is_latest=ibis.ifelse(_.metric_name.isin(flows), _.is_last_complete, _.is_last))
    # Spend without a new customer belongs to no segment: it makes no member of its own.
    return dated.filter((_.is_latest & _.customers.notnull()) | _.value.notnull()).select(
        "metric_name", "dimension", "member", "month", "is_complete", "is_latest", "value",
        amount=ibis.ifelse(_.metric_name.isin(money), _.value.cast(MONEY), ibis.null(MONEY)),
        customers=_.customers.fill_null(0),
    )  # fmt: skip


def measured_columns(catalog: MetricCatalog, model: str) -> list[str]:
    """The columns of a model that the catalog's measures use."""
    uses = (use for metric in catalog.metrics.values() for use in own_measures(metric))
    measures = [use.measure for use in uses if use.model == model]
    return sorted({column for item in measures for column in (item.column, *(rule.column for rule in item.where))})


def member_sizes(customer_months: ir.Table, dimensions: Sequence[str]) -> ir.Table:
    """By month, dimension and member: the number of paying customers at the month's end."""
    members = slices(customer_months, dimensions).group_by(["month", "dimension", "member"])
    return members.aggregate(customers=_.paying_end.sum())


def read_months(calendar: ir.Table) -> ir.Table:
    """The months, with those that present values are read from: is_last, and is_last_complete of those over."""
    complete = calendar.filter(_.is_complete).month.max().as_scalar()
    last = calendar.month.max().as_scalar()
    return calendar.select(
        "month", "is_complete", is_last=_.month == last, is_last_complete=(_.month == complete).fill_null(False)
    )


@table(group="metrics", owner="team:finance", key=("dimension", "member"))
def revenue_drivers(customer_months: ir.Table, calendar: ir.Table, rules: Rules) -> ir.Table:
    """One row per dimension and member: the change of its MRR in the last complete month.

    mrr_before and mrr_after are the MRR at the end of the month before and of the month, each by the
    customer's member at that time: an upgrade is a loss of one plan and a gain of another. share_of_change
    is the member's part of the total change; it can be negative or above 1. change_quantity to change_discount are
    what each cause added to the MRR of customers who stayed, less what it removed, and change_fx what exchange
    rates changed.
    """
    return member_changes(customer_months, calendar, rules.dimensions)
