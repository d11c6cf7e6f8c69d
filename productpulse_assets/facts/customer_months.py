"""The one fact table: payments, usage, support tickets and NPS answers of every customer in every month."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
from ibis import Deferred, _

from asset_checks.events import DATED, dataset_ends
from productpulse_assets.facts.churn_types import COLUMNS as CHURN_TYPE_COLUMNS
from productpulse_assets.facts.churn_types import with_churn_type
from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.mrr_policy import CAUSES, MrrPolicy
from rules.rule_set import Rules
from rules.units import MONEY, months_between

CUSTOMER_MONTH = ["customer_id", "month"]
CALENDAR = ("month", "month_end", "is_complete", "gross_margin")


@table(group="facts", owner="team:finance", key=("customer_id", "month"))
def customer_months(
    customers: ir.Table,
    subscriptions: ir.Table,
    transactions: ir.Table,
    product_usage: ir.Table,
    support_tickets: ir.Table,
    nps_scores: ir.Table,
    acquisition_channels: ir.Table,
    bill_balances: ir.Table,
    calendar: ir.Table,
    mrr_periods: ir.Table,
    mrr_changes: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per customer and calendar month, from the month of the customer's first event of any
    kind (signup, subscription, payment, usage, ticket or answer) to the as-of month.

    Every fact is additive: a KPI of any month, segment, plan, country, channel or cohort is a sum
    or a ratio of sums over these rows. Money is in the reporting currency. Facts of a dataset
    that is absent or has no rows are NULL, not 0, and so are those of the months after the end of a dataset
    that ends long before the as-of date. Always:
    mrr_end = mrr_start + mrr_new + mrr_reactivation + mrr_expansion - mrr_contraction - mrr_churned + mrr_fx, and
    mrr_expansion is the sum of its five causes mrr_expansion_*, as mrr_contraction is. What counts as MRR follows
    rules/mrr_policy.yaml.
    """
    late_days, attributes = rules.data_quality.late_days, customer_attributes(rules)
    payments = Activity.of("transactions", transactions, calendar, late_days)
    usage = Activity.of("product_usage", product_usage, calendar, late_days)
    tickets = Activity.of("support_tickets", support_tickets, calendar, late_days)
    answers = Activity.of("nps_scores", nps_scores, calendar, late_days)
    return (
        spine(customers, first_events(subscriptions, usage, payments, tickets, answers), calendar, attributes)
        .pipe(with_month_end_mrr, mrr_periods, calendar, rules.mrr_policy)
        .pipe(with_trial, subscriptions, calendar)
        .pipe(with_started_plan, mrr_periods)
        .pipe(add_facts, usage_facts(usage), usage, features_used_sum="features_used")
        .pipe(with_history)
        .pipe(with_plan)
        .pipe(revenue_movement)
        .pipe(with_changes, mrr_changes)
        .mutate(is_activated=flag(_.key_actions_to_date > rules.metric_catalog.activation_threshold))
        .pipe(add_facts, payment_facts(payments), payments)
        .pipe(add_facts, ticket_facts(tickets), tickets)
        .pipe(add_facts, nps_facts(answers), answers)
        .pipe(with_acquisition_cost, acquisition_channels)
        .pipe(with_churn_type, customers, subscriptions, mrr_periods, bill_balances, rules.churn_rules)
        .select(*columns(attributes))
    )


@dataclass(frozen=True)
class Activity:
    """A dataset of what customers or billing do.

    day: the column that dates its events. end: one row about its newest event up to the as-of date (`dataset_ends`).
    """

    events: ir.Table
    day: str
    end: ir.Table
    as_of: ir.DateScalar

    @classmethod
    def of(cls, name: str, events: ir.Table, calendar: ir.Table, late_days: int) -> Activity:
        """The dataset of this name, as of the calendar's as-of date."""
        day, as_of = DATED[name][0], calendar.aggregate(as_of_date=_.as_of_date.max())
        return cls(events, day, dataset_ends(events, day, as_of, late_days), calendar.as_of_date.max().as_scalar())

    def by_month(self) -> ir.GroupedTable:
        """Events up to the as-of date, grouped by customer and month."""
        past = self.events.filter(self.events[self.day] <= self.as_of)
        return past.mutate(month=past[self.day].truncate("month")).group_by(CUSTOMER_MONTH)

    def first_days(self, **more: ir.Value) -> ir.Table:
        """By customer: day, that of the first event; `more` are further columns of days, of which it has the first."""
        # Columns are selected before rows are filtered, unlike in by_month: DuckDB would write out in full what
        # two parts of a query share.
        days = self.events.select("customer_id", day=self.events[self.day], **more).filter(_.day <= self.as_of)
        return days.group_by("customer_id").aggregate(**{name: days[name].min() for name in ("day", *more)})


