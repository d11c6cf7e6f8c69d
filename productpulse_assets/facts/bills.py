"""What every subscription was billed and when: one bill per billing period."""

import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.events import dataset_ends
from productpulse_assets.facts.billing import next_billing_day, whole_months
from productpulse_assets.facts.billing_schedules import ON_TIME_DAYS
from productpulse_assets.facts.calendar import as_of_day
from productpulse_assets.tables import table
from rules.rule_set import Rules
from rules.units import MONEY, days_later, months_later

EARLY_DAYS = 5
"""A payment made up to this many days before a billing date is for that bill, not for the one before it."""

USUAL_TERMS_DAYS = 30
"""The payment terms of customers whose payments show that they have some, if leakage_rules.yaml gives none."""

EARLY_PART = 3
"""Customers who use the payment terms pay up to a third of them before the due date."""

FIRST_PART = -1
"""The number of a bill for the days before the first full billing period."""

COLUMNS = (
    "bill_id", "customer_id", "subscription_id", "contract_line", "currency", "period_start", "period_end",
    "billing_date", "due_date", "paid_from", "amount_due", "is_prorated", "basis", "monthly_price",
)  # fmt: skip


@table(group="facts", owner="team:finance", key=("bill_id",))
def bills(billing_schedules: ir.Table, transactions: ir.Table, calendar: ir.Table, rules: Rules) -> ir.Table:
    """One row per billing period of a paid subscription that was billed by the as-of date.

    amount_due is the price of the period in the reporting currency; of a period that a change or an end makes
    shorter, the price of the days used. billing_date is the first day of the period or the day on which the
    subscription usually pays; due_date adds the payment terms of leakage_rules.yaml; paid_from is the first day on
    which a payment is for this bill and not for the one before it. There are no bills of the
    time before the first transaction, nor after the last one of an export that ends long before the as-of date:
    the export does not tell what was billed and paid then.
    """
    day = as_of_day(calendar).select("as_of_date")
    numbered = numbered_bills(billing_schedules.cross_join(day))
    dated = numbered.pipe(with_period).pipe(with_billing_date, rules.leakage_rules.payment_terms_days)
    known = known_days(transactions, day, rules.data_quality.late_days)
    billed = dated.cross_join(known).filter(_.billing_date <= _.last_day, _.due_date >= _.first_day)
    return billed.pipe(with_amount).pipe(with_basis).select(*COLUMNS)


def known_days(transactions: ir.Table, day: ir.Table, late_days: int) -> ir.Table:
    """One row: the first and the last day of which the transactions tell.

    Those of an export that ends long before the as-of date end on its newest transaction: whether a later bill was
    paid is unknown.
    """
    ends = dataset_ends(transactions, "transaction_date", day, late_days)
    last = ends.select(last_day=ibis.ifelse(ends.is_late, ends.newest, ends.as_of_date))
    return last.cross_join(transactions.aggregate(first_day=transactions.transaction_date.min()))


