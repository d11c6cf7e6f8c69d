"""Contract terms: for how long a subscription is signed, however often it is billed."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.billing import cycle_months
from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.units import days_later, months_between, months_later

MANY_TERMS = 10_000
"""More terms than lie between any two days: added before a division, so that it never divides a negative number."""

SIGNED = ("term_months", "term_end", "auto_renew", "cancel_at", "plan")
COLUMNS = (
    "subscription_id", "customer_id", "contract_line", "plan", "start_date", "end_date", "monthly_price",
    "term_months", "term_anchor", "auto_renew", "cancel_at", "knows_cancellations",
)  # fmt: skip


@table(group="facts", owner="team:finance", key=("subscription_id",))
def contract_terms(contract_lines: ir.Table, subscriptions: ir.Table, source_inventory: ir.Table) -> ir.Table:
    """One row per paid subscription period: the terms of its contract, and its scheduled cancellation.

    term_months is the length of a term: the source's, or else a billing cycle of a quarter or a year; NULL for a
    monthly plan, which has no renewal. term_anchor is a day on which a term ends: term_end of the source, or else the
    start of the periods of the line with the same term, so that a change of plan within a term begins no new one.
    Terms end every term_months before and after it. A period with a term_end alone has that one end.
    knows_cancellations, the same in every row: the source has the column cancel_at.
    """
    signed = subscriptions.select("subscription_id", *SIGNED, cycle_term=cycle_months(subscriptions).nullif(1))
    lines = contract_lines.select(
        "subscription_id", "customer_id", "contract_line", "start_date", "end_date", "monthly_price"
    )
    table = left_join_unique(lines, signed, "subscription_id")
    is_given = table.term_months.notnull()
    months = ibis.ifelse(is_given, table.term_months.nullif(1), table.cycle_term)
    months = ibis.ifelse(~is_given & table.term_end.notnull(), ibis.null("int64"), months)
    table = table.mutate(term_months=months, is_monthly=(table.term_months == 1).fill_null(False))
    anchor = ibis.ifelse(_.term_months.notnull(), _.term_start, ibis.null("date"))
    table = table.pipe(with_term_start).mutate(term_anchor=ibis.coalesce(_.term_end, anchor))
    table = table.mutate(term_anchor=ibis.ifelse(table.is_monthly, ibis.null("date"), table.term_anchor))
    return table.cross_join(known_columns(source_inventory)).select(*COLUMNS)


def with_term_start(periods: ir.Table) -> ir.Table:
    """Add term_start: the first day of the periods of the line that follow each other with the same term."""
    order = [periods.start_date, periods.subscription_id]
    by_start = ibis.window(group_by=periods.contract_line, order_by=order)
    so_far = ibis.window(group_by=periods.contract_line, order_by=order, preceding=None, following=0)
    before = periods.term_months.fill_null(0).lag(1).over(by_start)
    table = periods.mutate(is_other=(before != periods.term_months.fill_null(0)).fill_null(True).cast("int64"))
    table = table.mutate(term_run=table.is_other.sum().over(so_far))
    run = ibis.window(group_by=[table.contract_line, table.term_run])
    return table.mutate(term_start=table.start_date.min().over(run)).drop("is_other", "term_run")


def known_columns(source_inventory: ir.Table) -> ir.Table:
    """One row: knows_cancellations, whether the source of subscriptions has the column cancel_at."""
    absent = ibis.literal(", ") + source_inventory.columns_absent.fill_null("") + ", "
    lacks = (source_inventory.dataset == "subscriptions") & absent.contains(", cancel_at, ")
    return source_inventory.aggregate(knows_cancellations=lacks.cast("int64").sum().fill_null(0) == 0)


def term_number(terms: ir.Table, day: ir.DateValue) -> ir.IntegerValue:
    """The number, counted from term_anchor, of the first end of a term after `day`; 0 where there is one end only."""
    length = terms.term_months.fill_null(1)
    number = (months_between(terms.term_anchor, day) + MANY_TERMS * length) // length - MANY_TERMS
    number = number.cast("int64")
    is_past = numbered_end(terms, number) <= day
    return ibis.ifelse(terms.term_months.isnull(), 0, number + is_past.cast("int64")).cast("int64")


def numbered_end(terms: ir.Table, number: ir.IntegerValue) -> ir.DateValue:
    """The day on which the term of this number ends."""
    return months_later(terms.term_anchor, number * terms.term_months.fill_null(1))


def next_term_end(terms: ir.Table, day: ir.DateValue) -> ir.DateValue:
    """The first end of a term after `day`; NULL without one."""
    end = numbered_end(terms, term_number(terms, day))
    return ibis.ifelse(end > day, end, ibis.null("date"))


def is_ending(terms: ir.Table, day: ir.DateValue) -> ir.BooleanValue:
    """Whether a cancellation takes effect after `day`; one whose day has gone by did not happen."""
    return (terms.cancel_at > day).fill_null(False)


def term_ends(terms: ir.Table, first: ir.DateValue, last: ir.DateValue) -> ir.Table:
    """Each term of a period that ends after `first`, up to the first end after `last`, with term_end.

    The period runs on the day before: what ends within a term is no term to renew.
    """
    known = terms.filter(terms.term_anchor.notnull(), terms.end_date.isnull() | (terms.end_date > first))
    numbers = known.mutate(
        number=ibis.range(term_number(known, first), term_number(known, last) + 1),
    ).unnest("number")
    numbers = numbers.mutate(number=numbers.number.cast("int64"))
    dated = numbers.mutate(term_end=numbered_end(numbers, numbers.number))
    runs = (dated.start_date <= days_later(dated.term_end, -1)) & (
        dated.end_date.isnull() | (dated.end_date >= dated.term_end)
    )
    return dated.filter(runs, dated.term_end > first).drop("number")