def spine(customers: ir.Table, first_events: ir.Table, calendar: ir.Table, attributes: tuple[str, ...]) -> ir.Table:
    """One row per customer and month: attributes of the customer, before any fact is joined.

    Attributes are joined while a customer is one row. Later DuckDB's estimate of the number of rows is far too
    low, and it would build its hash table from all customer-months instead of from the customers.
    """
    members = left_join_unique(customers, first_events).mutate(
        first_day=ibis.least(_.signup_date, _.first_event.fill_null(_.signup_date)),
        first_month=_.first_key_action.truncate("month"),
        days=ibis.greatest(_.first_key_action.delta(_.signup_date, unit="day"), 0),
    )
    months = members.join(
        calendar,
        [members.first_day.truncate("month") <= calendar.month, members.first_day <= calendar.as_of_date],
    )
    days = ibis.ifelse(months.month >= months.first_month, months.days, ibis.null("int64"))
    return months.select("customer_id", *attributes, *CALENDAR, days_to_first_key_action=days)


def first_events(subscriptions: ir.Table, usage: Activity, *others: Activity) -> ir.Table:
    """By customer: first_event, the day of the first start or activity, and first_key_action; NULL without one."""
    no_day = ibis.null("date")
    starts = subscriptions.group_by("customer_id").aggregate(day=_.start_date.min(), key_action_day=no_day)
    used = usage.first_days(key_action_day=ibis.ifelse(usage.events.key_actions > 0, usage.events.date, no_day))
    # Each dataset is aggregated before the union, which then holds one row per customer and dataset.
    firsts = ibis.union(starts, used, *(each.first_days(key_action_day=no_day) for each in others))
    return firsts.group_by("customer_id").aggregate(first_event=_.day.min(), first_key_action=_.key_action_day.min())


def with_month_end_mrr(table: ir.Table, mrr_periods: ir.Table, calendar: ir.Table, policy: MrrPolicy) -> ir.Table:
    """MRR and the highest-priced plan of each customer on each month's last day; where rates change, also the MRR at
    the rates of the next month."""
    active = mrr_periods.join(
        calendar,
        [
            mrr_periods.from_day <= calendar.month_end,
            mrr_periods.until_day.isnull() | (mrr_periods.until_day > calendar.month_end),
        ],
    )
    # Of plans with the same price the last by name, so that the choice does not depend on the order of rows.
    highest = ibis.struct({"price": active.mrr, "plan": active.plan})
    mrr = active.group_by(CUSTOMER_MONTH).aggregate(
        mrr_end=active.mrr.sum().cast(MONEY),
        **({"mrr_at_next_rate": active.mrr_at_next_rate.sum().cast(MONEY)} if policy.fx == "month_end" else {}),
        plan_at_end=active.plan.argmax(highest),
    )
    return left_join_unique(table, mrr, CUSTOMER_MONTH)


def with_trial(table: ir.Table, subscriptions: ir.Table, calendar: ir.Table) -> ir.Table:
    """Add on_trial_end: 1 for a customer who is on trial on the month's last day and pays for nothing, else 0."""
    periods = subscriptions.filter(_.status == "Trial")
    running = periods.join(
        calendar,
        [
            periods.start_date <= calendar.month_end,
            periods.end_date.isnull() | (periods.end_date > calendar.month_end),
        ],
    )
    trials = running.select(*CUSTOMER_MONTH).distinct().mutate(on_trial=True)
    joined = left_join_unique(table, trials, CUSTOMER_MONTH)
    return joined.mutate(on_trial_end=flag(joined.on_trial.fill_null(False) & joined.mrr_end.isnull()))


def with_started_plan(table: ir.Table, mrr_periods: ir.Table) -> ir.Table:
    """The plan of the period that started last in each month."""
    periods = mrr_periods
    latest = ibis.struct({"start": periods.from_day, "price": periods.mrr, "plan": periods.plan})
    started = periods.group_by("customer_id", month=periods.from_day.truncate("month")).aggregate(
        plan_started=periods.plan.argmax(latest)
    )
    return left_join_unique(table, started, CUSTOMER_MONTH)


