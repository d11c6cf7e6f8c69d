"""Which members changed the MRR of any customers: pages compute it too, so nothing here imports Dagster."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
from ibis import _

from rules.metrics.compile import UNKNOWN_MEMBER
from rules.mrr_policy import CAUSES
from rules.units import MONEY, months_between


def member_changes(customer_months: ir.Table, calendar: ir.Table, dimensions: Sequence[str]) -> ir.Table:
    """The rows of revenue_drivers for the customers of these rows of customer_months."""
    complete = calendar.filter(_.is_complete).month.max().as_scalar()
    causes = {f"mrr_{whole}_{cause}" for whole in ("expansion", "contraction") for cause in CAUSES}
    months = with_dimensions(customer_months, dimensions, ["mrr_end", "mrr_fx", *sorted(causes)])
    months = months.mutate(distance=months_between(months.month, complete)).filter(_.distance.isin([0, 1]))
    table = (
        slices(months, dimensions)
        .group_by(["dimension", "member"])
        .aggregate(
            mrr_before=_.mrr_end.sum(where=_.distance == 1).fill_null(0).cast(MONEY),
            mrr_after=_.mrr_end.sum(where=_.distance == 0).fill_null(0).cast(MONEY),
            **{
                f"change_{cause}": (_[f"mrr_expansion_{cause}"] - _[f"mrr_contraction_{cause}"])
                .sum(where=_.distance == 0)
                .fill_null(0)
                .cast(MONEY)
                for cause in CAUSES
            },
            change_fx=_.mrr_fx.sum(where=_.distance == 0).fill_null(0).cast(MONEY),
        )
        .mutate(change=_.mrr_after - _.mrr_before)
    )
    total = _.change.sum().over(group_by="dimension").cast("float64").nullif(0)
    return table.mutate(share_of_change=_.change.cast("float64") / total)


def with_dimensions(model: ir.Table, dimensions: Sequence[str], columns: Sequence[str]) -> ir.Table:
    """The given columns of a model with its dimensions, and its month if it has one."""
    wanted = {"month", *dimensions, *columns}
    return model.select(*(name for name in model.columns if name in wanted))


def slices(model: ir.Table, dimensions: Sequence[str]) -> ir.Table:
    """Each row once per dimension, with the member that it belongs to."""
    tables = [
        model.mutate(dimension=ibis.literal(name), member=model[name].cast("string").fill_null(UNKNOWN_MEMBER))
        for name in dimensions
    ]
    return ibis.union(*tables) if len(tables) > 1 else tables[0]
