"""Why customers left: by their own choice, or because a payment failed."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joins import LAST_DAY, left_join_unique
from rules.churn_rules import ChurnRules
from rules.units import MONEY, first_of_month

VOLUNTARY, INVOLUNTARY, UNKNOWN = "Voluntary", "Involuntary", "Unknown"
MEMBER_MONTH = ["customer_id", "month"]
COLUMNS = (
    "churn_type", "churn_reason", "mrr_churned_voluntary", "mrr_churned_involuntary", "mrr_churned_unknown",
    "is_churned_voluntary", "is_churned_involuntary",
)  # fmt: skip


def with_churn_type(
    table: ir.Table,
    customers: ir.Table,
    subscriptions: ir.Table,
    mrr_periods: ir.Table,
    bill_balances: ir.Table,
    rules: ChurnRules,
) -> ir.Table:
    """Add churn_type and churn_reason of each customer-month that churned, and its MRR and count by type.

    Without any payment, reason or scheduled cancellation in the data, no type is known: voluntary and
    involuntary churn are NULL then, not 0.
    """
    ends = ended_customers(customers, subscriptions, mrr_periods, bill_balances)
    table = left_join_unique(table, ends, MEMBER_MONTH).cross_join(known(customers, subscriptions, bill_balances))
    is_churned = table.is_churned == 1
    table = table.mutate(
        churn_type=ibis.ifelse(is_churned, churn_type(table, rules), ibis.null("string")),
        churn_reason=ibis.ifelse(is_churned, table.reason, ibis.null("string")),
    )
    nothing = ibis.literal(0).cast(MONEY)
    of_type = {name: (table.churn_type == name).fill_null(False) for name in (VOLUNTARY, INVOLUNTARY, UNKNOWN)}
    amounts = {
        f"mrr_churned_{name.lower()}": ibis.ifelse(is_it, table.mrr_churned, nothing) for name, is_it in of_type.items()
    }
    counts = {f"is_churned_{name.lower()}": is_it.cast("int64") for name, is_it in of_type.items() if name != UNKNOWN}
    values = {
        name: value if name.endswith("_unknown") else ibis.ifelse(table.knows_types, value, ibis.null(value.type()))
        for name, value in (amounts | counts).items()
    }
    return table.mutate(**values).drop("reason", "had_canceled", "is_unpaid", "knows_types")


def churn_type(ended: ir.Table, rules: ChurnRules) -> ir.StringValue:
    """The type: by the reason, then by a cancellation of the customer, then by the last bill.

    Who had canceled has left by choice, also if a card failed afterwards.
    """
    plain = ended.reason.lower().replace("_", " ").replace("-", " ")
    is_involuntary = plain.isin(rules.involuntary_reasons) if rules.involuntary_reasons else ibis.literal(False)
    return ibis.cases(
        (is_involuntary.fill_null(False), INVOLUNTARY),
        (ended.reason.notnull() | ended.had_canceled.fill_null(False), VOLUNTARY),
        (ended.is_unpaid, INVOLUNTARY),
        (~ended.is_unpaid, VOLUNTARY),
        else_=UNKNOWN,
    )


def ended_customers(
    customers: ir.Table, subscriptions: ir.Table, mrr_periods: ir.Table, bill_balances: ir.Table
) -> ir.Table:
    """By customer and month in which the MRR of a subscription ended: reason, had_canceled, is_unpaid.

    Of several the one that ended last counts. is_unpaid: attempts to collect its last bill failed, and it was
    not paid later; NULL without a bill. The reason of the customer is that of its last end.
    """
    newest = ibis.struct({"day": bill_balances.billing_date, "id": bill_balances.bill_id})
    is_unpaid = (bill_balances.failed_count > 0) & ~bill_balances.is_settled
    last_bills = bill_balances.group_by("subscription_id").aggregate(is_unpaid=is_unpaid.argmax(newest))
    last_days = mrr_periods.group_by("subscription_id").aggregate(
        last_day=_.until_day.fill_null(ibis.date(LAST_DAY)).max()
    )
    ended = subscriptions.join(last_days, "subscription_id").drop("end_date").rename(end_date="last_day")
    ended = ended.filter(_.end_date < ibis.date(LAST_DAY), _.end_date > _.start_date)
    ended = ended.select(
        "customer_id",
        "subscription_id",
        month=first_of_month(ended.end_date),
        order=ibis.struct({"day": ended.end_date, "price": ended.monthly_price, "id": ended.subscription_id}),
        own_reason=ended.cancel_reason.strip().nullif(""),
        has_cancel_at=(ended.cancel_at <= ended.end_date).fill_null(False),
    )
    ended = left_join_unique(ended, last_bills, "subscription_id")
    months = ended.group_by(MEMBER_MONTH).aggregate(
        own_reason=ended.own_reason.argmax(ended.order, where=ended.own_reason.notnull()),
        had_canceled=ended.has_cancel_at.argmax(ended.order),
        is_unpaid=ended.is_unpaid.argmax(ended.order, where=ended.is_unpaid.notnull()),
    )
    months = months.mutate(is_last=months.month == months.month.max().over(ibis.window(group_by="customer_id")))
    given = customers.select("customer_id", given_reason=customers.cancel_reason.strip().nullif(""))
    months = left_join_unique(months, given)
    last_reason = ibis.ifelse(months.is_last, months.given_reason, ibis.null("string"))
    return months.select(*MEMBER_MONTH, "had_canceled", "is_unpaid", reason=months.own_reason.coalesce(last_reason))


def known(customers: ir.Table, subscriptions: ir.Table, bill_balances: ir.Table) -> ir.Table:
    """One row: knows_types, whether anything in the data tells why a customer left."""
    ended = subscriptions.aggregate(ended=subscriptions.cancel_reason.count() + subscriptions.cancel_at.count())
    given = customers.aggregate(given=customers.cancel_reason.count())
    billed = bill_balances.aggregate(billed=bill_balances.count())
    counts = ended.cross_join(given).cross_join(billed)
    return counts.select(knows_types=counts.ended + counts.given + counts.billed > 0)
