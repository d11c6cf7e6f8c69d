"""What must hold in every table that is published, whatever the data."""

from collections.abc import Iterator

import dagster as dg
import ibis.expr.types as ir
from ibis import _

from asset_checks.checks import Check


def bridge_breaks(customer_months: ir.Table) -> ir.Table:
    """The customer-months whose movements do not lead from opening to closing MRR."""
    gains = _.mrr_new + _.mrr_reactivation + _.mrr_expansion
    losses = _.mrr_contraction + _.mrr_churned
    return customer_months.filter(_.mrr_end != _.mrr_start + gains - losses)


def mrr_bridge_results(customer_months: ir.Table) -> Iterator[dg.AssetCheckResult]:
    """Whether the bridge adds up in every row."""
    broken = bridge_breaks(customer_months)
    rows = int(broken.count().execute())
    first = broken.select("customer_id", "month").limit(1).execute().to_dict("records") if rows else []
    yield dg.AssetCheckResult(
        asset_key="customer_months",
        check_name="mrr_bridge",
        passed=rows == 0,
        description=f"{rows:,} customer-months break the bridge, for example {first[0]}."
        if rows
        else "The bridge adds up in every customer-month.",
        metadata={"rows": rows},
    )


MRR_BRIDGE = Check(
    specs=(
        dg.AssetCheckSpec(
            "mrr_bridge",
            asset="customer_months",
            blocking=True,
            description="mrr_end = mrr_start + new + reactivation + expansion - contraction - churned, in every row.",
        ),
    ),
    inputs=("customer_months",),
    evaluate=mrr_bridge_results,
)
