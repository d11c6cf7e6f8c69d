"""Why MRR expanded or contracted: quantity, price, plan, add-ons and discounts, to the cent."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.tables import table
from rules.mrr_policy import CAUSES
from rules.units import MONEY, days_later, first_of_month

LINE = ["customer_id", "month", "is_addon", "product"]


@table(group="facts", owner="team:finance", key=("customer_id", "month"))
def mrr_changes(mrr_periods: ir.Table, calendar: ir.Table) -> ir.Table:
    """One row per customer and month in which the MRR of a customer who pays at both ends of it has changed, by cause.

    Seats or units come first, at the old price; then the price, at the new quantity: from 10 at $50 to 12 at $55
    is 100 of quantity and 60 of price. Where the plan changed, what remains is the plan's and not the price's;
    without a quantity at both ends it is all of the change. A product that is new or gone is a change of plan. What
    add-ons add is add-ons. Changes of exchange rates are in none of them: both ends are at the rates of the month.
    """
    return both_ends(mrr_periods, calendar).pipe(line_changes).pipe(customer_changes)


def both_ends(mrr_periods: ir.Table, calendar: ir.Table) -> ir.Table:
    """One row per changed customer-month and MRR period that counts at its start or its end, with both amounts."""
    starts = mrr_periods.select("customer_id", month=first_of_month(_.from_day))
    ends = mrr_periods.filter(_.until_day.notnull()).select("customer_id", month=first_of_month(_.until_day))
    changed = starts.union(ends, distinct=True).join(calendar.select("month", "month_end"), "month")
    changed = changed.mutate(start_day=days_later(changed.month, -1))
    table = changed.join(mrr_periods, "customer_id")
    is_open = table.until_day.isnull()
    table = table.mutate(
        at_start=(table.from_day <= table.start_day) & (is_open | (table.until_day > table.start_day)),
        at_end=(table.from_day <= table.month_end) & (is_open | (table.until_day > table.month_end)),
        is_addon=table.is_addon.fill_null(False),
        product=table["product"].fill_null(""),
    )
    return table.filter(_.at_start | _.at_end)


def line_changes(ends: ir.Table) -> ir.Table:
    """One row per customer-month and product, add-ons apart: what it costs at both ends without discounts, and why."""
    at_start, at_end = ends.at_start, ends.at_end
    order = ibis.struct({"price": ends.mrr, "plan": ends.plan})
    lines = ends.group_by(LINE).aggregate(
        start=(ends.mrr_at_next_rate + ends.discount_at_next_rate).sum(where=at_start).fill_null(0).cast(MONEY),
        end=(ends.mrr + ends.discount).sum(where=at_end).fill_null(0).cast(MONEY),
        discount=ends.discount.sum(where=at_end).fill_null(0).cast(MONEY),
        start_discount=ends.discount_at_next_rate.sum(where=at_start).fill_null(0).cast(MONEY),
        starts=at_start.sum(),
        ends=at_end.sum(),
        start_quantity=ends.quantity.sum(where=at_start),
        end_quantity=ends.quantity.sum(where=at_end),
        quantities=(ends.quantity.notnull() & at_start).sum() + (ends.quantity.notnull() & at_end).sum(),
        start_plan=ends.plan.argmax(order, where=at_start),
        end_plan=ends.plan.argmax(order, where=at_end),
    )
    total = (lines.end - lines.start).cast(MONEY)
    knows_quantity = (lines.starts > 0) & (lines.ends > 0) & (lines.quantities == lines.starts + lines.ends)
    price = lines.start.cast("float64") / lines.start_quantity.cast("float64").nullif(0)
    added = (lines.end_quantity - lines.start_quantity).cast("float64") * price
    # From no seats there is no old price: all of the change is that of the quantity.
    quantity = ibis.ifelse(knows_quantity, added.round(2).cast(MONEY).coalesce(total), ibis.literal(0).cast(MONEY))
    is_other = ~lines.start_plan.identical_to(lines.end_plan) | (lines.starts == 0) | (lines.ends == 0)
    return lines.mutate(total=total, quantity=quantity.cast(MONEY), is_other_plan=is_other)


def customer_changes(lines: ir.Table) -> ir.Table:
    """The changes of all products of a customer in a month."""
    rest, is_base = (lines.total - lines.quantity).cast(MONEY), ~lines.is_addon
    parts = {
        "change_quantity": lines.quantity.sum(where=is_base),
        "change_price": rest.sum(where=is_base & ~lines.is_other_plan),
        "change_plan": rest.sum(where=is_base & lines.is_other_plan),
        "change_addon": lines.total.sum(where=lines.is_addon),
        "change_discount": (lines.start_discount - lines.discount).sum(),
    }
    changes = lines.group_by("customer_id", "month").aggregate(
        **{name: part.fill_null(0).cast(MONEY) for name, part in parts.items()},
        starts=lines.starts.sum(),
        ends=lines.ends.sum(),
    )
    is_changed = ibis.or_(*(changes[f"change_{cause}"] != 0 for cause in CAUSES))
    return changes.filter(is_changed & (changes.starts > 0) & (changes.ends > 0)).drop("starts", "ends")
