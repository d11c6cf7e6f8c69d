"""Churn risk by band, for several reports."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.charts.look import Row
from resources.tables import rows_of
from rules.churn_rules import ChurnRules

CUSTOMERS_SHOWN = 20
"""The largest number of customers at risk that the risk register lists in each band."""


def risk_bands(profiles: ir.Table, rules: ChurnRules) -> list[Row]:
    """Customers and MRR per risk band, the highest risk first.

    known: the average number of known signals per customer, out of total; unknown: the number of customers for whom
    too few signals are known to decide whether they are at risk.
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
    """The customers at risk with the most revenue at risk: up to CUSTOMERS_SHOWN of each band.

    count: the number of customers at risk in the band; place: the customer's number in the risk register, from 1, by
    revenue at risk over all bands.
    """
    at_risk = profiles.filter(_.is_at_risk == 1)
    order = [_.revenue_at_risk.desc(), _.risk_score.desc(), _.customer_id]
    ranked = at_risk.mutate(
        place=ibis.row_number().over(order_by=order) + 1,
        place_in_band=ibis.row_number().over(group_by="risk_band", order_by=order),
        count=_.count().over(group_by="risk_band"),
    )
    return ranked.filter(_.place_in_band < CUSTOMERS_SHOWN).drop("place_in_band").order_by("place")
