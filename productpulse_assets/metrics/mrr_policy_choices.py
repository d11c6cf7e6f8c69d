"""What each other choice in the MRR policy would make of MRR and churn."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from productpulse_assets.facts.mrr_periods import periods_under
from productpulse_assets.tables import table
from rules.mrr_policy import CHOICES, MrrPolicy, choice_text, setting_words
from rules.rule_set import Rules
from rules.units import MONEY, days_later
from rules.windows import active_on


@table(group="metrics", owner="team:finance", key=("setting", "choice"))
def mrr_policy_choices(
    subscriptions: ir.Table,
    bill_balances: ir.Table,
    exchange_rates: ir.Table,
    mrr_periods: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per setting of rules/mrr_policy.yaml and choice: MRR at the as-of date and churned MRR of the last
    complete month, if that setting had this choice and all others stayed.

    is_policy: the policy has this choice. mrr_change and churned_mrr_change are differences from the policy's figures.
    Churned MRR is NULL where no month is complete. Without the column or dataset that a choice needs, it changes
    nothing.
    """
    policy = rules.mrr_policy
    days = days_of(calendar)
    now = totals(mrr_periods, days)
    kept = [labelled(now, name, getattr(policy, name), is_policy=True) for name in CHOICES]
    others = [
        labelled(
            totals(periods_under(other, subscriptions, bill_balances, exchange_rates, calendar, rules), days),
            name,
            value,
            is_policy=False,
        )
        for name, value, other in other_policies(policy)
    ]
    present = now.select(policy_mrr="mrr", policy_churned="churned_mrr")
    rows = ibis.union(*kept, *others).cross_join(present)
    return rows.mutate(
        mrr_change=(rows.mrr - rows.policy_mrr).cast(MONEY),
        churned_mrr_change=(rows.churned_mrr - rows.policy_churned).cast(MONEY),
    ).drop("policy_mrr", "policy_churned")


def other_policies(policy: MrrPolicy) -> list[tuple[str, Any, MrrPolicy]]:
    """The choices that the policy does not have: setting, value, and the policy with it."""
    return [
        (name, value, policy.model_copy(update={name: value}))
        for name, values in CHOICES.items()
        for value in values
        if choice_text(value) != choice_text(getattr(policy, name))
    ]


def days_of(calendar: ir.Table) -> ir.Table:
    """One row: the as-of date, and the last days before and of the last complete month, NULL if there is none."""
    complete = calendar.is_complete
    days = calendar.aggregate(
        as_of_day=calendar.as_of_date.max(),
        end_day=calendar.month_end.max(where=complete),
        start_month=calendar.month.max(where=complete),
    )
    return days.mutate(start_day=days_later(days.start_month, -1))


def totals(periods: ir.Table, days: ir.Table) -> ir.Table:
    """One row: MRR at the as-of date, churned MRR and churned customers of the last complete month."""
    dated = periods.select("customer_id", "from_day", "until_day", "mrr").cross_join(days)
    now, start, end = (
        active_on(dated, dated[day], "from_day", "until_day") for day in ("as_of_day", "start_day", "end_day")
    )
    customers = (
        dated.filter(now | start.fill_null(False) | end.fill_null(False))
        .group_by("customer_id")
        .aggregate(
            mrr=dated.mrr.sum(where=now),
            start=dated.mrr.sum(where=start),
            starts=start.sum(),
            ends=end.sum(),
        )
    )
    has_left = (customers.starts > 0) & (customers.ends == 0)
    found = customers.aggregate(
        mrr=customers.mrr.sum().fill_null(0).cast(MONEY),
        churned=customers.start.sum(where=has_left).fill_null(0).cast(MONEY),
        customers=has_left.sum().fill_null(0),
    ).cross_join(days.select("start_month"))
    is_known = found.start_month.notnull()
    return found.select(
        "mrr",
        churned_mrr=ibis.ifelse(is_known, found.churned, ibis.null(MONEY)),
        churned_customers=ibis.ifelse(is_known, found.customers.cast("int64"), ibis.null("int64")),
    )


def labelled(found: ir.Table, setting: str, value: int | bool | str | None, *, is_policy: bool) -> ir.Table:
    """The figures of one choice."""
    return found.select(
        setting=ibis.literal(setting),
        choice=ibis.literal(choice_text(value)),
        meaning=ibis.literal(setting_words(setting, value)),
        is_policy=ibis.literal(is_policy),
        mrr=found.mrr,
        churned_mrr=found.churned_mrr,
        churned_customers=found.churned_customers,
    )
