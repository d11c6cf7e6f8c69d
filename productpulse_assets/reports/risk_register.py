"""Which customers are at risk and where money leaks, on paper."""

import dagster as dg
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.reports.bands import risk_bands
from productpulse_assets.reports.markdown import render
from resources.tables import rows_of
from rules.churn_rules import load_churn_rules
from rules.files import load
from rules.models import Sources

CUSTOMERS_SHOWN = 40
CASES_SHOWN = 25


@dg.asset(group_name="reports", owners=["team:customer-success"], kinds={"markdown"}, io_manager_key="reports")
def risk_register(
    churn_risk_profiles: ir.Table,
    churn_evidence: ir.Table,
    revenue_leakage: ir.Table,
    leakage_summary: ir.Table,
    customers: ir.Table,
    calendar: ir.Table,
) -> str:
    """Customers at risk with their reasons, what drives risk overall, and the leakage by kind and case."""
    names = customers.select("customer_id", "company_name")
    rules = load_churn_rules()
    at_risk = churn_risk_profiles.filter(_.risk_band.isin(rules.revenue_at_risk_bands)).left_join(names, "customer_id")
    worst = at_risk.order_by(_.revenue_at_risk.desc(), _.risk_score.desc(), _.customer_id).limit(CUSTOMERS_SHOWN)
    leaks = revenue_leakage.left_join(names, "customer_id").order_by(_.estimated_revenue_loss.desc(), _.leakage_id)
    return render(
        "risk_register",
        currency=load("sources", Sources).reporting_currency,
        as_of=rows_of(calendar)[0]["as_of_date"],
        bands=risk_bands(churn_risk_profiles),
        at_risk_count=int(at_risk.count().execute()),
        customers=rows_of(worst),
        drivers=_drivers(churn_evidence, churn_risk_profiles),
        kinds=rows_of(leakage_summary.order_by(_.estimated_revenue_loss.desc(nulls_first=False), _.leakage_type)),
        case_count=int(revenue_leakage.count().execute()),
        cases=rows_of(leaks.limit(CASES_SHOWN)),
    )


def _drivers(evidence: ir.Table, profiles: ir.Table) -> list[dict]:
    """How many customers each rule fired for, and what they pay."""
    paid = evidence.join(profiles.select("customer_id", "mrr"), "customer_id")
    sums = paid.group_by("rule_id", "driver_label").aggregate(customers=_.count(), mrr=_.mrr.sum())
    return rows_of(sums.order_by(_.customers.desc(), _.rule_id))
