"""What winning customers cost: the spend of a channel and month, shared by the customers that it won."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.customer_months import customer_attributes
from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.rule_set import Rules
from rules.units import MONEY, first_of_month

CHANNEL_MONTH = ["acquisition_channel", "month"]
SPEND, LIST_COST = "acquisition_spend", "cost_per_acquisition"


@table(group="facts", owner="team:growth", key=("month", "acquisition_channel", "customer_id"))
def acquisition_costs(
    customer_months: ir.Table, acquisition_spend: ir.Table, calendar: ir.Table, rules: Rules
) -> ir.Table:
    """One row per customer in its first paying month, and one per channel and month with spend that won no customer.

    acquisition_cost is the customer's share of what its channel spent in the month, to the cent: the costs of a month
    add up to its spend, by any dimension. cost_basis says which cost it is: without the dataset acquisition_spend it is
    the channel's cost_per_acquisition. customers_with_cost is 1 for a customer whose cost is known, else 0. In months
    before the first and after the last one with spend the cost is NULL.
    """
    attributes = customer_attributes(rules)
    won = customer_months.filter(_.is_new == 1).select(
        "month", "customer_id", *attributes, "plan", list_cost=_.acquisition_cost
    )
    months = calendar.select("month")
    spend = (
        acquisition_spend.group_by(acquisition_channel=_.channel_name, month=first_of_month(_.month))
        .aggregate(spend=_.amount.sum().cast(MONEY))
        .semi_join(months, "month")
    )
    covered = acquisition_spend.aggregate(
        first=first_of_month(_.month.min()), last=first_of_month(_.month.max()), has_spend=_.count() > 0
    )
    shared = with_share(left_join_unique(won, spend, CHANNEL_MONTH)).cross_join(covered)
    is_covered = shared.month.between(shared["first"], shared["last"]).fill_null(False)
    cost = ibis.ifelse(
        shared.has_spend,
        ibis.ifelse(is_covered, shared.share, ibis.null(MONEY)),
        shared.list_cost,
    ).cast(MONEY)
    customers = shared.select(
        "month", "customer_id", *attributes, "plan",
        is_new=ibis.literal(1, "int64"),
        cost_basis=ibis.ifelse(shared.has_spend, SPEND, LIST_COST),
        acquisition_cost=cost,
    )  # fmt: skip
    unused = spend.anti_join(won.select(*CHANNEL_MONTH).distinct(), CHANNEL_MONTH).filter(_.spend > 0)
    columns = {name: ibis.null(kind) for name, kind in customers.schema().items()} | {
        "month": unused.month, "acquisition_channel": unused.acquisition_channel, "is_new": ibis.literal(0, "int64"),
        "cost_basis": ibis.literal(SPEND), "acquisition_cost": unused.spend,
    }  # fmt: skip
    rows = ibis.union(customers, unused.select(**columns))
    return rows.mutate(customers_with_cost=((rows.is_new == 1) & rows.acquisition_cost.notnull()).cast("int64"))


def with_share(won: ir.Table) -> ir.Table:
    """Add share: the customer's part of its channel's spend of the month, 0 without one.

    The first customers by id have one cent more, so that the shares add up.
    """
    by_id = ibis.window(group_by=CHANNEL_MONTH, order_by="customer_id")
    together = ibis.window(group_by=CHANNEL_MONTH)
    placed = won.mutate(
        cents=(won.spend.fill_null(0) * 100).cast("int64"),
        place=ibis.row_number().over(by_id),
        count=won.customer_id.count().over(together),
    )
    left = placed.cents % placed["count"]
    share = ((placed.cents - left) / placed["count"]).cast("int64") + (placed.place < left).cast("int64")
    return placed.mutate(share=(share.cast("decimal(18, 0)") / 100).cast(MONEY))
