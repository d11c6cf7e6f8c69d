"""The intervention plan: recommendations merged by customer and owner, and scheduled by what owners can do."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.decisions.action_value import value_months
from productpulse_assets.decisions.recommendations import SCORE
from productpulse_assets.joins import collect_ordered, join_ordered
from productpulse_assets.tables import table
from rules.literals import literal_rows
from rules.metrics.compile import band
from rules.recommendation_rules import RecommendationRules
from rules.rule_set import Rules
from rules.text.formats import ACTION_MONEY
from rules.units import MONEY

BACKLOG = "backlog"
DAYS_A_WEEK = 7


@table(group="decisions", owner="team:customer-success", key=("priority_rank",))
def intervention_plan(recommendations: ir.Table, calendar: ir.Table, rules: Rules) -> ir.Table:
    """One row per customer, category and owner: everything that one person does for one customer.

    No money is counted twice: a customer's MRR, and a case of leakage, counts only in the most urgent
    recommendation about it, so that monthly_revenue, recurring_value (over value_months) and one_off_cash each add
    up over any rows. They are never one sum: cash comes once. priority_score adds the scores of the most urgent
    recommendation of each subject. scheduled_week is the Monday of the week in which the owner has room for it, the
    most urgent first, or 'backlog'.
    """
    advice = rules.recommendation_rules
    return merged(counted_once(recommendations), advice).pipe(scheduled, first_week(calendar), advice)


def counted_once(recommendations: ir.Table) -> ir.Table:
    """Leave each recommendation the money that it adds to the plan, and add the score for its intervention."""
    in_plan = is_first(["trigger", "subject_id"])
    in_intervention = is_first(["intervention_id", "trigger", "subject_id"])
    of_action = is_first(["intervention_id", "expected_action"])
    zero = ibis.literal(0)
    return recommendations.mutate(
        is_first_in_plan=in_plan, is_first_in_intervention=in_intervention, is_first_of_action=of_action
    ).mutate(
        **{name: ibis.ifelse(_.is_first_in_plan, _[name], zero).cast(MONEY) for name in ACTION_MONEY},
        score=ibis.ifelse(_.is_first_in_intervention, _.priority_score.cast(SCORE), zero).cast(SCORE),
    )


def is_first(columns: list[str]) -> ir.BooleanColumn:
    """Whether a recommendation is the most urgent one with these values."""
    return ibis.row_number().over(group_by=columns, order_by=[_.priority_rank]) == 0


def merged(table: ir.Table, rules: RecommendationRules) -> ir.Table:
    """One row per intervention, ranked. Title, confidence and effort are those of its most urgent recommendation."""
    keys = ["intervention_id", "customer_id", "category", "suggested_owner"]
    plan = table.group_by(keys).aggregate(
        recommendation_title=_.recommendation_title.argmin(_.priority_rank),
        target_segment=_.segment.argmin(_.priority_rank),
        **{name: _[name].sum().cast(MONEY) for name in ACTION_MONEY},
        actions=collect_ordered(_.expected_action, _.priority_rank, _.is_first_of_action),
        ids=collect_ordered(_.recommendation_id, _.priority_rank),
        reasons=collect_ordered(_.reason, _.priority_rank, _.is_first_in_intervention),
        confidence_level=_.confidence_level.argmin(_.priority_rank),
        effort_level=_.effort_level.argmin(_.priority_rank),
        recommendations=_.count(),
        score=_.score.sum().cast(SCORE),
    )
    order = [_.score.desc(), *(_[name].desc() for name in ACTION_MONEY), _.customer_id, _.intervention_id]
    ranked = plan.mutate(
        priority_rank=ibis.row_number().over(order_by=order) + 1, priority_band=band(plan.score, rules.priority_bands)
    )
    return ranked.mutate(
        affected_customers=ibis.literal(1, "int64"),
        expected_action=join_ordered(ranked.actions, " "),
        reason=join_ordered(ranked.reasons, " "),
        recommendation_ids=join_ordered(ranked.ids, ", "),
        priority_score=ranked.score.cast("float64"),
        value_months=value_months(ranked),
    )


def first_week(calendar: ir.Table) -> ir.Table:
    """One row: as_of_date, and the Monday of the plan's first week, the week of the day after the as-of date."""
    day = calendar.aggregate(as_of_date=calendar.as_of_date.max())
    tomorrow = (day.as_of_date + ibis.interval(days=1)).cast("timestamp").cast("date")
    return day.select("as_of_date", monday=tomorrow.truncate("W").cast("timestamp").cast("date"))


