"""The questions people ask every month, answered."""

import dagster as dg
import ibis.expr.types as ir

from productpulse_assets.reports.markdown import render
from resources.tables import rows_of
from rules.catalog import load_catalog
from rules.files import load
from rules.models import Sources
from rules.questions import answered, load_questions


@dg.asset(group_name="reports", owners=["team:finance"], kinds={"markdown"}, io_manager_key="reports")
def business_questions(kpi_summary: ir.Table, calendar: ir.Table) -> str:
    """Each question of rules/business_questions.yaml with its answer and where to look further."""
    present = {row["metric_name"]: row for row in rows_of(kpi_summary)}
    currency = load("sources", Sources).reporting_currency
    questions = load_questions(load_catalog()).questions
    return render(
        "business_questions",
        as_of=rows_of(calendar)[0]["as_of_date"],
        questions=[(item, answered(item, present, currency)) for item in questions],
        labels={name: row["label"] for name, row in present.items()},
    )
