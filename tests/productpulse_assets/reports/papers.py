"""The six Markdown reports, written again from the tables of a run."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from productpulse_assets.reports.business_questions import business_questions
from productpulse_assets.reports.data_quality_report import data_quality_report
from productpulse_assets.reports.executive_summary import executive_summary
from productpulse_assets.reports.intervention_plan import intervention_plan_report
from productpulse_assets.reports.metric_definitions import metric_definitions
from productpulse_assets.reports.risk_register import risk_register
from productpulse_assets.tables import declaration_of
from tests.graph import RULES

REPORTS = {
    "executive_summary": executive_summary,
    "business_questions": business_questions,
    "intervention_plan": intervention_plan_report,
    "risk_register": risk_register,
    "metric_definitions": metric_definitions,
    "data_quality_report": data_quality_report,
}


def written(name: str, snapshot: ibis.BaseBackend, changed: Callable[[str, ir.Table], ir.Table]) -> str:
    """A report from the snapshot's tables, each as `changed` makes it."""
    report = declaration_of(REPORTS[name])
    return report.call(lambda table: changed(table, snapshot.table(table)), rules=RULES)


def having(**columns: object) -> Callable[[ir.Table], ir.Table]:
    """A table with other values in some of its columns, of the same types."""
    return lambda table: table.mutate(
        **{name: ibis.literal(value, table[name].type()) for name, value in columns.items()}
    )


def with_changes(**tables: Callable[[ir.Table], ir.Table]) -> Callable[[str, ir.Table], ir.Table]:
    """What to give `written` to change some tables and leave the others."""
    return lambda name, table: tables[name](table) if name in tables else table
