"""The funnel of any customers: pages compute it too, so nothing here imports Dagster."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joins import left_join_unique
from rules.literals import literal_rows
from rules.rule_set import Rules

STEPS = ("Signup", "First Key Action", "Activated", "Paid", "Retained Month 1")


def steps_reached(customer_months: ir.Table, calendar: ir.Table, rules: Rules) -> ir.Table:
    """One row per customer: for each step 1 or 0, or NULL without usage data. A step implies those before it."""
    last = calendar.month.max().as_scalar()
    now = customer_months.filter(_.month == last)
    second = customer_months.filter(_.months_since_cohort == 1).select(
        "customer_id", second_month_paid="paying_end", had_time="is_complete"
    )
    threshold = rules.metric_catalog.activation_threshold
    joined = left_join_unique(now, second)
    acted = joined.key_actions_to_date > 0
    activated = acted & (joined.key_actions_to_date > threshold)
    paid = activated & joined.cohort_month.notnull()
    eligible = paid & joined.had_time.fill_null(False)
    retained = eligible & (joined.second_month_paid == 1)

    def flag(step: ir.BooleanColumn) -> ir.IntegerColumn:
        # In SQL NULL AND FALSE is FALSE; here a step after unknown usage is unknown.
        return ibis.ifelse(joined.key_actions_to_date.isnull(), ibis.null("int64"), step.cast("int64"))

    return joined.select(
        "customer_id",
        segment=joined.segment.fill_null("Unknown"),
        s1=ibis.literal(1),
        s2=flag(acted),
        s3=flag(activated),
        s4=flag(paid),
        eligible=flag(eligible),
        s5=flag(retained),
    )


def funnel(reached: ir.Table) -> ir.Table:
    """Users, conversion and drop-off of each step by segment."""
    counts = reached.group_by("segment").aggregate(
        s1=_.s1.sum(), s2=_.s2.sum(), s3=_.s3.sum(), s4=_.s4.sum(), s5=_.s5.sum(), eligible=_.eligible.sum()
    )
    numbered = [{"step_number": number, "step": step} for number, step in enumerate(STEPS, start=1)]
    rows = counts.cross_join(literal_rows(numbered, ibis.schema({"step_number": "int64", "step": "string"})))
    users = rows.step_number.cases((1, rows.s1), (2, rows.s2), (3, rows.s3), (4, rows.s4), else_=rows.s5)
    previous = rows.step_number.cases(
        (2, rows.s1), (3, rows.s2), (4, rows.s3), (5, rows.eligible), else_=ibis.null("int64")
    )
    steps = rows.select("segment", "step_number", "step", users=users, previous_step_users=previous)
    rate = _.users.cast("float64") / _.previous_step_users.nullif(0)
    steps = steps.mutate(conversion_rate=rate).mutate(dropoff_rate=1 - _.conversion_rate)
    worst = steps.group_by("segment").aggregate(worst=_.conversion_rate.min())
    joined = steps.join(worst, "segment")
    first_worst = ibis.ifelse(joined.conversion_rate == joined.worst, joined.step_number, ibis.null("int64")).min()
    marked = joined.mutate(bottleneck=first_worst.over(group_by="segment"))
    return marked.select(
        "segment",
        "step_number",
        "step",
        "users",
        "previous_step_users",
        "conversion_rate",
        "dropoff_rate",
        is_bottleneck=(marked.step_number == marked.bottleneck).fill_null(False),
    )


def funnel_of_all(reached: ir.Table) -> ir.Table:
    """The funnel of all segments together."""
    return funnel(reached.mutate(segment=ibis.literal(""))).drop("segment")
