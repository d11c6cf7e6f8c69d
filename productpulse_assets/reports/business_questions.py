"""The questions people ask every month, answered."""

import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joins import left_join_unique
from productpulse_assets.reports.markdown import render
from productpulse_assets.tables import report
from resources.tables import rows_of
from rules.questions import Listing, Question, answer_text, listing_line
from rules.rule_set import Rules
from rules.text.formats import name_with_key

LISTABLE = ("intervention_plan", "churn_risk_profiles", "leakage_summary", "scenario_analysis")
"""Tables whose first rows may be listed under an answer."""


@report(owner="team:finance")
def business_questions(
    kpi_summary: ir.Table,
    intervention_plan: ir.Table,
    churn_risk_profiles: ir.Table,
    leakage_summary: ir.Table,
    scenario_analysis: ir.Table,
    customers: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> str:
    """Each question of rules/business_questions.yaml with its answer and where to look further."""
    present = {row["metric_name"]: row for row in rows_of(kpi_summary)}
    currency = rules.currency
    names = customers.select("customer_id", "company_name")
    tables = {
        "intervention_plan": left_join_unique(intervention_plan, names),
        "churn_risk_profiles": left_join_unique(churn_risk_profiles, names),
        "leakage_summary": leakage_summary,
        "scenario_analysis": scenario_analysis,
    }
    told = []
    for item in rules.business_questions.questions:
        lines, answer = first_lines(item.listing, tables, currency), answer_text(item, present, currency)
        has_none = answer.startswith("Not available") and not lines
        told.append(
            item.model_dump(include={"question", "owner", "metrics", "tables"})
            | {"answer": answer_before(item, answer, lines), "lines": lines}
            | {"left_out": [] if has_none else left_out(item.listing, tables)}
        )
    return render(
        "business_questions", currency, as_of=rows_of(calendar)[0]["as_of_date"], questions=told, present=present
    )


def first_lines(wanted: Listing | None, tables: dict[str, ir.Table], currency: str) -> list[str]:
    """The rows that a question lists, each in words and its customer by name.

    Those without a value in order_by are left out, and where the largest come first those with nothing.
    """
    if wanted is None:
        return []
    table = tables[wanted.table]
    column = table[wanted.order_by]
    has_value = column > 0 if wanted.descending and column.type().is_numeric() else column.notnull()
    first = table.filter(has_value).order_by(column.desc() if wanted.descending else column).limit(wanted.top)
    return [listing_line(wanted, _with_name(row), currency) for row in rows_of(first)]


def _with_name(row: dict) -> dict:
    """The row with its customer called by name and id, where it has one."""
    return (
        row | {"customer_id": name_with_key(row["company_name"], row["customer_id"])} if "company_name" in row else row
    )


def left_out(wanted: Listing | None, tables: dict[str, ir.Table]) -> list[str]:
    """Why rows that a question would list have no value, one text per reason."""
    table = tables[wanted.table] if wanted else None
    if table is None or "not_available_reason" not in table.columns:
        return []
    reasons = table.group_by("not_available_reason").aggregate(count=_.count()).order_by("not_available_reason")
    rows = rows_of(reasons)
    total = sum(row["count"] for row in rows)
    missing = [row for row in rows if row["not_available_reason"]]
    return [f"Not available: {row['count']} of {total}. {row['not_available_reason']}" for row in missing]


def answer_before(item: Question, answer: str, lines: list[str]) -> str:
    """The answer as it reads before so many lines: what it introduces may be empty, or known without it."""
    if item.listing is None:
        return answer
    if answer.endswith(":"):
        return answer if lines else f"{answer} none."
    return f"{answer} What is known all the same:" if lines else answer
