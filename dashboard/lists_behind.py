"""The rows behind numbers that are no metric: a cell of the cohorts, a step of the funnel, a bar of a chart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import ibis
import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.asked_rows import Asked
from dashboard.filters import add_customer_columns, contains_word
from dashboard.metric_values import metric_behind
from dashboard.periods import range_named
from dashboard.reading import Reading
from dashboard.rows_behind import Behind
from dashboard.view_filters import chosen, column_title, in_view, models_in_view, view_key, where_text
from productpulse_assets.charts import mrr
from productpulse_assets.metrics.funnel_steps import STEPS, steps_reached
from resources.published_snapshot import Row
from rules.metrics.bridge import LOSSES, RATES, SIGNS, bridge_rows, bridge_values
from rules.metrics.parts import DENOMINATOR, NUMERATOR, VALUE
from rules.metrics.rows import AMOUNT, ROWS
from rules.metrics.slices import CASES, member_of
from rules.metrics.time_range import TimeRange
from rules.text.formats import change_text, percent, value_text
from rules.units import month_start, months_between

RISK_SEARCHED = ("company_name", "customer_id", "drivers")
"""The columns that the search of the Risk Queue looks in."""

ONE, BOTH = (VALUE,), (NUMERATOR, DENOMINATOR)

RISK_AMOUNTS = {
    "customers": ("Paying customers", "count"),
    "mrr": ("MRR", "money"),
    "is_at_risk": ("Customers at risk", "count"),
    "revenue_at_risk": ("Revenue at risk", "money"),
    "risk_unknown": ("Customers whose revenue at risk is unknown", "count"),
}
"""What the numbers of the Risk Queue count or add up of each customer, with their labels and units."""


def cohort_cell(reading: Reading, asked: Asked) -> Behind:
    """A cohort after a number of months: who of it still pays, and whether each of its customers does."""
    cohort, later = dt.date.fromisoformat(f"{asked.where['cohort']}-01"), int(asked.where["months"])
    is_money = asked.where.get("measure") == "mrr_retention_rate"
    months = in_view(reading, reading.table("customer_months")).filter(_.cohort_month == cohort)
    at_cell = months.filter(_.months_since_cohort == later)
    amount, unit = ("mrr_end", "money") if is_money else ("paying_end", "count")
    retained = at_cell.filter(_.paying_end == 1)
    first = months.filter(_.months_since_cohort == 0, _.paying_end == 1)
    still = first.customer_id.isin(retained.customer_id)
    first = first.mutate(part=ibis.ifelse(still, "Still pays", "Does not pay"))
    rows = ibis.union(
        listed(retained.mutate(part=ibis.literal("Still pays")), NUMERATOR, amount, unit),
        listed(first, DENOMINATOR, amount, unit),
    )
    return Behind(
        f"{'MRR' if is_money else 'Customers'} of the cohort {cohort:%B %Y} after {later} months",
        where_text(chosen(reading)),
        quotient_text(reading, rows, unit),
        rows,
        BOTH,
        BOTH,
    )


def funnel_step(reading: Reading, asked: Asked) -> Behind:
    """A step of the funnel: who reached it, of those who could."""
    number, segment = STEPS.index(asked.where["step"]) + 1, asked.where.get("segment")
    months = in_view(reading, reading.table("customer_months"))
    reached = steps_reached(months, reading.table("calendar"), reading.rules)
    if segment is not None:
        reached = reached.filter(_.segment == segment)
    before = {1: None, len(STEPS): "eligible"}.get(number, f"s{number - 1}")
    here = reached.filter(reached[f"s{number}"] == 1).mutate(part=ibis.literal("Reached"))
    slices = ", ".join(filter(None, (segment and f"segment {segment}", where_text(chosen(reading)))))
    if before is None:
        rows = listed(here, VALUE, "s1", "count")
        value = value_text(reading.count(rows), "count")
        return Behind(asked.where["step"], slices, value, rows, ONE, ONE)
    earlier = reached.filter(reached[before] == 1)
    is_here = ibis.ifelse(earlier[f"s{number}"] == 1, "Reached", "Not reached")
    rows = ibis.union(
        listed(here, NUMERATOR, f"s{number}", "count"),
        listed(earlier.mutate(part=is_here), DENOMINATOR, before, "count"),
    )
    return Behind(asked.where["step"], slices, quotient_text(reading, rows, "count"), rows, BOTH, BOTH)


def risk_profiles(reading: Reading) -> ir.Table:
    """The paying customers of the filters, and of the Risk Queue's search and driver, if the address has them."""
    profiles = add_customer_columns(reading, in_view(reading, reading.table("churn_risk_profiles")))
    for word in (st.query_params.get("q") or "").lower().split():
        profiles = profiles.filter(contains_word(profiles, RISK_SEARCHED, word))
    drivers = st.query_params.get_all("driver")
    return profiles.filter(_.main_driver.isin(drivers)) if drivers else profiles


