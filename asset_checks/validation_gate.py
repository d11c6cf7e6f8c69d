"""The gate: nothing downstream of a source runs until its dataset passes here."""

from collections.abc import Iterator

import dagster as dg
import ibis.expr.types as ir
import pandera.ibis as pa
from ibis import _
from pandera.errors import SchemaErrors

from asset_checks.contracts import CONTRACTS
from asset_checks.row_rules import HINTS
from rules.formats import shown
from rules.rejects import reject_counts


def contract_result(schema: pa.DataFrameSchema, table: ir.Table) -> dg.AssetCheckResult:
    """Every kept row satisfies the contract."""
    if not table.count().execute():  # of no rows SQL knows nothing, and Pandera takes that for a failure
        return dg.AssetCheckResult(check_name="contract", passed=True, description="There are no rows.")
    try:
        schema.validate(table, lazy=True)
    except SchemaErrors as errors:
        broken = sorted({f"{error.schema.name}: {error.check}" for error in errors.schema_errors})
        return dg.AssetCheckResult(
            check_name="contract",
            passed=False,
            description=f"{schema.name}: kept rows break the contract: {'; '.join(broken)}.",
        )
    return dg.AssetCheckResult(check_name="contract", passed=True, description="Every kept row holds to it.")


def tolerance_result(
    schema: pa.DataFrameSchema, table: ir.Table, rejects: ir.Table, tolerance: float
) -> dg.AssetCheckResult:
    """The rejected share of the rows is at most `tolerance`.

    Rows that only lost their parent do not count: the parent's dataset answers for them.
    """
    counted = rejects.filter(_.check_name != "parent_rejected")
    rows = int(counted.select("source_file", "row_number").distinct().count().execute())
    orphaned = int(rejects.select("source_file", "row_number").distinct().count().execute()) - rows
    total = int(table.count().execute()) + rows + orphaned
    share = rows / total if total else 0.0
    reasons = reject_reasons(rejects)
    passed = share <= tolerance
    description = f"{rows:,} of {total:,} rows ({share:.2%}) rejected; {tolerance:.2%} is tolerated."
    if not passed:
        description = (
            f"{schema.name}: {description} {reasons} Mend the export, or raise max_reject_share for "
            f"{schema.name} in rules/sources.yaml; `productpulse validate` lists them all.{hints(rejects)}"
        )
    return dg.AssetCheckResult(
        check_name="rejects_within_tolerance",
        passed=passed,
        description=description,
        metadata={"rejected": rows, "parent_rejected": orphaned, "share": share, "reasons": reasons},
    )


def reject_reasons(rejects: ir.Table, limit: int = 3) -> str:
    """The commonest broken rules of a dataset in words, each with a row to look at."""
    grouped = reject_counts(rejects).limit(limit).execute()
    return " ".join(
        f"{row['column_name'] or 'Line'} {row['check_name']}: {row['rows']:,} "
        f"(first in row {row['first_row']}: {_shown(row['value'])})."
        for row in grouped.to_dict("records")
    )


def hints(rejects: ir.Table) -> str:
    """How the values should have looked, for the rules that were broken."""
    broken = set(rejects.select("check_name").distinct().execute().check_name)
    return "".join(f" {hint}" for check, hint in HINTS.items() if check in broken)


def _shown(value: object) -> str:
    return f"'{shown(value, 60)}'" if isinstance(value, str) else "empty"


def not_empty_result(schema: pa.DataFrameSchema, table: ir.Table) -> dg.AssetCheckResult:
    """A required dataset has rows."""
    rows = int(table.count().execute())
    return dg.AssetCheckResult(
        check_name="not_empty",
        passed=rows > 0,
        description=f"{rows:,} rows."
        if rows
        else f"{schema.name}: no rows are left to work with; the dataset is required. Check the export.",
    )


def gate_results(
    schema: pa.DataFrameSchema, table: ir.Table, rejects: ir.Table, tolerance: float
) -> Iterator[dg.AssetCheckResult]:
    """Every blocking check of one dataset."""
    yield contract_result(schema, table)
    yield tolerance_result(schema, table, rejects, tolerance)
    if schema.metadata["is_required"]:
        yield not_empty_result(schema, table)


def gate(schema: pa.DataFrameSchema, tolerance: float) -> dg.AssetChecksDefinition:
    """All blocking checks of one dataset as one step of the graph."""
    name, is_required = schema.name, schema.metadata["is_required"]
    specs = [
        dg.AssetCheckSpec("contract", asset=name, blocking=True, description="Every kept row satisfies the contract."),
        dg.AssetCheckSpec(
            "rejects_within_tolerance",
            asset=name,
            blocking=True,
            description=f"At most {tolerance:.2%} of the rows are rejected.",
            additional_deps=[f"{name}_rejects"],
        ),
    ]
    if is_required:
        specs.append(
            dg.AssetCheckSpec("not_empty", asset=name, blocking=True, description="A required dataset has rows.")
        )

    @dg.multi_asset_check(
        name=f"{name}_gate",
        specs=specs,
        ins={"table": dg.AssetIn(name), "rejects": dg.AssetIn(f"{name}_rejects")},
        can_subset=True,
    )
    def check(
        context: dg.AssetCheckExecutionContext, table: ir.Table, rejects: ir.Table
    ) -> Iterator[dg.AssetCheckResult]:
        wanted = {key.name for key in context.selected_asset_check_keys}
        for result in gate_results(schema, table, rejects, tolerance):
            if result.check_name in wanted:
                yield result

    return check


def gates(tolerances: dict[str, float]) -> list[dg.AssetChecksDefinition]:
    """The gate of every dataset; `tolerances` is the share of rows that may be rejected."""
    return [gate(schema, tolerances[name]) for name, schema in CONTRACTS.items()]