def with_history(table: ir.Table) -> ir.Table:
    """Add columns from the customer's other months, in one pass over them."""
    months = ibis.window(group_by="customer_id", order_by="month")
    so_far = ibis.window(group_by="customer_id", order_by="month", preceding=None, following=0)
    whole = ibis.window(group_by="customer_id", order_by="month", preceding=None, following=None)
    plan = ibis.coalesce(table.plan_at_end, table.plan_started)
    start = table.mrr_end.lag(1).over(months)
    at_end_rate = table.mrr_at_next_rate.lag(1).over(months) if "mrr_at_next_rate" in table.columns else start
    return table.mutate(
        # A customer without MRR on the day has NULL so far, one with a counted price of 0 has 0.
        paid_before=start.notnull(),
        pays_now=table.mrr_end.notnull(),
        start_at_end_rate=at_end_rate.fill_null(0),
        month_plan=plan,
        # A group is a month with a plan and the months without one that follow it.
        plan_group=plan.count().over(so_far),
        has_paid=table.mrr_end.count().over(so_far) > 0,
        mrr_end=table.mrr_end.fill_null(0),
        mrr_start=start.fill_null(0),
        mrr_12m_ago=table.mrr_end.lag(12).over(months).fill_null(0),
        cohort_month=ibis.ifelse(table.mrr_end.notnull(), table.month, ibis.null("date")).min().over(whole),
        key_actions_to_date=table.key_actions.sum().over(so_far),
    )


def with_plan(table: ir.Table) -> ir.Table:
    """Add plan: the one paid for at the month's end, else the customer's last one, else 'None'."""
    group = ibis.window(group_by=["customer_id", "plan_group"])
    filled = table.mutate(last_plan=_.month_plan.max().over(group))
    # The plan of a customer who has paid but has no plan is unknown; 'None' means that there never was a plan.
    is_unknown = filled.last_plan.isnull() & filled.has_paid
    otherwise = ibis.ifelse(is_unknown, ibis.null("string"), filled.last_plan.fill_null("None"))
    plan = ibis.ifelse(filled.mrr_end > 0, filled.plan_at_end, otherwise)
    helpers = ("plan_at_end", "plan_started", "month_plan", "plan_group", "last_plan", "has_paid")
    return filled.mutate(plan=plan).drop(*helpers)


def payment_facts(payments: Activity) -> ir.Table:
    """By customer and month: money collected, failed and refunded, and attempts by outcome."""
    is_success, is_failure = _.status == "Success", _.status == "Failed"
    return payments.by_month().aggregate(
        amount_collected=_.amount.sum(where=is_success).cast(MONEY),
        amount_failed=_.amount.sum(where=is_failure).cast(MONEY),
        amount_refunded=_.amount.sum(where=_.status == "Refunded").cast(MONEY),
        payments_succeeded=is_success.cast("int64").sum(),
        payments_failed=is_failure.cast("int64").sum(),
    )


def usage_facts(usage: Activity) -> ir.Table:
    """By customer and month: logins, key actions, features used and records of use."""
    return usage.by_month().aggregate(
        logins=_.logins.sum(),
        key_actions=_.key_actions.sum(),
        features_used_sum=_.features_used.sum(),
        usage_records=_.usage_id.count(),
    )


def ticket_facts(tickets: Activity) -> ir.Table:
    """By customer and month: support tickets opened."""
    return tickets.by_month().aggregate(tickets_opened=_.ticket_id.count())


def nps_facts(answers: Activity) -> ir.Table:
    """By customer and month: answers, their sum, promoters (9 and 10) and detractors (0 to 6)."""
    return answers.by_month().aggregate(
        nps_responses=_.score.count(),
        nps_score_sum=_.score.sum(),
        nps_promoters=(_.score >= 9).cast("int64").sum(),
        nps_detractors=(_.score <= 6).cast("int64").sum(),
    )


def add_facts(table: ir.Table, facts: ir.Table, activity: Activity, **needs: str) -> ir.Table:
    """Join facts by customer and month. `needs` names the optional column that a fact is computed from.

    A month without events has the fact 0. Where the dataset has no rows at all, the optional column has no values,
    or the month begins after the end of a late dataset, the fact is unknown: NULL.
    """
    names = [name for name in facts.columns if name not in CUSTOMER_MONTH]
    events, end = activity.events, activity.end
    known = events.aggregate(
        **{f"knows_{name}": (events[needs[name]] if name in needs else events).count() > 0 for name in names}
    ).cross_join(end.select(last_known=ibis.ifelse(end.is_late, end.newest, ibis.null("date"))))
    joined = left_join_unique(table, facts, CUSTOMER_MONTH).cross_join(known)
    is_covered = (joined.month <= joined.last_known).fill_null(True)
    values = {
        name: ibis.ifelse(
            joined[f"knows_{name}"] & is_covered, joined[name].fill_null(0), ibis.null(joined[name].type())
        )
        for name in names
    }
    return joined.mutate(**values).drop(*known.columns)