def risk_customers(reading: Reading, asked: Asked) -> Behind:
    """The paying customers of a segment and risk band, or with a driver, each with its MRR."""
    profiles, where = risk_profiles(reading), dict(asked.where)
    if (rule := where.pop("rule", None)) is not None:
        evidence = reading.table("churn_evidence").filter(_.rule_id == rule)
        profiles = profiles.semi_join(evidence, "customer_id")
    label, unit = RISK_AMOUNTS[amount := where.pop("amount", "customers")]
    for column, member in where.items():
        profiles = profiles.filter(member_of(profiles, column) == member)
    profiles = profiles.mutate(
        customers=1,
        risk_unknown=_.revenue_at_risk.isnull().cast("int64"),
        part=_.main_driver.fill_null("No driver"),
        mrr_end=_.mrr,
    )
    rows = listed(profiles.filter(_[amount].cast(AMOUNT) != 0), VALUE, amount, unit)
    total = reading.rows(rows.aggregate(total=_.contribution.sum()))[0]["total"] or Decimal(0)
    slices = ", ".join(filter(None, (rule and f"driver {rule}", words(where), where_text(chosen(reading)))))
    return Behind(label, slices, value_text(total, unit, reading.currency, exact=True), rows, ONE, ONE)


def mrr_change(reading: Reading, asked: Asked) -> Behind:
    """The change of the MRR of a member in a month: what each customer has in it at the end, less that of before."""
    month = dt.date.fromisoformat(f"{asked.period}-01")
    ((column, member),) = asked.where.items()
    months = models_in_view(reading, chosen(reading))["customer_months"]
    months = months.filter(member_of(months, column) == member)
    distance = months_between(months.month, ibis.literal(month))
    both = months.mutate(distance=distance).filter(_.distance.isin([0, 1]))
    after = _.mrr_end.sum(where=_.distance == 0).fill_null(0)
    before = _.mrr_end.sum(where=_.distance == 1).fill_null(0)
    moved = both.group_by("customer_id").aggregate(after=after, before=before)
    moved = moved.mutate(change=_.after - _.before).filter(_.change != 0)
    rows = listed(
        moved.select("customer_id", "change", mrr_start="before", mrr_end="after", month=ibis.literal(month)),
        VALUE, "change", "money",
    )  # fmt: skip
    total = reading.rows(rows.aggregate(total=_.contribution.sum()))[0]["total"] or Decimal(0)
    slices = ", ".join(filter(None, (words(asked.where), where_text(chosen(reading)))))
    return Behind(
        f"Change of MRR in {month:%B %Y} from {month_start(month, -1):%B %Y}",
        slices,
        change_text(total, "money", reading.currency),
        rows,
        ONE,
        ONE,
    )


def bridge_part(reading: Reading, asked: Asked) -> Behind:
    """A block of the MRR bridge of the filters: the customers who moved, entered the slice or left it."""
    period = range_named(reading, asked.period)
    if period is None:
        raise ValueError(asked.period)
    where, part = chosen(reading), asked.where["part"]
    rows = bridge_rows(models_in_view(reading, {}, list(where)), period, where).filter(_.part == part)
    total = reading.rows(rows.aggregate(total=_.contribution.sum()))[0]["total"] or Decimal(0)
    text = value_text(total, "money", reading.currency, exact=True)
    return Behind(f"MRR bridge: {part}", where_text(where), text, rows, ONE, ONE, (), period)


ALWAYS_SHOWN = tuple(SIGNS)[: len(mrr.BRIDGE)]
METRICS_OF_PARTS = dict(zip(ALWAYS_SHOWN, mrr.BRIDGE, strict=True)) | {RATES: mrr.FX}
"""The parts of a slice's bridge, and the metric of each; further parts are shown where they are not 0."""


def bridge_in_view(reading: Reading, period: TimeRange | None) -> mrr.Bridge | None:
    """The MRR bridge of the page's period and filters, with who entered and left the slice; None without a month."""
    if period is None:
        return None

    def read() -> Sequence[Row]:
        where = chosen(reading)
        return reading.rows(bridge_values(models_in_view(reading, {}, list(where)), period, where).order_by("place"))

    names, lines = METRICS_OF_PARTS, []
    for row in reading.keep(("bridge", *view_key(reading), period.name), read):
        part = str(row["part"])
        if part in ALWAYS_SHOWN or (part in SIGNS and row["amount"]):
            name: str = names.get(part, part)
            about = reading.rules.metric_catalog.metrics.get(name)
            is_loss = row["amount"] < 0 or part in LOSSES
            amount = -row["amount"] if is_loss else row["amount"]
            line = {"metric_name": name, "label": about.label if about else part.capitalize(), "amount": amount}
            lines.append((line | {"value": amount, "period_start": period.first}, "-" if is_loss else "+"))
    return mrr.Bridge(lines)


def bridge_block(reading: Reading, period: str) -> Callable[[Sequence[str]], Asked]:
    """What a block of the bridge opens: its metric, and with filters its part of the slice's bridge."""
    parts = {metric: part for part, metric in METRICS_OF_PARTS.items()}
    if not chosen(reading):
        return lambda keys: Asked(keys[0], period)
    return lambda keys: (
        Asked(keys[0], period) if keys[0] == mrr.MRR else Asked("bridge", period, {"part": parts.get(keys[0], keys[0])})
    )


