"""Which interventions are new, still open or gone since the as-of date before."""

import datetime as dt
from typing import TypedDict, cast

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.sources.location import history_of
from productpulse_assets.tables import Rows, table
from resources.decision_history import DECISIONS, previous_date, read_day
from resources.settings import Settings
from resources.tables import rows_of
from rules.rule_set import Rules
from rules.text.formats import ACTION_MONEY
from rules.units import MONEY

NEW, OPEN, GONE = "New", "Still open", "Gone"
FIRST_DAY = "There is no earlier as-of date in published/history to compare with."
OPEN_DECISION = ibis.schema(
    {
        "as_of_date": "date",
        "intervention_id": "string",
        "customer_id": "string",
        "recommendation_title": "string",
        "category": "string",
        "suggested_owner": "string",
        "monthly_revenue": MONEY,
        "recurring_value": MONEY,
        "one_off_cash": MONEY,
        "priority_band": "string",
        "scheduled_week": "string",
    }
)


def open_decisions(intervention_plan: ir.Table, calendar: ir.Table) -> ir.Table:
    """The plan in the columns that the history stores, by id."""
    day = calendar.aggregate(as_of_date=calendar.as_of_date.max())
    return intervention_plan.cross_join(day).select(*OPEN_DECISION).order_by("intervention_id")


class AsOfRow(TypedDict):
    """The as-of date of a row of calendar."""

    as_of_date: dt.date


@table(
    group="decisions",
    owner="team:customer-success",
    key=("intervention_id",),
    schema=OPEN_DECISION,
    personal=("recommendation_title",),
)
def previous_decisions(calendar: ir.Table, settings: Settings, rules: Rules) -> Rows:
    """One row per intervention that was open on the as-of date before this one; no rows on the first date.

    Read from the history of published plans; money is in the reporting currency. If nothing was open on that date,
    there is one row with the date only.
    """
    history = history_of(settings, rules)
    (day,) = cast(list[AsOfRow], rows_of(calendar.select("as_of_date").limit(1)))
    before = previous_date(history, DECISIONS, day["as_of_date"])
    if before is None:
        return []
    rows = read_day(history, DECISIONS, before, OPEN_DECISION)
    if not rows.num_rows:
        return [dict.fromkeys(OPEN_DECISION) | {"as_of_date": before}]
    if rows.column("intervention_id").null_count == rows.num_rows:
        return []  # written by a version that stored no ids: every intervention would count as new
    found = ibis.memtable(rows).mutate(as_of_date=ibis.literal(before))
    return rows_of(found.select(**{name: found[name].try_cast(kind) for name, kind in OPEN_DECISION.items()}))


@table(group="decisions", owner="team:customer-success", key=("change", "priority_rank", "intervention_id"))
def decision_changes(intervention_plan: ir.Table, previous_decisions: ir.Table, calendar: ir.Table) -> ir.Table:
    """One row per intervention of the plan or of the plan before: 'New', 'Still open' or 'Gone'.

    Interventions of the two plans are the same if customer, category and owner are. One that is gone has
    the title, category and owner of the plan before; its money, rank and week are NULL. Without an earlier
    date `change` is NULL, and not_available_reason is given. A history of an older version has no previous money.
    """
    now = open_decisions(intervention_plan, calendar).drop("as_of_date")
    ranks = intervention_plan.select("intervention_id", "priority_rank")
    before = previous_decisions.filter(_.intervention_id.notnull()).rename("previous_{name}")
    both = now.join(ranks, "intervention_id").outer_join(before, [("intervention_id", "previous_intervention_id")])
    days = calendar.aggregate(as_of_date=calendar.as_of_date.max()).cross_join(
        previous_decisions.aggregate(previous_as_of_date=_.as_of_date.max())
    )
    in_both = ("intervention_id", "customer_id", "recommendation_title", "category", "suggested_owner")
    table = both.drop("previous_as_of_date").cross_join(days)
    change = ibis.cases(
        (table.previous_as_of_date.isnull(), ibis.null("string")),
        (table.previous_intervention_id.isnull(), NEW),
        (table.intervention_id.isnull(), GONE),
        else_=OPEN,
    )
    return table.select(
        "as_of_date",
        "previous_as_of_date",
        change=change,
        **{name: ibis.coalesce(table[name], table[f"previous_{name}"]) for name in in_both},
        **{name: _[name] for amount in ACTION_MONEY for name in (amount, f"previous_{amount}")},
        priority_band=_.priority_band,
        previous_priority_band=_.previous_priority_band,
        priority_rank=_.priority_rank,
        scheduled_week=_.scheduled_week,
        not_available_reason=ibis.ifelse(table.previous_as_of_date.isnull(), FIRST_DAY, ibis.null("string")),
    )
