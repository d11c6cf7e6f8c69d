"""The risk by the churn rules of the customers who left, at least 90 days before they did."""

from functools import reduce

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.customer_signals import with_behaviour
from productpulse_assets.facts.signals_contract import paying_customers
from productpulse_assets.facts.signals_usage import CUSTOMER_DAY
from productpulse_assets.joins import left_join_unique
from productpulse_assets.risk.churn import WEIGHT, is_at_risk, meets
from productpulse_assets.tables import table
from rules.churn_rules import ChurnRules
from rules.metrics.compile import band
from rules.rule_set import Rules
from rules.units import months_between, months_later
from rules.windows import CHURN_MONTHS

MONTHS_BEFORE = 4
"""The last day of the fourth month before the one in which a customer left is at least 90 days before its first day."""


@table(group="risk", owner="team:customer-success", key=("customer_id", "month"))
def churn_lookback(
    customer_months: ir.Table,
    customers: ir.Table,
    subscriptions: ir.Table,
    transactions: ir.Table,
    product_usage: ir.Table,
    support_tickets: ir.Table,
    nps_scores: ir.Table,
    bill_balances: ir.Table,
    contract_terms: ir.Table,
    mrr_periods: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per customer-month of the last 12 that churned: the risk by the present rules some months before.

    as_of_date is the last day of the fourth month before. The score comes from what was known on that day, as a run
    on it would have computed it. risk_score, risk_band and is_at_risk are NULL if the customer did not pay on that day.
    """
    pairs = churned_days(customer_months, calendar)
    left = pairs.select("customer_id").distinct()
    days = lookback_days(calendar)
    paying = paying_customers(
        customers,
        subscriptions.semi_join(left, "customer_id"),
        mrr_periods.semi_join(left, "customer_id"),
        contract_terms,
        days.select("as_of_date", "is_current"),
    )
    spine = paying.semi_join(pairs, CUSTOMER_DAY)
    signals = with_behaviour(
        spine,
        mrr_periods,
        transactions,
        product_usage,
        support_tickets,
        nps_scores,
        bill_balances,
        days.select("as_of_date", "is_current"),
        rules,
    )
    scored = past_scores(signals, rules.churn_rules)
    return left_join_unique(churned_days(customer_months, calendar), scored, CUSTOMER_DAY)


def lookback_days(calendar: ir.Table) -> ir.Table:
    """The days to look back to: as_of_date, is_current (never), and the first day of their month."""
    distance = months_between(calendar.month, calendar.month.max().as_scalar())
    inside = calendar.filter(distance >= MONTHS_BEFORE, distance < MONTHS_BEFORE + CHURN_MONTHS)
    return inside.select("month", as_of_date=inside.month_end, is_current=ibis.literal(False))


def churned_days(customer_months: ir.Table, calendar: ir.Table) -> ir.Table:
    """customer_id and month of what churned, with the day to look back to."""
    last = calendar.month.max().as_scalar()
    recent = months_between(customer_months.month, last) < CHURN_MONTHS
    churned = customer_months.filter(customer_months.is_churned == 1, recent).select("customer_id", "month")
    days = lookback_days(calendar)
    days = days.select("as_of_date", month=months_later(days.month, ibis.literal(MONTHS_BEFORE)))
    return churned.join(days, "month").select("customer_id", "month", "as_of_date")


def past_scores(signals: ir.Table, rules: ChurnRules) -> ir.Table:
    """By customer and day: risk_score, risk_band, is_at_risk."""
    nothing = ibis.literal(0, WEIGHT)
    fired = (
        ibis.ifelse(
            ibis.and_(*(meets(signals, test) for test in rule.tests)), ibis.literal(rule.weight, WEIGHT), nothing
        )
        for rule in rules.enabled
    )
    total = reduce(lambda left, right: left + right, fired, nothing).cast(WEIGHT)
    known = sum((signals[name].notnull().cast("int64") for name in rules.signals), ibis.literal(0, "int64"))
    scored = signals.select(*CUSTOMER_DAY, score=ibis.least(total, ibis.literal(1, WEIGHT)), signals_known=known)
    scored = scored.mutate(risk_band=band(scored.score, rules.bands))
    return scored.select(
        *CUSTOMER_DAY,
        risk_score=_.score.cast("float64"),
        risk_band=_.risk_band,
        is_at_risk=is_at_risk(scored, rules),
    )
