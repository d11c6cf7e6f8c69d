"""Checks of the data against the as-of date: warnings, because the rows themselves are valid."""

import datetime as dt
from collections.abc import Iterator, Mapping

import dagster as dg
import ibis.expr.types as ir
from ibis import _

from asset_checks.checks import Check
from asset_checks.contracts import CONTRACTS
from asset_checks.events import ACTIVITY, DATED, NewestEvent, dataset_ends, event_days, newest_event
from resources.tables import count_of, rows_of
from rules.rule_set import Rules
from rules.text.formats import one_line
from rules.today import company_today

WARN = dg.AssetCheckSeverity.WARN


def rows_after(table: ir.Table, day: str, calendar: ir.Table) -> int:
    """The number of rows whose event is after the as-of date."""
    as_of = calendar.as_of_date.max().as_scalar()
    return count_of(table.filter(table[day] > as_of))


def activity_disagreements(customers: ir.Table, subscriptions: ir.Table, calendar: ir.Table) -> int:
    """The number of customers whose is_active contradicts their subscriptions at the as-of date."""
    as_of = calendar.as_of_date.max().as_scalar()
    running = subscriptions.filter(_.start_date <= as_of, _.end_date.isnull() | (_.end_date > as_of))
    paying = running.filter(_.status != "Trial").select(active_id="customer_id").distinct()
    both = customers.left_join(paying, customers.customer_id == paying.active_id)
    return count_of(both.filter(both.is_active != both.active_id.notnull()))


def lone_date_result(
    datasets: Mapping[str, ir.Table], source_inventory: ir.Table, newest: NewestEvent | None
) -> dg.AssetCheckResult:
    """Whether a single row has the newest date, long after every other date."""
    lone = newest if newest is not None and newest.lone is not None else None
    return dg.AssetCheckResult(
        asset_key="calendar",
        check_name="newest_date_not_alone",
        passed=lone is None,
        severity=WARN,
        description=lone_date_sentence(datasets, source_inventory, lone)
        if lone
        else "Several rows have the newest date, or other dates are close to it.",
    )


def lone_date_sentence(datasets: Mapping[str, ir.Table], source_inventory: ir.Table, newest: NewestEvent) -> str:
    """The row and the file that have the lone date, and the effect of the date on the as-of date."""
    event = rows_of(event_days(datasets).filter(_.day == newest.lone))[0]
    name, column = event["dataset"], event["column_name"]
    key = CONTRACTS[name].metadata["key"][0]
    row = rows_of(datasets[name].filter(_[column] == newest.lone).select(key))[0]
    found = rows_of(source_inventory.filter(_.dataset == name).select("source"))
    effect = (
        "It sets the as-of date unless --as-of gives another one. If it is mistyped, fix it in the file."
        if newest.is_lone_believed
        else "So it does not set the as-of date. Fix it in the file if it is mistyped; if it is right, "
        f"--as-of {newest.lone} --force looks at that day."
    )
    place = f"the row with {key} '{one_line(row[key], 60)}' in {found[0]['source'] if found else name}"
    return f"{name}: {place} has the {column} {newest.lone}, {newest.gap:,} days after every other event. {effect}"


def late_result(name: str, events: ir.Table, calendar: ir.Table, rules: Rules) -> dg.AssetCheckResult:
    """Whether the dataset ends long before the as-of date, compared with the usual gaps between its events."""
    days = calendar.aggregate(as_of_date=_.as_of_date.max())
    (end,) = rows_of(dataset_ends(events, DATED[name][0], days, rules.data_quality.late_days))
    return dg.AssetCheckResult(
        asset_key=name,
        check_name="ends_with_the_others",
        passed=not end["is_late"],
        severity=WARN,
        description=f"{name}: the newest {DATED[name][0]} is {end['newest']}, {end['age_days']:,} days before the "
        f"as-of date, and its events are usually at most {end['longest_gap']:,} days apart. What happened since is "
        "missing: signals and months after that day are not available. Export it again."
        if end["is_late"]
        else "The dataset ends near the as-of date, or gaps as long are usual in it.",
    )


def _result(asset: str, name: str, rows: int, description: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(asset),
        check_name=name,
        passed=rows == 0,
        severity=WARN,
        description=f"{asset}: {rows:,} {description}",
        metadata={"rows": rows},
    )


SPECS = (
    *(
        dg.AssetCheckSpec(
            "none_after_as_of",
            asset=name,
            description="No row is dated after the as-of date; such rows are kept but not counted.",
            additional_deps=["calendar"],
        )
        for name in DATED
    ),
    *(
        dg.AssetCheckSpec(
            "ends_with_the_others",
            asset=name,
            description="The dataset does not end long before the as-of date; days after its end are unknown.",
            additional_deps=["calendar"],
        )
        for name in ACTIVITY
    ),
    dg.AssetCheckSpec(
        "newest_date_not_alone",
        asset="calendar",
        description="No single row has the newest date, long after every other: it may be mistyped.",
        additional_deps=[*DATED, "source_inventory"],
    ),
    dg.AssetCheckSpec(
        "is_active_agrees",
        asset="customers",
        description="is_active, where given, agrees with the subscriptions; if not, the subscriptions are used.",
        additional_deps=["subscriptions", "calendar"],
    ),
)


def as_of_check(rules: Rules) -> Check:
    """The checks of the data against the as-of date."""

    def evaluate(calendar: ir.Table, source_inventory: ir.Table, **datasets: ir.Table) -> Iterator[dg.AssetCheckResult]:
        today = company_today(rules.sources.time_zone)
        return as_of_results(rules, calendar, source_inventory, today, datasets)

    return Check(SPECS, (*DATED, "calendar", "source_inventory"), evaluate)


def as_of_results(
    rules: Rules, calendar: ir.Table, source_inventory: ir.Table, today: dt.date, datasets: Mapping[str, ir.Table]
) -> Iterator[dg.AssetCheckResult]:
    """The results of these checks."""
    newest = newest_event(datasets, today, rules.data_quality.as_of.lone_date_days)
    yield lone_date_result(datasets, source_inventory, newest)
    for name, (day, *_rest) in DATED.items():
        rows = rows_after(datasets[name], day, calendar)
        yield _result(name, "none_after_as_of", rows, f"rows have a {day} after the as-of date; no figure counts them.")
    for name in ACTIVITY:
        yield late_result(name, datasets[name], calendar, rules)
    rows = activity_disagreements(datasets["customers"], datasets["subscriptions"], calendar)
    yield _result(
        "customers", "is_active_agrees", rows, "customers have an is_active value that contradicts their subscriptions."
    )