def revenue_movement(table: ir.Table) -> ir.Table:
    """Add the movement between the MRR at the start and at the end of each month, and what is derived from both.

    Of customers who stay, the MRR at the start is first converted at the rates of the month's end: that is mrr_fx.
    """
    begins, stays = ~_.paid_before & _.pays_now, _.paid_before & _.pays_now
    ends = _.paid_before & ~_.pays_now
    return table.mutate(
        months_since_cohort=ibis.ifelse(
            _.month >= _.cohort_month, months_between(_.cohort_month, _.month), ibis.null("int64")
        ),
        mrr_new=amount_where(begins & (_.month == _.cohort_month), _.mrr_end),
        mrr_reactivation=amount_where(begins & (_.month > _.cohort_month), _.mrr_end),
        mrr_expansion=amount_where(stays, ibis.greatest(_.mrr_end - _.start_at_end_rate, 0)),
        mrr_contraction=amount_where(stays, ibis.greatest(_.start_at_end_rate - _.mrr_end, 0)),
        mrr_churned=amount_where(ends, _.mrr_start),
        mrr_fx=amount_where(stays, _.start_at_end_rate - _.mrr_start),
        mrr_kept_12m=amount_where(_.mrr_12m_ago > 0, _.mrr_end),
        mrr_retained_12m=ibis.least(_.mrr_end, _.mrr_12m_ago),
        mrr_gross_profit=share_of(_.mrr_end, _.gross_margin),
        paying_start=flag(_.paid_before),
        paying_end=flag(_.pays_now),
        is_new=flag(begins & (_.month == _.cohort_month)),
        is_reactivated=flag(begins & (_.month > _.cohort_month)),
        is_churned=flag(ends),
    )


def with_changes(table: ir.Table, mrr_changes: ir.Table) -> ir.Table:
    """Add the parts of each expansion and contraction, by cause; a part that goes against the whole is negative."""
    joined = left_join_unique(table, mrr_changes, CUSTOMER_MONTH)
    changes = {cause: joined[f"change_{cause}"] for cause in CAUSES}
    return joined.mutate(
        **{f"mrr_expansion_{cause}": amount_where(joined.mrr_expansion > 0, part) for cause, part in changes.items()},
        **{
            f"mrr_contraction_{cause}": amount_where(joined.mrr_contraction > 0, -part)
            for cause, part in changes.items()
        },
    )


def amount_where(condition: ir.BooleanValue, amount: ir.DecimalValue) -> ir.DecimalValue:
    """The amount where the condition holds, else 0."""
    return ibis.ifelse(condition, amount, ibis.literal(0)).cast(MONEY)


def share_of(amount: Deferred, share: Deferred) -> Deferred:
    """The part of an amount, rounded as a decimal first: half a cent may be a little less than that in binary."""
    return (amount.cast("float64") * share.cast("float64")).cast("decimal(38, 9)").cast(MONEY)


def flag(condition: ir.BooleanColumn) -> ir.IntegerColumn:
    """0 or 1, so that a sum is a count."""
    return condition.cast("int64")


def with_acquisition_cost(table: ir.Table, acquisition_channels: ir.Table) -> ir.Table:
    """Add acquisition_cost: the channel's cost in the customer's first paying month; NULL where it is unknown."""
    known = acquisition_channels.aggregate(knows_costs=acquisition_channels.count() > 0)
    costs = acquisition_channels.rename(acquisition_channel="channel_name")
    joined = left_join_unique(table, costs, "acquisition_channel").cross_join(known)
    otherwise = ibis.ifelse(joined.knows_costs, ibis.literal(0).cast(MONEY), ibis.null(MONEY))
    return joined.mutate(acquisition_cost=ibis.ifelse(joined.is_new == 1, joined.cost_per_acquisition, otherwise))


def customer_attributes(rules: Rules) -> tuple[str, ...]:
    """The columns of customers that every customer-month repeats: the usual ones and the rules' own dimensions."""
    return tuple(dict.fromkeys(("segment", "country", "acquisition_channel", *rules.customer_dimensions)))


def columns(attributes: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of the table, in order."""
    return (
        "customer_id", "month", "month_end", "is_complete",
        *attributes, "plan", "cohort_month", "months_since_cohort",
        "mrr_start", "mrr_new", "mrr_reactivation", "mrr_expansion", "mrr_contraction", "mrr_churned", "mrr_fx",
        "mrr_end", *(f"mrr_expansion_{cause}" for cause in CAUSES), *(f"mrr_contraction_{cause}" for cause in CAUSES),
        "paying_start", "paying_end", "on_trial_end", "is_new", "is_reactivated", "is_churned",
        "mrr_12m_ago", "mrr_kept_12m", "mrr_retained_12m", "mrr_gross_profit",
        "amount_collected", "amount_failed", "amount_refunded", "payments_succeeded", "payments_failed",
        "logins", "key_actions", "features_used_sum", "usage_records", "key_actions_to_date", "is_activated",
        "days_to_first_key_action", "acquisition_cost",
        "tickets_opened", "nps_responses", "nps_score_sum", "nps_promoters", "nps_detractors",
        *CHURN_TYPE_COLUMNS,
    )  # fmt: skip