def leakage_cases(reading: Reading, asked: Asked) -> Behind:
    """The open cases of one kind of leakage, each with its loss."""
    kind = asked.where["leakage_type"]
    cases = models_in_view(reading, chosen(reading))[CASES].filter(_.leakage_type == kind, _.customer_id.notnull())
    rows = listed(cases, VALUE, "estimated_revenue_loss", "money")
    total = reading.rows(rows.aggregate(total=_.contribution.sum()))[0]["total"] or Decimal(0)
    text = value_text(total, "money", reading.currency, exact=True)
    return Behind(f"Leakage: {kind}", where_text(chosen(reading)), text, rows, ONE, ONE)


def leakage_by_kind(reading: Reading) -> ir.Table:
    """leakage_summary for the customers of the filters: cases, customers and loss of each kind that is known."""
    summary, where = reading.table("leakage_summary"), chosen(reading)
    if not where:
        return summary
    cases = models_in_view(reading, where)[CASES].filter(_.customer_id.notnull())
    sums = cases.group_by("leakage_type").aggregate(
        cases=_.count(), customers=_.customer_id.nunique(), loss=_.estimated_revenue_loss.sum()
    )
    joined = summary.drop("cases", "customers").left_join(sums, "leakage_type")
    is_known = joined.estimated_revenue_loss.notnull()
    loss = ibis.ifelse(is_known, joined.loss.fill_null(0), ibis.null(joined.loss.type()))
    joined = joined.mutate(estimated_revenue_loss=loss, cases=_.cases.fill_null(0), customers=_.customers.fill_null(0))
    share = loss.cast("float64") / joined.loss.sum().over().cast("float64").nullif(0)
    return joined.mutate(share_of_loss=share).select(summary.columns)


def planned_work(reading: Reading, asked: Asked) -> Behind:
    """The interventions of an owner in a week, about the page's customers."""
    owner, week = asked.where["owner"], asked.where["week"]
    plan = in_view(reading, reading.table("intervention_plan")).filter(
        _.suggested_owner == owner, _.scheduled_week == week
    )
    plan = plan.mutate(one=ibis.literal(1), part="recommendation_title")
    rows = listed(plan, VALUE, "one", "count")
    return Behind(f"Interventions of {owner}", week, value_text(reading.count(rows), "count"), rows, ONE, ONE)


LISTS: Mapping[str, Callable[[Reading, Asked], Behind]] = {
    "cohort": cohort_cell,
    "funnel": funnel_step,
    "risk": risk_customers,
    "mrr_change": mrr_change,
    "bridge": bridge_part,
    "leakage": leakage_cases,
    "work": planned_work,
}
"""By the name in the address."""


def listed(table: ir.Table, side: str, amount: str, unit: str) -> ir.Table:
    """The rows of a table in the form of `metric_rows`, with the column `amount` as their part of the side."""
    values = {"side": ibis.literal(side), "unit": ibis.literal(unit)}
    values |= {"amount": table[amount], "contribution": table[amount]}
    values |= {
        name: table[name]
        for name in ("customer_id", "source_row", "part", "month", "mrr_start", "mrr_end")
        if name in table.columns
    }
    columns = {name: values.get(name, ibis.null(kind)).cast(kind) for name, kind in ROWS.items()}
    return table.select(**columns | ({} if "part" in table.columns else {"part": ibis.literal("")}))


def quotient_text(reading: Reading, rows: ir.Table, unit: str) -> str:
    """Numerator and denominator with their quotient: `13 of 15 (86.7 %)`."""
    sums = {
        row["side"]: row["total"] for row in reading.rows(rows.group_by("side").aggregate(total=_.contribution.sum()))
    }
    top, bottom = sums.get(NUMERATOR) or Decimal(0), sums.get(DENOMINATOR)
    texts = [value_text(each, unit, reading.currency, exact=True) for each in (top, bottom or Decimal(0))]
    return f"{texts[0]} of {texts[1]} ({percent(top / bottom)})" if bottom else texts[0]


def words(where: Mapping[str, str]) -> str:
    """Members by column in words: `segment SMB, risk band High`."""
    return ", ".join(f"{column_title(column)} {member}" for column, member in where.items())


def find_behind(reading: Reading, asked: Asked) -> Behind | None:
    """What the panel shows; None if the address asks for something that the snapshot does not have."""
    if asked.name in reading.rules.metric_catalog.metrics:
        return metric_behind(reading, asked)
    try:
        return LISTS[asked.name](reading, asked)
    except (KeyError, ValueError):  # a typed address
        return None


def risk_bar(keys: Sequence[str]) -> Asked:
    """The part of a bar: a segment and a risk band."""
    return Asked("risk", "", {"segment": keys[0], "risk_band": keys[1]})


def leakage_bar(keys: Sequence[str]) -> Asked:
    """The bar of a kind of leakage."""
    return Asked("leakage", "", {"leakage_type": keys[0]})


def month_point(keys: Sequence[str]) -> Asked:
    """The point of a metric in a month."""
    return Asked(keys[0], keys[1])
