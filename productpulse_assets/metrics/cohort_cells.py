"""The retention of cohorts of any customers: pages compute it too, so nothing here imports Dagster."""

import ibis
import ibis.expr.types as ir
from ibis import _

from rules.units import MONEY

ALL = "All"
SEGMENT = ("segment", "is_total")


def cohort_cells(customer_months: ir.Table) -> ir.Table:
    """The rows of cohort_summary for the customers of these rows of customer_months."""
    members = customer_months.filter(_.months_since_cohort.notnull())
    cells = with_total(members).group_by([*SEGMENT, "cohort_month", "months_since_cohort"])
    curve = cells.aggregate(retained_customers=_.paying_end.sum(), mrr=_.mrr_end.sum().cast(MONEY))
    first = curve.filter(_.months_since_cohort == 0).select(
        *SEGMENT, "cohort_month", customers="retained_customers", first_mrr="mrr"
    )
    joined = curve.join(first, [*SEGMENT, "cohort_month"])
    return joined.select(
        *SEGMENT,
        "cohort_month",
        "months_since_cohort",
        "customers",
        "retained_customers",
        retention_rate=joined.retained_customers.cast("float64") / joined.customers,
        mrr=joined.mrr,
        mrr_retention_rate=joined.mrr.cast("float64") / joined.first_mrr.cast("float64"),
    )


def with_total(table: ir.Table) -> ir.Table:
    """Each row twice: in its segment and in the total."""
    by_segment = table.mutate(segment=table.segment.fill_null("Unknown"), is_total=ibis.literal(False))
    return by_segment.union(table.mutate(segment=ibis.literal(ALL), is_total=ibis.literal(True)))
