"""Metric governance: every metric is documented and computed, and no other metric is computed."""

from collections.abc import Iterator, Mapping

import dagster as dg
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandera.ibis as pa
from pandera.errors import SchemaErrors

from asset_checks.checks import Check
from asset_checks.row_rules import SHOWN_FAILURES, one_of, unique_key
from resources.tables import rows_of
from rules.metrics.models import MetricCatalog

TEXT_FIELDS = (
    "display_name", "category", "unit", "definition", "formula", "owner", "purpose",
    "interpretation", "risk_if_misread", "good_direction",
)  # fmt: skip


def not_blank() -> pa.Check:
    """A text that is not empty or blank."""
    return pa.Check(
        lambda data: data.table[data.key].strip().length() > 0,
        name="not_blank",
        error="must not be blank",
        n_failure_cases=SHOWN_FAILURES,
        statistics={},
    )


GOVERNED = pa.DataFrameSchema(
    {
        "metric_name": pa.Column(dt.string, nullable=False),
        **{name: pa.Column(dt.string, not_blank(), nullable=False) for name in TEXT_FIELDS},
        "lineage_status": pa.Column(dt.string, one_of("Complete"), nullable=False),
    },
    checks=[unique_key("metric_name")],
    name="metric_lineage",
)


def computed_schema(table: str, metrics: list[str], key: tuple[str, ...]) -> pa.DataFrameSchema:
    """A table of computed metrics: only metrics of the catalog, one row per key."""
    return pa.DataFrameSchema(
        {"metric_name": pa.Column(dt.string, one_of(*metrics), nullable=False)},
        checks=[unique_key(*key)],
        name=table,
    )


def schema_problems(schema: pa.DataFrameSchema, table: ir.Table) -> list[str]:
    """The rules of `schema` that `table` breaks, one line per rule."""
    try:
        schema.validate(table, lazy=True)
    except SchemaErrors as errors:
        return sorted({f"{schema.name}: {error}".splitlines()[0][:300] for error in errors.schema_errors})
    return []


def not_computed(table: ir.Table, name: str, metrics: list[str]) -> list[str]:
    """One line for each metric of the catalog that has no row in `table`."""
    present = {row["metric_name"] for row in rows_of(table.select("metric_name").distinct())}
    return [f"{name}: the catalog's metric {metric} has no row." for metric in metrics if metric not in present]


KEYS = {
    "metric_lineage": ("metric_name",),
    "kpi_summary": ("metric_name",),
    "kpi_history": ("metric_name", "month"),
    "kpi_by_segment": ("metric_name", "dimension", "member", "month"),
}
"""Every table of computed metrics, and its key."""

SLICED = "kpi_by_segment"
"""Has only the metrics whose model has the dimensions."""


def governance_problems(catalog: MetricCatalog, tables: Mapping[str, ir.Table]) -> list[str]:
    """The differences between the computed metrics and the catalog, one line each; `tables` has the tables of KEYS."""
    metrics = list(catalog.metrics)
    problems = schema_problems(GOVERNED, tables["metric_lineage"])
    for name, key in KEYS.items():
        problems += schema_problems(computed_schema(name, metrics, key), tables[name])
        if name != SLICED:
            problems += not_computed(tables[name], name, metrics)
    return problems


def governance_check(catalog: MetricCatalog) -> Check:
    """The blocking check that every metric is documented and computed."""

    def evaluate(**tables: ir.Table) -> Iterator[dg.AssetCheckResult]:
        problems = governance_problems(catalog, tables)
        yield dg.AssetCheckResult(
            asset_key="kpi_summary",
            check_name="governance",
            passed=not problems,
            description="\n".join(problems) or f"{len(catalog.metrics)} metrics are governed and computed.",
        )

    spec = dg.AssetCheckSpec(
        "governance",
        asset="kpi_summary",
        blocking=True,
        description="Every metric has its governance fields; every computed metric is in the catalog, "
        "and every metric of the catalog is computed.",
        additional_deps=[name for name in KEYS if name != "kpi_summary"],
    )
    return Check((spec,), tuple(KEYS), evaluate)
