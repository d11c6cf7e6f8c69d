"""What came in, what was kept out and why, and how far each dataset can be trusted."""

import ibis
import ibis.expr.types as ir

from asset_checks.contracts import DATASETS
from asset_checks.row_rules import HINTS
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
    """Scores by dataset, every kind of reject with its first row, and what is absent."""
    scores = rows_of(data_quality_scores)
    reasons = rows_of(reject_counts(ibis.union(*rejects.values())))
    broken = {row["check_name"] for row in reasons}
    lacking = _lacking(rows_of(source_inventory))
    return render(
        "data_quality_report",
        rules.currency,
        rules=rules.data_quality,
        as_of=rows_of(calendar)[0]["as_of_date"],
        scores=scores,
        uncounted=rows_of(fact_coverage.filter(~fact_coverage.is_counted)),
        reasons=reasons,
        hints=[hint for name, hint in HINTS.items() if name in broken],
        lacking=lacking,
        is_whole=not lacking and all(row["is_available"] and row["rows_kept"] for row in scores),
    )


def _lacking(inventory: list[dict]) -> list[dict]:
    """The datasets that are there without all of their optional columns, with those they lack."""
    present = [row for row in inventory if row["is_available"] and row["columns_absent"]]
    return [{"dataset": row["dataset"], "columns": row["columns_absent"].split(", ")} for row in present]
