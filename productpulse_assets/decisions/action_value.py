"""What an action is about, in money: recurring revenue over a number of months, or cash that comes once.

The two are never added: a month's revenue comes back every month, cash comes once.
"""

import ibis
import ibis.expr.types as ir
from ibis import Deferred

from productpulse_assets.facts.billing import whole_months
from productpulse_assets.facts.contract_terms import next_term_end
from productpulse_assets.joins import left_join_unique
from rules.leakage_rules import MONTHLY_LOSSES
from rules.text.formats import ACTION_MONEY
from rules.units import MONEY, months_later
from rules.windows import active_on


def with_customer_value(about: ir.Table, contract_terms: ir.Table, horizon: int) -> ir.Table:
    """Add the value of keeping each customer: its MRR, and that MRR over the months that it counts for.

    A subscription counts for `horizon` months, or for the rest of its contract where that is longer. The rest of a
    shorter contract is no limit: who leaves at the end of it takes the months after it along, and otherwise a yearly
    customer would be worth least in the month before it renews.
    """
    table = left_join_unique(about, revenue_beyond(about, contract_terms, horizon))
    return table.mutate(
        monthly_revenue=table.mrr.cast(MONEY),
        recurring_value=(table.mrr * horizon + table.beyond.fill_null(0)).cast(MONEY),
        one_off_cash=ibis.literal(0).cast(MONEY),
    ).drop("beyond")


def revenue_beyond(about: ir.Table, contract_terms: ir.Table, horizon: int) -> ir.Table:
    """By customer: what its running contracts bring after the next `horizon` months."""
    dated = contract_terms.join(about.select("customer_id", "as_of_date"), "customer_id")
    running = dated.filter(active_on(dated, dated.as_of_date))
    later = ibis.greatest(months_left(running) - horizon, 0)
    beyond = (running.monthly_price * later).sum().cast(MONEY)
    return running.group_by("customer_id").aggregate(beyond=beyond)


def months_left(terms: ir.Table) -> ir.IntegerColumn:
    """Months from the as-of date to the end of the term, one that has begun included; 0 without a known end."""
    end = next_term_end(terms, terms.as_of_date)
    whole = whole_months(terms.as_of_date, end)
    left = whole + (months_later(terms.as_of_date, whole) < end).cast("int64")
    return left.fill_null(0).cast("int64")


def with_case_value(cases: ir.Table, horizon: int) -> ir.Table:
    """Add the value of settling each case of leakage: its loss as cash, or as revenue a month where it is that."""
    is_monthly = cases.leakage_type.isin(MONTHLY_LOSSES)
    loss, zero = cases.estimated_revenue_loss, ibis.literal(0)
    return cases.mutate(
        monthly_revenue=ibis.ifelse(is_monthly, loss, zero).cast(MONEY),
        recurring_value=ibis.ifelse(is_monthly, loss * horizon, zero).cast(MONEY),
        one_off_cash=ibis.ifelse(is_monthly, zero, loss).cast(MONEY),
    )


def total_money(rows: Deferred | ir.Table) -> dict[str, Deferred]:
    """Aggregations: the money of some actions, each kind by itself."""
    return {name: rows[name].sum() for name in ACTION_MONEY}


def value_months(table: ir.Table) -> ir.FloatingColumn:
    """The months over which the monthly revenue counts, the mean over its subscriptions; NULL without any."""
    return table.recurring_value.cast("float64") / table.monthly_revenue.cast("float64").nullif(0)
