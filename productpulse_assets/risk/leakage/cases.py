"""What the detectors share: the datasets they look at and the columns they answer with."""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from productpulse_assets.sources.rejects import to_json
from rules.text.sql_text import fill_template, value_words
from rules.units import MONEY

MOST_IDS = 5
COLUMNS = (
    "customer_id", "subscription_id", "period_start", "period_end", "estimated_revenue_loss",
    "transaction_count", "first_date", "last_date", "transaction_ids", "evidence", "explanation", "price",
)  # fmt: skip


@dataclass(frozen=True)
class Books:
    """The tables that the detectors read, and the one row (as_of_date, is_current) of the as-of date.

    lost_bills are the open bills with their cause, as `open_bills` finds them.
    """

    subscriptions: ir.Table
    transactions: ir.Table
    product_usage: ir.Table
    account_transactions: ir.Table
    bill_balances: ir.Table
    payment_applications: ir.Table
    day: ir.Table
    lost_bills: ir.Table

    def payments(self, status: str) -> ir.Table:
        """Transactions of that status up to the as-of date, with that date."""
        columns = ("transaction_id", "subscription_id", "amount", "transaction_date")
        chosen = self.transactions.filter(self.transactions.status == status).select(*columns)
        return self.up_to_day(chosen, "transaction_date")

    def up_to_day(self, events: ir.Table, day: str) -> ir.Table:
        """The events up to the as-of date, with that date."""
        dated = events.cross_join(self.day.select("as_of_date"))
        return dated.filter(dated[day] <= dated.as_of_date)


def age(events: ir.Table, day: str) -> ir.IntegerColumn:
    """Days from `day` to the as-of date: 0 on it."""
    return events.as_of_date.delta(events[day], unit="day")


def counts(transactions: ir.Table) -> dict[str, ir.Scalar]:
    """Aggregations: how many transactions a case rests on, and from when to when."""
    return {
        "transaction_count": transactions.count(),
        "first_date": transactions.transaction_date.min(),
        "last_date": transactions.transaction_date.max(),
    }


def first_ids(transactions: ir.ArrayColumn) -> ir.ArrayColumn:
    """The ids of the earliest few of the transactions that were gathered by `collect_ordered`."""
    return transactions.sort()[:MOST_IDS].map(lambda pair: pair.text)


def as_cases(found: ir.Table, evidence: Mapping[str, ir.Value], explanation: str) -> ir.Table:
    """`found` in the columns of every case; {columns} of the explanation are filled in.

    A column of transactions, gathered by `collect_ordered`, becomes transaction_ids. {{loss}} and {{price}}
    wait for `with_money`.
    """
    ids = first_ids(found.transactions) if "transactions" in found.columns else ibis.null("array<string>")
    facts = {"transaction_count": found.transaction_count, **evidence, "transaction_ids": ids}
    return found.mutate(
        estimated_revenue_loss=found.estimated_revenue_loss.cast(MONEY),
        transaction_ids=ids.join(","),
        evidence=to_json(ibis.struct(facts)).cast("string"),
        explanation=fill_template(explanation, found),
        price=found.price.cast(MONEY),
    ).select(*COLUMNS)


def with_money(cases: ir.Table, currency: str) -> ir.Table:
    """Put {loss} and {price} into the explanations, for all kinds at once: an amount in words is a long expression."""
    loss, price = (value_words(cases[name], name, currency) for name in ("estimated_revenue_loss", "price"))
    return cases.mutate(explanation=cases.explanation.replace("{loss}", loss).replace("{price}", price)).drop("price")


def counted(number: ir.IntegerColumn, noun: str) -> ir.StringColumn:
    """`1 payment`, `2 payments`."""
    return number.cast("string") + ibis.ifelse(number == 1, f" {noun}", f" {noun}s")
