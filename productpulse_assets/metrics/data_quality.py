"""Data quality: scores of each dataset."""

import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.contracts import CONTRACTS, DATASETS
from asset_checks.events import ACTIVITY, DATED, dataset_ends
from productpulse_assets.tables import table
from rules.models import DataQuality
from rules.operators import round_for_comparison
from rules.rejects import IGNORED_STATUS, LEFT_OUT, source_row
from rules.rule_set import Rules

REFERENCE_CHECKS = ("known_customer", "known_subscription", "parent_rejected")
UNIQUENESS_CHECKS = ("unique_key", "duplicate_row")
NO_FAULTS = (LEFT_OUT, IGNORED_STATUS)
"""Rules of rows that lower no score."""


@table(
    group="metrics",
    owner="team:data",
    key=("dataset",),
    reads=tuple(name for dataset in DATASETS for name in (dataset, f"{dataset}_rejects")),
)
def data_quality_scores(source_inventory: ir.Table, calendar: ir.Table, rules: Rules, **tables: ir.Table) -> ir.Table:
    """One row per dataset: how many rows came in and stayed, and scores from 0 to 1.

    completeness is the share of filled cells of the columns that the source has; uniqueness,
    validity and referential integrity are shares of the rows that came in; timeliness falls
    from 1 to 0 as the newest event grows older than the usual gap between two events. overall_score is
    the mean of the known scores. A dataset that is absent has NULL scores, one without parents no referential
    integrity, and a list, such as customers, no timeliness: a month without a new customer is no delay.
    """
    quality = rules.data_quality
    rows = [score(name, tables[name], tables[f"{name}_rejects"], calendar, quality) for name in DATASETS]
    scored = ibis.union(*rows)
    known = scored.join(source_inventory.select("dataset", "is_available"), "dataset")
    return known.pipe(with_overall_score, quality).pipe(with_business_risk, quality).select(*COLUMNS)


def score(name: str, table: ir.Table, rejects: ir.Table, calendar: ir.Table, rules: DataQuality) -> ir.Table:
    """The counts and scores of one dataset as one row."""
    facts = table.aggregate(
        rows_kept=_.count(), filled=_filled_share(name, table), newest=_newest(name, table, calendar)
    )
    rejected = rejects.aggregate(
        rows_rejected=_rows(rejects, ibis.literal(True)),
        repeated=_rows(rejects, rejects.check_name.isin(UNIQUENESS_CHECKS)),
        unreferred=_rows(rejects, rejects.check_name.isin(REFERENCE_CHECKS)),
        invalid=_rows(rejects, rejects.check_name.notin(UNIQUENESS_CHECKS + REFERENCE_CHECKS + NO_FAULTS)),
    )
    row = facts.cross_join(rejected).cross_join(_beyond_usual(name, table, calendar, rules))
    rows_in = row.rows_kept + row.rows_rejected
    has_parents = bool(CONTRACTS[name].metadata["parents"])
    return row.select(
        dataset=ibis.literal(name),
        rows_in=rows_in,
        rows_kept=row.rows_kept,
        rows_rejected=row.rows_rejected,
        completeness_score=row.filled,
        uniqueness_score=_share_without(row.repeated, rows_in),
        validity_score=_share_without(row.invalid, rows_in),
        referential_integrity_score=_share_without(row.unreferred, rows_in) if has_parents else ibis.null("float64"),
        timeliness_score=_timeliness(row.days_beyond_usual, rules),
        newest_event_date=row.newest,
    )


def _rows(rejects: ir.Table, which: ir.BooleanValue) -> ir.IntegerScalar:
    """The number of rejected source rows for which `which` holds; a row may have several rejects."""
    return source_row(rejects).nunique(where=which)


def _filled_share(name: str, table: ir.Table) -> ir.FloatingScalar:
    """The share of cells with a value. Columns without any value are absent, and an end date that is still open is
    not a gap: neither counts.
    """
    schema = CONTRACTS[name]
    days = (*schema.metadata["event_dates"], *schema.metadata["planned_dates"])
    open_ends = {day for day in days if not schema.columns[day].required}
    rare = {column for column, about in schema.columns.items() if (about.metadata or {}).get("is_rare")}
    filled = [table[column].count() for column in table.columns if column not in open_ends | rare]
    used = [ibis.ifelse(count > 0, 1, 0) for count in filled]
    return sum(filled[1:], filled[0]).cast("float64") / (table.count() * sum(used[1:], used[0])).nullif(0)


def _newest(name: str, table: ir.Table, calendar: ir.Table) -> ir.DateScalar:
    """The day of the newest event up to the as-of date; NULL for a dataset without events."""
    events = CONTRACTS[name].metadata["event_dates"]
    if not events:
        return ibis.null("date")
    day = table[events[0]]
    return day.max(where=day <= calendar.as_of_date.max().as_scalar())


def _share_without(rows: ir.IntegerColumn, of: ir.IntegerColumn) -> ir.FloatingColumn:
    return 1 - rows.cast("float64") / of.nullif(0)


def _beyond_usual(name: str, table: ir.Table, calendar: ir.Table, rules: DataQuality) -> ir.Table:
    """One row: by how many days the newest event is older than the longest gap of the year before; NULL for a list."""
    day = calendar.aggregate(as_of_date=_.as_of_date.max())
    if name not in ACTIVITY:
        return day.select(days_beyond_usual=ibis.null("int64"))
    ends = dataset_ends(table, DATED[name][0], day, rules.late_days)
    return ends.select(days_beyond_usual=ibis.greatest(ends.age_days - ends.longest_gap.fill_null(0), 0))


def _timeliness(days: ir.IntegerColumn, rules: DataQuality) -> ir.FloatingColumn:
    left = (rules.stale_days - days).cast("float64") / (rules.stale_days - rules.fresh_days)
    return ibis.ifelse(days.isnull(), ibis.null("float64"), left.clip(0.0, 1.0))


SCORES = ("completeness_score", "uniqueness_score", "validity_score", "referential_integrity_score", "timeliness_score")


def with_overall_score(table: ir.Table, rules: DataQuality) -> ir.Table:
    """Add overall_score, the mean of the known scores, and its status."""
    known = [ibis.ifelse(table[name].isnull(), 0, 1) for name in SCORES]
    total = [table[name].fill_null(0) for name in SCORES]
    mean = sum(total[1:], total[0]) / sum(known[1:], known[0]).nullif(0)
    scored = table.mutate(overall_score=ibis.ifelse(table.rows_in > 0, mean, ibis.null("float64")))
    bands = [(round_for_comparison(scored.overall_score) >= floor, name) for name, floor in rules.statuses.items()]
    return scored.mutate(status=ibis.cases(*bands, else_="Not available"))


def with_business_risk(table: ir.Table, rules: DataQuality) -> ir.Table:
    """Add business_risk: what is at risk where the status of a dataset is not the best one."""
    best = next(iter(rules.statuses))
    risks = [((table.dataset == name) & (table.status != best), text) for name, text in rules.business_risk.items()]
    return table.mutate(business_risk=ibis.cases(*risks, else_="None known."))


COLUMNS = (
    "dataset", "is_available", "rows_in", "rows_kept", "rows_rejected", *SCORES, "overall_score", "status",
    "newest_event_date", "business_risk",
)  # fmt: skip
