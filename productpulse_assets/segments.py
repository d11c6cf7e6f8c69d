"""The metrics sliced, and which slices moved revenue."""

import dagster as dg
import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.contracts import DIMENSIONS
from rules.catalog import load_catalog
from rules.compile import MONEY, UNKNOWN_MEMBER, metric_history
from rules.periods import LAST_COMPLETE, read_at

TABLE = {"group_name": "metrics", "owners": ["team:finance"], "kinds": {"duckdb"}, "io_manager_key": "warehouse"}


@dg.asset(**TABLE, metadata={"key": ["metric_name", "dimension", "member"]})
def kpi_by_segment(customer_months: ir.Table, customer_signals: ir.Table, calendar: ir.Table) -> ir.Table:
    """One row per metric, dimension and member, read at the same day or month as in kpi_summary.

    The dimensions are those of rules/segments.yaml; a member that is not given is 'Unknown'.
    customers counts the member's paying customers at the end of that month. value is in the
    metric's unit; NULL where the member has nothing to compute it from.
    """
    catalog = load_catalog()
    models = {"customer_months": customer_months, "customer_signals": customer_signals}
    months = read_months(calendar)
    money = [name for name, metric in catalog.metrics.items() if metric.unit == "money"]
    slices = [
        members_of(dimension, metric_history(catalog, models, months, [dimension]), customer_months)
        for dimension in DIMENSIONS
    ]
    flows = [name for name in catalog.metrics if read_at(catalog, name) == LAST_COMPLETE]
    table = (ibis.union(*slices) if len(slices) > 1 else slices[0]).join(months, "month")
    wanted = ibis.ifelse(_.metric_name.isin(flows), _.is_last_complete, _.is_last)
    amount = ibis.ifelse(_.metric_name.isin(money), _.value.cast(MONEY), ibis.null(MONEY))
    present = table.filter(wanted).mutate(amount=amount)
    return present.select("metric_name", "dimension", "member", "value", "amount", "customers")


def read_months(calendar: ir.Table) -> ir.Table:
    """The months that a present value is read at: the last one, and the last complete one."""
    complete = calendar.filter(_.is_complete).month.max().as_scalar()
    last = calendar.month.max().as_scalar()
    months = calendar.mutate(is_last=_.month == last, is_last_complete=(_.month == complete).fill_null(False))
    return months.filter(_.is_last | _.is_last_complete)


def members_of(dimension: str, history: ir.Table, customer_months: ir.Table) -> ir.Table:
    """The values of a dimension's members, with how many customers of each pay."""
    named = customer_months.mutate(member=customer_months[dimension].cast("string").fill_null(UNKNOWN_MEMBER))
    sizes = named.group_by(["month", "member"]).aggregate(customers=_.paying_end.sum())
    joined = history.rename(member=dimension).left_join(sizes, ["month", "member"])
    return joined.select(
        "metric_name", "month", "member", "value", dimension=ibis.literal(dimension), customers=_.customers.fill_null(0)
    )


@dg.asset(**TABLE, metadata={"key": ["dimension", "member"]})
def revenue_drivers(customer_months: ir.Table, calendar: ir.Table) -> ir.Table:
    """Which members moved MRR in the last complete month: one row per dimension and member.

    mrr_before and mrr_after are at the end of the month before and of the month, each by what
    the customer was then, so that an upgrade leaves one plan and enters another. share_of_change
    is the member's part of the total change, and can be negative or above 1.
    """
    complete = calendar.filter(_.is_complete).month.max().as_scalar()
    months = customer_months.mutate(distance=months_before(complete, customer_months.month)).filter(
        _.distance.isin([0, 1])
    )
    moves = [
        months.group_by(
            dimension=ibis.literal(name), member=_[name].cast("string").fill_null(UNKNOWN_MEMBER)
        ).aggregate(
            mrr_before=_.mrr_end.sum(where=_.distance == 1).fill_null(0).cast(MONEY),
            mrr_after=_.mrr_end.sum(where=_.distance == 0).fill_null(0).cast(MONEY),
        )
        for name in DIMENSIONS
    ]
    table = (ibis.union(*moves) if len(moves) > 1 else moves[0]).mutate(change=_.mrr_after - _.mrr_before)
    total = _.change.sum().over(group_by="dimension").cast("float64").nullif(0)
    return table.mutate(share_of_change=_.change.cast("float64") / total)


def months_before(later: ir.DateScalar, month: ir.DateColumn) -> ir.IntegerColumn:
    return (later.year() - month.year()) * 12 + later.month() - month.month()
