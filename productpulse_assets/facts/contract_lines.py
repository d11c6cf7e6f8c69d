"""Contract lines: the subscription periods of a customer that follow each other and replace each other."""

import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.contracts import CYCLE_MONTHS
from productpulse_assets.facts.billing import at_fixed_rates, cycle_months, paying, whole_months
from productpulse_assets.facts.calendar import as_of_day
from productpulse_assets.facts.payment_periods import with_period
from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.rule_set import Rules
from rules.units import MONEY, days_later, months_later

DOUBLINGS = 6
"""How often the links between periods are followed further: a line has up to 2 to the power of 6 periods."""

SAME_AMOUNT_RATE = 0.01
"""Amounts that differ by no more than this part are the same price."""

LINK = ("subscription_id", "contract_line")
PERIOD = ("subscription_id", "customer_id", "status", "start_date", "end_date", "monthly_price", "currency", "cycle")
COLUMNS = (
    "subscription_id", "customer_id", "contract_line", "status", "start_date", "end_date", "monthly_price", "cycle",
    "currency", "line_start", "is_replaced", "is_mid_cycle",
)  # fmt: skip


@table(group="facts", owner="team:finance", key=("subscription_id",))
def contract_lines(subscriptions: ir.Table, transactions: ir.Table, calendar: ir.Table, rules: Rules) -> ir.Table:
    """One row per paid subscription period, with the contract line that it belongs to.

    Periods of a customer that follow each other without a gap are one line: an upgrade, a renewal, a migration.
    contract_line is the subscription_id of its first period, line_start that period's first day. end_date
    is the day on which the next period begins, also where the export writes the last day of a period as its
    end. `cycle` is the months that a bill covers, by the billing cycle or, without one, by the payments; NULL if
    neither tells. is_replaced is whether another period follows; is_mid_cycle whether the period begins on
    another day than a billing date of its line.
    """
    day = as_of_day(calendar).select("as_of_date")
    past = at_fixed_rates(transactions).cross_join(day).filter(_.transaction_date <= _.as_of_date)
    paid = paying(subscriptions)
    periods = paid.mutate(cycle=cycle_months(paid)).select(*PERIOD)
    changes = period_changes(periods)
    starts = periods.select(contract_line="subscription_id", line_start="start_date")
    lines = line_members(changes).join(starts, "contract_line").select("subscription_id", "contract_line", "line_start")
    replaced = changes.select("change_date", subscription_id="ended_id")
    table = periods.pipe(left_join_unique, replaced, "subscription_id").pipe(left_join_unique, lines, "subscription_id")
    table = table.mutate(
        contract_line=ibis.coalesce(table.contract_line, table.subscription_id),
        line_start=ibis.coalesce(table.line_start, table.start_date),
    )
    table = table.pipe(left_join_unique, usual_payments(with_period(past, table)), "subscription_id")
    return table.mutate(
        end_date=ibis.coalesce(table.change_date, table.end_date),
        is_replaced=table.change_date.notnull(),
        is_mid_cycle=begins_mid_cycle(table),
        cycle=ibis.coalesce(table.cycle, cycle_of(table.usual_amount, table.monthly_price)),
        currency=ibis.coalesce(table.currency, table.usual_currency, ibis.literal(rules.sources.reporting_currency)),
    ).select(*COLUMNS)


def period_changes(periods: ir.Table) -> ir.Table:
    """One row per change from a period to the next: ended_id, began_id and the day of the change.

    A period is followed by one of the same customer that begins on its end_date or, where none does, on the day
    after it. Of several that end and begin on one day, the dearest follows the dearest, and so on.
    """
    starts = periods.select("customer_id", next_start="start_date").distinct()
    ended = periods.filter(_.end_date > _.start_date)
    ended = ended.left_join(
        starts, [ended.customer_id == starts.customer_id, ended.end_date == starts.next_start]
    ).select(*[ended[name] for name in ("customer_id", "subscription_id", "monthly_price", "end_date")], "next_start")
    ended = ended.mutate(change_date=ibis.coalesce(ended.next_start, days_later(ended.end_date, 1)))
    ended = ended.select("customer_id", "change_date", place=place_in(ended, "change_date"), ended_id="subscription_id")
    began = periods.select(
        "customer_id", place=place_in(periods, "start_date"), change_date="start_date", began_id="subscription_id"
    )
    return ended.join(began, ["customer_id", "change_date", "place"]).select("ended_id", "began_id", "change_date")


def place_in(periods: ir.Table, day: str) -> ir.IntegerColumn:
    """The place of each period among those of its customer that share a day, the dearest first."""
    window = ibis.window(
        group_by=[periods.customer_id, periods[day]],
        order_by=[periods.monthly_price.desc(), periods.subscription_id],
    )
    return ibis.row_number().over(window)


def line_members(changes: ir.Table) -> ir.Table:
    """(subscription_id, contract_line) of every period that follows another.

    Each round replaces the period that a row points to by the one which that period points to.
    """
    links = changes.select(subscription_id="began_id", contract_line="ended_id")
    for _round in range(DOUBLINGS):
        further = links.select(link_id="subscription_id", earlier="contract_line")
        joined = links.left_join(further, [("contract_line", "link_id")])
        links = joined.mutate(contract_line=ibis.coalesce(joined.earlier, joined.contract_line)).select(*LINK)
    return links


def begins_mid_cycle(periods: ir.Table) -> ir.BooleanColumn:
    """Whether a period begins on another day than a billing date of its contract line."""
    months = whole_months(periods.line_start, periods.start_date)
    billing_date = months_later(periods.line_start, months - months % periods.cycle.fill_null(1))
    return (billing_date != periods.start_date).fill_null(False)


def usual_payments(transactions: ir.Table) -> ir.Table:
    """By subscription: the amount and the currency that most attempts to collect it have."""
    tried = transactions.filter(_.status != "Refunded", _.amount > 0)
    counted = tried.group_by("subscription_id", "amount", "currency").aggregate(uses=_.count())
    order = ibis.struct({"uses": counted.uses, "amount": counted.amount, "currency": counted.currency.fill_null("")})
    return counted.group_by("subscription_id").aggregate(
        usual_amount=counted.amount.argmax(order).cast(MONEY), usual_currency=counted.currency.argmax(order)
    )


def cycle_of(amount: ir.DecimalValue, price: ir.DecimalValue) -> ir.IntegerValue:
    """The months that a payment of `amount` covers at the monthly price; NULL where it is the price of no cycle."""
    months = amount.cast("float64") / price.cast("float64")
    known = (((months / cycle - 1).abs() <= SAME_AMOUNT_RATE, cycle) for cycle in CYCLE_MONTHS.values())
    return ibis.cases(*known, else_=ibis.null("int64")).cast("int64")
