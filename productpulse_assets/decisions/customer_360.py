"""Customer 360: all figures about one customer in one row."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.calendar import as_of_day
from productpulse_assets.facts.customer_signals import with_behaviour
from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.loading.problems import Problem, refuse
from rules.metrics.compile import band
from rules.models import CustomerSegment
from rules.operators import round_for_comparison
from rules.rule_set import Rules
from rules.units import MONEY
from rules.windows import RECENT_DAYS, active_on

RECEIVABLE = (
    "amount_open", "credit", "days_past_due", "open_0_30", "open_31_60", "open_61_90", "open_over_90", "days_late",
)  # fmt: skip
"""What customer_360 shows of the customer's account."""

TREND_RATE = 0.10
"""A change of usage that is larger than this, up or down, is a trend."""


@table(group="decisions", owner="team:customer-success", key=("customer_id",))
def customer_360(
    customers: ir.Table,
    subscriptions: ir.Table,
    transactions: ir.Table,
    product_usage: ir.Table,
    support_tickets: ir.Table,
    nps_scores: ir.Table,
    bill_balances: ir.Table,
    mrr_periods: ir.Table,
    calendar: ir.Table,
    customer_signals: ir.Table,
    churn_risk_profiles: ir.Table,
    revenue_leakage: ir.Table,
    receivables: ir.Table,
    intervention_plan: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per customer, paying or not: attributes, revenue, usage, risk, and the next action.

    Money is in the reporting currency. What a customer does not have (risk without a paid subscription,
    an NPS score without an answer) is NULL; the customer segments of rules/segments.yaml have a word for it.
    """
    days = as_of_day(calendar)
    everyone = customers.drop("is_active").cross_join(days.select("as_of_date"))
    behaviour = with_behaviour(
        everyone, mrr_periods, transactions, product_usage, support_tickets, nps_scores, bill_balances, days, rules
    )
    table = (
        behaviour.pipe(left_join_unique, current_subscription(subscriptions, days))
        .pipe(left_join_unique, collected_revenue(transactions, days))
        .pipe(left_join_unique, customer_signals.select("customer_id", "mrr", "days_to_renewal"))
        .pipe(left_join_unique, churn_risk_profiles.select(
            "customer_id", "risk_score", "risk_band", "revenue_at_risk", "main_driver"
        ))
        .pipe(left_join_unique, open_leakage(revenue_leakage))
        .pipe(left_join_unique, receivables.select("customer_id", *RECEIVABLE))
        .pipe(left_join_unique, next_action(intervention_plan))
    )  # fmt: skip
    return table.pipe(select_columns).pipe(with_customer_segments, rules)


def current_subscription(subscriptions: ir.Table, days: ir.Table) -> ir.Table:
    """By customer: plan and status of its main subscription on the as-of date, without what became known later."""
    periods = subscriptions.cross_join(days).filter(_.start_date <= _.as_of_date)
    is_active = active_on(periods, periods.as_of_date)
    is_late = is_active & periods.is_current & (periods.status == "Past Due")
    status = ibis.cases(
        (is_late, "Past Due"),
        (is_active & (periods.status == "Trial"), "Trial"),
        (is_active, "Active"),
        (periods.status == "Expired", "Expired"),
        else_="Canceled",
    )
    # The main subscription is the first by these: running, paid, past due, highest price, newest.
    order = ibis.struct(
        {
            "active": is_active.cast("int64"),
            "paid": ((periods.status != "Trial") & (periods.monthly_price > 0)).cast("int64"),
            "late": is_late.cast("int64"),
            "price": ibis.ifelse(is_active, periods.monthly_price, 0).cast(MONEY),
            "start": periods.start_date,
            "id": periods.subscription_id,
        }
    )
    ranked = periods.mutate(status=status, order=order, is_running=is_active & (periods.status != "Trial"))
    return ranked.group_by("customer_id").aggregate(
        plan=ranked.plan.argmax(ranked.order),
        subscription_status=ranked.status.argmax(ranked.order),
        is_active=ranked.is_running.any(),
        first_start=ranked.start_date.min(),
    )


def collected_revenue(transactions: ir.Table, days: ir.Table) -> ir.Table:
    """By customer: amounts collected and refunded up to the as-of date."""
    past = transactions.cross_join(days).filter(_.transaction_date <= _.as_of_date)
    return past.group_by("customer_id").aggregate(
        collected=_.amount.sum(where=_.status == "Success").fill_null(0).cast(MONEY),
        refunded=_.amount.sum(where=_.status == "Refunded").fill_null(0).cast(MONEY),
    )


def open_leakage(revenue_leakage: ir.Table) -> ir.Table:
    """By customer: the loss of all its cases of leakage."""
    return revenue_leakage.group_by("customer_id").aggregate(leakage=_.estimated_revenue_loss.sum().cast(MONEY))


def next_action(intervention_plan: ir.Table) -> ir.Table:
    """By customer: title and week of its most urgent intervention."""
    return intervention_plan.group_by("customer_id").aggregate(
        recommended_action=_.recommendation_title.argmin(_.priority_rank),
        next_action_week=_.scheduled_week.argmin(_.priority_rank),
    )


def select_columns(table: ir.Table) -> ir.Table:
    """The columns of customer_360, without the customer segments."""
    has_payments = table.failed_payment_count.notnull()
    zero = ibis.literal(0).cast(MONEY)
    since = ibis.least(table.signup_date, table.first_start.fill_null(table.signup_date))
    change = table.usage_change
    income_known = (table.collected - table.refunded).fill_null(zero)
    trend = round_for_comparison(change)  # 11 / 10 - 1 is a little more than 0.1 in binary
    return table.select(
        "customer_id", "company_name", "segment", "country", "acquisition_channel", "signup_date", "as_of_date",
        is_active=table.is_active.fill_null(False),
        plan=table.plan,
        subscription_status=table.subscription_status.fill_null("None"),
        current_mrr=table.mrr.fill_null(zero),
        total_revenue=ibis.ifelse(has_payments, income_known, ibis.null(MONEY)).cast(MONEY),
        tenure_days=ibis.greatest(table.as_of_date.delta(since, unit="day"), 0),
        days_to_renewal=table.days_to_renewal,
        latest_usage_frequency=table.logins_recent.cast("float64") * 7 / RECENT_DAYS,
        usage_change=change,
        usage_trend=ibis.cases(
            (trend.isnull(), "No Data"), (trend > TREND_RATE, "Increasing"), (trend < -TREND_RATE, "Declining"),
            else_="Stable",
        ),
        days_since_last_login=table.days_since_last_login,
        is_activated=table.is_activated,
        latest_nps=table.latest_nps_score,
        support_ticket_count=table.support_ticket_count,
        open_ticket_count=table.open_ticket_count,
        failed_payment_count=table.failed_payment_count,
        churn_risk_score=table.risk_score,
        churn_risk_band=table.risk_band,
        revenue_at_risk=ibis.ifelse(table.risk_band.isnull(), zero, table.revenue_at_risk),
        main_driver=table.main_driver,
        open_leakage=ibis.ifelse(has_payments, table.leakage.fill_null(zero), table.leakage),
        **{name: table[name] for name in RECEIVABLE},
        recommended_action=table.recommended_action,
        next_action_week=table.next_action_week,
    )  # fmt: skip


def with_customer_segments(table: ir.Table, rules: Rules) -> ir.Table:
    """Add the customer segments of rules/segments.yaml; raises RulesError for one of an unknown column."""
    segments = rules.segments.customer_segments
    accepted = ", ".join(table.columns)
    unknown = [segment.column for segment in segments.values() if segment.column not in table.columns]
    refuse(
        rules.path("segments"),
        (
            Problem(
                "rules.unknown_column", "customer_segments > column", f"customer_360 has no column '{name}'", accepted
            )
            for name in dict.fromkeys(unknown)
        ),
    )
    return table.mutate(**{name: segment_band(table, segment) for name, segment in segments.items()})


def segment_band(table: ir.Table, segment: CustomerSegment) -> ir.StringColumn:
    """The first band whose floor the column reaches; the segment's word for a missing value where there is none."""
    column = table[segment.column]
    return ibis.ifelse(column.isnull(), segment.missing, band(column, segment.bands))
