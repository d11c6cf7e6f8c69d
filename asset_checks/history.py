"""Whether the files of the history can be read."""

from collections.abc import Iterator

import dagster as dg
import ibis.expr.types as ir

from asset_checks.checks import Check
from resources.tables import rows_of


def _evaluate(history_days: ir.Table) -> Iterator[dg.AssetCheckResult]:
    damaged = history_days.filter(history_days.problem.notnull()).order_by("as_of_date")
    problems = [row["problem"] for row in rows_of(damaged.select("problem"))]
    yield dg.AssetCheckResult(
        asset_key="history_days",
        check_name="history_is_readable",
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join([*problems, "`productpulse backfill` computes month ends again."])
        if problems
        else "Every file of the history can be read.",
    )


HISTORY = Check(
    (
        dg.AssetCheckSpec(
            "history_is_readable", asset="history_days", description="Every file of the history can be read."
        ),
    ),
    ("history_days",),
    _evaluate,
)
"""A warning about days that are left out, because their files are damaged."""
