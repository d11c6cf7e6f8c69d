"""The metrics sliced, and which slices moved revenue."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.tables import table
from rules.metrics.compile import UNKNOWN_MEMBER, metric_history, own_measures
from rules.metrics.models import MetricCatalog
from rules.metrics.periods import LAST_COMPLETE, read_at
from rules.rule_set import Rules
from rules.units import MONEY, months_between


@table(group="metrics", owner="team:finance", key=("metric_name", "dimension", "member"))
def kpi_by_segment(
    customer_months: ir.Table,
    customer_signals: ir.Table,
    churn_risk_profiles: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per metric, dimension and member, read at the same day or month as in kpi_summary.

    The dimensions are those of rules/segments.yaml; a member that is not given is 'Unknown'.
    customers counts the member's paying customers at the end of that month. value is in the
    metric's unit; NULL where the member has nothing to compute it from.
    """
    catalog, dimensions = rules.metric_catalog, rules.dimensions
    given = {
        "customer_months": customer_months,
        "customer_signals": customer_signals,
        "churn_risk_profiles": churn_risk_profiles,
    }
    models = {
        name: sliced(narrow(model, dimensions, looked_at(catalog, name)), dimensions) for name, model in given.items()
    }
    money = [name for name, metric in catalog.metrics.items() if metric.unit == "money"]
    flows = [name for name in catalog.metrics if read_at(catalog, name) == LAST_COMPLETE]
    months = read_months(calendar)
    history = metric_history(catalog, models, months, ["dimension", "member"]).drop("is_complete")
    keys = ["month", "dimension", "member"]
    # Sliced apart from the model: what two parts of a query share, DuckDB writes out in full.
    sizes = (
        sliced(customer_months.select("month", "paying_end", *dimensions), dimensions)
        .group_by(keys)
        .aggregate(customers=_.paying_end.sum())
    )
    table = history.join(months, "month").left_join(sizes, keys)
    present = table.filter(ibis.ifelse(_.metric_name.isin(flows), _.is_last_complete, _.is_last))
    return present.select(
        "metric_name",
        "dimension",
        "member",
        "value",
        amount=ibis.ifelse(_.metric_name.isin(money), _.value.cast(MONEY), ibis.null(MONEY)),
        customers=_.customers.fill_null(0),
    )


def narrow(model: ir.Table, dimensions: Sequence[str], columns: Sequence[str]) -> ir.Table:
    """A model's month, if it has one, its dimensions and these of its columns."""
    wanted = {"month", *dimensions, *columns}
    return model.select(*(name for name in model.columns if name in wanted))


def looked_at(catalog: MetricCatalog, model: str) -> list[str]:
    """The columns of a model that the catalog's measures look at."""
    uses = (use for metric in catalog.metrics.values() for use in own_measures(metric))
    measures = [use.measure for use in uses if use.model == model]
    return sorted({column for item in measures for column in (item.column, *(rule.column for rule in item.where))})


def sliced(model: ir.Table, dimensions: Sequence[str]) -> ir.Table:
    """Every row once per dimension, under the member that it belongs to."""
    slices = [
        model.mutate(dimension=ibis.literal(name), member=model[name].cast("string").fill_null(UNKNOWN_MEMBER))
        for name in dimensions
    ]
    return ibis.union(*slices) if len(slices) > 1 else slices[0]


def read_months(calendar: ir.Table) -> ir.Table:
    """The months that a present value is read at: the last one, and the last complete one."""
    complete = calendar.filter(_.is_complete).month.max().as_scalar()
    last = calendar.month.max().as_scalar()
    months = calendar.mutate(is_last=_.month == last, is_last_complete=(_.month == complete).fill_null(False))
    return months.filter(_.is_last | _.is_last_complete)


@table(group="metrics", owner="team:finance", key=("dimension", "member"))
def revenue_drivers(customer_months: ir.Table, calendar: ir.Table, rules: Rules) -> ir.Table:
    """Which members moved MRR in the last complete month: one row per dimension and member.

    mrr_before and mrr_after are at the end of the month before and of the month, each by what
    the customer was then, so that an upgrade leaves one plan and enters another. share_of_change
    is the member's part of the total change, and can be negative or above 1.
    """
    complete = calendar.filter(_.is_complete).month.max().as_scalar()
    months = narrow(customer_months, rules.dimensions, ["mrr_end"])
    months = months.mutate(distance=months_between(months.month, complete)).filter(_.distance.isin([0, 1]))
    table = (
        sliced(months, rules.dimensions)
        .group_by(["dimension", "member"])
        .aggregate(
            mrr_before=_.mrr_end.sum(where=_.distance == 1).fill_null(0).cast(MONEY),
            mrr_after=_.mrr_end.sum(where=_.distance == 0).fill_null(0).cast(MONEY),
        )
        .mutate(change=_.mrr_after - _.mrr_before)
    )
    total = _.change.sum().over(group_by="dimension").cast("float64").nullif(0)
    return table.mutate(share_of_change=_.change.cast("float64") / total)
