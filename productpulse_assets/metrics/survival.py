"""How long customers stay: Kaplan-Meier curves of the time until a customer stops paying."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.metrics.compile import UNKNOWN_MEMBER
from rules.rule_set import Rules
from rules.survival import ALL, SIGNUP_QUARTER, Survival
from rules.units import months_between

NORMAL_QUANTILE = 1.959963984540054
"""Of a 95 % interval."""

MEMBER = ["dimension", "member"]
CURVE = [*MEMBER, "age_months"]


@table(group="metrics", owner="team:finance", key=("dimension", "member", "age_months"))
def survival_curves(customers: ir.Table, customer_months: ir.Table, rules: Rules) -> ir.Table:
    """One row per dimension, member and age in months: the share of customers who still pay at that age.

    A spell is a run of months at whose ends a customer pays, up to the last complete month; a customer who comes
    back begins a new one. age_months counts from the end of its first month, at which the age is 0. at_risk
    is the spells that were observed at the age before, churned those that ended at this age, censored those that are
    last observed at it, still paying. survival is the Kaplan-Meier estimate, in [0, 1]; lower and upper are its 95 %
    interval (Greenwood, log-log), NULL while no customer has left and when all have. A spell is in the member of
    its first month. The dimension 'all_customers' has one member, 'All'.
    """
    found = spells(customer_months, customers, rules.survival)
    return kaplan_meier(by_member(found, rules.dimensions))


def spells(customer_months: ir.Table, customers: ir.Table, settings: Survival) -> ir.Table:
    """One row per run of months at whose ends a customer pays: when it was first and last observed, and how it ended.

    entry_age and exit_age are in months. entry_age is 0, except for customers who paid in the first month that any
    customer paid in and had signed up before: the export begins in the middle of their time, which counts from their
    signup. The other columns are those of its first month.
    """
    months = customer_months.filter(_.is_complete)
    so_far = ibis.window(group_by="customer_id", order_by="month", preceding=None, following=0)
    before = ibis.window(
        group_by="customer_id",
        order_by="month",
        preceding=(1 if settings.return_begins_new_spell else None, 1),
    )
    begins = (months.paying_end == 1) & (months.paying_end.max().over(before).fill_null(0) == 0)
    numbered = months.mutate(begins=begins).mutate(spell=_.begins.cast("int64").sum().over(so_far))
    paid = numbered.filter(_.paying_end == 1)
    ends = paid.group_by("customer_id", "spell").aggregate(last_month=_.month.max())
    firsts = paid.filter(_.begins).drop("begins")
    firsts = left_join_unique(firsts, ends, ["customer_id", "spell"])
    firsts = left_join_unique(firsts, customers.select("customer_id", "signup_date"))
    span = months.aggregate(last=_.month.max(), first_paid=_.month.min(where=_.paying_end == 1))
    table = firsts.cross_join(span)
    waited = months_between(table.signup_date, table.month)
    is_late_entry = (table.month == table.first_paid) & (waited > 0)
    table = table.mutate(entry_age=ibis.ifelse(is_late_entry, waited, 0), is_churned=table.last_month < table.last)
    # Who is gone was last seen paying at the end of the month before.
    lasted = months_between(table.month, table.last_month) + table.is_churned.cast("int64")
    return table.mutate(exit_age=table.entry_age + lasted).drop("first_paid", "last")


def by_member(found: ir.Table, dimensions: Sequence[str]) -> ir.Table:
    """Each spell once per dimension, with its member: the given columns, the quarter of signup, and all customers."""
    quarter = found.signup_date.year().cast("string") + "-Q" + found.signup_date.quarter().cast("string")
    members = {name: found[name].cast("string").fill_null(UNKNOWN_MEMBER) for name in dimensions}
    members |= {SIGNUP_QUARTER: quarter, ALL: ibis.literal("All")}
    ages = ("entry_age", "exit_age", "is_churned")
    return ibis.union(
        *(found.select(*ages, dimension=ibis.literal(name), member=member) for name, member in members.items())
    )


def kaplan_meier(found: ir.Table) -> ir.Table:
    """The curve of each member, from spells with their entry_age, exit_age and is_churned; see `survival_curves`."""
    left = found.group_by(*MEMBER, age_months="exit_age").aggregate(
        churned=_.is_churned.cast("int64").sum(), censored=(~_.is_churned).cast("int64").sum()
    )
    came = found.group_by(*MEMBER, age_months="entry_age").aggregate(entered=_.count())
    grid = found.group_by(MEMBER).aggregate(last_age=_.exit_age.max())
    grid = grid.mutate(age_months=ibis.range(0, grid.last_age + 1)).unnest("age_months").drop("last_age")
    table = grid.pipe(left_join_unique, left, CURVE).pipe(left_join_unique, came, CURVE)
    table = table.mutate(**{name: table[name].fill_null(0) for name in ("churned", "censored", "entered")})
    before = ibis.window(group_by=MEMBER, order_by="age_months", preceding=(None, 1))
    present = (_.entered - _.churned - _.censored).sum().over(before).fill_null(0)
    # At age 0 no customer can have left yet: at risk are those who begin.
    counted = table.mutate(at_risk=ibis.ifelse(_.age_months == 0, _.entered, present))
    return counted.pipe(with_survival).select(*CURVE, "at_risk", "churned", "censored", "survival", "lower", "upper")


def with_survival(counted: ir.Table) -> ir.Table:
    """Add survival, lower and upper from at_risk and churned."""
    so_far = ibis.window(group_by=MEMBER, order_by="age_months", preceding=None, following=0)
    at_risk, churned = counted.at_risk.cast("float64"), counted.churned.cast("float64")
    is_last = (counted.churned > 0) & (counted.churned == counted.at_risk)
    stays = (counted.churned > 0) & ~is_last
    # The logarithm of 0 is an error in DuckDB: where everybody leaves, the curve is set to 0.
    factor = ibis.ifelse(stays, 1 - churned / at_risk.nullif(0), 1.0).ln()
    variance = ibis.ifelse(stays, churned / (at_risk * (at_risk - churned)).nullif(0), 0.0)
    summed = counted.mutate(
        log_survival=factor.sum().over(so_far),
        variance=variance.sum().over(so_far),
        is_zero=is_last.cast("int64").sum().over(so_far) > 0,
    )
    survival = ibis.ifelse(summed.is_zero, 0.0, summed.log_survival.exp())
    has_interval = ~summed.is_zero & (summed.log_survival < 0)
    log = ibis.ifelse(has_interval, summed.log_survival, ibis.null("float64"))
    spread = (NORMAL_QUANTILE * summed.variance.sqrt() / -log).exp()
    return summed.mutate(survival=survival, lower=(log * spread).exp(), upper=(log / spread).exp())


@table(group="metrics", owner="team:finance", key=("dimension", "member"))
def survival_summary(survival_curves: ir.Table) -> ir.Table:
    """One row per dimension and member: how many spells there are, and the age by which half of them have ended.

    median_months is the first age at which survival is at most a half; median_lower and median_upper are its 95 %
    interval, from the bounds of the curve. Each is NULL where the curve does not come down to a half: it is not
    reached. mean_months is the mean of the months paid up to last_age_months, the last age observed: the area below the
    curve.
    """
    half = 0.5
    before = ibis.window(group_by=MEMBER, order_by="age_months", preceding=(None, 1))
    return (
        survival_curves.mutate(area=_.survival.sum().over(before).fill_null(0.0))
        .group_by(MEMBER)
        .aggregate(
            spells=(_.churned.sum() + _.censored.sum()),
            churned=_.churned.sum(),
            last_age_months=_.age_months.max(),
            median_months=_.age_months.min(where=_.survival <= half),
            median_lower=_.age_months.min(where=_.lower <= half),
            median_upper=_.age_months.min(where=_.upper <= half),
            mean_months=_.area.max(),
        )
    )
