"""The questions that people ask every month, with their answers."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.charts.look import Row
from productpulse_assets.joins import left_join_unique
from productpulse_assets.metrics.forecast import HORIZONS
from productpulse_assets.reports.inputs import as_of_date, metrics_by_name
from productpulse_assets.reports.markdown import render
from productpulse_assets.tables import report
from resources.tables import rows_of
from rules.questions import Listing, Question, answer_text, listing_line
from rules.rule_set import Rules
from rules.text.formats import name_with_key
from rules.units import MONEY, days_later, months_later

LISTABLE = (
    "intervention_plan",
    "churn_risk_profiles",
    "leakage_summary",
    "scenario_analysis",
    "trial_conversion",
    "renewals",
    "revenue_forecast",
)
"""The tables whose first rows an answer can list; of renewals those of the next SOON_DAYS days, of the forecast those
of MRR at HORIZONS."""

SOON_DAYS = 60


@report(owner="team:finance")
def business_questions(
    kpi_summary: ir.Table,
    intervention_plan: ir.Table,
    churn_risk_profiles: ir.Table,
    leakage_summary: ir.Table,
    scenario_analysis: ir.Table,
    renewals: ir.Table,
    trial_conversion: ir.Table,
    revenue_forecast: ir.Table,
    customers: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> str:
    """Each question of rules/business_questions.yaml with its answer, and the metrics and tables behind it."""
    metrics = metrics_by_name(kpi_summary)
    currency = rules.currency
    names = customers.select("customer_id", "company_name")
    tables = {
        "intervention_plan": left_join_unique(intervention_plan, names),
        "churn_risk_profiles": left_join_unique(churn_risk_profiles, names),
        "leakage_summary": leakage_summary,
        "scenario_analysis": scenario_analysis,
        "renewals": left_join_unique(renewals.filter(_.is_due == 0, _.days_to_renewal <= SOON_DAYS), names),
        "trial_conversion": trial_conversion,
        "revenue_forecast": mrr_at_horizons(revenue_forecast),
    }
    questions = []
    for item in rules.business_questions.questions:
        lines, answer = listing_lines(item.listing, tables, currency), answer_text(item, metrics, currency)
        is_unknown = answer.startswith("Not available") and not lines
        questions.append(
            item.model_dump(include={"question", "owner", "metrics", "tables"})
            | {"answer": complete_answer(item, answer, lines), "lines": lines}
            | {"notes": [] if is_unknown else not_available_notes(item.listing, tables)}
        )
    return render("business_questions", currency, as_of=as_of_date(calendar), questions=questions, present=metrics)


def mrr_at_horizons(revenue_forecast: ir.Table) -> ir.Table:
    """The forecast of MRR at HORIZONS, as money, by the last day of the month; without a value it keeps its reason."""
    rows = revenue_forecast.filter(_.measure == "mrr", _.months_ahead.isin(HORIZONS))
    last_day = days_later(months_later(rows.month, ibis.literal(1)), -1)
    return rows.mutate(month=last_day, **{name: rows[name].cast(MONEY) for name in ("value", "low", "high")})


def listing_lines(listing: Listing | None, tables: dict[str, ir.Table], currency: str) -> list[str]:
    """The first rows of a listing as sentences.

    Rows without a value in order_by are left out; in descending order, so are rows whose value is 0.
    """
    if listing is None:
        return []
    table = tables[listing.table]
    column = table[listing.order_by]
    has_value = column > 0 if listing.descending and column.type().is_numeric() else column.notnull()
    first = table.filter(has_value).order_by(column.desc() if listing.descending else column).limit(listing.top)
    return [listing_line(listing, _with_name(row), currency) for row in rows_of(first)]


def _with_name(row: Row) -> Row:
    """The row with the customer's name and id in customer_id, if the row has a customer."""
    return (
        {**row, "customer_id": name_with_key(row["company_name"], row["customer_id"])} if "company_name" in row else row
    )


def not_available_notes(listing: Listing | None, tables: dict[str, ir.Table]) -> list[str]:
    """Why some rows of a listing have no value: one sentence per reason."""
    table = tables[listing.table] if listing else None
    if table is None or "not_available_reason" not in table.columns:
        return []
    reasons = table.group_by("not_available_reason").aggregate(count=_.count()).order_by("not_available_reason")
    rows = rows_of(reasons)
    total = sum(row["count"] for row in rows)
    missing = [row for row in rows if row["not_available_reason"]]
    return [f"Not available: {row['count']} of {total}. {row['not_available_reason']}" for row in missing]


def complete_answer(item: Question, answer: str, lines: list[str]) -> str:
    """The answer as an introduction to the list below it, which can be empty or be known without the answer."""
    if item.listing is None:
        return answer
    if answer.endswith(":"):
        return answer if lines else f"{answer} none."
    return f"{answer} This much is known:" if lines else answer
