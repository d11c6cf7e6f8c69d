"""The quality of each dataset: scores, rejected rows with the reasons, and what is absent."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from asset_checks.contracts import DATASETS
from asset_checks.row_rules import HINTS
from productpulse_assets.charts.look import Row
from productpulse_assets.reports.inputs import as_of_date
from productpulse_assets.reports.markdown import render
from productpulse_assets.tables import report
from resources.tables import rows_of
from rules.rejects import reject_counts
from rules.rule_set import Rules


@report(owner="team:data", reads=tuple(f"{name}_rejects" for name in DATASETS))
def data_quality_report(
    data_quality_scores: ir.Table,
    fact_coverage: ir.Table,
    source_inventory: ir.Table,
    calendar: ir.Table,
    rules: Rules,
    **rejects: ir.Table,
) -> str:
    """Scores per dataset, every kind of reject with its first row, and absent datasets and columns."""
    scores = rows_of(data_quality_scores)
    reasons = rows_of(reject_counts(ibis.union(*rejects.values())))
    broken = {row["check_name"] for row in reasons}
    absent_columns = _absent_columns(rows_of(source_inventory))
    return render(
        "data_quality_report",
        rules.currency,
        rules=rules.data_quality,
        as_of=as_of_date(calendar),
        scores=scores,
        uncounted=rows_of(fact_coverage.filter(~fact_coverage.is_counted)),
        reasons=reasons,
        hints=[hint for name, hint in HINTS.items() if name in broken],
        absent_columns=absent_columns,
        is_complete=not absent_columns and all(row["is_available"] and row["rows_kept"] for row in scores),
    )


def _absent_columns(inventory: Sequence[Row]) -> list[dict[str, object]]:
    """The datasets that lack some of their optional columns, with those columns."""
    rows = [row for row in inventory if row["is_available"] and row["columns_absent"]]
    return [{"dataset": row["dataset"], "columns": row["columns_absent"].split(", ")} for row in rows]
