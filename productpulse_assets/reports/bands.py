"""Churn risk by band, as the reports show it."""

import ibis
import ibis.expr.types as ir
from ibis import _

from resources.tables import rows_of
from rules.churn_rules import ChurnRules

CUSTOMERS_SHOWN = 20
"""Customers at risk that the risk register shows of each band."""


def risk_bands(profiles: ir.Table, rules: ChurnRules) -> list[dict]:
    """Customers and MRR by risk band, the worst first, and how much the scores rest on.

    unknown counts those of whom too little is known to say whether they are at risk.
    """
    sums = profiles.group_by("risk_band").aggregate(
        customers=_.count(),
        mrr=_.mrr.sum(),
        known=_.signals_known.mean(),
        total=_.signals_total.max(),
        unknown=_.is_at_risk.isnull().sum(),
    )
    order = list(rules.bands)
    return sorted(rows_of(sums), key=lambda row: order.index(row["risk_band"]))


def most_at_risk(profiles: ir.Table) -> ir.Table:
    """The customers at risk who pay most, so many of each band; count is how many the band has.

    place is each one's number in the risk register, from 1, by revenue at risk over all bands.
    """
    at_risk = profiles.filter(_.is_at_risk == 1)
    order = [_.revenue_at_risk.desc(), _.risk_score.desc(), _.customer_id]
    placed = at_risk.mutate(
        place=ibis.row_number().over(order_by=order) + 1,
        place_in_band=ibis.row_number().over(group_by="risk_band", order_by=order),
        count=_.count().over(group_by="risk_band"),
    )
    return placed.filter(_.place_in_band < CUSTOMERS_SHOWN).drop("place_in_band").order_by("place")
