"""Which payment settles which bill: first the bill of its own period, then the customer's oldest open bills."""

from decimal import Decimal

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.billing import EARLY_DAYS, at_fixed_rates
from productpulse_assets.facts.calendar import as_of_day
from productpulse_assets.facts.payment_periods import with_period
from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.rule_set import Rules
from rules.units import MONEY, months_later

SHORT_PART_DAYS = 2 * EARLY_DAYS
RETURN_DAYS = 45
"""A refund of exactly what a payment exceeded the bills by, at most this many days from it, gives that payment back."""

ROUNDING = Decimal("0.02")
"""Parts of a month are rounded to the cent, and two of them may differ from the whole by as much."""

ACCOUNT = ("customer_id", "currency")
OWN, OLDEST, RETURNED, CREDIT = "own bill", "oldest bill", "returned", "credit"
PIECES = (
    "transaction_id",
    "customer_id",
    "currency",
    "transaction_date",
    "bill_id",
    "step",
    "amount_applied",
    "refund_id",
)


@table(group="facts", owner="team:finance", key=("transaction_id",))
def account_transactions(
    bills: ir.Table, contract_lines: ir.Table, transactions: ir.Table, calendar: ir.Table, rules: Rules
) -> ir.Table:
    """One row per transaction of a customer with bills: the account that it belongs to, and the bill of its period.

    An account is a customer and a currency. bill_id is the bill of the same contract line that was billed on the
    day of the transaction or last before it; empty where there is none. Where nothing tells the contract
    line, because no subscription is named and the customer has several lines, it is that of a bill of exactly the
    amount, or empty. Transactions a billing cycle or more before the customer's first subscription belong to a contract
    that the data does not have, and are left out.
    """
    day = as_of_day(calendar).select("as_of_date")
    past = at_fixed_rates(transactions).cross_join(day).filter(_.transaction_date <= _.as_of_date)
    past = past.pipe(with_period, contract_lines)
    payments = with_account(past, contract_lines, bills, rules.sources.reporting_currency)
    dated = with_paid_until(bills)
    # In this order Ibis writes the query of the payments once; as the first table of both joins it is written twice.
    own = dated.join(
        payments,
        [
            payments.contract_line == dated.contract_line,
            payments.currency == dated.currency,
            payments.transaction_date >= dated.paid_from,
            payments.transaction_date < dated.paid_until,
        ],
    ).select("transaction_id", "bill_id", "amount_due", "own_line")
    found = ibis.union(own, bills_of_amount(payments.filter(_.is_unnamed), dated))
    table = payments.drop("is_unnamed").pipe(left_join_unique, found, "transaction_id")
    return table.mutate(
        bill_id=table.bill_id.fill_null(""), contract_line=table.contract_line.coalesce(table.own_line)
    ).drop("own_line")


def bills_of_amount(payments: ir.Table, bills: ir.Table) -> ir.Table:
    """The bill of exactly the amount of each payment that is billed on its day or last before it on its line.

    Of several such bills the newest counts, then the last by id: what it does not need goes to the others.
    """
    pairs = payments.join(
        bills,
        [
            *(payments[name] == bills[name] for name in ACCOUNT),
            payments.amount == bills.amount_due,
            payments.transaction_date >= bills.paid_from,
            payments.transaction_date < bills.paid_until,
        ],
    ).select("transaction_id", "bill_id", "amount_due", "own_line", "paid_from")
    order = ibis.struct({"day": pairs.paid_from, "bill": pairs.bill_id})
    return pairs.group_by("transaction_id").aggregate(
        **{name: pairs[name].argmax(order) for name in ("bill_id", "amount_due", "own_line")}
    )


@table(group="facts", owner="team:finance", key=("transaction_id", "bill_id"))
def payment_applications(bills: ir.Table, account_transactions: ir.Table) -> ir.Table:
    """One row per payment and bill that it settles, in full or in part, and one for what it leaves unused.

    The parts of a payment add up to its amount. `step` is how the bill was found: own bill (of the same contract
    line and period), oldest bill (of the customer in the same currency); bill_id is empty for a payment that a
    refund (refund_id) gave back, and for credit. A failed attempt settles nothing, and a refund re-opens nothing.
    """
    own = own_applications(account_transactions.filter(_.status == "Success"))
    pool = own.mutate(amount=(own.amount - own.amount_applied).cast(MONEY)).filter(_.amount > 0)
    returned = returned_payments(pool, account_transactions.filter(_.status == "Refunded"))
    left = pool.anti_join(returned, "transaction_id")
    oldest = overlaps(left, remaining(bills, own))
    credit = unused(left, oldest)
    no_refund = ibis.null("string")
    return ibis.union(
        own.filter(_.amount_applied > 0).mutate(refund_id=no_refund).select(*PIECES),
        oldest.mutate(step=ibis.literal(OLDEST), refund_id=no_refund).select(*PIECES),
        without_bill(returned, RETURNED),
        without_bill(credit.mutate(refund_id=no_refund), CREDIT),
    )


