"""The six Markdown reports, built from the tables of a run, some of them changed by the test."""

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


def build_report(name: str, snapshot: ibis.BaseBackend, changed: Callable[[str, ir.Table], ir.Table]) -> str:
    """A report built from the snapshot's tables after `changed` has been applied to each."""
    report = declaration_of(REPORTS[name])
    return report.call(lambda table: changed(table, snapshot.table(table)), rules=RULES)


def with_values(**columns: object) -> Callable[[ir.Table], ir.Table]:
    """A change of a table: constant values of the same types in some of its columns."""
    return lambda table: table.mutate(
        **{name: ibis.literal(value, table[name].type()) for name, value in columns.items()}
    )


def with_changes(**tables: Callable[[ir.Table], ir.Table]) -> Callable[[str, ir.Table], ir.Table]:
    """The changes of some tables by name, for `build_report`; other tables stay as they are."""
    return lambda name, table: tables[name](table) if name in tables else table
