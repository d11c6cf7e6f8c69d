"""What the as-of date shows about the data: warnings, as nothing is wrong with the rows themselves."""

from collections.abc import Iterator

import dagster as dg
import ibis.expr.types as ir
from ibis import _

from asset_checks.checks import Check
from asset_checks.contracts import CONTRACTS

WARN = dg.AssetCheckSeverity.WARN
DATED = {
    name: schema.metadata["event_dates"][0] for name, schema in CONTRACTS.items() if schema.metadata["event_dates"]
}


def rows_after(table: ir.Table, day: str, calendar: ir.Table) -> int:
    """Rows whose event lies after the as-of date."""
    as_of = calendar.as_of_date.max().as_scalar()
    return int(table.filter(table[day] > as_of).count().execute())


def activity_disagreements(customers: ir.Table, subscriptions: ir.Table, calendar: ir.Table) -> int:
    """Customers whose is_active is not what their subscriptions say at the as-of date."""
    as_of = calendar.as_of_date.max().as_scalar()
    running = subscriptions.filter(_.start_date <= as_of, _.end_date.isnull() | (_.end_date > as_of))
    paying = running.filter(_.status != "Trial").select(active_id="customer_id").distinct()
    both = customers.left_join(paying, customers.customer_id == paying.active_id)
    return int(both.filter(both.is_active != both.active_id.notnull()).count().execute())


def _result(asset: str, name: str, rows: int, description: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(asset),
        check_name=name,
        passed=rows == 0,
        severity=WARN,
        description=f"{asset}: {rows:,} {description}",
        metadata={"rows": rows},
    )


def as_of_results(calendar: ir.Table, **datasets: ir.Table) -> Iterator[dg.AssetCheckResult]:
    """Every warning that the as-of date gives rise to."""
    for name, day in DATED.items():
        rows = rows_after(datasets[name], day, calendar)
        yield _result(name, "none_after_as_of", rows, f"rows have a {day} after the as-of date; no figure counts them.")
    rows = activity_disagreements(datasets["customers"], datasets["subscriptions"], calendar)
    yield _result(
        "customers", "is_active_agrees", rows, "customers have an is_active that their subscriptions contradict."
    )


AS_OF = Check(
    specs=(
        *(
            dg.AssetCheckSpec(
                "none_after_as_of",
                asset=name,
                description="No row is dated after the as-of date; such rows are kept and counted nowhere.",
                additional_deps=["calendar"],
            )
            for name in DATED
        ),
        dg.AssetCheckSpec(
            "is_active_agrees",
            asset="customers",
            description="is_active, where given, is what the subscriptions say; the subscriptions are believed.",
            additional_deps=["subscriptions", "calendar"],
        ),
    ),
    inputs=(*DATED, "calendar"),
    evaluate=as_of_results,
)
