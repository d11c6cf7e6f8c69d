"""What each paying customer has been doing lately, at any as-of date."""

import dagster as dg
import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.contracts import DIMENSIONS

RECENT_DAYS, BASELINE_DAYS = 28, 84


@dg.asset(
    group_name="facts",
    owners=["team:customer-success"],
    kinds={"duckdb"},
    io_manager_key="warehouse",
    metadata={"key": ["customer_id", "as_of_date"]},
)
def customer_signals(
    customers: ir.Table, customer_months: ir.Table, product_usage: ir.Table, calendar: ir.Table
) -> ir.Table:
    """One row per customer paying at the as-of date.

    Recent is the 28 days up to and with the as-of date, the baseline the 84 days before those,
    given per 28 days. usage_change and key_action_change are recent / baseline - 1; NULL where
    the baseline is 0 or the customer has fewer than 28 days of it. NULL too without usage data.
    """
    spine = paying_customers(customers, customer_months, calendar)
    return with_usage(spine, product_usage).select(*COLUMNS)


def paying_customers(customers: ir.Table, customer_months: ir.Table, calendar: ir.Table) -> ir.Table:
    """(customer_id, as_of_date) of those who pay on the day, with what they are."""
    last = calendar.filter(calendar.month == calendar.month.max().as_scalar()).select("month", "as_of_date")
    paying = customer_months.filter(_.paying_end == 1).join(last, "month")
    named = paying.join(customers.select("customer_id", "signup_date"), "customer_id")
    return named.select(
        "customer_id",
        "as_of_date",
        *DIMENSIONS,
        "is_activated",
        mrr=named.mrr_end,
        tenure_days=named.as_of_date.delta(named.signup_date, unit="day"),
    )


def with_usage(spine: ir.Table, product_usage: ir.Table) -> ir.Table:
    """Logins and key actions of the recent days against the usual."""
    usage = product_usage.select("customer_id", "date", "logins", "key_actions")
    events = spine.select("customer_id", "as_of_date").join(usage, "customer_id")
    age = events.as_of_date.delta(events.date, unit="day")
    events = events.mutate(age=age).filter(_.age >= 0)
    recent = _.age < RECENT_DAYS
    usual = (_.age >= RECENT_DAYS) & (_.age < RECENT_DAYS + BASELINE_DAYS)
    facts = events.group_by(["customer_id", "as_of_date"]).aggregate(
        logins_recent=_.logins.sum(where=recent),
        logins_before=_.logins.sum(where=usual),
        key_actions_recent=_.key_actions.sum(where=recent),
        key_actions_before=_.key_actions.sum(where=usual),
        oldest=_.age.max(),
        days_since_last_login=_.age.min(where=_.logins > 0),
    )
    known = product_usage.aggregate(has_usage=product_usage.count() > 0)
    keys = ["customer_id", "as_of_date"]
    table = spine.left_join(facts, keys).drop(*(f"{key}_right" for key in keys)).cross_join(known)
    baseline_days = ibis.least(table.oldest + 1 - RECENT_DAYS, BASELINE_DAYS)
    return table.mutate(
        **_against_baseline(table, "logins", "usage_change", baseline_days),
        **_against_baseline(table, "key_actions", "key_action_change", baseline_days),
    )


def _against_baseline(table: ir.Table, fact: str, change: str, days: ir.IntegerColumn) -> dict[str, ir.Column]:
    recent = ibis.ifelse(table.has_usage, table[f"{fact}_recent"].fill_null(0), ibis.null("int64"))
    is_known = table.has_usage & (days >= RECENT_DAYS)
    usual = table[f"{fact}_before"].fill_null(0).cast("float64") * RECENT_DAYS / days.nullif(0)
    baseline = ibis.ifelse(is_known, usual, ibis.null("float64"))
    return {
        f"{fact}_recent": recent,
        f"{fact}_baseline": baseline,
        change: recent.cast("float64") / baseline.nullif(0) - 1,
    }


COLUMNS = (
    "customer_id", "as_of_date", *DIMENSIONS, "mrr", "tenure_days", "is_activated",
    "logins_recent", "logins_baseline", "usage_change",
    "key_actions_recent", "key_actions_baseline", "key_action_change", "days_since_last_login",
)  # fmt: skip
