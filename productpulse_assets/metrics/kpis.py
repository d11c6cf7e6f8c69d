"""The governed metrics of the catalog: values by month, the present ones, and where they come from."""

from collections.abc import Collection
from typing import TypedDict, cast

import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.contracts import DATASETS, EMPTY_IS_NONE
from productpulse_assets.metrics.summary import (
    SUMMARY_SCHEMA,
    Availability,
    CalendarRow,
    HistoryRow,
    SummaryRow,
    TargetRow,
    summary_rows,
)
from productpulse_assets.tables import Rows, table
from resources.compiled_plan import Plan, Source
from resources.tables import rows_of
from rules.metrics.compile import metric_history
from rules.metrics.formula import formula_words
from rules.metrics.models import MetricCatalog
from rules.rule_set import Rules
from rules.units import MONEY

LINEAGE_SCHEMA = ibis.schema(
    dict.fromkeys(
        (
            "metric_name", "display_name", "category", "unit", "definition", "formula", "owner", "purpose",
            "interpretation", "risk_if_misread", "good_direction", "benchmark",
            "source_datasets", "source_columns", "lineage_status",
        ),
        "string",
    )
)  # fmt: skip


@table(group="metrics", owner="team:finance", key=("metric_name",), schema=LINEAGE_SCHEMA)
def metric_lineage(rules: Rules, plan: Plan) -> Rows:
    """One row per metric of the catalog: its governance, its formula in words, and the source
    datasets and columns that its value is computed from.

    lineage_status is Complete when the value was traced to columns of datasets, else Unresolved.
    """
    catalog = rules.metric_catalog
    return [_governance(catalog, name, plan.metric_sources[name]) for name in catalog.metrics]


def _governance(catalog: MetricCatalog, name: str, found: Collection[Source]) -> dict[str, object]:
    metric = catalog.metrics[name]
    columns = sorted((table, column) for table, column in found if table in DATASETS)
    return {
        "metric_name": name,
        "display_name": metric.label,
        "category": metric.category,
        "unit": metric.unit,
        "definition": metric.definition,
        "formula": formula_words(catalog, name),
        "owner": metric.owner,
        "purpose": metric.purpose,
        "interpretation": metric.interpretation,
        "risk_if_misread": metric.risk_if_misread,
        "good_direction": metric.good_direction,
        "benchmark": f"{metric.benchmark.text} ({metric.benchmark.source})" if metric.benchmark else None,
        "source_datasets": ", ".join(sorted({table for table, _column in columns})),
        "source_columns": ", ".join(f"{table}.{column}" for table, column in columns),
        "lineage_status": "Complete" if columns else "Unresolved",
    }


@table(group="metrics", owner="team:finance", key=("metric_name", "month"))
def kpi_history(
    customer_months: ir.Table,
    customer_signals: ir.Table,
    churn_risk_profiles: ir.Table,
    leakage_summary: ir.Table,
    receivables: ir.Table,
    renewals: ir.Table,
    data_quality_scores: ir.Table,
    acquisition_costs: ir.Table,
    recorded_metrics: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per metric and month of the data.

    value is in the metric's unit, a share in [0, 1] for rates; NULL where it is not available. Earlier values of
    metrics of the present state are those of recorded_metrics.
    amount repeats a money value as a decimal. numerator and denominator are those of a ratio.
    is_complete is false for a month that is not over at the as-of date.
    """
    catalog = rules.metric_catalog
    money = [name for name, metric in catalog.metrics.items() if metric.unit == "money"]
    models = {
        "customer_months": customer_months,
        "customer_signals": customer_signals,
        "churn_risk_profiles": churn_risk_profiles,
        "leakage_summary": leakage_summary,
        "receivables": receivables,
        "renewals": renewals,
        "data_quality_scores": data_quality_scores,
        "acquisition_costs": acquisition_costs,
    }
    recorded = recorded_metrics.select("metric_name", "month", recorded_value="value")
    history = metric_history(catalog, models, calendar).left_join(recorded, ["metric_name", "month"])
    history = history.select(
        "metric_name", "month", "is_complete", value=_.value.coalesce(_.recorded_value),
        numerator=_.numerator, denominator=_.denominator,
    )  # fmt: skip
    amount = ibis.ifelse(_.metric_name.isin(money), _.value.cast(MONEY), ibis.null(MONEY))
    return history.mutate(amount=amount)


def metric_values(rows: Rows) -> dict[str, float]:
    """Each metric's value by name: Dagster's UI plots metadata that is a number from run to run."""
    return {row["metric_name"]: row["value"] for row in rows if row["value"] is not None}


@table(group="metrics", owner="team:finance", key=("metric_name",), schema=SUMMARY_SCHEMA, metadata_of=metric_values)
def kpi_summary(
    kpi_history: ir.Table,
    calendar: ir.Table,
    metric_lineage: ir.Table,
    source_inventory: ir.Table,
    targets: ir.Table,
    rules: Rules,
) -> list[SummaryRow]:
    """One row per metric of the catalog: its present value, the one before, the target, and an explanation.

    A stock is read at the as-of date, a flow in the last complete month; period_start and
    period_end are the first and the last of its days. change is value - previous_value. Where value is
    NULL, not_available_reason says what is missing. There are a few dozen rows, so Python writes the
    sentences.
    """
    return summary_rows(
        rules,
        history=cast(list[HistoryRow], rows_of(kpi_history)),
        calendar=cast(list[CalendarRow], rows_of(calendar.order_by("month"))),
        availability=_availability(metric_lineage, source_inventory),
        targets=cast(list[TargetRow], rows_of(targets)),
    )


class LineageRow(TypedDict):
    """A row of metric_lineage, as far as `_availability` needs it."""

    metric_name: str
    source_columns: str


class InventoryRow(TypedDict):
    """A row of source_inventory, as far as `_availability` needs it."""

    dataset: str
    is_available: bool
    columns_absent: str | None


def _availability(metric_lineage: ir.Table, source_inventory: ir.Table) -> Availability:
    lineage = cast(list[LineageRow], rows_of(metric_lineage))
    inventory = cast(list[InventoryRow], rows_of(source_inventory))
    return Availability(
        columns={row["metric_name"]: row["source_columns"].split(", ") for row in lineage},
        absent_datasets={row["dataset"] for row in inventory if not row["is_available"]},
        absent_columns={
            f"{row['dataset']}.{column}"
            for row in inventory
            if row["is_available"] and row["columns_absent"]
            for column in row["columns_absent"].split(", ")
        }
        - EMPTY_IS_NONE,
    )
