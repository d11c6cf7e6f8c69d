"""The leakage that was found, case by case and by kind."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.calendar import as_of_day
from productpulse_assets.joins import stable_id
from productpulse_assets.risk.leakage.cases import Books, age, with_money
from productpulse_assets.risk.leakage.open_bills import (
    failed_payment,
    missed_invoice,
    open_bills,
    underbilled_subscription,
    unpaid_active_subscription,
)
from productpulse_assets.risk.leakage.refunds import refund
from productpulse_assets.risk.leakage.usage import active_usage_without_billing
from productpulse_assets.tables import table
from rules.leakage_rules import LABELS, LeakageRules
from rules.literals import literal_rows
from rules.rule_set import Rules
from rules.units import MONEY

DETECTORS = {
    "failed_payment": failed_payment,
    "unpaid_active_subscription": unpaid_active_subscription,
    "missed_invoice": missed_invoice,
    "underbilled_subscription": underbilled_subscription,
    "refund": refund,
    "active_usage_without_billing": active_usage_without_billing,
}
USAGE, UNPAID = "active_usage_without_billing", "unpaid_active_subscription"
SHOWN = (
    "leakage_id", "leakage_type", "customer_id", "subscription_id", "period_start", "period_end",
    "estimated_revenue_loss", "is_recurring", "recommended_action", "transaction_count", "first_date", "last_date",
    "transaction_ids", "evidence", "explanation",
)  # fmt: skip
KINDS = ibis.schema({"place": "int64", "leakage_type": "string", "is_enabled": "boolean", "dataset": "string"})


@table(group="risk", owner="team:finance", key=("leakage_id",))
def revenue_leakage(
    subscriptions: ir.Table,
    transactions: ir.Table,
    product_usage: ir.Table,
    calendar: ir.Table,
    account_transactions: ir.Table,
    bill_balances: ir.Table,
    payment_applications: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per case of lost revenue, as rules/leakage_rules.yaml defines its six kinds.

    A case about an open bill loses what is open of it, never more, and each bill is in one case. Refunds are counted
    beside, for they are other money. estimated_revenue_loss is more than 0, in the reporting currency.
    leakage_id is a hash of kind, subscription and period_start, so that the same problem keeps its id from
    day to day.
    """
    day = as_of_day(calendar)
    books = Books(
        subscriptions, transactions, product_usage, account_transactions, bill_balances, payment_applications, day,
        lost_bills=open_bills(bill_balances, subscriptions, day, rules.leakage_rules),
    )  # fmt: skip
    found = ibis.union(*(cases_of(name, books, rules.leakage_rules) for name in LABELS))
    return found.pipe(with_money, rules.currency).pipe(with_id).select(*SHOWN)


def cases_of(name: str, books: Books, rules: LeakageRules) -> ir.Table:
    """What one detector finds, with its kind; nothing where it is switched off."""
    rule = rules.detectors.of(name)
    found = DETECTORS[name](books, rules)
    return found.filter(found.estimated_revenue_loss > 0, ibis.literal(rule.enabled)).mutate(
        leakage_type=ibis.literal(LABELS[name]),
        is_recurring=ibis.literal(rule.is_recurring),
        recommended_action=ibis.literal(rule.recommended_action),
    )


def with_id(cases: ir.Table) -> ir.Table:
    """Add leakage_id: the same for the same problem on any day."""
    return cases.mutate(
        leakage_id=stable_id(cases.leakage_type, cases.subscription_id, cases.period_start.cast("string"))
    )


@table(group="risk", owner="team:finance", key=("leakage_type",))
def leakage_summary(
    revenue_leakage: ir.Table, transactions: ir.Table, product_usage: ir.Table, calendar: ir.Table, rules: Rules
) -> ir.Table:
    """One row per kind of leakage, whether or not there is any.

    A kind that cannot be looked for, because its dataset is absent, it is switched off or the
    as-of date lies in the past of what it rests on, has NULL for its figures and says why.
    """
    leakage = rules.leakage_rules
    sums = revenue_leakage.group_by(found_type="leakage_type").aggregate(
        cases=_.count(), customers=_.customer_id.nunique(), loss=_.estimated_revenue_loss.sum()
    )
    kinds = kinds_of(leakage).cross_join(window(transactions, product_usage, calendar, leakage.window_days))
    table = kinds.mutate(not_available_reason=why_not(kinds)).left_join(sums, _.leakage_type == sums.found_type)
    is_known = table.not_available_reason.isnull()
    known = table.mutate(
        cases=ibis.ifelse(is_known, table["cases"].fill_null(0), ibis.null("int64")),
        customers=ibis.ifelse(is_known, table.customers.fill_null(0), ibis.null("int64")),
        estimated_revenue_loss=ibis.ifelse(is_known, table.loss.fill_null(0), ibis.null(MONEY)).cast(MONEY),
    )
    total = known.estimated_revenue_loss.sum().over(ibis.window())
    return known.mutate(
        share_of_loss=known.estimated_revenue_loss.cast("float64") / total.cast("float64").nullif(0)
    ).select(*SUMMARY)


def kinds_of(rules: LeakageRules) -> ir.Table:
    """The kinds of leakage, with whether they are looked for and the dataset each needs."""
    rows = [
        {
            "place": place,
            "leakage_type": label,
            "is_enabled": rules.detectors.of(name).enabled,
            "dataset": "product_usage" if name == USAGE else "transactions",
        }
        for place, (name, label) in enumerate(LABELS.items())
    ]
    return literal_rows(rows, KINDS)


def window(transactions: ir.Table, product_usage: ir.Table, calendar: ir.Table, window_days: int) -> ir.Table:
    """One row: the window's days, what was collected in it, and which datasets there are."""
    day = as_of_day(calendar)
    dated = transactions.select("amount", "status", "transaction_date").cross_join(day)
    days_ago = age(dated, "transaction_date")
    is_collected = (dated.status == "Success") & days_ago.between(0, window_days)
    collected = dated.aggregate(
        amount=dated.amount.sum(where=is_collected).fill_null(0).cast(MONEY), has_transactions=dated.count() > 0
    )
    usage = product_usage.aggregate(has_usage=product_usage.count() > 0)
    row = day.cross_join(collected).cross_join(usage)
    return row.select(
        "is_current",
        "has_transactions",
        "has_usage",
        amount_collected=ibis.ifelse(row.has_transactions, row.amount, ibis.null(MONEY)),
        window_start=(row.as_of_date - ibis.interval(days=window_days)).cast("timestamp").cast("date"),
        window_end=row.as_of_date,
    )


def why_not(kinds: ir.Table) -> ir.StringColumn:
    """Why a kind's figures are not known; NULL where they are."""
    needs_usage = kinds.dataset == "product_usage"
    is_present = ibis.ifelse(needs_usage, kinds.has_usage, kinds.has_transactions)
    is_past = (kinds.leakage_type == LABELS[UNPAID]) & ~kinds.is_current
    return ibis.cases(
        (~kinds.is_enabled, "Switched off in leakage_rules.yaml."),
        (~is_present, "Needs the dataset " + kinds.dataset + ", which is absent."),
        (is_past, "Needs the status Past Due, which is known only as of the newest date in the data."),
    )


SUMMARY = (
    "leakage_type", "cases", "customers", "estimated_revenue_loss", "share_of_loss", "amount_collected",
    "window_start", "window_end", "is_enabled", "not_available_reason",
)  # fmt: skip
