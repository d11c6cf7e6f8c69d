"""The risk, health and leakage of each customer over the as-of dates: those of the history, and this one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypedDict

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.calendar import as_of_day
from productpulse_assets.joins import left_join_unique
from productpulse_assets.sources.location import history_of
from productpulse_assets.tables import Rows, table
from resources.decision_history import RISK, damage_of, read_days, recorded_days
from resources.settings import Settings
from resources.tables import rows_of
from rules.decision_hash import HEALTH, decision_hash
from rules.leakage_rules import LABELS
from rules.metrics.compile import band
from rules.rule_set import Rules
from rules.units import MONEY

EVERY_DAY = 35
"""The days before the as-of date of which every recorded one is shown; of earlier months, the last recorded one."""

LEAKAGE = {f"leakage_{name}": label for name, label in LABELS.items()}
"""The leakage_type of each column."""

RECORDED = ibis.schema(
    {
        "as_of_date": "date",
        "customer_id": "string",
        "risk_score": "float64",
        "risk_band": "string",
        "main_driver": "string",
        "rule_ids": "string",
        "signals_known": "int64",
        "health_status": "string",
        "mrr": MONEY,
        "revenue_at_risk": MONEY,
        **dict.fromkeys(LEAKAGE, MONEY),
        "is_current": "boolean",
        "rules_hash": "string",
    }
)
"""The columns of a file of history/risk."""

DAYS = ibis.schema(
    {
        "as_of_date": "date",
        "customers": "int64",
        "rules_hash": "string",
        "is_current": "boolean",
        "is_rule_change": "boolean",
        "problem": "string",
    }
)


class DayRow(TypedDict):
    """A row of history_days."""

    as_of_date: dt.date
    customers: int | None
    rules_hash: str | None
    is_current: bool | None
    is_rule_change: bool | None
    problem: str | None


def shown_days(days: Iterable[dt.date], as_of: dt.date) -> list[dt.date]:
    """Of the recorded dates before `as_of`: all of the last EVERY_DAY days, and the last one of each earlier month."""
    earlier = sorted(day for day in days if day < as_of)
    last_of_month = {(day.year, day.month): day for day in earlier}
    return [day for day in earlier if (as_of - day).days <= EVERY_DAY or day == last_of_month[day.year, day.month]]


def as_of_date(calendar: ir.Table) -> dt.date:
    """The as-of date of a stored calendar."""
    day: dt.date = rows_of(calendar.select("as_of_date").limit(1))[0]["as_of_date"]
    return day


@table(group="risk", owner="team:customer-success", key=("as_of_date", "customer_id"), schema=RECORDED)
def recorded_risk(calendar: ir.Table, settings: Settings, rules: Rules) -> ir.Table:
    """One row per customer and earlier as-of date, as the run of that date or a backfill recorded it.

    All recorded dates of the last 35 days, and the last recorded one of each earlier month. Money is in the reporting
    currency. A file that cannot be read is left out; history_days says why.
    """
    return past_risk(history_of(settings, rules), as_of_date(calendar))


def past_risk(history: Path, as_of: dt.date) -> ir.Table:
    """The rows of recorded_risk on an as-of date."""
    return ibis.memtable(read_days(history, RISK, shown_days(recorded_days(history, RISK), as_of), RECORDED))


@table(group="risk", owner="team:customer-success", key=("as_of_date", "customer_id"))
def risk_history(
    recorded_risk: ir.Table,
    churn_risk_profiles: ir.Table,
    revenue_leakage: ir.Table,
    leakage_summary: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per as-of date and customer who paid or had leakage on it: risk, health, leakage, and what changed.

    The dates are those of recorded_risk and the as-of date. Changes are those since the date before it in this table.
    score_change is NULL where the rules were others then: a score that moved because a rule did says nothing about the
    customer. band_since is the first of the dates without a gap on which the customer has had this band.
    """
    now = present_risk(churn_risk_profiles, revenue_leakage, leakage_summary, calendar, rules)
    days = ibis.union(
        recorded_risk.group_by("as_of_date").aggregate(rules_hash=_.rules_hash.max()),
        calendar.aggregate(as_of_date=_.as_of_date.max()).mutate(rules_hash=ibis.literal(decision_hash(rules))),
    )
    return with_changes(ibis.union(recorded_risk, now), days)


