"""Whether targets are written in the unit of their metric."""

from collections.abc import Iterator

import dagster as dg
import ibis.expr.types as ir

from asset_checks.checks import Check
from resources.tables import rows_of
from rules.metrics.models import MetricCatalog


def percent_targets(targets: ir.Table, catalog: MetricCatalog) -> list[str]:
    """A line for each metric with targets that seem to be in percent."""
    found: dict[str, tuple[float, int]] = {}
    for row in rows_of(targets.order_by("date")):
        for name, metric in catalog.metrics.items():
            is_named = row["metric_name"].casefold() in metric.names_in_targets(name)
            if is_named and metric.is_target_in_percent(float(row["target_value"])):
                found[name] = (float(row["target_value"]), found.get(name, (0.0, 0))[1] + 1)
    return [f"{catalog.metrics[name].label} {value:g} ({rows:,} rows)" for name, (value, rows) in found.items()]


def target_values_check(catalog: MetricCatalog) -> Check:
    """A warning about targets that seem to be in percent; they are not compared with the metric."""

    def evaluate(targets: ir.Table) -> Iterator[dg.AssetCheckResult]:
        problems = percent_targets(targets, catalog)
        yield dg.AssetCheckResult(
            asset_key="targets",
            check_name="rates_are_shares",
            passed=not problems,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"targets: {', '.join(problems)}: a rate is a share of 1, so that 5 means 500 %. Write 0.05 "
            "for 5 %. These targets are not compared with the metric."
            if problems
            else "Targets of rates are shares.",
        )

    spec = dg.AssetCheckSpec(
        "rates_are_shares", asset="targets", description="Targets of rates are shares, not percent."
    )
    return Check((spec,), ("targets",), evaluate)
