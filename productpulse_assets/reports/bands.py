"""Churn risk by band, as the reports show it."""

import ibis.expr.types as ir
from ibis import _

from resources.tables import rows_of
from rules.churn_rules import load_churn_rules


def risk_bands(profiles: ir.Table) -> list[dict]:
    """Customers and MRR by risk band, the worst first, and how much the scores rest on."""
    sums = profiles.group_by("risk_band").aggregate(
        customers=_.count(), mrr=_.mrr.sum(), known=_.signals_known.mean(), total=_.signals_total.max()
    )
    order = list(load_churn_rules().bands)
    return sorted(rows_of(sums), key=lambda row: order.index(row["risk_band"]))
