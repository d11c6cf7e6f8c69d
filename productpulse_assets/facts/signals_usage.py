"""Signals from product usage: the recent days compared with the days before."""

from functools import partial

import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.events import dataset_ends, is_before_start
from productpulse_assets.joins import left_join_unique
from rules.rule_set import Rules
from rules.windows import BASELINE_DAYS, RECENT_DAYS

CUSTOMER_DAY = ["customer_id", "as_of_date"]


def with_usage(spine: ir.Table, keys: ir.Table, product_usage: ir.Table, days: ir.Table, rules: Rules) -> ir.Table:
    """Add logins and key actions of the recent days and of the baseline, and whether the customer is activated.

    The recent days are the 28 days up to the as-of date, which is included; the baseline is the 84 days before
    them, per 28 days. Changes are recent / baseline - 1; NULL where the baseline is 0 or the
    customer has fewer than 28 days of it. All are NULL without usage data, and where it ends long before
    the as-of date: days after its end are unknown, not days without use. So are the days before its first: until the
    dataset is as old as a window, the signal of a customer who signed up long before it is NULL; that the customer is
    not activated, until recent days and baseline are in it.
    """
    ends = dataset_ends(product_usage, "date", days, rules.data_quality.late_days)
    facts = _facts(keys, product_usage)
    days_known = ends.drop("age_days", "gaps")
    table = left_join_unique(left_join_unique(spine, facts, CUSTOMER_DAY), days_known, "as_of_date")
    is_there = table.newest.notnull() & ~table.is_late
    starts = partial(is_before_start, table, table.signup_date, rules.data_quality.late_days)
    table = table.mutate(
        has_usage=is_there & ~starts(RECENT_DAYS), has_history=is_there & ~starts(RECENT_DAYS + BASELINE_DAYS)
    )
    baseline_days = ibis.least(table.first_age + 1 - RECENT_DAYS, BASELINE_DAYS)
    so_far = table.key_actions_so_far.fill_null(ibis.ifelse(table.has_usage, 0, ibis.null("int64")))
    is_activated = so_far > rules.metric_catalog.activation_threshold
    return table.mutate(
        **_change_from_baseline(table, "logins", "usage_change", baseline_days),
        **_change_from_baseline(table, "key_actions", "key_action_change", baseline_days),
        days_since_last_login=ibis.ifelse(table.has_usage, table.days_since_last_login, ibis.null("int64")),
        # An activated customer stays activated; for the others, an export that ends early does not show it.
        is_activated=ibis.ifelse(table.has_history | is_activated, is_activated, ibis.null("boolean")),
    ).drop(
        "logins_before", "key_actions_before", "key_actions_so_far", "first_age", "has_usage", "has_history",
        "oldest", "newest", "longest_gap", "is_late",
    )  # fmt: skip


def _facts(keys: ir.Table, product_usage: ir.Table) -> ir.Table:
    """Sums of each customer's usage up to each as-of date."""
    usage = product_usage.select("customer_id", "date", "logins", "key_actions")
    events = keys.join(usage, "customer_id")
    events = events.mutate(age=events.as_of_date.delta(events.date, unit="day")).filter(_.age >= 0)
    is_recent = _.age < RECENT_DAYS
    is_before = (_.age >= RECENT_DAYS) & (_.age < RECENT_DAYS + BASELINE_DAYS)
    return events.group_by(CUSTOMER_DAY).aggregate(
        logins_recent=_.logins.sum(where=is_recent),
        logins_before=_.logins.sum(where=is_before),
        key_actions_recent=_.key_actions.sum(where=is_recent),
        key_actions_before=_.key_actions.sum(where=is_before),
        key_actions_so_far=_.key_actions.sum(),
        first_age=_.age.max(),
        days_since_last_login=_.age.min(where=_.logins > 0),
    )


def _change_from_baseline(table: ir.Table, fact: str, change: str, days: ir.IntegerColumn) -> dict[str, ir.Column]:
    """The recent value of a fact, its baseline and the change between them; `days` are the baseline's known days."""
    recent = ibis.ifelse(table.has_usage, table[f"{fact}_recent"].fill_null(0), ibis.null("int64"))
    is_known = table.has_usage & (days >= RECENT_DAYS)
    per_window = table[f"{fact}_before"].fill_null(0).cast("float64") * RECENT_DAYS / days.nullif(0)
    baseline = ibis.ifelse(is_known, per_window, ibis.null("float64"))
    return {
        f"{fact}_recent": recent,
        f"{fact}_baseline": baseline,
        # The difference is computed first: 8 / 10 - 1 is a little more than -0.2 in binary.
        change: (recent.cast("float64") - baseline) / baseline.nullif(0),
    }