def without_bill(payments: ir.Table, step: str) -> ir.Table:
    """Rows of payments, or of the parts of them, that settle no bill."""
    return payments.mutate(
        bill_id=ibis.literal(""), step=ibis.literal(step), amount_applied=payments.amount.cast(MONEY)
    ).select(*PIECES)


def with_account(
    transactions: ir.Table, contract_lines: ir.Table, bills: ir.Table, reporting_currency: str
) -> ir.Table:
    """Transactions of customers who have bills, with their contract line and the currency of their account.

    is_unnamed: nothing tells which subscription the transaction is for.
    """
    of_subscription = contract_lines.select("subscription_id", "contract_line", billed_in="currency")
    of_customer = bills.group_by("customer_id").aggregate(any_currency=_.currency.max())
    accounts = bills.select("customer_id", paid_in="currency").distinct().mutate(has_account=ibis.literal(True))
    starts = account_starts(contract_lines)
    rows = transactions.select(
        "transaction_id", "customer_id", "subscription_id", "status", "amount", "transaction_date",
        paid_in=ibis.coalesce(transactions.currency, ibis.literal(reporting_currency)),
    )  # fmt: skip
    table = rows.join(of_customer, "customer_id").join(starts, "customer_id")
    table = table.left_join(of_subscription, "subscription_id").select(*table.columns, "contract_line", "billed_in")
    table = table.left_join(accounts, ["customer_id", "paid_in"]).select(*table.columns, "has_account")
    table = table.filter(table.transaction_date > table.account_start, table.amount > 0)
    other = ibis.coalesce(table.billed_in, table.any_currency)
    return table.mutate(
        is_unnamed=table.subscription_id.isnull(),
        currency=ibis.ifelse(table.has_account.notnull(), table.paid_in, other),
    ).select(
        "transaction_id", "customer_id", "contract_line", "currency", "status", "amount", "transaction_date",
        "is_unnamed",
    )  # fmt: skip


def account_starts(contract_lines: ir.Table) -> ir.Table:
    """By customer: account_start, the day a billing cycle before its first paid subscription."""
    cycle = contract_lines.cycle.fill_null(1)
    starts = contract_lines.mutate(earliest=months_later(contract_lines.start_date, -cycle))
    return starts.group_by("customer_id").aggregate(account_start=_.earliest.min())


def with_paid_until(bills: ir.Table) -> ir.Table:
    """Bills with the days on which a payment of their contract line is for them: paid_from to before paid_until.

    A bill just after that of a part of a month is not paid early: the payment is for the part.
    """
    line = ibis.window(group_by=[bills.contract_line, bills.currency], order_by=[bills.billing_date, bills.bill_id])
    gap = bills.billing_date.delta(bills.billing_date.lag().over(line), unit="day")
    is_after_part = (gap <= SHORT_PART_DAYS).fill_null(False)
    dated = bills.mutate(paid_from=ibis.ifelse(is_after_part, bills.billing_date, bills.paid_from))
    line = ibis.window(group_by=[dated.contract_line, dated.currency], order_by=[dated.paid_from, dated.bill_id])
    until = ibis.coalesce(dated.paid_from.lead().over(line), ibis.date("9999-12-31"))
    return dated.mutate(paid_until=until, own_line=dated.contract_line).select(
        "contract_line", "own_line", "customer_id", "currency", "bill_id", "amount_due", "paid_from", "paid_until"
    )


def own_applications(payments: ir.Table) -> ir.Table:
    """Each payment with the amount of it that settles the bill of its own period.

    Of several payments for one bill those of exactly its amount come first, then the earlier ones.
    """
    is_exact = (payments.amount == payments.amount_due).fill_null(False)
    found = payments.mutate(is_other=(~is_exact).cast("int64"))
    before = ibis.window(
        group_by=found.bill_id,
        order_by=[found.is_other, found.transaction_date, found.transaction_id],
        preceding=None,
        following=0,
    )
    earlier = found.amount.sum().over(before) - found.amount
    free = ibis.greatest(found.amount_due - earlier, ibis.literal(0).cast(MONEY))
    applied = ibis.ifelse(found.bill_id == "", ibis.literal(0).cast(MONEY), ibis.least(found.amount, free))
    # Selected by name: Ibis writes a shared query that ends with dropped columns once for each of its readers.
    return found.select(
        *[name for name in payments.columns if name != "amount_due"],
        amount_applied=applied.cast(MONEY),
        step=ibis.literal(OWN),
    )


