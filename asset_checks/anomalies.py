"""KPIs outside their usual range in the last complete month: a warning, which never stops a run."""

from collections.abc import Iterator, Sequence

import dagster as dg
import ibis.expr.types as ir
from ibis import _

from asset_checks.checks import Check
from resources.tables import rows_of
from rules.metrics.models import MetricCatalog
from rules.metrics.periods import CURRENT, read_at
from rules.text.formats import value_text
from rules.units import months_between

USUAL_MONTHS = 12
SIGMAS = 3


def usual_ranges(kpi_history: ir.Table) -> ir.Table:
    """One row per metric: its value in the last complete month, and over the twelve months before it the mean, the
    sample standard deviation and the number of months with a value."""
    complete = kpi_history.filter(_.is_complete)
    last = complete.month.max().as_scalar()
    distance = months_between(complete.month, last)
    recent = complete.mutate(distance=distance).filter(_.distance <= USUAL_MONTHS)
    before = _.distance > 0
    return recent.group_by("metric_name").aggregate(
        value=_.value.max(where=_.distance == 0),
        mean=_.value.mean(where=before),
        deviation=_.value.std(where=before, how="sample"),
        months=_.value.count(where=before),
    )


def is_unusual(value: float, mean: float, deviation: float) -> bool:
    """Whether a value is more than 3 standard deviations from the mean; with deviation 0, any change is unusual."""
    rounding = 1e-9 * max(1.0, abs(mean))
    return abs(value - mean) > SIGMAS * deviation + rounding


def anomaly_results(
    catalog: MetricCatalog, metrics: Sequence[str], kpi_history: ir.Table
) -> Iterator[dg.AssetCheckResult]:
    """One WARN result per metric, in the order of `metrics`."""
    ranges = {row["metric_name"]: row for row in rows_of(usual_ranges(kpi_history))}
    for name in metrics:
        row, unit = ranges.get(name), catalog.metrics[name].unit
        if row is None or row["value"] is None or row["months"] < USUAL_MONTHS:
            yield _result(name, True, f"Not judged: {USUAL_MONTHS} earlier months with a value are needed.")
            continue
        low, high = (row["mean"] + sign * SIGMAS * row["deviation"] for sign in (-1, 1))
        usual = f"{value_text(low, unit)} to {value_text(high, unit)}"
        text = f"{catalog.metrics[name].label}: {value_text(row['value'], unit)}; the usual range is {usual}."
        yield _result(name, not is_unusual(row["value"], row["mean"], row["deviation"]), text)


def check_name(metric: str) -> str:
    """The name of a metric's anomaly check."""
    return f"usual_{metric}"


def _result(metric: str, passed: bool, description: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key="kpi_history",
        check_name=check_name(metric),
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=description,
    )


def anomaly_checks(catalog: MetricCatalog) -> Check:
    """The checks of every metric that has a history."""
    metrics = [name for name in catalog.metrics if read_at(catalog, name) != CURRENT]
    specs = [
        dg.AssetCheckSpec(
            check_name(name),
            asset="kpi_history",
            description=f"The last complete month is within mean ± {SIGMAS} sigma of the {USUAL_MONTHS} before it.",
        )
        for name in metrics
    ]
    return Check(tuple(specs), ("kpi_history",), lambda kpi_history: anomaly_results(catalog, metrics, kpi_history))
