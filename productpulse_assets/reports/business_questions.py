"""The questions people ask every month, answered."""

import dagster as dg
import ibis.expr.types as ir

from productpulse_assets.reports.markdown import render
from resources.tables import rows_of
from rules.catalog import load_catalog
from rules.files import load
from rules.models import Sources
from rules.questions import Listing, answered, listed, load_questions


@dg.asset(group_name="reports", owners=["team:finance"], kinds={"markdown"}, io_manager_key="reports")
def business_questions(
    kpi_summary: ir.Table,
    intervention_plan: ir.Table,
    churn_risk_profiles: ir.Table,
    leakage_summary: ir.Table,
    scenario_analysis: ir.Table,
    calendar: ir.Table,
) -> str:
    """Each question of rules/business_questions.yaml with its answer and where to look further."""
    present = {row["metric_name"]: row for row in rows_of(kpi_summary)}
    currency = load("sources", Sources).reporting_currency
    questions = load_questions(load_catalog()).questions
    tables = {
        "intervention_plan": intervention_plan,
        "churn_risk_profiles": churn_risk_profiles,
        "leakage_summary": leakage_summary,
        "scenario_analysis": scenario_analysis,
    }
    return render(
        "business_questions",
        as_of=rows_of(calendar)[0]["as_of_date"],
        questions=[
            (item, answered(item, present, currency), first_lines(item.listing, tables, currency)) for item in questions
        ],
        labels={name: row["label"] for name, row in present.items()},
    )


LISTABLE = ("intervention_plan", "churn_risk_profiles", "leakage_summary", "scenario_analysis")
"""Tables whose first rows may be listed under an answer."""


def first_lines(wanted: Listing | None, tables: dict[str, ir.Table], currency: str) -> list[str]:
    """The rows that a question lists, each in words; those without a value in order_by are left out."""
    if wanted is None:
        return []
    table = tables[wanted.table]
    column = table[wanted.order_by]
    first = table.filter(column.notnull()).order_by(column.desc() if wanted.descending else column).limit(wanted.top)
    return [listed(wanted, row, currency) for row in rows_of(first)]