def scheduled(plan: ir.Table, week: ir.Table, rules: RecommendationRules) -> ir.Table:
    """Give each intervention the first week in which its owner has room for it."""
    place = ibis.row_number().over(group_by="suggested_owner", order_by=[_.priority_rank])
    capacity = ibis.cases(
        *((plan.suggested_owner == owner, weekly) for owner, weekly in rules.weekly_capacity.items()),
        else_=ibis.null("int64"),
    )
    placed = plan.mutate(week_number=(place // capacity).cast("int64")).cross_join(week)
    fits = placed.week_number < rules.horizon_weeks
    return placed.select(
        "priority_rank", "intervention_id", "recommendation_title", "category", "target_segment", "customer_id",
        "affected_customers", "monthly_revenue", "value_months", "recurring_value", "one_off_cash", "expected_action",
        "reason", "suggested_owner", "confidence_level", "effort_level", "priority_score", "priority_band",
        scheduled_week=ibis.ifelse(fits, week_name(placed.monday, placed.week_number), BACKLOG),
        recommendations=placed.recommendations,
        recommendation_ids=placed.recommendation_ids,
    )  # fmt: skip


def week_name(monday: ir.DateColumn, number: ir.IntegerColumn) -> ir.StringColumn:
    """The Monday that is `number` weeks later, as text: 2026-06-29."""
    day = monday + (number * DAYS_A_WEEK).as_interval("D")
    return day.cast("timestamp").cast("date").cast("string")


@table(group="decisions", owner="team:customer-success", key=("owner", "week"))
def owner_workload(intervention_plan: ir.Table, calendar: ir.Table, rules: Rules) -> ir.Table:
    """One row per owner and planned week, and one for the owner's backlog, empty weeks included.

    capacity is the number of interventions that the owner can take on in the week, NULL for the backlog;
    monthly_revenue, recurring_value and one_off_cash are what the week's interventions are about.
    """
    capacity, horizon = rules.recommendation_rules.weekly_capacity, rules.recommendation_rules.horizon_weeks
    owners = literal_rows(
        [{"owner": owner, "weekly": weekly} for owner, weekly in capacity.items()],
        ibis.schema({"owner": "string", "weekly": "int64"}),
    )
    weeks_ahead = [{"number": number} for number in range(horizon + 1)]
    numbers = literal_rows(weeks_ahead, ibis.schema({"number": "int64"}))
    slots = owners.cross_join(numbers).cross_join(first_week(calendar)).select("owner", "weekly", "number", "monday")
    is_planned = slots.number < horizon
    weeks = slots.select(
        "owner",
        week=ibis.ifelse(is_planned, week_name(slots.monday, slots.number), BACKLOG),
        capacity=ibis.ifelse(is_planned, slots.weekly, ibis.null("int64")),
    )
    work = intervention_plan.group_by(owner="suggested_owner", week="scheduled_week").aggregate(
        interventions=_.count(), **{name: _[name].sum().cast(MONEY) for name in ACTION_MONEY}
    )
    table = weeks.left_join(work, ["owner", "week"])
    return table.select(
        "owner",
        "week",
        interventions=_.interventions.fill_null(0),
        capacity=_.capacity,
        **{name: _[name].fill_null(0).cast(MONEY) for name in ACTION_MONEY},
    )