def returned_payments(pool: ir.Table, refunds: ir.Table) -> ir.Table:
    """The payments for a bill that another payment settled, which were given back.

    A bill was paid twice, or the wrong amount was paid, refunded, and paid again.
    """
    whole = pool.filter(_.amount_applied == 0, _.bill_id != "")
    key = [*ACCOUNT, "amount"]
    paid = whole.mutate(place=nth_in(whole, key))
    back = refunds.select(
        *key, place=nth_in(refunds, key), refund_id=refunds.transaction_id, refund_date=refunds.transaction_date
    )
    pairs = paid.join(back, [*key, "place"])
    days = pairs.refund_date.delta(pairs.transaction_date, unit="day").abs()
    return pairs.filter(days <= RETURN_DAYS).select(*pool.columns, "refund_id")


def nth_in(rows: ir.Table, key: list[str]) -> ir.IntegerColumn:
    """The place of each row among those with the same `key`, by date."""
    return ibis.row_number().over(ibis.window(group_by=key, order_by=[rows.transaction_date, rows.transaction_id]))


def remaining(bills: ir.Table, applied: ir.Table) -> ir.Table:
    """What the payments of their own period leave open of the bills."""
    settled = applied.group_by("bill_id").aggregate(settled=_.amount_applied.sum().cast(MONEY))
    table = bills.left_join(settled, "bill_id").select(
        "bill_id", "customer_id", "currency", "due_date", "period_start", "amount_due", "settled"
    )
    rest = (table.amount_due - table.settled.fill_null(ibis.literal(0).cast(MONEY))).cast(MONEY)
    return table.mutate(rest=rest).filter(_.rest > 0)


def overlaps(payments: ir.Table, open_bills: ir.Table) -> ir.Table:
    """Payments applied to the oldest open bills of the account.

    On each account the bills, by due date, and the payments, by date, are laid end to end as intervals of money from
    0 on; a payment settles of a bill what their intervals have in common. A cent or two of rounding settle nothing.
    """
    due = with_interval(open_bills, "rest", ["due_date", "period_start", "bill_id"], "due").select(
        *ACCOUNT, "bill_id", "due_from", "due_to"
    )
    free = payments.select([name for name in payments.columns if name not in ("bill_id", "step", "amount_applied")])
    paid = with_interval(free, "amount", ["transaction_date", "transaction_id"], "paid")
    both = paid.join(due, list(ACCOUNT)).filter(_.due_from < _.paid_to, _.paid_from < _.due_to)
    common = ibis.least(both.due_to, both.paid_to) - ibis.greatest(both.due_from, both.paid_from)
    applied = both.mutate(amount_applied=common.cast(MONEY), whole=both.due_to - both.due_from)
    is_rounding = (applied.amount_applied <= ibis.literal(ROUNDING, MONEY)) & (applied.amount_applied < applied.whole)
    return applied.filter(~is_rounding).select([name for name in applied.columns if name != "whole"])


def with_interval(rows: ir.Table, amount: str, order: list[str], name: str) -> ir.Table:
    """Add <name>_from and <name>_to: the sums of the amounts before and with each row of its account."""
    window = ibis.window(group_by=list(ACCOUNT), order_by=order, preceding=None, following=0)
    to = rows[amount].sum().over(window).cast(MONEY)
    table = rows.mutate(**{f"{name}_to": to})
    return table.mutate(**{f"{name}_from": (table[f"{name}_to"] - table[amount]).cast(MONEY)})


def unused(payments: ir.Table, applied: ir.Table) -> ir.Table:
    """What the payments exceed all bills by."""
    used = applied.group_by("transaction_id").aggregate(used=_.amount_applied.sum().cast(MONEY))
    table = payments.left_join(used, "transaction_id").select(*payments.columns, "used")
    left = (table.amount - table.used.fill_null(ibis.literal(0).cast(MONEY))).cast(MONEY)
    return table.mutate(amount=left).filter(_.amount > 0)
