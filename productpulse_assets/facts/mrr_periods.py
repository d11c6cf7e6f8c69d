"""From subscriptions to the days on which they count as MRR, and the amount: the one place that applies the policy."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.billing import cycle_months, whole_months
from productpulse_assets.facts.currency_rates import with_rates_of_months
from productpulse_assets.joins import LAST_DAY, left_join_unique
from productpulse_assets.tables import table
from rules.mrr_policy import MrrPolicy
from rules.rule_set import Rules
from rules.units import MONEY, days_later, first_of_month, months_later

KEPT = (
    "subscription_id", "customer_id", "plan", "product", "is_addon", "status", "billing_cycle", "currency", "quantity",
    "start_date", "end_date",
)  # fmt: skip
"""The columns that are those of the subscription."""

COLUMNS = (
    *KEPT, "from_day", "until_day", "mrr", "discount", "mrr_at_fixed_rate", "mrr_at_next_rate", "discount_at_next_rate",
)  # fmt: skip


@table(group="facts", owner="team:finance", key=("subscription_id", "from_day"))
def mrr_periods(
    subscriptions: ir.Table, bill_balances: ir.Table, exchange_rates: ir.Table, calendar: ir.Table, rules: Rules
) -> ir.Table:
    """One row per stretch of days on which a subscription counts as MRR at one amount, by rules/mrr_policy.yaml.

    It counts from from_day to the day before until_day, which is NULL while it runs. mrr is the amount per
    month in the reporting currency; discount, what a discount takes off it; mrr_at_fixed_rate is without changes
    of exchange rates. mrr_at_next_rate and discount_at_next_rate are the same amounts at the rates of the next month.
    """
    return periods_under(rules.mrr_policy, subscriptions, bill_balances, exchange_rates, calendar, rules)


def periods_under(
    policy: MrrPolicy,
    subscriptions: ir.Table,
    bill_balances: ir.Table,
    exchange_rates: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> ir.Table:
    """The rows of `mrr_periods` under any policy. A setting that changes nothing adds nothing to the query."""
    as_of = calendar.as_of_date.max().as_scalar()
    return (
        priced(subscriptions, policy)
        .pipe(end_at_pause, policy)
        .pipe(end_at_churn, policy)
        .pipe(end_when_unpaid, bill_balances, policy)
        .pipe(close_gaps, as_of, policy)
        .pipe(count_within_month, policy)
        .pipe(converted, exchange_rates, calendar, policy, rules)
        .select(*COLUMNS)
    )


def priced(subscriptions: ir.Table, policy: MrrPolicy) -> ir.Table:
    """Paid periods with mrr and discount; a discount that ends while the period runs divides it."""
    nothing = ibis.literal(0).cast(MONEY)
    periods = subscriptions.filter(subscriptions.status != "Trial").mutate(
        from_day=_.start_date,
        until_day=_.end_date,
        discount=ibis.ifelse(
            (_.discount_end > _.start_date).fill_null(True), _.discount_amount.fill_null(nothing), nothing
        ).cast(MONEY),
    )
    if policy.discounts == "contracted":
        periods = periods.mutate(mrr=(_.monthly_price + _.discount).cast(MONEY)).mutate(discount=nothing)
    else:
        ends_earlier = (_.discount > 0) & (_.discount_end < _.until_day.fill_null(ibis.date(LAST_DAY))).fill_null(False)
        later = periods.filter(ends_earlier).mutate(
            from_day=_.discount_end, mrr=(_.monthly_price + _.discount).cast(MONEY)
        )
        first = periods.mutate(
            until_day=ibis.ifelse(ends_earlier, _.discount_end, _.until_day), mrr=_.monthly_price.cast(MONEY)
        )
        periods = first.union(later.mutate(discount=nothing).select(*first.columns))
    return periods if policy.count_free else periods.filter(_.mrr > 0)


def end_on(periods: ir.Table, day: ir.DateValue) -> ir.Table:
    """Periods that end on `day` at the latest; a NULL day changes nothing."""
    is_earlier = (day < periods.until_day.fill_null(ibis.date(LAST_DAY))).fill_null(False)
    earlier = ibis.ifelse(is_earlier, day, periods.until_day)
    is_before = (earlier < periods.from_day).fill_null(False)
    return periods.mutate(until_day=ibis.ifelse(is_before, periods.from_day, earlier))


def end_at_pause(periods: ir.Table, policy: MrrPolicy) -> ir.Table:
    """Paused subscriptions end with the last day before the pause, unless the policy counts them."""
    return periods if policy.count_paused else end_on(periods, periods.paused_from)


def end_at_churn(periods: ir.Table, policy: MrrPolicy) -> ir.Table:
    """The end by churn_on."""
    if policy.churn_on == "cancellation_requested":
        known = [name for name in ("cancel_requested_date", "cancel_at") if name in periods.columns]
        return end_on(periods, ibis.coalesce(*(periods[name] for name in known)))
    if policy.churn_on == "end_of_paid_period":
        return end_with_paid_period(periods)
    return periods


def end_with_paid_period(periods: ir.Table) -> ir.Table:
    """Ended periods last until the end of their billing period, or until the customer's next period begins."""
    months = whole_months(periods.start_date, periods.until_day)
    cycle = cycle_months(periods)
    is_whole = (months % cycle == 0) & (months_later(periods.start_date, months) == periods.until_day)
    bill_end = months_later(periods.start_date, months - months % cycle + cycle)
    # Only the subscription's own end is moved, not that of a discount or the day before a pause.
    is_kept = is_whole | (periods.until_day != periods.end_date)
    dated = periods.mutate(bill_end=ibis.ifelse(is_kept.fill_null(True), periods.until_day, bill_end))
    starts = periods.select("customer_id", next_day="from_day")
    ends = dated.filter(_.until_day.notnull()).select("customer_id", "until_day").distinct()
    pairs = ends.join(starts, [ends.customer_id == starts.customer_id, starts.next_day >= ends.until_day])
    following = pairs.group_by("customer_id", "until_day").aggregate(next_day=_.next_day.min())
    table = left_join_unique(dated, following, ["customer_id", "until_day"])
    longer = ibis.least(table.bill_end, table.next_day.fill_null(table.bill_end))
    return table.mutate(until_day=ibis.coalesce(longer, table.until_day)).drop("bill_end", "next_day")