def numbered_bills(lines: ir.Table) -> ir.Table:
    """One row per billing period that began by the as-of date, with its number from first_full_date on."""
    last_day = ibis.least(lines.as_of_date, ibis.coalesce(days_later(lines.end_date, -1), lines.as_of_date))
    begun = lines.mutate(last_day=last_day).filter(_.last_day >= _.start_date)
    elapsed = whole_months(begun.first_full_date, ibis.greatest(begun.last_day, begun.first_full_date))
    has_full = begun.last_day >= begun.first_full_date
    has_part = begun.first_full_date > begun.start_date
    counted = begun.mutate(
        first_number=ibis.ifelse(has_part, FIRST_PART, 0).cast("int64"),
        last_number=ibis.ifelse(has_full, elapsed // begun.cycle, FIRST_PART).cast("int64"),
    )
    numbered = counted.mutate(number=ibis.range(counted.first_number, counted.last_number + 1)).unnest("number")
    return numbered.mutate(number=numbered.number.cast("int64")).drop("first_number", "last_number", "last_day")


def with_period(bills: ir.Table) -> ir.Table:
    """Add period_start and period_end, which a change or an end of the subscription may bring forward."""
    is_part = bills.number == FIRST_PART
    start = months_later(bills.first_full_date, bills.number * bills.cycle)
    end = months_later(bills.first_full_date, (bills.number + 1) * bills.cycle)  # of the first part: its own end
    table = bills.mutate(period_start=ibis.ifelse(is_part, bills.start_date, start), full_end=end)
    cut = ibis.coalesce(table.end_date, table.full_end)
    return table.mutate(period_end=ibis.least(table.full_end, cut), is_part=is_part, is_cut=cut < table.full_end)


def with_billing_date(bills: ir.Table, terms_days: int) -> ir.Table:
    """Add billing_date, due_date and paid_from.

    A customer who pays later has the payment terms. Where the rules give none, one whose payments show terms has
    USUAL_TERMS_DAYS. paid_from is the day from which on payments are for this bill and not for the one before it.
    """
    later = days_later(bills.period_start, bills.pay_lag.fill_null(0))
    billed = ibis.ifelse(bills.pay_day.notnull(), next_billing_day(bills.period_start, bills.pay_day), later)
    dated = bills.mutate(billing_date=billed)
    uses_terms = dated.is_paid_later if terms_days else dated.shows_terms
    terms = ibis.ifelse(uses_terms, terms_days or USUAL_TERMS_DAYS, terms_days)
    in_terms = days_later(dated.period_start, terms)
    due = dated.mutate(due_date=ibis.greatest(dated.billing_date, in_terms), uses_terms=uses_terms, terms=terms)
    early = days_later(due.due_date, -(due.terms // EARLY_PART))
    return due.mutate(paid_from=ibis.ifelse(due.uses_terms, early, days_later(due.billing_date, -EARLY_DAYS)))


def with_amount(bills: ir.Table) -> ir.Table:
    """Add amount_due: the price of the cycle, or of the days of it that the period has, rounded half up."""
    grid_start = ibis.ifelse(bills.is_part, months_later(bills.full_end, -bills.cycle), bills.period_start)
    cycle_days = bills.full_end.delta(grid_start, unit="day").cast("int64")
    days = bills.period_end.delta(bills.period_start, unit="day").cast("int64")
    full = (bills.monthly_price * bills.cycle).cast(MONEY)
    cents = (full * 100).cast("int64")
    part_cents = (cents * days * 2 + cycle_days) // (cycle_days * 2)
    part = (part_cents.cast("float64") / 100).round(2).cast(MONEY)
    is_prorated = bills.is_part | bills.is_cut
    is_former = bills.billing_date < days_later(bills.former_price_until, -ON_TIME_DAYS)
    is_former = is_former.fill_null(False) & ~is_prorated
    amount = ibis.cases((is_former, bills.former_amount.cast(MONEY)), (is_prorated, part), else_=full)
    return bills.mutate(amount_due=amount.cast(MONEY), is_prorated=is_prorated, is_former=is_former)


def with_basis(bills: ir.Table) -> ir.Table:
    """Add bill_id, and what the amount is that of: a full period, its first or last part, a change, a former price."""
    is_first = (bills.number == FIRST_PART) | ((bills.number == 0) & (bills.first_full_date == bills.start_date))
    basis = ibis.cases(
        (bills.is_former, "former price"),
        ((bills.is_cut & bills.is_replaced) | (is_first & bills.is_mid_cycle), "changed"),
        (bills.is_cut, "last"),
        (bills.is_part, "first"),
        else_="full",
    )
    bill_id = bills.subscription_id + "/" + bills.period_start.cast("string")
    return bills.filter(_.amount_due > 0).mutate(basis=basis, bill_id=bill_id)