def present_risk(
    profiles: ir.Table, revenue_leakage: ir.Table, leakage_summary: ir.Table, calendar: ir.Table, rules: Rules
) -> ir.Table:
    """The rows of the as-of date, in the columns of RECORDED; leakage of a kind that is not looked for is NULL."""
    lost = revenue_leakage.group_by("customer_id").aggregate(
        **{name: _.estimated_revenue_loss.sum(where=_.leakage_type == kind) for name, kind in LEAKAGE.items()}
    )
    is_known = leakage_summary.not_available_reason.isnull()
    known = leakage_summary.aggregate(
        **{f"knows_{name}": ((leakage_summary.leakage_type == kind) & is_known).any() for name, kind in LEAKAGE.items()}
    )
    about = ("risk_score", "risk_band", "main_driver", "rule_ids", "signals_known", "mrr", "revenue_at_risk")
    everyone = ibis.union(profiles.select("customer_id"), lost.select("customer_id"), distinct=True)
    found = everyone.pipe(left_join_unique, profiles.select("customer_id", *about)).pipe(left_join_unique, lost)
    found = found.cross_join(known).cross_join(as_of_day(calendar))
    zero = ibis.literal(0).cast(MONEY)
    return found.select(
        **{name: found[name] for name in RECORDED if name in found.columns and name not in LEAKAGE},
        **{
            name: ibis.ifelse(found[f"knows_{name}"], found[name].fill_null(zero), ibis.null(MONEY)).cast(MONEY)
            for name in LEAKAGE
        },
        health_status=health(found, rules),
        rules_hash=ibis.literal(decision_hash(rules)),
    ).select(*RECORDED)


def health(found: ir.Table, rules: Rules) -> ir.StringValue:
    """health_status of customer_360, by segments.yaml; NULL if that reads what the history does not keep."""
    segment = rules.segments.customer_segments.get(HEALTH)
    columns = {"churn_risk_score": "risk_score", "current_mrr": "mrr", "churn_risk_band": "risk_band"}
    name = columns.get(segment.column) if segment else None
    if segment is None or name is None:
        return ibis.null("string")
    return ibis.ifelse(found[name].isnull(), segment.missing, band(found[name], segment.bands))


def with_changes(rows: ir.Table, days: ir.Table) -> ir.Table:
    """Add what changed since the date before, and since when the band is the same."""
    by_day = ibis.window(order_by="as_of_date")
    dated = days.select(
        "as_of_date",
        previous_as_of_date=_.as_of_date.lag().over(by_day),
        is_rule_change=_.rules_hash != _.rules_hash.lag().over(by_day),
    )
    by_customer = ibis.window(group_by="customer_id", order_by="as_of_date")
    lagged = rows.mutate(
        last_date=_.as_of_date.lag().over(by_customer),
        last_score=_.risk_score.lag().over(by_customer),
        last_band=_.risk_band.lag().over(by_customer),
    )
    table = left_join_unique(lagged, dated, "as_of_date")
    was_there = (table.last_date == table.previous_as_of_date).fill_null(False)
    table = table.mutate(
        previous_risk_score=ibis.ifelse(was_there, table.last_score, ibis.null("float64")),
        previous_risk_band=ibis.ifelse(was_there, table.last_band, ibis.null("string")),
    )
    is_comparable = ~table.is_rule_change.fill_null(True)
    begins = table.risk_band.notnull() & ~(table.previous_risk_band == table.risk_band).fill_null(False)
    table = table.mutate(
        score_change=ibis.ifelse(is_comparable, table.risk_score - table.previous_risk_score, ibis.null("float64")),
        began=ibis.ifelse(begins, table.as_of_date, ibis.null("date")),
    )
    so_far = ibis.window(group_by="customer_id", order_by="as_of_date", preceding=None, following=0)
    since = table.began.max().over(so_far)
    return table.mutate(
        band_since=ibis.ifelse(table.risk_band.notnull(), since, ibis.null("date")),
    ).select(*RECORDED, "previous_as_of_date", "previous_risk_score", "previous_risk_band", "score_change",
             "is_rule_change", "band_since")  # fmt: skip


@table(group="risk", owner="team:data", key=("as_of_date",), schema=DAYS)
def history_days(
    recorded_risk: ir.Table, risk_history: ir.Table, calendar: ir.Table, settings: Settings, rules: Rules
) -> Rows:
    """One row per as-of date of risk_history, and per file of these dates that cannot be read, with its problem.

    is_current: the run had no newer data, so that the present state, such as Past Due, was known. is_rule_change: the
    rules were others on the date before.
    """
    history, as_of = history_of(settings, rules), as_of_date(calendar)
    found = rows_of(
        risk_history.group_by("as_of_date")
        .aggregate(customers=_.count(), rules_hash=_.rules_hash.max(), is_current=_.is_current.max())
        .order_by("as_of_date")
    )
    known = {row["as_of_date"]: row for row in found}
    days: list[DayRow] = []
    for day in [*shown_days(recorded_days(history, RISK), as_of), as_of]:
        row = known.get(day, {})
        days.append(
            {
                "as_of_date": day,
                "customers": row.get("customers", 0),
                "rules_hash": row.get("rules_hash"),
                "is_current": row.get("is_current"),
                "is_rule_change": None,
                "problem": None if day in known or day == as_of else damage_of(history, RISK, day, RECORDED),
            }
        )
    return list(map(dict, with_rule_changes(days)))


def with_rule_changes(days: Sequence[DayRow]) -> list[DayRow]:
    """The days with is_rule_change: whether the rules differ from those of the date before that has any."""
    changed: list[DayRow] = []
    before = None
    for day in days:
        now = day["rules_hash"]
        is_change = None if None in (before, now) else now != before
        changed.append({**day, "is_rule_change": is_change})
        before = now or before
    return changed