def end_when_unpaid(periods: ir.Table, bill_balances: ir.Table, policy: MrrPolicy) -> ir.Table:
    """Past Due subscriptions end a number of days after their last paid billing period; without bills they go on."""
    if policy.past_due_days is None:
        return periods
    paid = bill_balances.group_by("subscription_id").aggregate(
        paid_until=_.period_end.max(where=_.is_settled), bill_start=_.period_start.min()
    )
    table = left_join_unique(periods, paid, "subscription_id")
    since = ibis.coalesce(table.paid_until, table.bill_start)
    limit = ibis.ifelse(table.status == "Past Due", days_later(since, policy.past_due_days), ibis.null("date"))
    return end_on(table, limit).drop("paid_until", "bill_start")


def close_gaps(periods: ir.Table, as_of: ir.DateScalar, policy: MrrPolicy) -> ir.Table:
    """The periods that end where a short gap of the customer begins last until its end."""
    if policy.gap_days == 0:
        return periods
    known = periods.filter(_.from_day <= as_of).select(
        "customer_id", "from_day", last_day=_.until_day.fill_null(ibis.date(LAST_DAY))
    )
    so_far = ibis.window(group_by="customer_id", order_by=["from_day", "last_day"], preceding=None, following=0)
    in_order = ibis.window(group_by="customer_id", order_by=["from_day", "last_day"])
    spans = known.mutate(until_day=_.last_day.max().over(so_far), next_day=_.from_day.lead().over(in_order))
    gaps = spans.filter(_.next_day > _.until_day, _.next_day.delta(_.until_day, unit="day") <= policy.gap_days)
    table = left_join_unique(periods, gaps.select("customer_id", "until_day", "next_day"), ["customer_id", "until_day"])
    # A period of no day counts on no day; it is not made longer.
    is_before = table.next_day.notnull() & (table.until_day > table.from_day)
    return table.mutate(until_day=ibis.ifelse(is_before, table.next_day, table.until_day)).drop("next_day")


def count_within_month(periods: ir.Table, policy: MrrPolicy) -> ir.Table:
    """The last period of each month that begins and ends in it lasts until the month's end, if nothing else does."""
    if policy.month_bounds == "ignore":
        return periods
    month_end = days_later(months_later(first_of_month(periods.from_day), ibis.literal(1)), -1)
    dated = periods.mutate(month_end=month_end)
    short = dated.filter((_.until_day > _.from_day) & (_.until_day <= _.month_end))
    others = periods.select("customer_id", other_from="from_day", other_until="until_day")
    covered = short.join(
        others,
        [
            short.customer_id == others.customer_id,
            others.other_from <= short.month_end,
            others.other_until.isnull() | (others.other_until > short.month_end),
        ],
    ).select("customer_id", "month_end")
    alone = short.anti_join(covered, ["customer_id", "month_end"])
    order = ibis.struct({"day": alone.from_day, "price": alone.mrr, "id": alone.subscription_id})
    last = alone.group_by("customer_id", "month_end").aggregate(
        subscription_id=alone.subscription_id.argmax(order), from_day=alone.from_day.max()
    )
    last = last.select("subscription_id", "from_day", longer=days_later(last.month_end, 1))
    table = left_join_unique(periods, last, ["subscription_id", "from_day"])
    return table.mutate(until_day=ibis.coalesce(table.longer, table.until_day)).drop("longer")


def converted(
    periods: ir.Table, exchange_rates: ir.Table, calendar: ir.Table, policy: MrrPolicy, rules: Rules
) -> ir.Table:
    """The amounts at the rates of the policy; at month-end rates, a period in another currency has a row per month."""
    same = {"mrr_at_fixed_rate": _.mrr, "mrr_at_next_rate": _.mrr, "discount_at_next_rate": _.discount}
    if policy.fx == "constant":
        return periods.mutate(**same)
    is_foreign = (periods.currency != rules.currency).fill_null(False)
    foreign = with_rates_of_months(periods.filter(is_foreign), exchange_rates, calendar, rules.sources)
    home = periods.filter(~is_foreign).mutate(**same).select(*COLUMNS)
    return home.union(foreign.select(*COLUMNS))
