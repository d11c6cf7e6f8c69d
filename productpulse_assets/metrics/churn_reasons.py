"""The reasons for which customers left, ranked by the MRR that left with them."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.units import MONEY, months_between
from rules.windows import CHURN_MONTHS

NO_REASON = "No reason given"


@table(group="metrics", owner="team:customer-success", key=("reason_rank",))
def churn_reasons(customer_months: ir.Table, churn_lookback: ir.Table, calendar: ir.Table) -> ir.Table:
    """One row per reason and type of churn of the last 12 months, the present one included.

    churned_customers counts customer-months that churned; mrr_churned is the MRR that left, share_of_mrr its part of
    all. reason_rank orders by MRR. Customers without a reason are one row per type. at_risk_before counts those whom
    the rules had in a band at risk at least 90 days before, known_before those of whom that is known.
    """
    last = calendar.month.max().as_scalar()
    churned = customer_months.filter(_.is_churned == 1, months_between(customer_months.month, last) < CHURN_MONTHS)
    before = churn_lookback.select("customer_id", "month", "is_at_risk")
    churned = left_join_unique(churned, before, ["customer_id", "month"])
    churned = churned.mutate(reason=churned.churn_reason.fill_null(NO_REASON))
    reasons = churned.group_by(["reason", "churn_type"]).aggregate(
        churned_customers=_.count(),
        mrr_churned=_.mrr_churned.sum().cast(MONEY),
        at_risk_before=_.is_at_risk.sum(),
        known_before=_.is_at_risk.count(),
    )
    total = reasons.mrr_churned.sum().over(ibis.window()).cast("float64").nullif(0)
    order = ibis.window(order_by=[reasons.mrr_churned.desc(), reasons.reason, reasons.churn_type])
    return reasons.select(
        reason_rank=ibis.row_number().over(order) + 1,
        reason=_.reason,
        churn_type=_.churn_type,
        churned_customers=_.churned_customers,
        mrr_churned=_.mrr_churned,
        share_of_mrr=reasons.mrr_churned.cast("float64") / total,
        at_risk_before=_.at_risk_before,
        known_before=_.known_before,
    )
